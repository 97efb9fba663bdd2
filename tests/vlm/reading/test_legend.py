from dataclasses import replace
from types import SimpleNamespace

import torch
from PIL import Image, ImageDraw

from vlm.reading.legend import clear_colour, colour_evidence, legend_entries, match_colours, names_alone
from vlm.reading.seen import Seen, SeenWord
from vlm.scene_heads import UNIT
from vlm.structure import Colour, Label, LegendEntry

RED, BLUE, GREEN = (200, 30, 30), (30, 60, 200), (20, 160, 60)


def seen(image):
    return Seen(image, None, None, None, 1.0, (), torch.zeros(0, 0, 3))


def drawn(draw):
    image = Image.new("RGB", (60, 40), "white")
    draw(ImageDraw.Draw(image))
    return seen(image)


def entry(rgb):
    label = Label(text="a", box=(0, 0, 1, 1))
    return LegendEntry(label=label, colour=Colour(name=None, rgb=rgb), box=(0, 0, 1, 1))


def test_a_thin_line_has_its_own_colour():
    found = drawn(lambda pen: pen.line((20, 20, 40, 20), RED, 1))
    assert clear_colour(found, (30.5, 20.5), 7).rgb == RED


def test_a_ring_has_the_colour_of_its_rim():
    found = drawn(lambda pen: pen.ellipse((26, 16, 34, 24), None, BLUE))
    assert clear_colour(found, (30.5, 20.5), 6).rgb == BLUE


def test_between_rules_the_colour_is_that_of_the_swatch_and_not_of_the_paper():
    image = Image.new("RGB", (80, 40), "black")
    pen = ImageDraw.Draw(image)
    for y in (11, 28):
        pen.line((0, y, 80, y), (150, 150, 150))
    pen.rectangle((12, 15, 24, 24), BLUE)
    word = SeenWord(Label(text="word", box=(30, 15, 70, 25)), "legend", 0)
    assert clear_colour(seen(image), (24.4, 20.0), 7.5, word).rgb == BLUE


def test_a_place_that_is_a_little_off_does_not_matter():
    found = drawn(lambda pen: pen.rectangle((26, 18, 34, 22), GREEN))
    assert clear_colour(found, (33.0, 23.0), 7).rgb == GREEN


def test_the_frame_of_a_legend_is_none_of_its_colours():
    def draw(pen):
        pen.rectangle((23, 10, 58, 30), None, "black")
        pen.ellipse((28, 18, 32, 22), GREEN)

    assert clear_colour(drawn(draw), (30.5, 20.5), 8).rgb == GREEN


def test_the_letters_of_an_entry_are_no_swatch():
    def draw(pen):
        pen.rectangle((20, 18, 28, 22), RED)
        pen.rectangle((32, 14, 50, 26), "black")  # the word

    word = SeenWord(Label(text="word", box=(32, 14, 51, 27)), "legend", 0)
    assert clear_colour(drawn(draw), (27.0, 20.5), 9, word).rgb == RED


def test_swatches_stand_alike_beside_all_names_of_a_legend():
    def draw(pen):
        for y, colour in ((10, RED), (20, BLUE), (30, GREEN)):
            pen.rectangle((14, y - 3, 20, y + 2), colour)

    class Network:  # of one of them it sees the swatch where there is none
        def __init__(self):
            self.words = self

        def swatch(self, token):
            return torch.tensor([-27.0 if token else -37.0, 0.0]) / UNIT

    boxes = torch.tensor([[26.0, y - 4, 62, y + 4] for y in (10, 20, 30)])
    found = replace(drawn(draw), network=Network(), scene=SimpleNamespace(words=torch.tensor([1, 0, 1]), boxes=boxes))
    names = [SeenWord(Label(text=str(i), box=(26, y - 4, 62, y + 4)), "legend", i) for i, y in enumerate((10, 20, 30))]
    assert [one.colour.rgb for one in legend_entries(found, names)] == [RED, BLUE, GREEN]
    assert legend_entries(found, []) == []


def test_colours_can_be_looked_for_at_the_edge_and_beyond():
    found = drawn(lambda pen: None)
    for place in ((0, 0), (60, 40), (-30, 20), (500, 500)):
        assert clear_colour(found, place, 5).rgb == (255, 255, 255)


def test_evidence_is_for_the_series_whose_colour_is_there():
    def draw(pen):
        pen.rectangle((0, 0, 19, 39), RED)
        pen.rectangle((20, 0, 39, 39), BLUE)

    colours = [Colour(name=None, rgb=rgb) for rgb in (RED, BLUE)]
    found = colour_evidence(drawn(draw), colours, torch.tensor([[10.0, 20.0], [30.0, 20.0], [55.0, 20.0]])).exp()
    assert torch.allclose(found.sum(dim=0), torch.ones(3))
    assert found[0, 0] > 0.99 and found[1, 1] > 0.99


def test_each_colour_belongs_to_one_entry():
    colours = [Colour(name=None, rgb=rgb) for rgb in (BLUE, (205, 30, 30), GREEN, (0, 0, 0))]
    found = match_colours(colours, [entry(RED), entry(GREEN), entry(BLUE)])
    assert {i: j for i, (j, _) in found.items()} == {0: 2, 1: 0, 2: 1}
    assert found[1][1] == 5 and found[0][1] == 0


def test_washed_out_colours_are_told_apart_together():
    """The nearest pair of all is not one of the right ones."""
    slices = [(0, 0, 0), (100, 0, 0)]
    legend = [(90, 0, 0), (160, 0, 0)]
    found = match_colours([Colour(name=None, rgb=rgb) for rgb in slices], [entry(rgb) for rgb in legend])
    assert sum(far for _, far in found.values()) <= 150


def test_names_of_a_column_begin_at_one_place_whatever_was_read_with_them():
    """The swatches are in the box of the second name, and in the text of the third."""

    def draw(pen):
        for y in (8, 20, 32):
            pen.rectangle((4, y - 2, 12, y + 2), RED)
            pen.rectangle((18, y - 4, 50, y + 3), "black")

    texts, lefts = ("One", "Two", "= Six"), (18, 4, 4)
    words = [
        SeenWord(Label(text=text, box=(left, y - 4, 51, y + 4)), "legend", 0)
        for text, left, y in zip(texts, lefts, (8, 20, 32), strict=True)
    ]
    found = [one.label for one in names_alone(drawn(draw), words)]
    assert [one.text for one in found] == ["One", "Two", "Six"] and [one.box[0] for one in found] == [18, 18, 18]
    assert names_alone(drawn(draw), words[:2][::-1])[0].label.box[0] == 18


def test_a_name_beside_another_one_stays_as_it_is():
    words = [SeenWord(Label(text=text, box=(x, 10, x + 20, 18)), "legend", 0) for text, x in (("One", 10), ("Two", 40))]
    assert names_alone(drawn(lambda pen: None), words) == words
