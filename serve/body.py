"""From the bytes of a request to a JSON object that is safe to look at.

A body is measured while it arrives, and JSON is read more strictly than Python does: UTF-8 only, no NaN or
Infinity, no number that overflows to one, no lone surrogates, no deep nesting.
"""

import asyncio
import json
import math
from typing import Any

from starlette.requests import ClientDisconnect, Request

from .errors import BadRequest, BodyTooLarge, RequestTimeout, UnsupportedMediaType

MAX_DEPTH = 32  # a chat request needs 6, and a JSON schema in it two for each level of what it describes
CLOSE = {"connection": "close"}  # the rest of an unread body must not be read as the next request


class ClientGone(Exception):
    """The client closed its connection; nobody waits for an answer."""


async def read_body(request: Request, *, max_bytes: int, timeout: float) -> bytes:
    """The whole body, refused as soon as it is longer than `max_bytes` or takes longer than `timeout` seconds."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType("The body must be sent with `Content-Type: application/json`.", headers=CLOSE)
    too_large = BodyTooLarge(
        f"The body is larger than {max_bytes} bytes, the most this server reads. Send fewer or smaller pictures.",
        headers=CLOSE,
    )
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 15 or int(announced) > max_bytes):
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(timeout):
            async for part in request.stream():
                body += part
                if len(body) > max_bytes:
                    raise too_large
    except TimeoutError:
        raise RequestTimeout(f"The body did not arrive within {timeout:g} seconds.", headers=CLOSE) from None
    except ClientDisconnect:
        raise ClientGone from None
    return bytes(body)


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; anything else is a BadRequest."""
    try:
        value = json.loads(body.decode("utf-8"))
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # not UTF-8, not JSON, or an integer of thousands of digits
        raise BadRequest("The body is not valid JSON in UTF-8.", code="invalid_json") from None
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.", code="invalid_json")
    _check_values(value)
    return value


def _check_values(root: dict[str, Any]) -> None:
    level: list[Any] = [root]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, str):
                _check_text(value)
            elif isinstance(value, float) and not math.isfinite(value):
                raise BadRequest("The body has a number that is not finite.", code="invalid_json")
        if not below:
            return
        level = below
    raise _too_deep()


def _check_text(text: str) -> None:
    try:
        text.isascii() or text.encode("utf-8")
    except UnicodeEncodeError:
        raise BadRequest("The body has half of a surrogate pair in a string.", code="invalid_json") from None


def _too_deep() -> BadRequest:
    return BadRequest(f"The body nests deeper than {MAX_DEPTH} levels.", code="invalid_json")
