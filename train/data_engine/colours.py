"""Colours that have one name: for each name a range of colours that everybody would call so, with gaps between them."""

from colorsys import hsv_to_rgb
from random import Random

RGB = tuple[int, int, int]
BLACK, WHITE = (0, 0, 0), (255, 255, 255)

# name -> boxes of (hue in degrees, saturation in %, value in %), each as (from, to). The gaps between the boxes hold
# what people disagree on: dark red or brown, turquoise or blue, rose or purple. CSS colours of a name lie inside.
RANGES: dict[str, tuple[tuple[tuple[int, int], tuple[int, int], tuple[int, int]], ...]] = {
    "black": (((0, 360), (0, 60), (0, 9)),),
    "gray": (((0, 360), (0, 5), (40, 66)),),
    "white": (((0, 360), (0, 3), (95, 100)),),
    "red": (((-7, 7), (82, 100), (80, 100)),),
    "blue": (((214, 240), (75, 100), (55, 100)), ((202, 216), (65, 90), (85, 100))),
    "green": (((95, 142), (55, 100), (45, 100)),),
    "yellow": (((51, 61), (65, 100), (90, 100)),),
    "teal": (((172, 186), (78, 100), (42, 60)),),
    "brown": (((18, 30), (55, 88), (36, 60)), ((0, 14), (62, 76), (48, 65))),
    "orange": (((24, 39), (85, 100), (95, 100)),),
    "purple": (((270, 300), (55, 100), (42, 75)),),
    "pink": (((322, 343), (25, 58), (97, 100)), ((343, 352), (22, 35), (97, 100))),
}
NAMES = tuple(RANGES)


def pick(name: str, rng: Random) -> RGB:
    """A colour that goes by `name`."""
    hue, saturation, value = (rng.uniform(*limits) for limits in rng.choice(RANGES[name]))
    return from_hsv(hue, saturation, value)


def from_hsv(hue: float, saturation: float, value: float) -> RGB:
    """Hue in degrees (any turn of the circle), saturation and value in per cent."""
    red, green, blue = hsv_to_rgb(hue % 360 / 360, saturation / 100, value / 100)
    return round(255 * red), round(255 * green), round(255 * blue)


def mixed(one: RGB, other: RGB, part: float) -> RGB:
    """`one` with so much of the `other` in it, from 0 to 1."""
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return red, green, blue


def distance(one: RGB, other: RGB) -> float:
    """How different two colours look, from 0 to about 765: the "redmean" formula, cheap and near enough to the eye.

    https://www.compuphase.com/cmetric.htm
    """
    red, green, blue = (a - b for a, b in zip(one, other, strict=True))
    mean = (one[0] + other[0]) / 2
    return ((2 + mean / 256) * red**2 + 4 * green**2 + (2 + (255 - mean) / 256) * blue**2) ** 0.5


def readable(fill: RGB) -> RGB:
    """Black or white, whichever stands out from the fill."""
    return max((WHITE, BLACK), key=lambda ink: distance(ink, fill) + (120 if ink == WHITE else 0))
