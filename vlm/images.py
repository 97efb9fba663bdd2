"""Untrusted bytes -> an RGB picture that looks as a person sees it, or an `ImageError`.

This is the only place that decodes pictures. It reads PNG, JPEG, WebP and GIF (first frame) and no other format, checks
bytes, pixels and structure before anything is decoded, applies what a viewer would (EXIF rotation, palette,
transparency on white), and reports every failure in its own words: nothing of the data or of a library's message.
"""

import io
import os
import re
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageStat

SIGNATURES = {
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "WEBP": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "GIF": re.compile(rb"GIF8[79]a"),
}

# A few bytes can make a JPEG decoder visit every pixel once more (a scan), and Pillow's time to join the parts of EXIF
# data is the square of their number. Encoders write about ten scans and one part.
MAX_JPEG_SCANS = 64
MAX_EXIF_PARTS = 64
JPEG_SEGMENT = re.compile(rb"\xff([\xc0-\xcf\xd9-\xef\xfe])")  # other markers have no length: libjpeg steps over them
START_OF_SCAN, END_OF_IMAGE = b"\xda", b"\xd9"

EXIF_ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageError(ValueError):
    """A picture that is not decoded. The message may be shown to whoever sent it; `code` is for programs."""

    def __init__(self, code: Literal["too_large", "unsupported", "broken"], message: str):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class ImageLimits:
    max_bytes: int = 20 * 2**20  # of the file
    max_pixels: int = 40_000_000  # width x height; decoding takes about 12 bytes of memory for each


DEFAULT_LIMITS = ImageLimits()


def decode_image(data: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> Image.Image:
    """The picture in `data` in mode RGB, upright, without metadata. Raises ImageError and nothing else."""
    if len(data) > limits.max_bytes:
        raise ImageError("too_large", f"the picture file is over {limits.max_bytes / 2**20:g} MiB: send a smaller one")
    kind = next((kind for kind, signature in SIGNATURES.items() if signature.match(data)), None)
    if kind is None:
        raise ImageError("unsupported", "the data is not a PNG, JPEG, WebP or GIF picture: convert it to one of these")
    if kind == "JPEG":
        _check_jpeg_cost(data)
    try:
        with Image.open(io.BytesIO(data), formats=[kind]) as image:
            _check_pixels(image.size, limits)
            image.load()
            rgb = to_rgb(image)
            upright = _turn_upright(image.copy() if rgb is image else rgb, _get_orientation(image))
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError("too_large", "the picture has far too many pixels: scale it down") from None
    except Exception:  # Pillow raises OSError, SyntaxError, ValueError, struct.error, zlib.error, EOFError and others
        raise ImageError("broken", f"the {kind} picture is damaged or incomplete and cannot be read") from None
    upright.info.clear()
    return upright


def open_image(path: str | os.PathLike[str], *, limits: ImageLimits = DEFAULT_LIMITS) -> Image.Image:
    """The picture in a file, like `decode_image`. Raises OSError where the file itself cannot be read."""
    with open(path, "rb") as file:
        data = file.read(limits.max_bytes + 1)
    return decode_image(data, limits=limits)


def to_rgb(image: Image.Image) -> Image.Image:
    """In mode RGB: 16-bit grey scaled to 8 bits (Pillow clips it to white), transparency laid on white.

    A picture that is so already is returned itself: a copy of a camera's takes 50 MB.
    """
    if image.mode.startswith("I;16"):
        image = _reduce_16_bit_grey(image)
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    if image.mode == "RGB" and max(image.info["transparency"]) > 255:  # a 16-bit colour; of pixels Pillow kept 8 bits
        image = image.copy()
        image.info["transparency"] = tuple(value >> 8 for value in image.info["transparency"])
    rgba = image.convert("RGBA")
    on_white = Image.new("RGB", image.size, "white")
    on_white.paste(rgba, mask=rgba.getchannel("A"))
    return on_white


def _reduce_16_bit_grey(image: Image.Image) -> Image.Image:
    """Mode I;16 -> L, or LA where one of the 65,536 levels stands for "transparent"."""
    levels = image.convert("I")
    grey = levels.point([(level + 128) // 257 for level in range(2**16)], "L")
    transparent = image.info.get("transparency")
    if transparent is None:
        return grey
    alpha = levels.point([0 if level == transparent else 255 for level in range(2**16)], "L")
    return Image.merge("LA", (grey, alpha))


def _get_orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # damaged metadata does not make the picture unreadable: like viewers, take it as upright
        return 1


def _turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _check_pixels(size: tuple[int, int], limits: ImageLimits) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise ImageError("broken", "the picture has no pixels")
    if width * height > limits.max_pixels:
        raise ImageError(
            "too_large",
            f"the picture has {width} x {height} pixels, more than {limits.max_pixels:,} in all: scale it down",
        )


def _check_jpeg_cost(data: bytes) -> None:
    """Refuse a JPEG whose decoding would take far longer than its pixels need. Walks the segments as libjpeg does."""
    position, scans = 2, 0
    while (segment := JPEG_SEGMENT.search(data, position)) and segment[1] != END_OF_IMAGE and scans <= MAX_JPEG_SCANS:
        scans += segment[1] == START_OF_SCAN
        position = segment.end() + int.from_bytes(data[segment.end() : segment.end() + 2])
    if scans > MAX_JPEG_SCANS or data.count(b"Exif\0\0") > MAX_EXIF_PARTS:
        raise ImageError("too_large", "the JPEG picture has too many scans or blocks of metadata: save it anew")


def turn(image: Image.Image, degrees: int) -> Image.Image:
    """An RGB picture turned counter-clockwise about its middle, in a frame of its own size (by quarters: its sides
    swapped) with the colour of its upper edge where it was not.
    """
    quarters = round(degrees / 90)
    if askew := degrees - 90 * quarters:
        above = ImageStat.Stat(image.crop((0, 0, image.width, 1))).median
        image = image.rotate(askew, Image.Resampling.BICUBIC, fillcolor=tuple(map(int, above)))
    return image.rotate(90 * quarters, expand=True)
