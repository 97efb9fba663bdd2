"""POST /v1/read: what a picture shows, as data. One picture is read at a time, in a thread; the others wait in line.

    {"image": "data:image/png;base64,..."}  ->  {"object": "reading", "family": ..., "structure": ..., "rows": ...}

The network of `vlm.reading` is another one than the chat's, small and loaded with the first picture, so it has a queue
of its own and never waits for an answer in the making.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import anyio
import anyio.to_thread
from PIL.Image import Image
from starlette.types import Receive

from vlm.structure import Reading
from vlm.structure.export import to_rows
from vlm.structure.facts import describe

from .body import ClientGone, parse_object
from .config import ServeConfig
from .errors import InternalError, QueueFull
from .images import decode_images
from .wire import Wire, log_ignored, validate

logger = logging.getLogger(__name__)

RETRY_AFTER = {"retry-after": "2"}  # seconds; about a reading's length

ReadPicture = Callable[[Image], Reading]


class ReadRequest(Wire):
    """The body of POST /v1/read."""

    image: str  # a data: URL


def take_picture(body: bytes, config: ServeConfig) -> Image:
    """The picture of a request, under the limits of a chat's. Slow: use a thread."""
    values = parse_object(body)
    request = validate(ReadRequest, values)
    log_ignored(values, ReadRequest.model_fields.keys())
    (picture,) = decode_images([("image", request.image)], config)
    return picture


def read_picture(image: Image) -> Reading:
    """With the network that comes with the package; the first call loads it, and torch."""
    from vlm.reading import read

    return read(image)


def to_body(reading: Reading) -> dict[str, Any]:
    """What the API answers: the reading, and what follows from it."""
    rows = None if reading.structure is None else to_rows(reading.structure)
    return {
        "object": "reading",
        **json.loads(reading.model_dump_json()),  # so, a number that is not finite becomes null
        "rows": None if rows is None else {"header": rows.header, "rows": rows.rows},
        "facts": describe(reading),
    }


class ReadingDesk:
    """A bounded line of requests in front of one thread that reads. Everything here is for the event loop."""

    def __init__(self, read: ReadPicture, max_waiting: int):
        self._read = read
        self._places = 1 + max_waiting
        self._taken = 0
        self._thread = anyio.CapacityLimiter(1)

    @contextmanager
    def admit(self) -> Generator[None, None, None]:
        """A place in the line, held while inside. Raises QueueFull."""
        if self._taken >= self._places:
            raise QueueFull(
                f"All {self._places} places in the line of pictures to read are taken. Try again in a few seconds.",
                headers=RETRY_AFTER,
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def read(self, image: Image, receive: Receive) -> bytes:
        """The answer as JSON. A client that leaves gives up its turn: ClientGone. The body must have been read."""
        with anyio.CancelScope() as waiting:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                waiting.cancel()

            watcher = asyncio.create_task(watch())
            try:
                return await anyio.to_thread.run_sync(self._answer, image, limiter=self._thread)
            finally:
                watcher.cancel()
        raise ClientGone

    def _answer(self, image: Image) -> bytes:
        try:
            return json.dumps(to_body(self._read(image)), separators=(",", ":")).encode("ascii")
        except Exception:
            logger.exception("a picture could not be read")
            raise InternalError from None
