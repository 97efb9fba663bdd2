"""Lines are followed from labels to what they point to."""

import pytest
from PIL import Image, ImageDraw

from vlm.reading.leads import find_leads

LABEL = (10.0, 93.0, 20.0, 107.0)


@pytest.fixture
def page():
    """A drawing with two parts, to the right of a label."""
    image = Image.new("RGB", (400, 220), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((150, 20, 240, 200), (30, 120, 200), "black")
    pen.rectangle((260, 60, 380, 180), (240, 200, 40), "black")
    return image


def draw_line(image, *corners):
    pen = ImageDraw.Draw(image)
    pen.line(corners, "white", 3)
    pen.line(corners, "black", 1)


def ends_at(lead, place, within=6):
    return lead is not None and max(abs(lead[-1][0] - place[0]), abs(lead[-1][1] - place[1])) <= within


@pytest.mark.parametrize("end", [(200, 100), (320, 112), (190, 60), (330, 160)])
def test_a_line_is_followed_across_parts_and_their_edges(page, end):
    draw_line(page, (24, 100), end)
    assert ends_at(find_leads(page, [LABEL])[0], end)


def test_a_line_is_followed_around_one_bend(page):
    draw_line(page, (24, 100), (130, 100), (210, 150))
    lead = find_leads(page, [LABEL])[0]
    assert len(lead) == 3 and ends_at(lead[:2], (130, 100)) and ends_at(lead, (210, 150))


def test_a_word_without_a_line_has_none(page):
    assert find_leads(page, [LABEL, (150.0, 203.0, 200.0, 215.0)]) == [None, None]


def test_every_label_has_its_own_line(page):
    draw_line(page, (24, 60), (180, 130))
    draw_line(page, (24, 100), (300, 150))
    found = find_leads(page, [(10.0, 53.0, 20.0, 67.0), LABEL])
    assert ends_at(found[0], (180, 130)) and ends_at(found[1], (300, 150))


def test_a_part_that_was_taken_for_text_hides_no_line(page):
    draw_line(page, (24, 100), (300, 112))
    words = [LABEL, (10.0, 120.0, 20.0, 134.0), (10.0, 140.0, 20.0, 154.0), (150.0, 20.0, 240.0, 200.0)]
    assert ends_at(find_leads(page, words)[0], (300, 112))
