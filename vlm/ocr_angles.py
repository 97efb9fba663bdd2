"""Text that does not run level: second looks at what the detector saw askew, or took apart letter by letter."""

import math
from collections.abc import Sequence

import numpy as np

from .ocr_lines import HEIGHT, Line, foreign_parts

ROOM = 0.6  # around the ink on both sides together, in its heights
LEVEL = math.radians(8)  # a line may be so much askew and is still read
STEEP = math.radians(75)
ALIGNED, ALIKE = 0.35, 1.6  # letters of text that runs upwards: how much to the side, and wider than each other


def around_ink(line: Line, strip: np.ndarray) -> list[Line]:
    """Slanted lines around the ink of a level one; the outline of two letters does not tell which side is the base."""
    import cv2

    ink, parts, foreign = foreign_parts(strip)
    ys, xs = np.nonzero(ink & ~foreign[parts])
    if len(xs) < 2:
        return []
    (x, y), (width, height), degrees = cv2.minAreaRect(np.stack((xs, ys), 1).astype(np.float32))
    if min(width, height) < 1:  # a stroke one pixel wide
        return []
    scale = line.height / HEIGHT
    x, y, width, height = ((v * scale) for v in (x + 0.5 - strip.shape[1] / 2, y + 0.5 - HEIGHT / 2, width, height))
    c, s = math.cos(line.angle), math.sin(line.angle)
    centre = (line.centre[0] + c * x - s * y, line.centre[1] + s * x + c * y)
    found = []
    for turned, (along, across) in enumerate(((width, height), (height, width))):
        angle = math.remainder(math.radians(degrees + 90 * turned), math.pi)
        if LEVEL < abs(angle) < STEEP:
            room = ROOM * across
            found.append(Line(centre, line.angle + angle, along + room, across + room))
    return found


def upward_stacks(lines: Sequence[Line]) -> list[list[int]]:
    """The numbers of short lines that stand one upon the other and overlap: letters that lie on their backs."""
    short = [i for i, line in enumerate(lines) if abs(line.angle) < LEVEL and line.width < ALIKE * line.height]
    stacks: list[list[int]] = []
    for i in sorted(short, key=lambda i: lines[i].centre[1]):
        for stack in stacks:
            if _continues(lines[stack[-1]], lines[i]):
                stack.append(i)
                break
        else:
            stacks.append([i])
    return [stack for stack in stacks if len(stack) > 1]


def _continues(upper: Line, lower: Line) -> bool:
    narrow, wide = sorted((upper.width, lower.width))
    aside = abs(upper.centre[0] - lower.centre[0])
    apart = lower.centre[1] - upper.centre[1] - (upper.height + lower.height) / 2
    return wide < ALIKE * narrow and aside < ALIGNED * narrow and apart < 0


def around(lines: Sequence[Line]) -> Line:
    """One upright rectangle around all of them."""
    corners = np.concatenate([line.corners for line in lines])
    (left, top), (right, bottom) = corners.min(0).tolist(), corners.max(0).tolist()
    return Line(((left + right) / 2, (top + bottom) / 2), 0.0, right - left, bottom - top)
