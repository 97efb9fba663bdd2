from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from vlm.reading.seen import Seen, SeenWord, around, joined, merge_elements, middle
from vlm.scene_heads import RELATIONS
from vlm.structure import Label


def word(text, left, top, role="title", token=0, width=20, confidence=1.0):
    return SeenWord(Label(text=text, box=(left, top, left + width, top + 10), confidence=confidence), role, token)


def related(number, *pairs):
    chances = torch.zeros(number, number, len(RELATIONS))
    for one, two in pairs:
        chances[one, two] = chances[two, one] = 1
    return chances


def seen(image, words=(), relations=None):
    relations = related(len(words)) if relations is None else relations
    return Seen(image, None, None, None, 0.5, tuple(words), relations)


def test_lines_are_joined_from_top_to_bottom_and_left_to_right():
    words = [word("two", 30, 31), word("three", 0, 50), word("one", 0, 30, confidence=0.5)]
    label = joined(words)
    assert label.text == "one two three" and label.box == (0, 30, 50, 60) and label.confidence == 0.5
    assert joined([]) is None


def test_neighbours_of_one_element_become_one_word():
    words = [word("New", 0, 0, token=0), word("Rome", 100, 0, token=1), word("York", 24, 0, token=2)]
    merged = merge_elements(words, related(3, (0, 2), (0, 1)))
    assert [(one.label.text, one.token) for one in merged] == [("New York", 0), ("Rome", 1)]  # Rome stands too far


@pytest.mark.parametrize(
    ("other", "pairs"),
    [
        (word("b", 24, 0, token=1), ()),  # no relation
        (word("b", 24, 0, token=1, role="tick"), ((0, 1),)),  # another role
        (word("b", 90, 0, token=1), ((0, 1),)),  # far in the line
        (word("b", 0, 40, token=1), ((0, 1),)),  # far below
        (word("b", 24, 14, token=1), ((0, 1),)),  # neither in the line nor below
    ],
)
def test_words_of_different_elements_stay_apart(other, pairs):
    assert len(merge_elements([word("a", 0, 0), other], related(2, *pairs))) == 2


def test_lines_below_each_other_are_one_element():
    merged = merge_elements([word("a", 0, 0), word("b", 5, 14, token=1)], related(2, (0, 1)))
    assert [one.label.text for one in merged] == ["a b"]


def test_boxes_have_a_middle_and_a_hull():
    assert middle((0, 10, 20, 40)) == (10, 25)
    assert around([(0, 10, 20, 40), (5, 5, 30, 20)]) == (0, 5, 30, 40)


def test_colour_is_that_of_most_pixels_nearby():
    image = Image.new("RGB", (40, 30), (10, 20, 30))
    image.paste((200, 100, 50), (20, 0, 40, 30))
    image.putpixel((30, 15), (0, 0, 0))
    found = seen(image)
    assert found.colour_at(30, 15).rgb == (200, 100, 50) and found.colour_at(5, 5).rgb == (10, 20, 30)


@pytest.mark.parametrize("place", [(-50, -50), (1e6, 3), (0, 29.9), (40, 30)])
def test_colours_can_be_asked_for_anywhere(place):
    assert seen(Image.new("RGB", (40, 30), (1, 2, 3))).colour_at(*place).rgb == (1, 2, 3)


def test_places_are_pixels_of_the_picture_or_of_the_input():
    scene = SimpleNamespace(boxes=torch.tensor([[0.0, 0, 10, 5]]))
    found = replace(seen(Image.new("RGB", (40, 30))), scene=scene)
    assert found.to_picture(10) == 20 and found.centre_px(word("a", 0, 0)).tolist() == [5, 2.5]


def test_what_the_network_tells_of_a_place_starts_where_it_saw_the_word_before_that_lost_its_swatch():
    found = replace(seen(Image.new("RGB", (40, 30))), scene=SimpleNamespace(boxes=torch.tensor([[0.0, 0, 10, 5]])))
    assert found.centre_px(word("a", 8, 0, width=12)).tolist() == found.centre_px(word("- a", 0, 0)).tolist()


@pytest.mark.parametrize("role", ["legend", "tick", "written"])
def test_what_stands_below_a_legend_entry_or_a_tick_is_another_one(role):
    words = [word("A", 10, 10, role, 0), word("B", 10, 21, role, 1)]
    assert [one.label.text for one in merge_elements(words, related(2, (0, 1)))] == ["A", "B"]
