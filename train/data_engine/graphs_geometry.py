"""Outlines of boxes, and lines between them: where a line leaves a box, and what it runs into."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import hypot

import numpy as np
from numpy.typing import NDArray

from vlm.structure import Box, NodeShape, Point

Segments = NDArray[np.float64]  # (number, 4): from x, y to x, y
CORNER = 0.5  # the radius of rounded corners, of half the shorter side
SLANT = 0.4  # how far hexagons and parallelograms lean in, of their height
NEAR = 5.0  # lines that come closer without crossing look like one


def corners(shape: NodeShape, box: Box) -> list[Point]:
    """Of the shapes with straight sides, clockwise."""
    left, top, right, bottom = box
    x, y, lean = (left + right) / 2, (top + bottom) / 2, SLANT * (bottom - top)
    if shape == "diamond":
        return [(x, top), (right, y), (x, bottom), (left, y)]
    if shape == "parallelogram":
        return [(left + lean, top), (right, top), (right - lean, bottom), (left, bottom)]
    if shape == "hexagon":
        return [(left + lean, top), (right - lean, top), (right, y), (right - lean, bottom), (left + lean, bottom),
                (left, y)]  # fmt: skip
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def radius(shape: NodeShape, box: Box) -> float:
    left, top, right, bottom = box
    return CORNER * min(right - left, bottom - top) / 2 if shape == "rounded rectangle" else 0.0


def inside(shape: NodeShape, box: Box, point: Point) -> bool:
    left, top, right, bottom = box
    across, down = (right - left) / 2, (bottom - top) / 2
    x, y = point[0] - (left + right) / 2, point[1] - (top + bottom) / 2
    if shape in ("oval", "circle"):
        return (x / across) ** 2 + (y / down) ** 2 <= 1
    if shape == "diamond":
        return abs(x) / across + abs(y) / down <= 1
    if shape == "hexagon":
        return abs(y) <= down and abs(x) <= across - 2 * SLANT * abs(y)
    if shape == "parallelogram":
        return abs(y) <= down and abs(x + SLANT * y) <= across - SLANT * down
    r = radius(shape, box)
    return hypot(max(abs(x) - across + r, 0), max(abs(y) - down + r, 0)) <= r + 1e-9


def outside(path: list[Point], shape: NodeShape, box: Box) -> list[Point]:
    """The path from where it leaves the box in which it starts."""
    for i, (within, beyond) in enumerate(pairwise(path)):
        if not inside(shape, box, beyond):
            for _ in range(10):
                middle = ((within[0] + beyond[0]) / 2, (within[1] + beyond[1]) / 2)
                if inside(shape, box, middle):
                    within = middle
                else:
                    beyond = middle
            rest = [point for point in path[i + 1 :] if hypot(point[0] - within[0], point[1] - within[1]) > 1]
            return [within, *rest]
    return []


def rounded(path: list[Point], reach: float) -> list[Point]:
    """The path with every corner replaced by a curve that begins `reach` pixels before it, or half way there."""
    if not reach:
        return path
    found = [path[0]]
    for before, corner, after in zip(path, path[1:], path[2:], strict=False):
        (x, y), ends = corner, []
        for u, v in (before, after):
            length = hypot(u - x, v - y)
            part = min(reach, length / 2) / length if length else 0.0
            ends.append((x + (u - x) * part, y + (v - y) * part))
        found += bezier(ends[0], corner, corner, ends[1], 5)
    return [*found, path[-1]]


def bezier(start: Point, one: Point, two: Point, end: Point, steps: int = 10) -> list[Point]:
    """A cubic curve as short lines."""
    points = []
    for i in range(steps + 1):
        t = i / steps
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        points.append(
            (
                a * start[0] + b * one[0] + c * two[0] + d * end[0],
                a * start[1] + b * one[1] + c * two[1] + d * end[1],
            )
        )
    return points


def along(path: Sequence[Point], distance: float) -> tuple[Point, Point]:
    """The point at this distance from the start of a path, and the direction there, of length one."""
    for (x, y), (u, v) in pairwise(path):
        length = hypot(u - x, v - y)
        if distance <= length or (u, v) == path[-1]:
            direction = ((u - x) / max(length, 1e-6), (v - y) / max(length, 1e-6))
            return (x + direction[0] * distance, y + direction[1] * distance), direction
        distance -= length
    raise ValueError("a path has two points or more")


def path_length(path: Sequence[Point]) -> float:
    return sum(hypot(u - x, v - y) for (x, y), (u, v) in pairwise(path))


def segments(path: Sequence[Point]) -> Segments:
    points = np.asarray(path, dtype=np.float64)
    return np.concatenate([points[:-1], points[1:]], axis=1)


def hits(box: Box, lines: Segments, gap: float) -> NDArray[np.bool_]:
    """Which of the lines come closer to a box than `gap`."""
    low, high = np.array(box[:2]) - gap, np.array(box[2:]) + gap
    step = lines[:, 2:] - lines[:, :2]
    step = np.where(np.abs(step) < 1e-6, 1e-6, step)
    one, two = (low - lines[:, :2]) / step, (high - lines[:, :2]) / step
    enters, leaves = np.minimum(one, two).max(axis=1), np.maximum(one, two).min(axis=1)
    found: NDArray[np.bool_] = (enters <= leaves) & (leaves >= 0) & (enters <= 1)
    return found


def tangled(paths: Iterable[Sequence[Point]], bundles: Sequence[int], crossings: int) -> bool:
    """Whether lines cross more often than that, run along each other, or end close to another one.

    Lines of one bundle may run together, as those from a parent to its children do.
    """
    parts = [segments(path) for path in paths]
    lines = np.concatenate(parts)
    of = np.repeat(bundles, [len(part) for part in parts])
    path = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    foreign = of[:, None] != of[None, :]
    start, step = lines[:, None, :2], (lines[:, 2:] - lines[:, :2])[:, None]  # [S, 1, 2]
    sides = [_cross(step, point[None] - start) for point in (lines[:, :2], lines[:, 2:])]  # of every line, [S, S]
    parted = sides[0] * sides[1] < 0
    if (parted & parted.T & foreign).sum() > 2 * crossings:
        return True
    length = np.maximum(np.hypot(step[..., 0], step[..., 1]), 1e-6)
    parallel = np.abs(_cross(step, np.swapaxes(step, 0, 1))) < 0.35 * length * length.T
    firsts, lasts = np.append(True, path[1:] != path[:-1]), np.append(path[1:] != path[:-1], True)
    for points, is_end in ((lines[:, :2], firsts), (lines[:, 2:], lasts)):
        offset = points[None] - start  # from every line to every point, [S, S, 2]
        part = np.clip((offset * step).sum(axis=-1) / length**2, 0, 1)
        away = np.hypot(*np.moveaxis(offset - part[..., None] * step, -1, 0))
        if (foreign & (away < NEAR) & (parallel | is_end[None])).any():
            return True
    return False


def _cross(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]
    return found
