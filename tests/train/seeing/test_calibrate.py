from random import Random

from train.data_engine import FAMILIES
from train.seeing.calibrate import FAMILY, KINDS, LEAST, PICTURES, calibrate, fit, unseen
from train.seeing.evaluate import row_of
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


def test_everything_that_is_read_is_calibrated_with_pictures_of_its_own():
    assert KINDS.keys() == PICTURES.keys() and {FAMILY.get(row, row) for row in KINDS} == set(FAMILIES)


def test_rare_pictures_are_drawn_until_there_are_enough_of_them():
    drawn = [(family, row_of(family, sample.truth)) for family, sample in unseen({"scatter": 2, "pie": 1, "signs": 1})]
    assert sorted(drawn) == [("charts", "pie"), ("charts", "scatter"), ("charts", "scatter"), ("signs", "signs")]


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
