import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from vlm.ocr_ink import ink_lines


def picture(paper, ink):
    """Two words over a bar, beside an axis."""
    image = Image.new("RGB", (300, 200), paper)
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(16)
    pen.rectangle((100, 60, 140, 170), fill="blue")
    pen.line((40, 10, 40, 170), fill=ink, width=2)
    pen.text((60, 20), "Visitors", fill=ink, font=font)
    pen.text((200, 176), "June", fill=ink, font=font)
    return np.asarray(image)


@pytest.mark.parametrize(("paper", "ink"), [("white", "black"), ("black", "white")])
def test_words_are_lines_and_bars_and_axes_are_none(paper, ink):
    lines = ink_lines(picture(paper, ink), scale=1.0)
    assert len(lines) == 2
    for place in ((85, 30), (215, 186)):
        assert any(line.holds(place) for line in lines)


def test_places_are_those_of_the_picture_itself():
    one = ink_lines(picture("white", "black"), scale=1.0)
    two = ink_lines(picture("white", "black"), scale=2.0)
    assert [2 * line.centre[0] for line in two] == pytest.approx([line.centre[0] for line in one])
    assert [2 * line.width for line in two] == pytest.approx([line.width for line in one])


def test_a_blank_page_has_none():
    assert ink_lines(np.full((100, 100, 3), 255, np.uint8), scale=1.0) == []
