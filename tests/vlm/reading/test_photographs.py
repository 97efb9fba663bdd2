"""What has too many colours for a drawing is not read as one."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from train.data_engine import FAMILIES, draw
from vlm.reading.colours import is_photograph, may_be_photograph


@pytest.mark.parametrize("family", FAMILIES)
def test_a_drawing_is_no_photograph(family):
    assert not any(is_photograph(draw(family, seed, "train").image) for seed in range(12))


def test_a_picture_of_many_colours_is_a_photograph():
    noise = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    scene = Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(8))
    assert is_photograph(scene)
    assert may_be_photograph(scene) and may_be_photograph(scene.convert("L").convert("RGB"))
    assert not may_be_photograph(Image.new("RGB", (80, 60), "teal"))
