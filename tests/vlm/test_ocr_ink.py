import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from vlm.ocr import read_words, with_inked
from vlm.ocr_angles import around_ink
from vlm.ocr_ink import ink_lines
from vlm.ocr_lines import Line, cuts, in_line
from vlm.structure import Label


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


def test_words_that_were_passed_over_are_read_by_their_ink():
    image = Image.fromarray(picture("white", "black"))
    words = read_words(image)
    assert {word.text for word in words} == {"Visitors", "June"}
    for kept in ((), words[:1], words):
        assert [word.text for word in with_inked(image, kept)] == ["Visitors", "June"]


@pytest.mark.parametrize(("place", "is_read"), [((200, 100), True), ((200, 60), False)])
def test_a_letter_that_was_passed_over_is_read_where_it_stands_in_line(place, is_read):
    image = Image.new("RGB", (300, 200), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(16)
    pen.text((60, 100), "F", fill="black", font=font)
    words = with_inked(image, (label("F", (60, 104, 69, 116)),))
    pen.text(place, "H", fill="black", font=font)
    assert words == (label("F", (60, 104, 69, 116)),)
    assert ("H" in [word.text for word in with_inked(image, words)]) == is_read


def label(text, box):
    return Label(text=text, box=box)


def test_texts_of_one_size_are_in_line_in_a_row_or_by_an_edge_of_their_column():
    assert in_line((0, 10, 20, 20), (50, 11, 80, 21)) and in_line((0, 10, 20, 20), (1, 50, 80, 60))
    assert not in_line((0, 10, 20, 20), (50, 14, 80, 24)) and not in_line((0, 10, 20, 20), (0, 50, 80, 90))


def test_of_a_text_that_is_known_no_part_is_another_one():
    assert cuts((0, 0, 20, 10), (10, 2, 60, 9)) and not cuts((0, 0, 20, 10), (20, 0, 60, 10))
    assert not cuts((0, 0, 20, 10), (0, 0, 60, 10))  # the same place: the fuller one stays
    image = Image.fromarray(picture("white", "black"))
    visitors, june = read_words(image)
    left, top, right, bottom = visitors.box
    half = visitors.model_copy(
        update={"box": (left + 0.55 * (right - left), top, right + 0.6 * (right - left), bottom)}
    )
    assert with_inked(image, (half, june)) == (half, june)


def test_a_stroke_one_pixel_wide_has_no_slant():
    strip = np.full((48, 60, 3), 255, np.uint8)
    for thick, number in ((1, 0), (6, 2)):
        for i in range(14, 34):
            strip[i, i : i + thick] = 0
        assert len(around_ink(Line((30.0, 24.0), 0.0, 60.0, 48.0), strip)) == number
