"""Text in drawn pictures: fonts from pinned packages, so that a seed draws the same pixels anywhere.

pen = Lettering(ImageDraw.Draw(image), pick_font(rng, "train"), size=14)
label = pen.write((x, y), "Monday", fill, anchor="mt")
"""

from collections.abc import Iterable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFont

from vlm.structure import Box, Label

from .colours import RGB
from .family import Split, pick_for
from .held_out import HELD_OUT

# name -> package and file (all under the SIL Open Font License; Caladea under Apache-2.0)
FONTS = {
    "Caladea": ("font_caladea", "Caladea-Regular.ttf"),
    "Caladea Bold": ("font_caladea", "Caladea-Bold.ttf"),
    "Fjalla One": ("font_fjallaone", "FjallaOne-Regular.ttf"),
    "Fredoka One": ("font_fredoka_one", "FredokaOne-Regular.ttf"),
    "Hanken Grotesk": ("font_hanken_grotesk", "HankenGrotesk-Regular.otf"),
    "Hanken Grotesk Semibold": ("font_hanken_grotesk", "HankenGrotesk-SemiBold.otf"),
    "Lato": ("font_lato", "Lato-Regular.ttf"),
    "Lato Bold": ("font_lato", "Lato-Bold.ttf"),
    "Manrope": ("font_manrope", "Manrope-Regular.ttf"),
    "Manrope Bold": ("font_manrope", "Manrope-Bold.ttf"),
    "Red Hat Display": ("font_rhd", "RedHatDisplay-Regular.ttf"),
    "Source Serif": ("font_source_serif_pro", "SourceSerifPro-Regular.ttf"),
    "Source Serif Semibold": ("font_source_serif_pro", "SourceSerifPro-Semibold.ttf"),
}


def pick_font(rng: Random, split: Split) -> str:
    """One of `FONTS`; training never sees those held out, and half of the test pictures are written in them."""
    return pick_for(split, FONTS, HELD_OUT.fonts, rng)


def bold(font: str) -> str:
    """The heavier font of the same family, or the font itself where there is none."""
    return next((name for name in (f"{font} Bold", f"{font} Semibold") if name in FONTS), font)


@lru_cache(maxsize=512)
def load_font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """The font at `size` pixels per em. Raises ModuleNotFoundError naming the package that brings it."""
    package, file = FONTS[name]
    # The basic layout is part of Pillow; the other one (Raqm) depends on what the machine has.
    return ImageFont.truetype(find_file(package, f"files/{file}"), size, layout_engine=ImageFont.Layout.BASIC)


def find_file(package: str, file: str) -> str:
    """The path of a file in an installed package. Raises ModuleNotFoundError naming the package if it is not there."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            f"the font {file!r} is in the package {package}: pip install 'regard[train]'", name=package
        )
    return str(Path(spec.origin).parent / file)


@lru_cache(maxsize=16384)
def _ink(font: ImageFont.FreeTypeFont, text: str) -> Box:
    """The box around the ink of one line of text that is written at (0, 0)."""
    return font.getbbox(text)


class Lettering:
    """Writes with one font at one size, and tells where the ink is."""

    def __init__(self, draw: ImageDraw.ImageDraw, font: str, size: int):
        self.draw, self.size, self.font = draw, size, load_font(font, size)

    def extent(self, text: str) -> tuple[float, float]:
        """Width and height of the ink of `text`."""
        left, top, right, bottom = _ink(self.font, text)
        return right - left, bottom - top

    def box(self, place: tuple[float, float], text: str, anchor: str = "lt") -> Box:
        """Where the ink would be; anchors as in Pillow: l, m, r across, and t, m, b (of the ink), s (its line)."""
        return self.draw.textbbox(place, text, font=self.font, anchor=anchor)

    def write(self, place: tuple[float, float], text: str, fill: RGB, anchor: str = "lt") -> Label:
        self.draw.text(place, text, fill, font=self.font, anchor=anchor)
        return Label(text=text, box=self.box(place, text, anchor))

    def trace(self, label: Label, fill: RGB) -> None:
        """Writes a label of this font and size where its box is."""
        left, top, _, _ = _ink(self.font, label.text)
        self.draw.text((label.box[0] - left, label.box[1] - top), label.text, fill, font=self.font)

    def wrap(self, text: str, width: float) -> list[str]:
        """The words of `text` in lines of at most `width` pixels; a longer word gets a line of its own."""
        lines: list[str] = []
        for word in text.split():
            joined = f"{lines[-1]} {word}" if lines else word
            if lines and self.extent(joined)[0] <= width:
                lines[-1] = joined
            else:
                lines.append(word)
        return lines


@lru_cache(maxsize=512)
def ruler(font: str, size: int) -> Lettering:
    """Measures text before there is a picture."""
    return Lettering(ImageDraw.Draw(Image.new("RGB", (1, 1))), font, size)


def apart(boxes: Iterable[Box], gap: float = 1.0) -> bool:
    """Whether no two of the boxes overlap or come closer than `gap` pixels."""
    placed: list[Box] = []
    for left, top, right, bottom in boxes:
        if any(left < c + gap and a < right + gap and top < d + gap and b < bottom + gap for a, b, c, d in placed):
            return False
        placed.append((left, top, right, bottom))
    return True
