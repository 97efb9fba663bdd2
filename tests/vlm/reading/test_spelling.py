import pytest

from vlm.reading.axis import fit_scale
from vlm.reading.roles import _second_lines, _without_markers
from vlm.reading.seen import SeenWord
from vlm.reading.spelling import (
    labels_apart,
    like_the_others,
    nearest_reading,
    number_readings,
    with_dollars,
    without_swatch,
)
from vlm.structure import Label


def word(text, x, y, role, half=15):
    return SeenWord(Label(text=text, box=(x - half, y - 5, x + half, y + 5)), role, 0)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("S10 000", 10000),
        ("\u016079", 79),
        ("SOM", 0),
        ("23.5%6", 23.5),
        ("4996", 49),
        ("31 6k", 316000),
        ("1 364k", 364000),
        ("1O", 10),
    ],
)
def test_a_number_is_among_what_a_misread_text_may_mean(text, value):
    assert value in number_readings(text)
    assert nearest_reading(text, 1.01 * value, 0.05 * value + 1) == value


def test_what_is_read_clearly_comes_first_and_what_is_far_is_not_taken():
    assert number_readings("196")[0] == 196 and number_readings("$5")[0] == 5 and number_readings("Total") == []
    assert nearest_reading("12", 80, 5) is None


def test_ticks_are_multiples_of_their_step_whatever_became_of_the_per_cent():
    scale = fit_scale([word("096", 30, 200, "tick"), word("196", 30, 100, "tick")], upright=True)
    assert scale.value(150) == pytest.approx(0.5)
    scale = fit_scale(
        [word(text, 30, 200 - 40 * i, "tick") for i, text in enumerate(("SO", "S5", "S10"))], upright=True
    )
    assert scale.value(140) == pytest.approx(7.5)


def test_names_lose_the_swatch_that_was_read_with_them_and_nothing_else():
    texts = ["I Team 2", "* Gold", "= Product C", "XLyon", "1st half", "Xi", "I", "A", "2023", "_- Noon", "--Day", "-5"]
    labels = [without_swatch(Label(text=text, box=(0, 0, 50, 10))) for text in texts]
    assert [one.text for one in labels[:4]] == ["Team 2", "Gold", "Product C", "Lyon"]
    assert [one.text for one in labels[4:9]] == texts[4:9]
    assert [one.text for one in labels[9:]] == ["Noon", "Day", "-5"]
    assert [one.box[0] for one in labels[:2]] == [12.5, pytest.approx(50 / 3)]  # where the name begins
    assert {one.box for one in labels[4:9]} == {(0, 0, 50, 10)}


def test_a_marker_beside_a_name_is_no_series():
    words = [
        word("O", 100, 50, "legend", half=4),
        word("Lyon", 130, 50, "legend"),
        word("O", 100, 90, "legend", half=4),
    ]
    assert [one.label.text for one in _without_markers(words)] == ["Lyon", "O"]


def test_the_odd_name_begins_like_the_others_if_it_looks_like_that():
    assert like_the_others(["Q1", "02", "Q3", "Q4"]) == ["Q1", "Q2", "Q3", "Q4"]
    assert like_the_others(["q1", "q12", "95"]) == ["q1", "q12", "q5"]
    assert like_the_others(["Q1", "Q2", "72"]) == ["Q1", "Q2", "72"]
    assert like_the_others(["10", "20", "Q3"]) == ["10", "20", "Q3"] and like_the_others([]) == []
    assert like_the_others(["Ql", "Q2", "Q3", "QS"]) == ["Q1", "Q2", "Q3", "Q5"]


def test_among_months_or_days_what_is_one_but_for_a_letter_is_that():
    assert like_the_others(["Jud", "Aug", "sep", "Oct"]) == ["Jud", "Aug", "Sep", "Oct"]  # June or July?
    assert like_the_others(["Jun", "Jud", "Aug"]) == ["Jun", "Jul", "Aug"]
    assert like_the_others(["Monday", "Tuesday", "Sünday"]) == ["Monday", "Tuesday", "Sunday"]
    for names in (["Mon", "Son", "Father"], ["Sat", "Sit", "Sum", "Set", "Sin"], ["May", "Jun", "Total"]):
        assert like_the_others(names) == names


def test_two_words_close_below_labels_are_second_lines_and_one_is_a_title():
    labels = [word(text, 50 + 60 * i, 100, "category") for i, text in enumerate(("South", "Egypt", "New"))]
    second = [word("Korea", 50, 112, "category title"), word("Zealand", 170, 112, "legend")]
    assert {one.role for one in _second_lines(labels + second)} == {"category"}
    title = [word("Country", 110, 112, "category title")]
    assert [one.role for one in _second_lines(labels + title)][-1] == "category title"


def test_amounts_that_stand_together_all_have_their_dollar():
    assert with_dollars(["$8", "33", "S3"]) == ["$8", "$3", "$3"]
    assert with_dollars(["$8", "40"]) == ["$8", "40"] and with_dollars(["38", "35"]) == ["38", "35"]
    assert with_dollars([]) == []


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("10-19 20-29 30-39", ["10-19", "20-29", "30-39"]),
        ("Q1 Q2", ["Q1", "Q2"]),
        ("Jun 13 Sep 4", ["Jun 13", "Sep 4"]),
        ("12 000", ["12 000"]),
        ("$1 250 000", ["$1 250 000"]),
        ("Team 2", ["Team 2"]),
        ("North South", ["North South"]),
        ("", [""]),
    ],
)
def test_labels_of_an_axis_that_run_together_are_told_apart(text, labels):
    found = labels_apart(Label(text=text, box=(100, 10, 100 + 10 * len(text), 20)))
    assert [one.text for one in found] == labels
    assert [one.box[0] for one in found] == [100 + 10 * text.index(label) for label in labels]
    assert found[-1].box[2] == 100 + 10 * len(text)
