from random import Random

from train.seeing.calibrate import KINDS, LEAST, calibrate, fit
from train.seeing.scores import Judgement, calibration_error
from vlm.reading.weights import Vocabulary
from vlm.structure import Reading


def test_fitted_confidences_come_true():
    """Of what the heads are c sure, c squared comes true: too sure."""
    rng = Random(0)
    sure = [rng.random() for _ in range(3000)]
    judged = [Judgement(rng.random() < chance**2, chance) for chance in sure]
    vocabulary = Vocabulary((), (), {"bar": fit(judged[::2])})
    fitted = [Judgement(one.right, vocabulary.calibrated("bar", one.confidence)) for one in judged[1::2]]
    assert calibration_error(judged) > 0.1 and calibration_error(fitted) < 0.05


def test_what_was_not_read_has_no_part_in_the_fit():
    judged = [Judgement(i % 4 > 0, 0.6 + 0.1 * (i % 3)) for i in range(60)]
    assert fit(judged) == fit([*judged, *[Judgement(False, None)] * 50])


def test_every_row_of_the_table_with_judgements_can_be_calibrated_but_signs_whose_texts_are_as_sure_as_ocr():
    assert {
        "bar",
        "grouped",
        "stacked",
        "line",
        "pie",
        "scatter",
        "edges",
        "tables",
        "parts",
        "shapes",
        "things",
    } == set(KINDS)


def test_where_all_was_right_doubt_still_shows():
    judged = [Judgement(True, 0.5 + i / 200) for i in range(100)]
    scale, shift = fit(judged)
    assert scale > 0.5 and shift > 0


def test_how_sure_the_family_is_gets_fitted_too():
    class Doubtful:
        def read(self, image):
            return Reading(family="shapes", confidence=0.6, structure=None, words=())

    fitted = calibrate(Doubtful(), {"shapes": LEAST})
    assert fitted.keys() == {"family"}  # of the things none was read, so nothing is known of how sure those are
    assert Vocabulary((), (), fitted).calibrated("family", 0.6) > 0.9
