"""Arrow heads: at which of its ends a line between two boxes has one, by the pixels around the boxes.

A head is wide and grows narrow towards its box; a line has one width. The ink on ever wider rectangles around a box is
looked at: every line that ends there crosses them all. Whose line it is, its direction from the box's middle tells.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..structure import Box

NEAREST, FARTHEST = 2, 13  # pixels from a box where its lines are looked at
INK = 40.0  # of 441: what differs so much from the paper is ink
SEEN = 6  # of the rectangles that a line must cross
WIDE = 3  # pixels by which a head is wider than its line
THICK = 16  # pixels: what is wider than that is neither
ASIDE = 0.7  # radians by which a line may end beside the straight way to the other box

Crossing = tuple[float, bool]  # angle from the middle of a box, and whether there is a head


def find_heads(image: Image.Image, boxes: Sequence[Box]) -> list[list[Crossing]]:
    """Of every box the lines that end at it."""
    pixels = np.asarray(image, np.float32)
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    ink = np.linalg.norm(pixels - np.median(rim, axis=0), axis=-1) > INK
    return [_crossings(ink, box) for box in boxes]


def head_at(crossings: Sequence[Crossing], box: Box, other: Box) -> bool | None:
    """Whether the line from a box towards another one has a head there; None where no line is seen."""
    x, y = ((other[0] + other[2] - box[0] - box[2]) / 2, (other[1] + other[3] - box[1] - box[3]) / 2)
    towards = math.atan2(y, x)
    near = [(abs(math.remainder(angle - towards, 2 * math.pi)), is_head) for angle, is_head in crossings]
    away, is_head = min(near, default=(math.inf, False))
    return is_head if away < ASIDE else None


def _crossings(ink: NDArray[np.bool_], box: Box) -> list[Crossing]:
    """Runs of ink on rectangles around a box, those that lie behind each other together."""
    tracks: list[list[tuple[float, float, float, int]]] = []  # x, y, width, distance
    for away in range(NEAREST, FARTHEST + 1):
        for x, y, width in _runs(ink, box, away):
            near = [t for t in tracks if t[-1][3] >= away - 2 and math.hypot(t[-1][0] - x, t[-1][1] - y) < 5]
            if near:
                near[0].append((x, y, width, away))
            else:
                tracks.append([(x, y, width, away)])
    found = []
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    for track in tracks:
        widths = [width for _, _, width, _ in track]
        if len({away for *_, away in track}) < SEEN or max(widths) > THICK:
            continue
        x, y = track[0][:2]
        is_head = max(widths) - float(np.median(widths[-3:])) >= WIDE or max(widths) - min(widths[:3]) >= WIDE
        found.append((math.atan2(y - middle[1], x - middle[0]), is_head))
    return found


def _runs(ink: NDArray[np.bool_], box: Box, away: int) -> list[tuple[float, float, float]]:
    """Middle (x, y) and width of the runs of ink on the rectangle so many pixels around a box."""
    height, width = ink.shape
    left, top, right, bottom = round(box[0]) - away, round(box[1]) - away, round(box[2]) + away, round(box[3]) + away
    path = [(x, top) for x in range(left, right)] + [(right, y) for y in range(top, bottom)]
    path += [(x, bottom) for x in range(right, left, -1)] + [(left, y) for y in range(bottom, top, -1)]
    inked = [0 <= x < width and 0 <= y < height and bool(ink[y, x]) for x, y in path]
    if all(inked) or not any(inked):
        return []
    first = inked.index(False)
    path, inked = path[first:] + path[:first], inked[first:] + inked[:first]
    runs, start = [], None
    for i, is_ink in enumerate([*inked, False]):
        if is_ink and start is None:
            start = i
        elif not is_ink and start is not None:
            x, y = path[(start + i - 1) // 2]
            runs.append((float(x), float(y), float(i - start)))
            start = None
    return runs
