import numpy as np
from PIL import Image, ImageDraw

from train.data_engine import draw
from vlm.reading.colours import background, ink_and_paper, shares


def test_the_background_of_a_scene_is_named_where_it_has_one_colour():
    truths = [draw("shapes", seed, "train") for seed in range(40)]
    named = [(background(one.image), one.truth.background) for one in truths if one.truth.background]
    assert len(named) > 10 and all(found == wanted for found, wanted in named)


def test_a_background_of_many_colours_has_no_name():
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    assert background(Image.fromarray(noise)) is None


def test_ink_and_paper_are_told_apart():
    image = Image.new("RGB", (40, 20), (0, 0, 200))
    image.paste((255, 240, 40), (10, 6, 14, 14))
    image.paste((255, 240, 40), (18, 6, 22, 14))
    assert ink_and_paper(image, (10, 6, 22, 14)) == ("yellow", "blue")
    assert ink_and_paper(image, (0, 0, 4, 4)) == ("blue", "blue")  # no ink at all, at the edge


def test_colours_of_a_thing_are_those_before_the_colour_around_it():
    image = Image.new("RGB", (120, 80), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((20, 10, 99, 69), (200, 30, 30))
    pen.rectangle((20, 10, 39, 69), "black")
    found = shares(image, (10, 5, 110, 75))
    assert abs(found["red"] - 0.75) < 0.03 and abs(found["black"] - 0.25) < 0.03 and "white" not in found
    assert shares(Image.new("RGB", (30, 30), "blue"), (5, 5, 20, 20)) == {}
