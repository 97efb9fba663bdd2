"""Letters that stand alone, where the detector of lines passes over them."""

import numpy as np
from PIL import Image, ImageDraw

from train.data_engine import draw
from vlm.ocr import read_words, with_letters
from vlm.ocr_letters import find_letters, of_one_kind
from vlm.structure import Label


def label(text, x, y, high=10):
    return Label(text=text, box=(x, y, x + 8, y + high))


def test_names_of_parts_that_the_detector_missed_are_read_at_a_second_look():
    sample = draw("parts", 5031)  # seven small letters on grey, none of which it sees
    words = read_words(sample.image)
    found = with_letters(sample.image, words)
    assert not set("BDFGHJK") & {word.text for word in words if word.box[0] < 30}
    assert {word.text for word in found if word.box[0] < 30} >= set("BDFGJK")
    assert [word for word in found if word in words] == list(words)


def test_where_a_letter_may_stand_there_is_no_other_beside_it_and_no_word():
    image = Image.new("RGB", (120, 60), "white")
    pen = ImageDraw.Draw(image)
    for left in (10, 60, 68, 100):
        pen.rectangle((left, 20, left + 3, 30), fill="black")
    found = {round(line.centre[0]) for line in find_letters(np.asarray(image), [label("x", 98, 20)])}
    assert 12 in found and not found & {62, 70, 102}


def test_letters_are_of_one_kind_and_about_as_high_as_the_others():
    known = [label(text, 0, 20 * row) for row, text in enumerate("ABCD")]
    found = [label("E", 50, 0), label("7", 50, 20), label("F", 50, 40, high=20)]
    assert [one.text for one in of_one_kind(found, known)] == ["E"]
    digits = [label(text, 0, 20 * row) for row, text in enumerate("123")]
    assert [one.text for one in of_one_kind([label("S", 50, 0)], digits)] == ["5"]


def test_a_letter_or_two_name_nothing():
    assert of_one_kind([label("A", 0, 0), label("B", 0, 20)], []) == []


def test_a_letter_that_was_found_twice_is_one():
    known = [label(text, 0, 20 * row) for row, text in enumerate("ABCD")]
    found = [label("E", 50, 0), label("E", 51, 1), label("E", 90, 0)]
    assert of_one_kind(found, known) == [found[0], found[2]]


def test_a_letter_whose_word_was_read_as_a_thin_line_is_known():
    image = Image.new("RGB", (60, 60), "white")
    ImageDraw.Draw(image).rectangle((20, 20, 23, 30), fill="black")
    assert find_letters(np.asarray(image), []) and not find_letters(np.asarray(image), [label("1", 18, 21, high=1)])
