"""Lines between boxes, followed by their ink."""

import pytest
import torch
from PIL import Image, ImageDraw

from vlm.reading.graphs import is_directed, ways, with_traces
from vlm.reading.heads import find_heads, headward
from vlm.reading.traces import Trace, Traces, find_traces

LEFT, RIGHT, BELOW, CORNER = (20, 40, 60, 70), (160, 40, 200, 70), (20, 140, 60, 170), (160, 140, 200, 170)
BOXES = (LEFT, RIGHT, BELOW, CORNER)


def drawing(*lines, boxes=BOXES):
    image = Image.new("RGB", (220, 200), "white")
    pen = ImageDraw.Draw(image)
    for box in boxes:
        pen.rectangle(box, fill="gray")
    for line in lines:
        pen.line(line, fill="black", width=2)
    return image


def joined(image, boxes=BOXES, labels=(), others=()):
    traces = find_traces(image, boxes, labels, others)
    return [trace.boxes for trace in traces.found], sorted(traces.open)


def test_a_line_joins_the_two_boxes_that_it_touches_however_it_bends():
    line = (60, 55, 110, 55, 110, 190, 180, 190, 180, 170)
    assert joined(drawing(line)) == ([(0, 3)], [])
    assert joined(drawing()) == ([], [])


def test_dashes_are_one_line():
    dashes = [(x, 55, x + 6, 55) for x in range(60, 160, 11)]
    assert joined(drawing(*dashes)) == ([(0, 1)], [])


def test_of_lines_that_cross_it_is_open_what_they_join():
    found, unclear = joined(drawing((60, 70, 160, 140), (60, 140, 160, 70)))
    assert found == [] and {(0, 3), (1, 2)} <= set(unclear)


def test_a_label_on_a_line_is_a_part_of_it_and_a_word_between_boxes_is_none():
    halves = (60, 55, 95, 55), (125, 55, 160, 55)
    assert joined(drawing(*halves), labels=[(96, 48, 124, 62)]) == ([(0, 1)], [])
    assert joined(drawing(*halves), others=[(96, 48, 124, 62)]) == ([], [])
    assert joined(drawing(), labels=[(66, 48, 154, 62)]) == ([], [])


def test_a_box_that_was_not_read_is_no_line():
    found, unclear = joined(drawing((60, 55, 160, 55), boxes=(LEFT, RIGHT, (90, 40, 130, 70))), boxes=(LEFT, RIGHT))
    assert found == [] and unclear == [(0, 1)]


def test_ends_are_where_the_line_meets_the_boxes_in_large_pictures_too():
    image = drawing((60, 55, 160, 55))
    large = image.resize((220 * 12, 200 * 12), Image.Resampling.NEAREST)
    boxes = [(12 * left, 12 * top, 12 * right + 12, 12 * bottom + 12) for left, top, right, bottom in BOXES]
    (trace,) = find_traces(large, boxes, [], []).found
    assert trace.ends[0] == pytest.approx((60 * 12, 55 * 12), abs=40)
    assert trace.ends[1] == pytest.approx((160 * 12, 55 * 12), abs=40)


def test_a_line_is_wider_at_its_head_wherever_it_ends():
    image = drawing((60, 45, 110, 20, 160, 65))
    ImageDraw.Draw(image).polygon([(160, 65), (150, 62), (155, 54)], fill="black")
    ends = ((64.0, 44.0), (156.0, 61.0))
    first, second = find_heads(image, [LEFT, RIGHT])
    assert headward(first, second, ends) > 2 and headward(second, first, ends[::-1]) < -2
    assert headward(first, second, ((64.0, 44.0), (180.0, 150.0))) is None


@pytest.mark.parametrize(
    ("shape", "start"), [("parallelogram", (192, 55)), ("oval", (196, 45)), ("diamond", (190, 47))]
)
def test_a_head_within_the_corners_of_a_slanted_box_is_seen(shape, start):
    """The box itself is paper here: its outline is known, not looked for."""
    image = Image.new("RGB", (300, 200), "white")
    pen = ImageDraw.Draw(image)
    x, y = start
    pen.line((x, y, 290, y), fill="black")
    pen.polygon([(x, y), (x + 9, y - 4), (x + 9, y + 4)], fill="black")
    boxes = [(100.0, 30.0, 200.0, 80.0), (290.0, 30.0, 299.0, 80.0)]
    first, second = find_heads(image, boxes, [shape, "rectangle"])
    assert headward(first, second, ((206.0, y), (284.0, y))) < -2


def test_a_line_that_was_followed_is_there_and_where_none_is_there_is_none():
    chances = torch.tensor([[0.0, 0.1, 0.9], [0.05, 0.0, 0.6], [0.1, 0.1, 0.0]])
    line = Trace((0, 1), ((0.0, 0.0), (9.0, 9.0)))
    found = with_traces(chances, Traces((line,), frozenset({(0, 2)})), [3.0], directed=True)
    assert found[0, 1] > 0.9 > 0.1 > found[1, 0]
    assert found[0, 2] == chances[0, 2] and found[1, 2] == found[2, 1] == 0
    nowhere = with_traces(chances, Traces((), frozenset()), [], directed=True)  # the likeliest is not seen either
    assert torch.equal(nowhere, chances)


def test_two_lines_between_two_boxes_lead_both_ways():
    assert ways(0.9, 0.1, [3.0, -2.5]) == ways(0.9, 0.1, [3.0, 0.0]) == (1.0, 1.0)
    there, back = ways(0.5, 0.5, [3.0, 2.5])
    assert there > 0.9 and there + back == 1


def test_heads_tell_that_lines_have_a_direction_where_the_network_does_not():
    one_way = torch.tensor([[0.0, 0.9, 0.1], [0.1, 0.0, 0.8], [0.0, 0.1, 0.0]])
    unsure = one_way + 0.3 * one_way.T
    assert is_directed(unsure, [None, None]) and not is_directed(unsure, [0.0, 0.3, -0.4, 0.1])
    unsure = one_way + 0.6 * one_way.T
    assert not is_directed(unsure, [0.2, None]) and is_directed(unsure, [3.0, -4.0, 2.5])
