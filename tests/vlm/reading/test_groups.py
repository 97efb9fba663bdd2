import torch
from PIL import Image, ImageDraw

from tests.vlm.reading.test_stacks import BASE, BLUE, GREEN, HEIGHTS, MIDDLES, RED, SIZE, drawn, flat
from vlm.reading.groups import find_bars, stand_side_by_side
from vlm.reading.seen import Seen
from vlm.structure import Colour

COLOURS = [Colour(name=None, rgb=rgb) for rgb in (RED, BLUE, GREEN)]


def grouped(order=(0, 1, 2)):
    image = Image.new("RGB", (SIZE, SIZE), "white")
    pen = ImageDraw.Draw(image)
    pen.line((20, BASE, 220, BASE), "black")
    for middle, heights in zip(MIDDLES, HEIGHTS, strict=True):
        for place, q in enumerate(order):
            left = middle - 21 + 14 * place
            pen.rectangle((left, BASE - heights[q], left + 13, BASE - 1), COLOURS[q].rgb)
            pen.text((left + 2, BASE - heights[q] - 12), "12", "black")
    return image


def seen(image):
    return Seen(image, None, None, None, 1.0, (), torch.zeros(0, 0, 3))


def test_bars_reach_as_far_as_they_were_drawn_in_any_order():
    for order in ((0, 1, 2), (2, 0, 1)):
        end, start, across, sure = find_bars(seen(grouped(order)), flat(), torch.tensor(MIDDLES), 60.0, True, COLOURS)
        assert ((start - end).T - torch.tensor(HEIGHTS)).abs().max() <= 1 and sure.min() > 0.5
        wanted = torch.tensor([14.0 * order.index(q) - 14 for q in range(3)])[:, None] + torch.tensor(MIDDLES)
        assert (across - wanted).abs().max() < 5


def test_bars_that_run_across_are_read_like_those_that_stand():
    turned = grouped().transpose(Image.Transpose.ROTATE_270)
    end, start, _, _ = find_bars(seen(turned), flat(), torch.tensor(MIDDLES), 60.0, False, COLOURS)
    assert ((end - start).T.flip(0) - torch.tensor(HEIGHTS).flip(0)).abs().max() <= 1


def test_groups_and_stacks_are_told_apart_by_what_stands_beside_each_other():
    for image, is_grouped in ((grouped(), True), (drawn(), False)):
        assert stand_side_by_side(seen(image), torch.tensor(MIDDLES), 60.0, True, COLOURS) is is_grouped
