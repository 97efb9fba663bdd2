"""A model that answers from a script, a reader that has its answer ready, and plain pictures."""

import io
import queue
import threading
from collections.abc import Generator

from PIL import Image

from serve.engine import Chunk, GenerationRequest
from tests.readings import bar_chart, reading
from vlm.structure import Reading

PIECES = ("A ", "red ", "circle", " — ", "ready.")


class FakeAssistant:
    """Has the interface of `vlm.loading.Assistant`, and answers every request with `pieces`, one token each.

    An exception among the pieces is raised in its place. After `hold()` a piece comes only for each `allow()`.
    `seen` are the requests, `produced` the pieces; `asked` gets the number of each piece when the worker asks for it,
    `closed` is set when an answer has ended.
    """

    name = "fake"

    def __init__(self) -> None:
        self.pieces: tuple[str | BaseException, ...] = PIECES
        self.seen: list[GenerationRequest] = []
        self.produced: list[str] = []
        self.asked: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.closed = threading.Event()
        self._permits: threading.Semaphore | None = None

    def hold(self) -> None:
        self._permits = threading.Semaphore(0)

    def allow(self, pieces: int = 1) -> None:
        if self._permits is not None:
            self._permits.release(pieces)

    def spell(self, token: int) -> tuple[str, bytes | None]:
        return chr(token), chr(token).encode()

    def stream(self, request: GenerationRequest) -> Generator[Chunk, None, None]:
        self.seen.append(request)
        try:
            pieces = self.pieces[: request.max_new_tokens]
            for count, piece in enumerate(pieces, start=1):
                self.asked.put(count)
                assert self._permits is None or self._permits.acquire(timeout=20)
                if isinstance(piece, BaseException):
                    raise piece
                self.produced.append(piece)
                reason = None if count < len(pieces) else "stop" if len(pieces) == len(self.pieces) else "length"
                yield Chunk(piece, reason, prompt_tokens=7, completion_tokens=count)
        finally:
            self.closed.set()


class FakeReader:
    """Has the interface of `vlm.read`, and answers with `reading`, or raises it where it is an exception.

    `seen` are the pictures, `started` gets one when its turn has come. After `hold()` one is read for each `allow()`.
    """

    def __init__(self) -> None:
        self.reading: Reading | BaseException = reading(bar_chart(3, 7, unsure=(1,)))
        self.seen: list[Image.Image] = []
        self.started: queue.SimpleQueue[Image.Image] = queue.SimpleQueue()
        self._permits: threading.Semaphore | None = None

    def hold(self) -> None:
        self._permits = threading.Semaphore(0)

    def allow(self, pictures: int = 1) -> None:
        if self._permits is not None:
            self._permits.release(pictures)

    def __call__(self, image: Image.Image) -> Reading:
        self.started.put(image)
        assert self._permits is None or self._permits.acquire(timeout=20)
        self.seen.append(image)
        if isinstance(self.reading, BaseException):
            raise self.reading
        return self.reading


def png(colour: str = "red", size: tuple[int, int] = (4, 4)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()
