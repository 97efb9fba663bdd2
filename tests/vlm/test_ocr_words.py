"""Spaces between words, where the ink alone does not tell."""

import numpy as np
import pytest

from train.data_engine import draw
from vlm import ocr_lines
from vlm.ocr import read_words
from vlm.ocr_words import find_seams

LETTER, HIGH = 20, 24


def spaced(text: str, gaps: dict[int, int], chance: float = 0.0) -> str:
    """What is made of letters of one width in a strip: a pixel apart, or as many as is said before a letter."""
    inked = np.zeros(1000, bool)
    places, left = [], 10
    for number in range(len(text)):
        left += gaps.get(number, 1)
        inked[left : left + LETTER] = True
        places.append(left + LETTER // 2)
        left += LETTER
    reading = ocr_lines.Reading(text, 1.0, tuple(places), (chance,) * len(text))
    return ocr_lines._spaced(reading, inked, HIGH).text


def test_a_narrow_gap_between_two_words_is_a_space():
    assert spaced("Takeorder?", {4: 5}) == "Take order?"
    assert spaced("Instock", {2: 5}) == "In stock"


@pytest.mark.parametrize("gap", [1, 4])
def test_where_letters_nearly_touch_there_is_none(gap):
    assert spaced("Takeorder", {4: gap}) == "Takeorder"


def test_a_gap_no_wider_than_the_others_is_none():
    assert spaced("Snowman", dict.fromkeys(range(1, 7), 5)) == "Snowman"


@pytest.mark.parametrize("text", ["Kakeorder", "Heron"])
def test_what_is_not_two_words_is_left(text):
    assert spaced(text, {3: 5, 4: 5}) == text


def test_a_word_is_not_divided():
    assert spaced("contract", {3: 5}, chance=0.2) == "contract"
    assert spaced("cxntract", {3: 5}, chance=0.2) == "cxn tract"


def test_seams_are_told_for_every_run_of_letters():
    seams = find_seams("12 contract, Takeorder", [0.0, *[0.1] * 16, 0.2, *[0.1] * 4])
    assert seams.inside == set(range(4, 11)) and seams.between == {17}


@pytest.mark.parametrize(
    ("seed", "labels"),
    [
        (120, {"Server down?", "Light green?"}),
        (160, {"Take order", "Write offer"}),
        (240, {"Phone interview", "Send contract", "Send rejection", "Post job"}),
    ],
)
def test_small_narrow_letters_in_boxes_are_read_with_their_spaces(seed, labels):
    assert labels <= {word.text for word in read_words(draw("graphs", seed, "test").image)}
