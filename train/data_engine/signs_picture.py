"""Draws a notice whose layout is known."""

from random import Random

from PIL import Image, ImageDraw

from vlm.structure import Box

from .lettering import Lettering
from .signs_layouts import DrawnNotice
from .spoiling import spoil

OVERSAMPLING = 2  # rounded corners are drawn larger and reduced; letters are written afterwards, as fonts are hinted


def paint(notice: DrawnNotice, rng: Random) -> Image.Image:
    """An RGB picture of the notice, `notice.width` x `notice.height`."""
    canvas = Image.new("RGB", (notice.width * OVERSAMPLING, notice.height * OVERSAMPLING), notice.style.surface)
    _board(notice, ImageDraw.Draw(canvas))
    canvas = canvas.reduce(OVERSAMPLING)
    draw = ImageDraw.Draw(canvas)
    for entry, pen in zip(notice.entries, notice.style.pens, strict=True):
        Lettering(draw, pen.font, pen.size).trace(entry.label, pen.ink)
    return spoil(canvas, rng)


def _board(notice: DrawnNotice, draw: ImageDraw.ImageDraw) -> None:
    """The sign without its text. Frames stay within the padding around the text."""
    style = notice.style
    left, top, right, bottom = (OVERSAMPLING * value for value in notice.box)
    board: Box = (left, top, right - 1, bottom - 1)
    radius = 0.08 * min(right - left, bottom - top)
    if style.frame == "rounded":
        draw.rounded_rectangle(board, radius, style.fill)
    elif style.frame == "rounded line":
        draw.rounded_rectangle(board, radius, style.fill, style.line, 2 * OVERSAMPLING)
    elif style.frame == "cut corners":
        cut = radius
        draw.polygon(
            [(left + cut, top), (right - cut, top), (right, top + cut), (right, bottom - cut), (right - cut, bottom),
             (left + cut, bottom), (left, bottom - cut), (left, top + cut)], style.fill,
        )  # fmt: skip
    else:
        draw.rectangle(board, style.fill, style.line if style.frame in ("line", "double") else None, 2 * OVERSAMPLING)
        if style.frame in ("inset", "double"):
            inset = 4 * OVERSAMPLING
            draw.rectangle((left + inset, top + inset, right - inset, bottom - inset), None, style.line, OVERSAMPLING)
