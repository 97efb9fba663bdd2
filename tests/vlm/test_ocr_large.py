"""What fills a large picture is looked at in a smaller copy, and found in the same place."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vlm.ocr_glyphs import MAX_REACH, WINDOW, snapped
from vlm.ocr_lines import HEIGHT, LARGE, Line, to_strip

FACTOR = 8


@pytest.fixture
def pixels():
    image = Image.new("RGB", (320, 240), "white")
    ImageDraw.Draw(image).text((160, 120), "R", fill="black", font_size=100, anchor="mm")
    return np.asarray(image)


def scaled(line: Line) -> Line:
    return Line((line.centre[0] * FACTOR, line.centre[1] * FACTOR), 0.0, line.width * FACTOR, line.height * FACTOR)


def enlarged(pixels):
    return np.asarray(Image.fromarray(pixels).resize((320 * FACTOR, 240 * FACTOR), Image.Resampling.BICUBIC))


def test_a_letter_that_fills_a_large_picture_is_found_where_it_is_in_a_small_one(pixels):
    line = Line((160.0, 120.0), 0.0, 60.0, 60.0)
    found, large = snapped(pixels, line), snapped(enlarged(pixels), scaled(line))
    assert WINDOW * scaled(line).height > MAX_REACH
    for one, other in zip((*scaled(found).centre, scaled(found).height), (*large.centre, large.height), strict=True):
        assert abs(one - other) < 3 * FACTOR


def test_a_line_that_is_far_higher_than_a_strip_gives_the_same_strip(pixels):
    line = Line((160.0, 120.0), 0.0, 120.0, 110.0)
    small, large = to_strip(pixels, line), to_strip(enlarged(pixels), scaled(line))
    assert scaled(line).height > LARGE and small.shape == large.shape and small.shape[0] == HEIGHT
    assert abs(small.astype(float) - large).mean() < 6
