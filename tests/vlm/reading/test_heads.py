import math

import pytest
import torch
from PIL import Image, ImageDraw

from vlm.reading.graphs import with_heads
from vlm.reading.heads import find_heads, head_at

LEFT, RIGHT, BELOW = (20, 40, 60, 70), (160, 40, 200, 70), (20, 140, 60, 170)


def picture(start, end, hollow=False, dark=False):
    """Three boxes and an arrow, its head 9 pixels long and 8 wide."""
    paper, ink = ("black", "white") if dark else ("white", "black")
    image = Image.new("RGB", (220, 200), paper)
    pen = ImageDraw.Draw(image)
    for box in (LEFT, RIGHT, BELOW):
        pen.rectangle(box, fill="gray")
    pen.line((*start, *end), fill=ink, width=1)
    angle = math.atan2(end[1] - start[1], end[0] - start[0])
    sides = [(end[0] - 9 * math.cos(angle + turn), end[1] - 9 * math.sin(angle + turn)) for turn in (-0.42, 0.42)]
    pen.polygon([end, *sides], fill=paper if hollow else ink, outline=ink)
    return image


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("hollow", [False, True])
@pytest.mark.parametrize(
    ("start", "end", "one", "two"),
    [((61, 55), (159, 55), LEFT, RIGHT), ((159, 55), (61, 55), RIGHT, LEFT), ((40, 71), (40, 139), LEFT, BELOW)],
)
def test_an_arrow_has_its_head_where_it_ends(start, end, one, two, hollow, dark):
    tail, head = find_heads(picture(start, end, hollow, dark), [one, two])
    assert head_at(tail, one, two) is False
    assert head_at(head, two, one) is True


def test_where_no_line_ends_nothing_is_said():
    (below,) = find_heads(picture((61, 55), (159, 55)), [BELOW])
    assert head_at(below, BELOW, RIGHT) is None


def test_a_clear_head_turns_a_line_and_nothing_else():
    boxes = [LEFT, RIGHT, BELOW]
    chances = torch.tensor([[0.0, 0.5, 0.3], [0.9, 0.0, 0.2], [0.1, 0.2, 0.0]])
    found = with_heads(chances, boxes, find_heads(picture((61, 55), (159, 55)), boxes))
    assert found[0, 1] > 0.6 > 0.3 > found[1, 0] and found[0, 1] + found[1, 0] == pytest.approx(0.9)
    rest = torch.tensor([[0, 0, 1], [0, 0, 1], [1, 1, 0]]).bool()
    assert torch.equal(found[rest], chances[rest])
