from random import Random

import pytest

from vlm.reading.axis import FEW, fit_scale, number_style, tick_values
from vlm.reading.seen import SeenWord
from vlm.structure import Axis, Label, Tick
from vlm.structure.numbers import parse_number


def words(*ticks, upright=True):
    """Tick labels (text, place), all at one place of the other axis."""
    found = []
    for number, (text, place) in enumerate(ticks):
        x, y = (30, place) if upright else (place, 200)
        found.append(SeenWord(Label(text=text, box=(x - 10, y - 4, x + 10, y + 4)), "tick", number))
    return found


@pytest.mark.parametrize("upright", [True, False])
@pytest.mark.parametrize(
    "texts",
    [
        ("0", "10", "20", "30"), ("-5", "0", "5", "10"), ("1,000", "2,000", "3,000"), ("0k", "5k", "10k"),
        ("0.5M", "1.0M", "1.5M"), ("$0", "$50", "$100"), ("10%", "20%", "30%"), ("100", "90", "80"),
    ],
)  # fmt: skip
def test_clean_ticks_give_the_exact_scale(texts, upright):
    values = [parse_number(text) for text in texts]
    scale = fit_scale(words(*((text, 200 - 40 * i) for i, text in enumerate(texts)), upright=upright), upright)
    assert not scale.is_log and scale.confidence == 1
    assert sorted(value for value, _ in scale.ticks) == sorted(values)
    for i, value in enumerate(values):
        assert scale.value(200 - 40 * i) == pytest.approx(value, abs=1e-6 * max(map(abs, values)))
        assert scale.place(value) == pytest.approx(200 - 40 * i)
    assert scale.value(180) == pytest.approx((values[0] + values[1]) / 2)


def test_powers_at_equal_steps_are_a_logarithmic_scale():
    scale = fit_scale(words(("1", 200), ("10", 150), ("100", 100), ("1,000", 50)), upright=True)
    assert scale.is_log
    assert scale.value(125) == pytest.approx(10**1.5) and scale.place(10) == pytest.approx(150)


def test_the_structure_says_that_a_scale_is_logarithmic_and_has_its_places():
    scale = fit_scale(words(("1", 200), ("10", 150), ("100", 100), ("1,000", 50)), upright=True)
    axis = Axis.model_validate_json(scale.axis(None, (220, 40)).model_dump_json())
    assert axis.is_log and [axis.place(10**i) for i in range(4)] == pytest.approx([200, 150, 100, 50])
    assert axis.place(axis.low) == 220 and axis.place(axis.high) == pytest.approx(40)
    assert scale.axis(None, (1e6, 40)).low > 0  # or there would be no place for it


@pytest.mark.parametrize("wrong", ["80", "3", "-20", "2000000", "7.02"])
@pytest.mark.parametrize("which", range(5))
def test_one_misread_tick_changes_nothing(wrong, which):
    texts = [str(10 * i) for i in range(5)]
    clean = fit_scale(words(*((text, 200 - 40 * i) for i, text in enumerate(texts))), upright=True)
    texts[which] = wrong
    scale = fit_scale(words(*((text, 200 - 40 * i) for i, text in enumerate(texts))), upright=True)
    assert not scale.is_log
    assert (scale.slope, scale.offset) == pytest.approx((clean.slope, clean.offset))
    assert scale.confidence == pytest.approx(0.8) and wrong not in {label.text for _, label in scale.ticks}


def test_labels_a_little_off_their_places_are_averaged():
    rng = Random(0)
    scale = fit_scale(words(*((str(10 * i), 300 - 50 * i + rng.uniform(-1, 1)) for i in range(6))), upright=True)
    assert len(scale.ticks) == 6 and abs(scale.value(175) - 25) < 0.25


def test_two_ticks_are_believed_less():
    scale = fit_scale(words(("0", 200), ("10", 100)), upright=True)
    assert scale.value(150) == pytest.approx(5) and scale.confidence == FEW < 1


