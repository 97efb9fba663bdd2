"""Text by its ink alone, where the detector is of no use: of a blurred chart it takes the bars for huge letters.

Thin strokes close together are text; what is thick is a bar or a slice, what is long and straight an axis or a grid.
"""

import math

import numpy as np

from .ocr_lines import Line

STROKE = 17  # pixels of the picture as the detector sees it: what is thicker is no stroke of a letter
STRAIGHT = 32  # what runs on straight for so long is a line
BESIDE, ABOVE = 13, 5  # ink so near to other ink, to the side or above, is of the same text
SMALLEST, LARGEST = 7, 60  # heights of text
PAPER = 110  # mean brightness from which on ink is darker than paper
ROOM = 0.5  # around the ink, on both sides together, in its heights
ASKEW = 0.65  # a slanted rectangle so much smaller than the upright one around it is what the text runs along
MOST = 60


def ink_lines(seen: np.ndarray, scale: float) -> list[Line]:
    """Where text may stand in a picture [H, W, 3] that was scaled; lines are in pixels of the picture itself."""
    import cv2

    ink = _strokes(seen)
    joined = cv2.dilate(ink, np.ones((ABOVE, BESIDE), np.uint8))
    count, parts, boxes, _ = cv2.connectedComponentsWithStats(joined)
    found = []
    for i in range(1, count):
        left, top, width, height, _ = boxes[i]
        if min(width, height) > LARGEST + BESIDE:
            continue
        window = (slice(top, top + height), slice(left, left + width))
        ys, xs = np.nonzero((parts[window] == i) & (ink[window] > 0))
        line = _around(np.stack((xs + left, ys + top), 1).astype(np.float32), scale) if len(xs) > SMALLEST else None
        if line is not None:
            found.append(line)
    return found[:MOST]


def _strokes(seen: np.ndarray) -> np.ndarray:
    """[H, W] of 0 and 1: what is thin and not straight."""
    import cv2

    rim = np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]])
    hat = cv2.MORPH_BLACKHAT if np.median(rim, axis=0).mean() > PAPER else cv2.MORPH_TOPHAT
    thin = cv2.morphologyEx(seen, hat, np.ones((STROKE, STROKE), np.uint8)).max(2)
    ink = (cv2.threshold(thin, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]).astype(np.uint8)
    for long in (np.ones((1, STRAIGHT), np.uint8), np.ones((STRAIGHT, 1), np.uint8)):
        straight = cv2.morphologyEx(ink, cv2.MORPH_OPEN, long)
        ink[cv2.dilate(straight, np.ones((3, 3), np.uint8)) > 0] = 0
    return ink


def _around(points: np.ndarray, scale: float) -> Line | None:
    """The rectangle around ink [M, 2]; None if it is too small or too large for text."""
    import cv2

    (left, top), (right, bottom) = points.min(0), points.max(0) + 1
    x, y, width, height, angle = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top, 0.0
    (x1, y1), (width1, height1), degrees = cv2.minAreaRect(points)
    turns = round(degrees / 90)
    if turns % 2:
        width1, height1 = height1, width1
    if (width1 + 1) * (height1 + 1) < ASKEW * width * height and abs(degrees - 90 * turns) > 8:
        x, y, width, height, angle = x1 + 0.5, y1 + 0.5, width1 + 1, height1 + 1, math.radians(degrees - 90 * turns)
    if not SMALLEST <= min(width, height) <= LARGEST:
        return None
    room = ROOM * min(width, height)
    x, y, width, height = (float(v) / scale for v in (x, y, width + room, height + room))
    return Line((x, y), angle, width, height)
