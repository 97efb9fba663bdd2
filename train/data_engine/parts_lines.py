"""Where points, lines, outlines and boxes meet."""

from collections.abc import Sequence
from itertools import pairwise

from vlm.structure import Box, Point

Line = Sequence[Point]  # its corners


def encloses(outline: Sequence[Point], point: Point) -> bool:
    """Whether the point lies within the outline: a ray from it crosses the edge an odd number of times."""
    (x, y), inside = point, False
    for (a, b), (c, d) in pairwise([*outline, outline[0]]):
        if (b > y) != (d > y) and x < a + (y - b) * (c - a) / (d - b):
            inside = not inside
    return inside


def cross(one: Line, other: Line) -> bool:
    return any(_segments_cross(a, b, c, d) for a, b in pairwise(one) for c, d in pairwise(other))


def touches(line: Line, box: Box, gap: float) -> bool:
    """Whether the line comes closer to the box than `gap`, across or down."""
    left, top, right, bottom = box[0] - gap, box[1] - gap, box[2] + gap, box[3] + gap
    edge = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    return cross(line, edge) or any(left <= x <= right and top <= y <= bottom for x, y in line)


def _segments_cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    return _side(a, b, c) * _side(a, b, d) <= 0 and _side(c, d, a) * _side(c, d, b) <= 0


def _side(a: Point, b: Point, c: Point) -> float:
    """On which side of the line from a to b it is that c lies, by sign."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
