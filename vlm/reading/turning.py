"""Which way up a picture is: scans and photographs of paper come tilted, on their sides and upside down.

Told from the text alone. The ink of a line of text, summed up along the line, is piled up in few rows at exactly one
angle (Postl 1986); letters that are upside down are read with doubt; and on its side a picture has words that stand on
end where others lie.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL.Image import Image

from ..structure import Box, Chart, Label, Reading, Structure
from ..structure.base import Element

ANGLES = range(-30, 31)  # degrees
LEAST_TILT = 2  # what is less askew is read as it is
LEAST_GAIN = 0.97  # of the best pile: if the level one has that much, it is level
LETTERS, SIDE = 3, 12  # of a word that tells an angle, and the pixels it takes
INK = 0.4  # of the greatest difference to the background
ON_END = 1.2  # height / width from which a word stands on end
DOUBT = 0.1  # of letters, on average, from which they may be upside down ...
SURER = 0.05  # ... which they are if this much of it goes when they are turned
TILTED = 0.49  # of its confidence is left to what was read in a tilted picture: values come out wrong now and then
STANDING, STANDING_PART = 2, 0.15  # words on end, and their part of all, of a picture on its side


def tilt(image: Image, words: Sequence[Label]) -> int:
    """By how many degrees the text in an RGB picture runs upwards; 0 where it is about level, or tells nothing."""
    total = np.zeros(len(ANGLES))
    for word in words:
        if len(word.text) >= LETTERS and not is_on_end(word.box):
            total += len(word.text) * _piles(image, word.box)
    best = int(total.argmax())
    angle, level = ANGLES[best], total[len(ANGLES) // 2]
    is_askew = abs(angle) >= LEAST_TILT and abs(angle) < ANGLES[-1] and level < LEAST_GAIN * total[best]
    return angle if is_askew else 0


def _piles(image: Image, box: Box) -> np.ndarray:
    """[angles]: how much the ink in a box is in few rows when it is turned level, of the most that it is at any."""
    left, top, right, bottom = (max(0, round(side)) for side in box)
    right, bottom = min(right + 1, image.width), min(bottom + 1, image.height)
    if right - left < SIDE or bottom - top < 2:
        return np.zeros(len(ANGLES))
    part = np.asarray(image.crop((left, top, right, bottom)).convert("L"), np.float32)
    difference = abs(part - np.median(part))
    ys, xs = np.nonzero(difference > max(1.0, INK * difference.max()))
    if len(xs) == 0:
        return np.zeros(len(ANGLES))
    piles = []
    for degrees in ANGLES:
        rows = ys * math.cos(math.radians(degrees)) + xs * math.sin(math.radians(degrees))
        counts = np.bincount((rows - rows.min()).astype(int))
        piles.append(float((counts**2).sum()))
    return np.array(piles) / max(piles)


def doubted(part: Any) -> Any:
    """The same structure with half the confidence everywhere: of what was tilted nothing is sure."""
    if isinstance(part, tuple):
        return tuple(map(doubted, part))
    if not isinstance(part, Structure):
        return part
    changes = {name: doubted(getattr(part, name)) for name in type(part).model_fields}
    if isinstance(part, Element):
        changes["confidence"] = part.confidence * TILTED
    return part.model_copy(update=changes)


def is_on_end(box: Box) -> bool:
    return box[3] - box[1] > ON_END * (box[2] - box[0])


def doubt(words: Sequence[Label]) -> float:
    """How unsure the letters of the lying words are, on average; letters that stand alone look alike either way up."""
    lying = [word for word in words if len(word.text) > 1 and not is_on_end(word.box)]
    letters = sum(len(word.text) for word in lying)
    return 1 - sum(len(word.text) * word.confidence for word in lying) / letters if letters else 0.0


def is_on_its_side(reading: Reading) -> bool:
    """Whether words stand on end that never do in a picture that is upright: neither categories nor a value's title."""
    chart = reading.structure if isinstance(reading.structure, Chart) else None
    others = {label.text for label in chart.categories} if chart else set()
    title = chart.value_axis.title if chart and chart.value_axis else None
    told = [
        word
        for word in reading.words
        if len(word.text) > 1 and word.text not in others and not (title and word.text in title.text)
    ]
    standing = sum(is_on_end(word.box) for word in told)
    return standing >= STANDING and standing >= STANDING_PART * len(told)
