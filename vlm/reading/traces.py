"""Lines between boxes, followed by their ink: what touches two boxes and no third joins them.

The gaps of dashed lines are closed step by step, the widest last; what has been found by then is taken away, so that it
does not run into its neighbours. Lines that cross, or run together, touch more boxes than two, or a line that has been
found: which of these boxes are joined is open. What has a box's outline in it, or its fill, is no line, but a box of
which nothing was read.
"""

import math
from collections.abc import Sequence
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..structure import Box, Point

INK = 40.0  # of 441: what differs so much from the paper is ink
GROW = 4  # pixels around a box that may be its own: boxes are read to within a few
TOUCH = 3  # pixels beyond these, in which a line that ends at the box is seen
GAPS = (0, 3, 5, 7, 9, 13)  # pixels by which ink grows to close the gaps of dashes
HOLE = 0.4  # of the smallest box: what encloses so much is one itself ...
THICK = 15  # ... as is what is so many pixels thick
BRANCH = 5  # pixels from a line to one that branches off or crosses it, but ...
NEAR = 8  # ... not where it ends: there lines meet
INKED = 0.3  # pixels of ink a line has at least, for each pixel of its length
AREA = 1_500_000  # larger pictures are looked at in a smaller copy


class Trace(NamedTuple):
    """A line: the numbers of its two boxes, the smaller first, and where it ends at each, in pixels of the picture."""

    boxes: tuple[int, int]
    ends: tuple[Point, Point]


class Traces(NamedTuple):
    found: tuple[Trace, ...]
    open: frozenset[tuple[int, int]]  # boxes that may be joined, of those that lines in a tangle touch


def find_traces(image: Image.Image, boxes: Sequence[Box], labels: Sequence[Box], others: Sequence[Box]) -> Traces:
    """What joins boxes, through the labels of lines, and not through `others`: words that belong to no line."""
    import cv2

    scale = min(1.0, (AREA / (image.width * image.height)) ** 0.5)
    if scale < 1:
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BOX)
    ink = find_ink(image).astype(np.uint8)
    for box in (*labels, *others):
        ink[_window(box, scale, 1)] = 0
    windows, rings = ([_window(box, scale, grow) for box in boxes] for grow in (GROW, GROW + TOUCH))
    smallest = min(((rows.stop - rows.start) * (columns.stop - columns.start) for rows, columns in windows), default=0)
    beside = [_window(box, scale, GROW + TOUCH + NEAR) for box in boxes]
    lines = np.zeros(ink.shape, np.uint16)  # the number of the trace, from 1, that a pixel belongs to
    found: list[Trace] = []
    unclear: set[tuple[int, int]] = set()
    for gap in GAPS:
        grown = cv2.dilate(ink, np.ones((gap, gap), np.uint8)) if gap else ink.copy()
        met = cv2.dilate(lines, np.ones((BRANCH, BRANCH), np.uint8))
        for window in (_window(box, scale, 1) for box in labels if gap):  # a line's own label interrupts it
            grown[window] = 1
        for inner, outer in zip(windows, beside, strict=True):
            grown[inner] = met[outer] = 0
        _, parts, bounds, _ = cv2.connectedComponentsWithStats(grown, connectivity=8)
        unclear = set()
        joined = {trace.boxes for trace in found}
        for part, touched in _touching(parts, rings).items():
            left, top, width, height, _ = bounds[part]
            window = slice(top, top + height), slice(left, left + width)
            mask = parts[window] == part
            own = mask & (ink[window] > 0)
            others_met = [found[number - 1].boxes for number in np.unique(met[window][mask]).tolist() if number]
            if len(touched) > 2 or others_met or _is_box(own, HOLE * smallest):
                unclear |= set(combinations(sorted({*touched, *chain(*others_met)}), 2))
            elif len(touched) == 2:
                (i, one), (j, two) = sorted(touched.items())
                if own.sum() > INKED * math.dist(one, two) and (i, j) not in joined:
                    found.append(Trace((i, j), (_scaled(one, 1 / scale), _scaled(two, 1 / scale))))
                    lines[window][own] = len(found)
        ink[lines > 0] = 0
    return Traces(tuple(found), frozenset(unclear))


def find_ink(image: Image.Image) -> NDArray[np.bool_]:
    """[H, W]: what differs from the paper, whose colour is that of the rim."""
    pixels = np.asarray(image, np.float32)
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return np.linalg.norm(pixels - np.median(rim, axis=0), axis=-1) > INK


def _window(box: Box, scale: float, grow: int) -> tuple[slice, slice]:
    left, top, right, bottom = (round(scale * edge) for edge in box)
    return slice(max(0, top - grow), max(0, bottom + grow)), slice(max(0, left - grow), max(0, right + grow))


def _touching(parts: np.ndarray, rings: Sequence[tuple[slice, slice]]) -> dict[int, dict[int, Point]]:
    """Of every part of the ink the boxes that it touches, and where."""
    found: dict[int, dict[int, Point]] = {}
    for number, (rows, columns) in enumerate(rings):
        ring = parts[rows, columns]
        for part in np.unique(ring[ring > 0]).tolist():
            ys, xs = np.nonzero(ring == part)
            found.setdefault(part, {})[number] = (float(columns.start + xs.mean()), float(rows.start + ys.mean()))
    return found


def _is_box(mask: NDArray[np.bool_], hole: float) -> bool:
    """Whether ink encloses as much as a box does, or is as thick."""
    import cv2

    framed = np.pad(mask, 1).astype(np.uint8)
    if cv2.erode(framed, np.ones((THICK, THICK), np.uint8)).any():
        return True
    _, _, bounds, _ = cv2.connectedComponentsWithStats(1 - framed, connectivity=4)
    return bool((bounds[2:, 4] > hole).any())  # the first two are the ink and what is around it


def _scaled(point: Point, scale: float) -> Point:
    return point[0] * scale, point[1] * scale
