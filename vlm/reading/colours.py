"""Colours that are simply looked up in the picture: of the background, of paper and ink."""

from collections import Counter

import numpy as np
from PIL import Image

from ..structure import Box, Point
from ..structure.colours import RGB, colour_name

ALIKE = 40.0  # of 441: colours nearer than that are one
SMALL, STEP, COMMONEST = (192, 192), 16, 6  # of colours that are counted
FEW_COVER, MOST_COVER = 0.46, 0.85  # what tells photographs from drawings
SAMPLED = 400  # pixels of a thing, about
COARSE = 24  # steps of a channel within which colours count as one
MOSTLY = 0.85  # of the pixels have the colour of the background, where it has one


def is_photograph(image: Image.Image) -> bool:
    """Whether the colours of a picture are too many for a drawing, where a few of them cover nearly everything.

    Of drawings of every kind the commonest six colours cover 48 % to all, of most colour photographs 17 to 45 %.
    """
    return cover(image) < FEW_COVER


def may_be_photograph(image: Image.Image) -> bool:
    """Whether it has so many colours as most photographs have, gray ones too, and few drawings."""
    return cover(image) < MOST_COVER


def cover(image: Image.Image) -> float:
    """The share of a picture that its commonest six colours cover."""
    small = image.copy()
    small.thumbnail(SMALL)
    steps = np.asarray(small).reshape(-1, 3) // STEP
    _, counts = np.unique(steps @ (1, 16, 256), return_counts=True)
    return float(np.sort(counts)[-COMMONEST:].sum()) / len(steps)


def background(image: Image.Image) -> str | None:
    """The colour along the edges of a picture; None where it is not one."""
    pixels = np.asarray(image, np.float32)
    edge = np.concatenate([*pixels[:2], *pixels[-2:], *pixels[:, :2].swapaxes(0, 1), *pixels[:, -2:].swapaxes(0, 1)])
    middle = np.median(edge, axis=0)
    if (np.linalg.norm(edge - middle, axis=-1) < ALIKE).mean() < MOSTLY:
        return None
    return colour_name(_rgb(middle))


def ink_and_paper(image: Image.Image, box: Box) -> tuple[str, str]:
    """The colours of a word and of what it stands on."""
    left, top, right, bottom = (round(edge) for edge in box)
    around = (max(0, left - 2), max(0, top - 2), min(image.width, right + 2), min(image.height, bottom + 2))
    pixels = np.asarray(image.crop(around), np.float32)
    paper = np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]), axis=0)
    away = np.linalg.norm(pixels - paper, axis=-1)
    ink = np.median(pixels[away >= 0.8 * away.max()], axis=0)
    return colour_name(_rgb(ink)), colour_name(_rgb(paper))


def commonest(image: Image.Image, place: Point, reach: float) -> RGB:
    """The colour of most pixels around a place."""
    (x, y), pixels = place, np.asarray(image, np.float32)
    top, left = max(0, round(y - reach)), max(0, round(x - reach))
    window = pixels[top : round(y + reach) + 1, left : round(x + reach) + 1]
    down, across = np.ogrid[: window.shape[0], : window.shape[1]]
    near = window[np.hypot(across + left - x, down + top - y) <= reach]
    _, which, counts = np.unique(near // COARSE @ (1, 16, 256), return_inverse=True, return_counts=True)
    return _rgb(np.median(near[which == counts.argmax()], axis=0))


def shares(image: Image.Image, box: Box) -> dict[str, float]:
    """The colours of what stands in a box before the colour along its edge, each with its share of that."""
    left, top, right, bottom = (round(edge) for edge in box)
    pixels = np.asarray(image.crop((max(0, left), max(0, top), right + 1, bottom + 1)), np.float32)
    edge = np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]), axis=0)
    ahead = pixels[np.linalg.norm(pixels - edge, axis=-1) > ALIKE]
    names = Counter(colour_name(_rgb(pixel)) for pixel in ahead[:: max(1, len(ahead) // SAMPLED)])
    return {name: count / names.total() for name, count in names.items()}


def _rgb(values: np.ndarray) -> RGB:
    red, green, blue = (int(value) for value in values)
    return red, green, blue
