"""Arrow heads: at which of its ends a line between two boxes has one, by the pixels around the boxes.

A head is wide and grows narrow towards its box; a line has one width. The ink on ever wider outlines around a box is
looked at: every line that ends there crosses them all. Whose line it is, its direction from the box's middle tells, or
the place where a line that was followed ends.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..structure import Box, NodeShape, Point
from .traces import find_ink

NEAREST, FARTHEST = 2, 13  # pixels from a box, where its lines are looked at
SEEN = 5  # of the outlines that a line must cross
WIDE = 3  # pixels by which a head is wider than its line
HOLLOW = 150  # pixels; a head encloses less
THICK = 16  # pixels: what is wider than that is neither
STEP = 5  # pixels to the side by which a line runs on at most, from one outline to the next
BESIDE = 9.0  # pixels from where a line ends to where it is seen on an outline
LEAN = 0.4  # how far hexagons and parallelograms lean in, of their height
ASIDE = 0.7  # radians by which a line may end beside the straight way to the other box


class _Run(NamedTuple):
    """Ink on an outline so many pixels away from a box."""

    place: Point
    width: float
    away: int
    along: Point  # which way the outline runs there


@dataclass(frozen=True)
class Crossing:
    """A line that ends at a box."""

    angle: float  # from the middle of the box
    is_head: bool
    places: tuple[Point, ...]  # where it was seen, from near the box to far from it
    widths: tuple[float, ...]  # and how wide


def find_heads(
    image: Image.Image, boxes: Sequence[Box], shapes: Sequence[NodeShape] | None = None
) -> list[list[Crossing]]:
    """Of every box the lines that end at it; where no shapes are known, boxes are rectangles."""
    ink = _solid(find_ink(image))
    known: Sequence[NodeShape] = ["rectangle"] * len(boxes) if shapes is None else shapes
    return [_crossings(ink, box, shape) for box, shape in zip(boxes, known, strict=True)]


def _solid(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Ink with what heads enclose that are drawn as outlines."""
    import cv2

    _, parts, bounds, _ = cv2.connectedComponentsWithStats((~ink).astype(np.uint8), connectivity=4)
    is_small = bounds[:, cv2.CC_STAT_AREA] < HOLLOW
    return ink | is_small[parts]


def head_at(crossings: Sequence[Crossing], box: Box, other: Box) -> bool | None:
    """Whether the line from a box towards another one has a head there; None where no line is seen."""
    x, y = ((other[0] + other[2] - box[0] - box[2]) / 2, (other[1] + other[3] - box[1] - box[3]) / 2)
    towards = math.atan2(y, x)
    near = [(abs(math.remainder(one.angle - towards, 2 * math.pi)), one.is_head) for one in crossings]
    away, is_head = min(near, default=(math.inf, False))
    return is_head if away < ASIDE else None


def headward(first: Sequence[Crossing], second: Sequence[Crossing], ends: tuple[Point, Point]) -> float | None:
    """By how many pixels a line is wider at its second end than at its first; None where one of them is not seen.

    A head at one end alone shows even where the line is blurred, or crosses others.
    """
    one, two = (_at(crossings, end) for crossings, end in zip((first, second), ends, strict=True))
    if one is None or two is None:
        return None
    return sorted(two.widths)[-2] - sorted(one.widths)[-2]  # the widest of all may be another line


def _at(crossings: Sequence[Crossing], end: Point) -> Crossing | None:
    """The line that ends at a place."""
    away = [min(math.dist(place, end) for place in one.places) for one in crossings]
    near = [one for one, far in zip(crossings, away, strict=True) if far < BESIDE]
    return max(near, key=lambda one: len(one.places), default=None)


def _crossings(ink: NDArray[np.bool_], box: Box, shape: NodeShape) -> list[Crossing]:
    """Runs of ink on outlines around a box, those that lie behind each other together."""
    tracks: list[list[_Run]] = []
    for away in range(NEAREST, FARTHEST + 1):
        for run in _runs(ink, _path(box, shape, away), away):
            near = [t for t in tracks if away - 2 <= t[-1].away < away and math.dist(t[-1].place, run.place) < STEP]
            if near:
                min(near, key=lambda t: math.dist(t[-1].place, run.place)).append(run)
            else:
                tracks.append([run])
    found = []
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    for track in tracks:
        if len(track) < SEEN:
            continue
        widths, places = _widths(track), tuple(run.place for run in track)
        x, y = places[0]
        is_head = max(widths) - sorted(widths[-3:])[1] >= WIDE or max(widths) - min(widths[:3]) >= WIDE
        found.append(Crossing(math.atan2(y - middle[1], x - middle[0]), is_head, places, widths))
    return found


def _widths(track: Sequence[_Run]) -> tuple[float, ...]:
    """Across the line: what an outline cuts aslant looks wider there."""
    (x0, y0), (x1, y1) = track[0].place, track[-1].place
    length = max(1.0, math.hypot(x1 - x0, y1 - y0))
    return tuple(run.width * abs(run.along[0] * (y1 - y0) - run.along[1] * (x1 - x0)) / length for run in track)


def _path(box: Box, shape: NodeShape, away: int) -> NDArray[np.float64]:
    """[N, 2]: places half a pixel apart on the outline of a box that has grown by so many pixels."""
    left, top, right, bottom = box[0] - away, box[1] - away, box[2] + away, box[3] + away
    x, y, lean = (left + right) / 2, (top + bottom) / 2, LEAN * (bottom - top)
    if shape in ("oval", "circle"):
        angles = np.linspace(0, 2 * np.pi, max(8, int(4 * (right - left + bottom - top))), endpoint=False)
        return np.stack([x + (right - left) / 2 * np.cos(angles), y + (bottom - top) / 2 * np.sin(angles)], axis=1)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    if shape == "diamond":
        corners = [(x, top), (right, y), (x, bottom), (left, y)]
    elif shape == "parallelogram":
        corners = [(left + lean, top), (right, top), (right - lean, bottom), (left, bottom)]
    elif shape == "hexagon":
        corners = [(left + lean, top), (right - lean, top), (right, y)]
        corners += [(right - lean, bottom), (left + lean, bottom), (left, y)]
    sides = []
    for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
        sides.append(np.linspace(start, end, max(1, int(2 * math.dist(start, end))), endpoint=False))
    return np.concatenate(sides)


def _runs(ink: NDArray[np.bool_], path: NDArray[np.float64], away: int) -> Iterator[_Run]:
    """The runs of ink on a closed path."""
    columns, rows = path.round().astype(int).T
    inside = (columns >= 0) & (rows >= 0) & (columns < ink.shape[1]) & (rows < ink.shape[0])
    inked = np.zeros(len(path), bool)
    inked[inside] = ink[rows[inside], columns[inside]]
    if inked.all() or not inked.any():
        return
    first = int(inked.argmin())
    path, inked = np.roll(path, -first, axis=0), np.roll(inked, -first)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], inked, [False])).astype(int))).tolist()
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        x, y = path[start:end].mean(axis=0).tolist()
        dx, dy = (path[min(end, len(path) - 1)] - path[start - 1]).tolist()
        width = math.dist(path[start], path[end - 1]) + 0.5
        if width <= THICK:
            length = math.hypot(dx, dy)
            yield _Run((x, y), width, away, (dx / length, dy / length))
