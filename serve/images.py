"""Pictures of a request: `data:` URLs, and what `serve.remote` has loaded. Nothing here opens what a client names."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence

from PIL import Image

from vlm.images import ImageError, ImageLimits, decode_image

from .config import ServeConfig
from .errors import BadRequest

DATA_URL = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)


def decode_data_url(url: str, param: str, limits: ImageLimits) -> Image.Image:
    """The RGB picture in a `data:image/...;base64,` URL. `param` names the field in the error."""
    header = DATA_URL.match(url, 0, 64)
    if header is None:
        raise BadRequest(
            f"{param} must be a `data:image/...;base64,` URL: this server loads no other pictures.",
            param=param,
            code="invalid_image_url",
        )
    if (len(url) - header.end()) // 4 * 3 > limits.max_bytes + 2:  # base64 pads by up to two bytes
        raise BadRequest(
            f"{param} holds more than {limits.max_bytes} bytes, the most that this server takes for one picture.",
            param=param,
            code="image_too_large",
        )
    try:
        data = base64.b64decode(url[header.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(f"{param} is not valid base64.", param=param, code="invalid_base64") from None
    return decode_file(data, param, limits)


def decode_file(data: bytes, param: str, limits: ImageLimits) -> Image.Image:
    """The RGB picture in a file."""
    try:
        return decode_image(data, limits=limits)
    except ImageError as error:
        raise BadRequest(f"{param}: {error}", param=param, code=f"image_{error.code}") from None


def decode_images(
    urls: Sequence[tuple[str, str]], config: ServeConfig, fetched: Mapping[str, bytes] = {}
) -> list[Image.Image]:
    """The pictures of (param, url) pairs; one that cannot be used refuses the request. Slow: use a thread.

    `fetched` are the files of URLs that were loaded from the web.
    """
    limits = ImageLimits(max_bytes=config.max_image_bytes, max_pixels=config.max_image_pixels)
    pictures: list[Image.Image] = []
    for param, url in urls:
        file = fetched.get(url)
        pictures.append(decode_data_url(url, param, limits) if file is None else decode_file(file, param, limits))
        if sum(picture.width * picture.height for picture in pictures) > config.max_total_pixels:
            raise BadRequest(
                f"The pictures have more than {config.max_total_pixels} pixels together. Send fewer or smaller ones.",
                param=param,
                code="image_too_large",
            )
    return pictures
