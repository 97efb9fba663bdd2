import pytest

from train.scoring import exact_match, recall, relaxed_match, wilson_interval


def test_case_spaces_and_a_full_stop_do_not_matter_and_other_words_do():
    assert exact_match(" Red. ", "red") == 1
    assert exact_match("dark red", "red") == exact_match("", "red") == 0


def test_recall_counts_what_is_named_as_often_as_it_is_there():
    assert recall("A large Red Circle and a blue star.", ("red circle", "blue star")) == 1
    assert recall("A red circle.", ("red circle", "red circle")) == 0.5
    assert recall("", ("red circle",)) == 0


@pytest.mark.parametrize(("right", "of"), [(0, 10), (10, 10), (5, 10), (775, 1000)])
def test_the_interval_lies_around_the_share_and_inside_zero_and_one(right, of):
    low, high = wilson_interval(right / of, of)
    assert 0 <= low <= right / of <= high <= 1 and high - low > 0


def test_more_questions_make_a_narrower_interval():
    assert wilson_interval(0.8, 1000)[0] > wilson_interval(0.8, 100)[0]


@pytest.mark.parametrize(
    ("answer", "expected", "score"),
    [
        ("52", "50", 1), ("53", "50", 0), ("50000000", "50M", 1), ("$1,234.50", "$1,234.5", 1), ("19 %", "19%", 1),
        ("B, A and C", "a, b and c", 1), ("A and B", "a", 0), ("Yes.", "yes", 1), ("no", "yes", 0), ("0", "0", 1),
    ],
)  # fmt: skip
def test_relaxed_match_allows_a_twentieth_and_any_order(answer, expected, score):
    assert relaxed_match(answer, expected) == score


@pytest.mark.parametrize(
    ("answer", "expected", "worth"),
    [
        ("Yes, P7 is lower than P4.", "yes", 1),
        ("No, the yes is drawn below.", "yes", 0),
        ("P5 is 155 and P7 is 101, so they differ by 54.", "54", 1),
        ("The value of P7 is $1,200.", "$1,210", 1),
        ("The value of P7 is 101.", "155", 0),
        ("The highest category is Solar power.", "solar power", 1),
        ("It is not Solar power but Wind.", "solar power", 0),
        ("It is Solar power or Wind.", "gas", 0),
        ("It cannot be told from the picture: there is no Gas.", "it cannot be told from the picture", 1),
        ("It cannot be told from the picture.", "it cannot be told from the picture", 1),
    ],
)
def test_a_sentence_counts_for_what_it_says(answer, expected, worth):
    assert relaxed_match(answer, expected) == worth
