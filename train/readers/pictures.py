"""The pictures of a row: found inside the data's folder and nowhere else, and decoded by `vlm.images`."""

import base64
import binascii
import re
from pathlib import Path
from typing import Any

from PIL import Image

from vlm.images import DEFAULT_LIMITS, ImageError, decode_image

from .row import Problem, kind_of

DATA_URL = re.compile(r"data:image/[\w.+-]+;base64,", re.IGNORECASE)
WEB_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def picture_part(value: Any) -> dict[str, Any]:
    """A picture as data sets write it (path, data: URL, bytes, {"bytes", "path"}) -> a content part."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("bytes", "path", "url") if value.get(key) is not None), None)
    if isinstance(value, bytes):
        return {"type": "image", "bytes": value}
    if not isinstance(value, str) or not value.strip():
        raise Problem("form", f"a picture is a path or its bytes, found {kind_of(value)}")
    if match := DATA_URL.match(value):
        try:
            return {"type": "image", "bytes": base64.b64decode(value[match.end() :], validate=True)}
        except (binascii.Error, ValueError):
            raise Problem("unreadable", "the picture's data: URL is not valid base64") from None
    return {"type": "image", "path": value}


def find_picture(path: str, folder: Path) -> Path:
    """The file at `path` under `folder`. Raises Problem for one that is missing or leads outside, links followed."""
    if WEB_URL.match(path):
        raise Problem("outside", f"the picture {path!r} is an address: download it into {folder}, and give its path")
    try:
        place = (folder / path).resolve()
        is_inside, is_file = place.is_relative_to(folder.resolve()), place.is_file()
    except (OSError, ValueError, RuntimeError):  # a NUL or a far too long name; links in a circle
        is_inside, is_file = True, False
    if not is_inside:
        raise Problem(
            "outside",
            f"the picture {path!r} is outside of the data folder {folder}: give paths relative to that folder, or name"
            " another one with `images`",
        )
    if not is_file:
        raise Problem("missing", f"there is no picture {path[:200]!r} in {folder}")
    return place


def picture_bytes(part: dict[str, Any], folder: Path) -> bytes:
    """The bytes of a picture part, as many as the decoder takes and one more. Raises Problem."""
    if "bytes" in part:
        return part["bytes"]
    place = find_picture(part["path"], folder)
    try:
        with place.open("rb") as file:
            return file.read(DEFAULT_LIMITS.max_bytes + 1)
    except OSError as error:
        raise Problem("unreadable", f"the picture {part['path']!r} cannot be read: {error.strerror}") from None


def name_of(part: dict[str, Any]) -> str:
    return repr(part["path"]) if "path" in part else "in the row"


def decode_picture(part: dict[str, Any], data: bytes) -> Image.Image:
    """The picture of `part`, whose bytes are `data`. Raises Problem."""
    try:
        return decode_image(data)
    except ImageError as error:
        raise Problem("unreadable", f"the picture {name_of(part)} cannot be read: {error}") from None


def open_picture(part: dict[str, Any], folder: Path) -> Image.Image:
    """The picture of a content part. Raises Problem."""
    return decode_picture(part, picture_bytes(part, folder))
