import numpy as np
from PIL import Image

from train.data_engine import draw
from vlm.reading.colours import background, ink_and_paper


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
