"""Lines that lead from labels to what they name, followed by their ink: straight ones, and such as bend once.

A line differs from what is on both its sides, and there it is the same on both: that tells it from the edge of a part,
on the page and on what it ends on. Of the rays from the sides of a label the best one is its line, as far as it is one.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..structure import Box, Point

SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1))
ACROSS = ((3, 0), (0, 3), (2, 2), (2, -2))  # pixels from the middle of a line to what is beside it
CLEAR = 30.0  # of 255: a line that differs so much from what is beside it is one without doubt
ALONG = 24  # pixels of a line by which it is found ...
HALF = 0.5  # ... if they are lines by this much; of 1
LOST = 0.6  # what is a line by less speaks for its end
FURTHER = 1.6  # by this factor a line is followed further at a time
FAN = np.radians(np.arange(-76, 77, 2.0))  # directions of a line, from straight ahead
BENDS = np.radians([*range(-80, -3, 2), *range(4, 81, 2)])
AHEAD = math.radians(4)  # from straight ahead; what leaves a label so may bend
LEAST = 8.0  # pixels of a line, and of its part behind a bend ...
BEHIND = 0.25  # ... which is at least this part of the one before it: what is less is the edge of something
TALLEST = 2.5  # times the usual height: what is higher is a part that is taken for text, and lines run across it
ROOM = 1.3  # text heights from a label to where its line begins, at most

Array = NDArray[np.floating]


def find_leads(image: Image.Image, labels: Sequence[Box]) -> list[tuple[Point, ...] | None]:
    """The corners of the line of each label, from the label on; None where it has none."""
    heights = [bottom - top for _, top, _, bottom in labels]
    usual = float(np.median(heights)) if heights else 0.0
    texts = [box for box, high in zip(labels, heights, strict=True) if high <= TALLEST * usual]
    ridges = find_ridges(image, texts)
    return [_lead(ridges, box) for box in labels]


def find_ridges(image: Image.Image, hidden: Sequence[Box]) -> Array:
    """[H, W]: by how much each pixel is one of a line, from 0 to 1, and half of that beside it; 0 where text is."""
    import cv2

    pixels = np.asarray(image, np.float32)
    padded = np.pad(pixels, ((3, 3), (3, 3), (0, 0)), mode="edge")
    ridges = np.zeros(pixels.shape[:2], np.float32)
    for x, y in ACROSS:
        one, two = (padded[3 + b : b - 3 or None, 3 + a : a - 3 or None] for a, b in ((x, y), (-x, -y)))
        least = np.minimum(np.abs(pixels - one).max(-1), np.abs(pixels - two).max(-1))
        ridges = np.maximum(ridges, least - np.abs(one - two).max(-1))
    for left, top, right, bottom in hidden:
        ridges[max(0, round(top) - 1) : round(bottom) + 2, max(0, round(left) - 1) : round(right) + 2] = 0
    ridges = np.minimum(ridges / CLEAR, 1)
    return (ridges + cv2.dilate(ridges, np.ones((3, 3), np.uint8))) / 2


def _lead(ridges: Array, label: Box) -> tuple[Point, ...] | None:
    (left, top, right, bottom), (x, y) = label, ((label[0] + label[2]) / 2, (label[1] + label[3]) / 2)
    starts, fans = [], []
    for across, down in SIDES:
        edge = (right if across > 0 else left) if across else x, (bottom if down > 0 else top) if down else y
        for away in np.arange(2, ROOM * (bottom - top) + 6, 3):
            starts.append((edge[0] + away * across, edge[1] + away * down))
            fans.append(math.atan2(down, across) + FAN)
    start, angle, found = _best(ridges, np.array(starts), np.array(fans))
    if found < HALF:
        return None
    start, angle, length = _follow(ridges, start, angle)
    if length < LEAST:
        return None
    ahead = np.array([math.cos(angle), math.sin(angle)])
    end = start + length * ahead
    if abs((angle + math.pi / 4) % (math.pi / 2) - math.pi / 4) < AHEAD:
        knees = end + np.arange(-9, 4, 3)[:, None] * ahead
        knee, bend, found = _best(ridges, knees, np.tile(angle + BENDS, (len(knees), 1)))
        if found > HALF:
            knee, bend, further = _follow(ridges, knee, bend)
            if further > max(LEAST, BEHIND * length):
                return _point(start), _point(knee), _point(knee + further * np.array([math.cos(bend), math.sin(bend)]))
    return _point(start), _point(end)


def _best(ridges: Array, starts: Array, fans: Array) -> tuple[Array, float, float]:
    """Of rays from each start [S, 2] in its directions [S, A] the likeliest one, and by how much it is a line."""
    places, angles = np.repeat(starts, fans.shape[1], axis=0), fans.ravel()
    seen = _along(ridges, places, angles, ALONG)
    likely = np.minimum(seen, np.median(seen, axis=1, keepdims=True)).mean(axis=1)  # all along, not in places
    best = int(likely.argmax())
    return places[best], float(angles[best]), float(likely[best])


def _follow(ridges: Array, start: Array, angle: float) -> tuple[Array, float, float]:
    """A line that begins like this, with start and angle as its whole length gives them, and this length."""
    whole, reach, length = math.ceil(math.hypot(*ridges.shape)), ALONG, 0
    while True:
        reach = min(whole, round(FURTHER * reach))
        sideways = np.array([0, -0.7, 0.7])[:, None] * np.array([-math.sin(angle), math.cos(angle)])
        angles = angle + np.array([0, -1, 1, -2, 2, -3, 3]) / reach
        places, turned = np.repeat(start + sideways, len(angles), axis=0), np.tile(angles, len(sideways))
        sums = (_along(ridges, places, turned, reach) - LOST).cumsum(axis=1)
        best = int(sums.max(axis=1).argmax())
        start, angle, before, length = places[best], float(turned[best]), length, int(sums[best].argmax())
        if length <= before or length == whole:
            return start, angle, float(length)
        reach = max(ALONG, length)


def _along(ridges: Array, starts: Array, angles: Array, reach: int) -> Array:
    """[R, reach]: what rays from their starts [R, 2] pass over, pixel by pixel; nothing beyond the picture."""
    steps = np.arange(reach)
    x = np.rint(starts[:, :1] + np.cos(angles)[:, None] * steps).astype(int)
    y = np.rint(starts[:, 1:] + np.sin(angles)[:, None] * steps).astype(int)
    height, width = ridges.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return np.where(inside, ridges[y.clip(0, height - 1), x.clip(0, width - 1)], 0)


def _point(place: Array) -> Point:
    return float(place[0]), float(place[1])
