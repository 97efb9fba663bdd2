"""Text with exact places: measured and placed before anything is drawn, then drawn from its box alone."""

from functools import lru_cache
from math import ceil, cos, radians, sin

from PIL import Image, ImageDraw

from vlm.structure import Label

from .colours import RGB
from .lettering import Lettering

_SCRATCH = ImageDraw.Draw(Image.new("L", (1, 1)))
Lines = tuple[tuple[str, tuple[float, float, float, float]], ...]  # each with its ink from the start of its base line


@lru_cache(maxsize=8192)
def _lines(text: str, font: str, size: int, width: float | None) -> Lines:
    pen = Lettering(_SCRATCH, font, size)
    wrapped = [text] if width is None else pen.wrap(text, width)
    return tuple((line, pen.box((0, 0), line, "ls")) for line in wrapped)


def _pitch(size: int) -> int:
    return ceil(1.22 * size)


def _extent(lines: Lines, size: int) -> tuple[int, int]:
    width = max(right - left for _, (left, _, right, _) in lines)
    height = lines[-1][1][3] - lines[0][1][1] + (len(lines) - 1) * _pitch(size)
    return ceil(width), ceil(height)


def measure(text: str, font: str, size: int, width: float | None = None, angle: int = 0) -> tuple[int, int]:
    """Width and height of the upright box around the ink: wrapped to `width`, then turned by `angle` degrees."""
    across, down = _extent(_lines(text, font, size, width), size)
    if not angle:
        return across, down
    c, s = abs(cos(radians(angle))), abs(sin(radians(angle)))
    return ceil(across * c + down * s - 1e-6), ceil(across * s + down * c - 1e-6)


def place(
    text: str, font: str, size: int, at: tuple[float, float], anchor: str, width: float | None = None, angle: int = 0
) -> Label:
    """A label at a point; `anchor` says which part of its box is there: l, m or r, then t, m or b."""
    across, down = measure(text, font, size, width, angle)
    left = round(at[0] - {"l": 0, "m": across / 2, "r": across}[anchor[0]])
    top = round(at[1] - {"t": 0, "m": down / 2, "b": down}[anchor[1]])
    return Label(text=text, box=(left, top, left + across, top + down))


def draw_label(picture: Image.Image, label: Label, font: str, size: int, fill: RGB, angle: int = 0) -> None:
    """Writes into the box of a label; lines break where they broke when it was measured."""
    left, top, right, bottom = (int(side) for side in label.box)
    if not angle:
        width = None if bottom - top < 1.6 * size else right - left
        pen = Lettering(ImageDraw.Draw(picture), font, size)
        _write(pen, _lines(label.text, font, size, width), (left, top, right), fill)
        return
    lines = _lines(label.text, font, size, None)
    across, down = _extent(lines, size)
    mask = Image.new("L", (across, down))
    _write(Lettering(ImageDraw.Draw(mask), font, size), lines, (0, 0, across), 255)
    turned = mask.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    corner = (left + right - turned.width) // 2, (top + bottom - turned.height) // 2
    picture.paste(fill, corner, turned)


def _write(pen: Lettering, lines: Lines, place: tuple[int, int, int], fill: RGB | int) -> None:
    """Centred lines between `left` and `right`, the ink of the first beginning at `top`."""
    left, top, right = place
    base = top - lines[0][1][1]
    for number, (line, (ink_left, _, ink_right, _)) in enumerate(lines):
        x = left + (right - left - (ink_right - ink_left)) // 2 - ink_left
        pen.draw.text((x, base + number * _pitch(pen.size)), line, fill, font=pen.font, anchor="ls")
