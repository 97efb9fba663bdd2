import random
import sys

import pytest

from train.metrics import (
    anls,
    as_number,
    choice_accuracy,
    levenshtein,
    relaxed_accuracy,
    said_yes,
    score,
    vqa_accuracy,
    vqa_normalise,
)
from vlm.loading import PartNotFoundError


@pytest.mark.parametrize(
    ("answer", "normal"),
    [
        ("The Cat.", "cat"),
        ("two  dogs", "2 dogs"),
        ("don't", "dont"),
        ("it's", "it's"),  # not in VQAv2's table: "its" is a word
        ("red/blue", "red blue"),
        ("red / blue", "red blue"),
        ("1,000", "1000"),
        ("3.5", "3.5"),
        ("a man, an apple and the sea", "man apple and sea"),
        ("t-shirt", "t shirt"),
        ("t-shirt, grey", "t shirt grey"),
        ("yes!", "yes"),
        ("", ""),
    ],
)
def test_vqa_answers_get_their_normal_form(answer, normal):
    assert vqa_normalise(answer) == normal


@pytest.mark.parametrize(("count", "accuracy"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (10, 1)])
def test_vqa_accuracy_is_that_of_the_published_table(count, accuracy):
    answers = ["Two"] * count + [f"other {i}" for i in range(10 - count)]
    assert vqa_accuracy("2.", answers) == pytest.approx(accuracy)


def test_vqa_accuracy_with_one_answer_is_a_match_of_normal_forms():
    assert vqa_accuracy("The dog", ["dog"]) == 1 and vqa_accuracy("cat", ["dog"]) == 0


@pytest.mark.parametrize(
    ("answer", "answers", "expected"),
    [
        ("Hello  World", ["hello world"], 1),
        ("helo", ["hello"], 0.8),
        ("abc", ["xyz"], 0),
        ("ab", ["ax"], 0),
        ("", [""], 1),
        ("abcd", ["zzzz", "abce"], 0.75),
    ],
)
def test_anls_is_the_similarity_to_the_nearest_answer_if_more_than_half(answer, answers, expected):
    assert anls(answer, answers) == pytest.approx(expected)


def test_levenshtein_agrees_with_its_recursive_definition():
    def slow(one, other):
        if not one or not other:
            return len(one) + len(other)
        return min(slow(one[1:], other) + 1, slow(one, other[1:]) + 1, slow(one[1:], other[1:]) + (one[0] != other[0]))

    rng = random.Random(0)
    for _ in range(60):
        one, other = ("".join(rng.choices("ab", k=rng.randrange(6))) for _ in range(2))
        assert levenshtein(one, other) == slow(one, other)


@pytest.mark.parametrize(
    ("answer", "expected", "right"),
    [
        ("105", "100", 1),
        ("106", "100", 0),
        ("95.0", "100", 1),
        ("5%", "0.05", 1),
        ("1,200", "1200", 1),
        ("-10", "10", 0),
        ("0", "0", 1),
        ("0.01", "0", 0),
        ("Red.", "red", 1),
        ("blue", "red", 0),
        ("12 ", "blue", 0),
        ("$3.10", "3", 1),
    ],
)
def test_numbers_may_be_five_percent_off_and_words_not_at_all(answer, expected, right):
    assert relaxed_accuracy(answer, expected) == right


@pytest.mark.parametrize("text", ["", "1,2", "x1", "1 2 3 a", "nan", "inf", "1e", "--1", "1_000", "٣"])
def test_what_is_no_number_is_none(text):
    assert as_number(text) is None


QUESTION = "What is it?\nA. a cat\nB. a big dog\n(C) neither"


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("B", 1),
        ("(B).", 1),
        ("b", 1),
        ("B. a big dog", 1),
        ("The answer is B", 1),
        ("Answer: (B)", 1),
        ("a big dog", 1),
        ("It is a big dog.", 1),
        ("A", 0),
        ("a cat or a big dog", 0),
        ("A good question: the answer is (B)", 1),
        ("", 0),
        ("D", 0),
    ],
)
def test_an_option_is_found_however_it_is_said(answer, right):
    assert choice_accuracy(answer, "B", QUESTION) == right
    assert choice_accuracy(answer, "a big dog", QUESTION) == right


@pytest.mark.parametrize(
    ("answer", "yes"),
    [
        ("Yes.", True),
        ("no, it is not", False),
        ("There is no cat", False),
        ("I would say yes", True),
        ("yes or no", True),
        ("say yes or no", None),
        ("maybe", None),
        ("nothing", None),
        ("", None),
    ],
)
def test_yes_and_no_are_told_from_neither(answer, yes):
    assert said_yes(answer) is yes


@pytest.mark.parametrize("metric", ["exact", "vqa", "anls", "relaxed", "choice", "yes_no", "bleu", "chrf"])
def test_the_very_answer_scores_one_and_nonsense_zero(metric):
    if metric in ("bleu", "chrf"):
        pytest.importorskip("sacrebleu")
    right = "B" if metric == "choice" else "yes"
    assert score(metric, right, [right], QUESTION) == pytest.approx(1)
    assert score(metric, "qqqq", [right], QUESTION) == pytest.approx(0)


def test_the_library_of_bleu_is_named_when_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    with pytest.raises(PartNotFoundError, match=r"pip install 'regard\[metrics\]'"):
        score("bleu", "x", ["x"])
