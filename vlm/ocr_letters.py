"""Letters and digits that stand alone, as names of boxes or of parts of a drawing: the detector passes over many.

Looked for only where such labels are likely, since a marker or a piece of a line looks like one, too.
"""

from collections.abc import Sequence

import numpy as np

from .ocr_lines import Line
from .structure import Box, Label

STROKE = 9  # pixels; strokes of letters are thinner
CONTRAST = 50.0  # of 255, to what is around
LOW, HIGH = 5, 40  # heights of letters in pixels
ALIKE = 0.3  # of the usual height, by which a letter's may differ
WIDEST = 1.3  # width / height
ROOM = 0.35  # around a letter, in its heights
BESIDE = 0.6  # heights to the side within which a letter that stands alone has no other
MOST = 80
COMPANY = 3  # so few are no letters that name things
TWINS = {"O": "0", "o": "0", "I": "1", "l": "1", "S": "5", "B": "8", "Z": "2"}


def find_letters(pixels: np.ndarray, words: Sequence[Label]) -> list[Line]:
    """Where letters may stand in a picture [H, W, 3], beside the words that are known already."""
    import cv2

    size = usual_height(words)
    kernel = np.ones((STROKE, STROKE), np.uint8)
    found: list[Line] = []
    known = [word.box for word in words]
    for kind in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT):
        ink = (cv2.morphologyEx(pixels, kind, kernel).max(2) > CONTRAST).astype(np.uint8)
        _, _, bounds, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
        boxes = [(left, top, left + width, top + height) for left, top, width, height, _ in bounds[1:].tolist()]
        near = [box for box in boxes if abs(box[3] - box[1] - size) < 2 * ALIKE * size]
        for box in near:
            if LOW <= box[3] - box[1] <= HIGH and _stands_alone(box, near) and not _is_known(box, known):
                found.append(_around(box))
    return found[:MOST]


def usual_height(words: Sequence[Label]) -> float:
    """Of a letter that stands alone, if there is one among the words; else of any."""
    heights = [word.box[3] - word.box[1] for word in words if len(word.text) == 1 and word.text.isalnum()]
    heights = heights if len(heights) >= COMPANY else [word.box[3] - word.box[1] for word in words]
    return float(np.median(heights)) if heights else 12.0


def of_one_kind(letters: Sequence[Label], words: Sequence[Label]) -> list[Label]:
    """Of letters that were found those like the others: all letters or all digits, and about as high."""
    known = [word for word in words if len(word.text) == 1 and word.text.isalnum()]
    every = [*known, *letters]
    if len(every) < COMPANY or not letters:
        return []
    height = float(np.median([one.box[3] - one.box[1] for one in every]))
    are_digits = 2 * sum(one.text.isdigit() for one in every) > len(every)
    names = {one.text for one in known}
    kept: list[Label] = []
    for one in letters:
        text = TWINS.get(one.text, one.text) if are_digits else one.text
        is_alike = abs(one.box[3] - one.box[1] - height) <= ALIKE * height
        if _is_known(one.box, [other.box for other in kept]):
            continue  # found by its ink and by what it stands on
        if is_alike and text.isdigit() == are_digits and (are_digits or text.isupper()):
            kept.append(one.model_copy(update={"text": text}))
            names.add(text)
    return kept if len(names) >= COMPANY else []


def _stands_alone(box: Box, others: Sequence[Box]) -> bool:
    """Whether no other letter is beside it."""
    left, top, right, bottom = box
    reach = BESIDE * (bottom - top)
    return right - left <= WIDEST * (bottom - top) and not any(
        other != box and other[0] < right + reach and other[2] > left - reach and other[1] < bottom and other[3] > top
        for other in others
    )


def _is_known(box: Box, known: Sequence[Box]) -> bool:
    """Whether its middle lies in something known, or the middle of that in it."""
    return any(_holds(other, box) or _holds(box, other) for other in known)


def _holds(box: Box, other: Box) -> bool:
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return box[0] - 1 <= x <= box[2] + 1 and box[1] - 1 <= y <= box[3] + 1


def _around(box: Box) -> Line:
    left, top, right, bottom = box
    room = 2 * ROOM * (bottom - top)
    return Line(((left + right) / 2, (top + bottom) / 2), 0.0, right - left + room, bottom - top + room)
