from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageDraw

from vlm.reading.roles import settle_roles
from vlm.reading.seen import Seen, SeenWord
from vlm.structure import Label

RED, BLUE = (200, 30, 30), (30, 60, 200)


class Network:
    """Sees every swatch ten pixels to the left of the middle of a word that is 40 wide, 20 more from its edge."""

    def __init__(self):
        self.words = self

    def swatch(self, token):
        return torch.tensor([-30.0, 0.0]) / 32


class NoScene:
    def __init__(self, words):
        self.words = torch.zeros(20, 1)
        self.boxes = torch.tensor([word.label.box for word in words])


def word(text, role, x, y, confidence=0.6):
    return SeenWord(Label(text=text, box=(x, y, x + 40, y + 10), confidence=confidence), role, 0)


def settled(words, form="bar", swatches=((30, RED), (130, BLUE))):
    image = Image.new("RGB", (300, 120), "white")
    pen = ImageDraw.Draw(image)
    for x, colour in swatches:
        pen.rectangle((x - 4, 11, x + 4, 19), colour)
    words = [replace(one, token=number) for number, one in enumerate(words)]
    seen = Seen(image, Network(), None, NoScene(words), 1.0, tuple(words), torch.zeros(0, 0, 3))
    return [one.role for one in settle_roles(seen, form).words]


LEGEND = word("North", "legend", 40, 10)


@pytest.mark.parametrize("role", ["title", "value title", "category", "written"])
def test_a_word_beside_a_legend_entry_with_a_colour_of_its_own_is_one_too(role):
    assert settled([LEGEND, word("South", role, 140, 10)]) == ["legend", "legend"]


def test_without_a_colour_or_with_the_same_it_is_none():
    assert settled([LEGEND, word("South", "title", 140, 10)], swatches=((30, RED),)) == ["legend", "title"]
    assert settled([LEGEND, word("South", "title", 140, 10)], swatches=((30, RED), (130, RED)))[1] == "title"


def test_what_stands_elsewhere_or_is_surely_a_number_of_an_axis_is_none():
    assert settled([LEGEND, word("South", "title", 140, 60)])[1] == "title"
    assert settled([LEGEND, word("2021", "tick", 140, 10, confidence=0.99)])[1] == "tick"


def test_numbers_in_a_row_under_upright_bars_are_categories():
    words = [word(str(2000 + i), "tick", 10 + 60 * i, 100) for i in range(4)] + [word("5", "tick", 0, 40)]
    assert settled(words) == ["category"] * 4 + ["tick"]
    assert settled(words, form="bar across") == ["tick"] * 5


def test_ticks_stay_ticks_where_there_are_categories():
    words = [word(str(i), "tick", 10 + 60 * i, 100) for i in range(4)]
    words += [word(name, "category", 100, 20 * i) for i, name in enumerate("ab")]
    assert settled(words)[:4] == ["tick"] * 4
