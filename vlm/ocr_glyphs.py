"""Letters that stand alone, in a circle or a box: the detector marks their middle, the ink says where they end."""

from collections.abc import Sequence

import numpy as np

from .ocr_lines import INK, Line

ROOM = 0.35  # around the letters, in their heights
CORE = 0.25
NEAR = 0.4  # how far apart letters of one text are, in their heights
MAX_REACH = 600.0  # in pixels
WINDOW = 1.5  # how far to look around, in sizes of what the detector marked
FAINT_PIXEL = 0.1  # from which probability a pixel may be of such a letter
FAINT_SIZE, MAX_FAINT = 64, 40

Rectangle = tuple[Sequence[float], Sequence[float], float]  # cv2's: centre, sides, degrees


def faint_spots(chances: np.ndarray, taken: np.ndarray) -> list[Rectangle]:
    """Small places that the detector suspects to be text, the likeliest first: letters that stand alone."""
    import cv2

    count, parts, boxes, centres = cv2.connectedComponentsWithStats((chances > FAINT_PIXEL).astype(np.uint8))
    peaks = np.zeros(count, np.float32)
    np.maximum.at(peaks, parts.ravel().astype(int), chances.ravel())
    known = np.zeros(count, bool)
    known[np.unique(parts[taken > 0])] = True
    small = (boxes[:, 2:4].max(1) <= FAINT_SIZE) & ~known
    small[0] = False
    chosen = sorted(np.flatnonzero(small), key=lambda i: -peaks[i])[:MAX_FAINT]
    return [
        ((float(centres[i][0]), float(centres[i][1])), (float(boxes[i, 2]), float(boxes[i, 3])), 0.0) for i in chosen
    ]


def snapped(pixels: np.ndarray, line: Line) -> Line | None:
    """An upright line around the whole letters that a short line lies on; None where they have no end nearby."""
    import cv2

    reach = WINDOW * max(line.width, line.height)
    if (shrink := MAX_REACH / reach) < 1:  # what fills a large picture is found as well in a smaller copy
        smaller = cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        found = snapped(smaller, _scaled(line, shrink))
        return None if found is None else _scaled(found, 1 / shrink)
    x, y = (min(max(place, 0.0), side - 1.0) for place, side in zip(line.centre, pixels.shape[1::-1], strict=True))
    left, top = max(0, round(x - reach)), max(0, round(y - reach))
    window = pixels[top : round(y + reach) + 1, left : round(x + reach) + 1]
    if min(window.shape[:2]) < 3:
        return None
    marked = _region(window, (x - left, y - top), line.width / 2, line.height / 2)
    near = _region(window, (x - left, y - top), line.width, line.height)
    background = np.median(window[near].reshape(-1, 3).astype(np.float32), 0)
    difference = abs(window.astype(np.float32) - background).max(2)
    ink = difference > max(8.0, INK * difference[marked].max())
    count, parts, boxes, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    lefts, tops, widths, heights, _ = boxes.T
    rights, bottoms = lefts + widths, tops + heights
    open_ended = (lefts == 0) | (tops == 0) | (rights == window.shape[1]) | (bottoms == window.shape[0])
    taken = np.isin(np.arange(count), parts[marked][ink[marked]]) & ~open_ended
    taken[0] = False
    if not taken.any():
        return None
    for _ in range(2):  # what is beside it, and beside that
        x0, y0, x1, y1 = lefts[taken].min(), tops[taken].min(), rights[taken].max(), bottoms[taken].max()
        beside = np.maximum(lefts - x1, x0 - rights) <= NEAR * (y1 - y0)
        level = np.minimum(bottoms, y1) - np.maximum(tops, y0) > 0.5 * np.maximum(heights, y1 - y0)
        taken |= beside & level & ~open_ended
    x0, y0, x1, y1 = lefts[taken].min(), tops[taken].min(), rights[taken].max(), bottoms[taken].max()
    room = 2 * ROOM * max(y1 - y0, (x1 - x0) / 2)  # a dash has no height
    centre = (left + (x0 + x1) / 2, top + (y0 + y1) / 2)
    return Line((float(centre[0]), float(centre[1])), 0.0, float(x1 - x0 + room), float(y1 - y0 + room))


def _scaled(line: Line, scale: float) -> Line:
    x, y = line.centre
    return Line((scale * x, scale * y), line.angle, scale * line.width, scale * line.height)


def core(line: Line) -> Line:
    """Where the letter is, if what a line lies around is the circle that it stands in."""
    return Line(line.centre, line.angle, CORE * line.width, CORE * line.height)


def _region(window: np.ndarray, centre: tuple[float, float], across: float, down: float) -> tuple[slice, slice]:
    """What is so far from a place, and at least two pixels."""
    (x, y), across, down = centre, max(1.0, across), max(1.0, down)
    return (
        slice(max(0, round(y - down)), round(y + down) + 1),
        slice(max(0, round(x - across)), round(x + across) + 1),
    )
