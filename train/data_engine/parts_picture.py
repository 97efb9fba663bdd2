"""Draws parts with their call-outs."""

from math import atan2, cos, pi, sin
from random import Random

from PIL import Image, ImageDraw

from vlm.structure import CallOut

from .colours import RGB
from .lettering import Lettering
from .parts_labels import PartsStyle
from .parts_layout import DrawnParts
from .spoiling import spoil
from .tables_layout import PALETTES, readable

OVERSAMPLING = 2  # of all but the text


def paint(drawn: DrawnParts, rng: Random) -> Image.Image:
    """An RGB picture of the drawing, `drawn.width` x `drawn.height`."""
    style, (page, ink, accent) = drawn.style, PALETTES[drawn.style.palette]
    canvas = Image.new("RGB", (OVERSAMPLING * drawn.width, OVERSAMPLING * drawn.height), page)
    draw = ImageDraw.Draw(canvas)
    for thing, fill in zip(drawn.things, style.fills, strict=True):
        draw.polygon([_scaled(point) for point in thing.outline], fill, ink, OVERSAMPLING * style.thickness)
    for one in drawn.call_outs:
        _lead(draw, one, style, page, ink)
        _badge(draw, one, style, accent)
    canvas = canvas.reduce(OVERSAMPLING)
    pen = Lettering(ImageDraw.Draw(canvas), style.font, style.size)
    for label in drawn.labels:
        on_badge = style.badge != "none" and any(label is one.label for one in drawn.call_outs)
        pen.trace(label, readable(accent) if on_badge else ink)
    return spoil(canvas, rng)


def _scaled(point: tuple[float, float]) -> tuple[float, float]:
    return OVERSAMPLING * point[0], OVERSAMPLING * point[1]


def _lead(draw: ImageDraw.ImageDraw, one: CallOut, style: PartsStyle, page: RGB, ink: RGB) -> None:
    """The line of a call-out, with a seam in the colour of the page, to be seen on any part."""
    route = [_scaled(point) for point in one.route]
    width = OVERSAMPLING * style.thickness
    (x, y), (before_x, before_y) = route[-1], route[-2]
    angle = atan2(before_y - y, before_x - x)
    for seam, colour in ((OVERSAMPLING, page), (0, ink)):
        draw.line(route, colour, width + 2 * seam, joint="curve")
        radius = 1.5 * width + 2 + seam
        if style.end == "dot":
            draw.circle((x, y), radius, colour)
        elif style.end == "arrow":
            wings = [
                (x + 3 * radius * cos(angle + turn), y + 3 * radius * sin(angle + turn)) for turn in (-pi / 8, pi / 8)
            ]
            draw.polygon([(x, y), *wings], colour)


def _badge(draw: ImageDraw.ImageDraw, one: CallOut, style: PartsStyle, accent: RGB) -> None:
    left, top, right, bottom = (OVERSAMPLING * length for length in style.badge_of(one.label))
    if style.badge == "circle":
        draw.rounded_rectangle((left, top, right, bottom), (bottom - top) / 2, accent)
    elif style.badge == "box":
        draw.rectangle((left, top, right, bottom), accent)
