"""The drawings: characters of Noto Emoji (SIL Open Font License, in the package manimgx-fonts), as masks."""

from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageStat

from .lettering import find_file

EM_SIZES = (64, 128, 256, 448)  # pixels per em; a drawing is made at one of them and then reduced
WEIGHTS = (300, 400, 550, 700)  # of the lines
MEDIUM = 400
FILLABLE = 0.45  # the least share of a filled drawing that its lines leave to be seen


@lru_cache(maxsize=32)
def _font(weight: int, size: int) -> ImageFont.FreeTypeFont:
    path = find_file("manimgx_fonts", "NotoEmoji[wght].ttf")
    font = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    font.set_variation_by_axes([weight])
    return font


@lru_cache(maxsize=600)
def _ink(drawing: str, weight: int, size: int) -> Image.Image:
    """The lines of a drawing, white on black, cut to their edge."""
    font = _font(weight, size)
    left, top, right, bottom = map(int, font.getbbox(drawing))
    mask = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(mask).text((-left, -top), drawing, 255, font)
    return mask.crop(mask.getbbox())


@lru_cache(maxsize=2000)
def _silhouette(drawing: str) -> Image.Image:
    """All that the lines of a drawing enclose, small, and for all weights: its edge lies under the lines."""
    ink = _ink(drawing, MEDIUM, EM_SIZES[0])
    padded = Image.new("L", (ink.width + 2, ink.height + 2))
    padded.paste(ink.point(lambda value: 255 * (value > 90)), (1, 1))
    ImageDraw.floodfill(padded, (0, 0), 128)
    inside = padded.point(lambda value: 255 * (value != 128)).filter(ImageFilter.MinFilter(3))
    return inside.crop((1, 1, ink.width + 1, ink.height + 1))


@lru_cache(maxsize=2000)
def is_fillable(drawing: str) -> bool:
    """Whether its colour is seen when it is filled, between lines of another colour."""
    inside, ink = _silhouette(drawing), _ink(drawing, MEDIUM, EM_SIZES[0])
    (covered,), (seen,) = ImageStat.Stat(inside).sum, ImageStat.Stat(ImageChops.subtract(inside, ink)).sum
    return seen > FILLABLE * covered


def proportions(drawing: str, weight: int) -> tuple[float, float]:
    """Width and height of a drawing, the longer of them 1."""
    width, height = _ink(drawing, weight, EM_SIZES[1]).size
    return width / max(width, height), height / max(width, height)


def masks(drawing: str, weight: int, size: tuple[int, int]) -> tuple[Image.Image, Image.Image]:
    """The lines of a drawing and what they enclose, both as large as asked for."""
    em = next((em for em in EM_SIZES if max(_ink(drawing, weight, em).size) >= max(size)), EM_SIZES[-1])
    bicubic = Image.Resampling.BICUBIC
    return _ink(drawing, weight, em).resize(size, bicubic), _silhouette(drawing).resize(size, bicubic)