@pytest.mark.parametrize(
    "ticks", [(), (("5", 100),), (("a", 100), ("b", 50), ("c", 0)), (("5", 100), ("7", 101)), (("5", 100), ("5", 50))]
)
def test_what_is_no_scale_is_none(ticks):
    assert fit_scale(words(*ticks), upright=True) is None


def test_labels_of_the_other_axis_are_no_ticks_of_this_one():
    up = words(*((str(500 * i), 200 - 40 * i) for i in range(5)))
    across = words(*((str(10 * i), 60 + 40 * i) for i in range(7)), upright=False)
    both = [*across, *up]
    assert fit_scale(both, upright=True).value(180) == pytest.approx(250, abs=1)
    assert fit_scale(both, upright=False).value(80) == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize(
    ("text", "values"),
    [("1O", [1, 10]), ("lOO", [100]), ("2S", [2, 25]), ("3k", [3000]), ("5B", [5e9, 58]), ("x", [])],
)
def test_letters_among_digits_may_be_digits(text, values):
    assert tick_values(text) == values


@pytest.mark.parametrize(
    "texts", [("0", "1O", "20", "30"), ("0", "IO", "2O", "30"), ("1B", "2B", "3B"), ("20", "2S", "30")]
)
def test_what_letters_stand_for_the_other_ticks_tell(texts):
    scale = fit_scale(words(*((text, 200 - 40 * i) for i, text in enumerate(texts))), upright=True)
    assert len(scale.ticks) == len(texts) and scale.confidence == 1


@pytest.mark.parametrize("text", ["1e300", "-1e25", "1e-300"])
def test_numbers_that_no_axis_shows_are_no_ticks(text):
    assert tick_values(text) == []


def test_far_beyond_a_logarithmic_scale_is_still_a_number():
    scale = fit_scale(words(("0.000000001", 200), ("1", 190), ("1e9", 180)), upright=True)
    assert scale.is_log and 0 <= scale.value(-300) < float("inf")


def test_values_have_no_digits_that_nobody_could_read():
    scale = fit_scale(words(("0", 200), ("10", 100), ("20", 0)), upright=True)
    assert scale.rounded(3.14159) == 3.1 and str(scale.rounded(-1e-9)) == "0.0"
    thousands = fit_scale(words(("0k", 200), ("10k", 100), ("20k", 0)), upright=True)
    assert thousands.rounded(12_345.678) == 12_300
    logarithmic = fit_scale(words(("1", 200), ("10", 150), ("100", 100), ("1000", 50)), upright=True)
    assert logarithmic.rounded(123.456) == 123.5


def test_an_axis_says_the_values_at_its_ends():
    scale = fit_scale(words(("0", 200), ("10", 100)), upright=True)
    axis = scale.axis(None, (250, 50))
    assert (axis.low, axis.high) == pytest.approx((-5, 15)) and axis.place(10) == pytest.approx(100)
    assert [tick.value for tick in axis.ticks] == [0, 10]


@pytest.mark.parametrize(
    ("texts", "value", "written"),
    [
        (["0", "20", "40"], 13.28, "13"), (["0", "5", "10"], 3.14, "3.1"), (["0.0", "0.5", "1.0"], 0.731, "0.73"),
        (["$0", "$500", "$1,000"], 730.2, "$730"), (["0M", "10M", "20M"], 13_100_000, "13M"),
    ],
)  # fmt: skip
def test_values_are_written_as_the_ticks_are_to_a_tenth_of_a_step(texts, value, written):
    ticks = tuple(
        Tick(value=parse_number(text), label=Label(text=text, box=(0, i, 1, i + 1))) for i, text in enumerate(texts)
    )
    axis = Axis(title=None, unit="", ticks=ticks, low=0, high=1, low_place=9, high_place=0)
    assert number_style(axis).write(value) == written


def test_without_an_axis_two_decimals_are_kept():
    assert number_style(None).write(3.14159) == "3.14"
