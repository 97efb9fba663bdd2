"""The one place where requests meet the model: a bounded queue, one worker thread, cancellation.

The model answers one request at a time, so there is one worker, and whoever comes meanwhile waits in order. A
`Generation` is the handle of one request: made by `Engine.admit` (which may refuse), given to the worker by `start`,
read on the event loop with `async for`, and ended early by `cancel`, also when the client is gone.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Generator
from contextlib import closing
from typing import Protocol

from vlm.generation import Chunk, GenerationRequest, RequestError

from .config import ServeConfig
from .errors import ApiError, BadRequest, InternalError, QueueFull, worker_stopped

__all__ = ["Assistant", "Chunk", "Engine", "Generation", "GenerationRequest", "load_engine"]

logger = logging.getLogger(__name__)

RETRY_AFTER = {"retry-after": "5"}  # seconds; about an answer's length


class Assistant(Protocol):
    """What the engine needs of `vlm.loading.Assistant`."""

    @property
    def name(self) -> str: ...

    def stream(self, request: GenerationRequest) -> Generator[Chunk, None, None]:
        """The answer; closing the generator stops the model."""


class Generation:
    """One request, from admission to its last token. Everything but `deliver` is for the event loop."""

    def __init__(self, engine: "Engine"):
        self.is_cancelled = threading.Event()
        self.request: GenerationRequest | None = None
        self.admitted_at = time.monotonic()
        self.first_at: float | None = None  # when the first and the latest chunk left the model
        self.last_at: float | None = None
        self.first_tokens = 0  # tokens in the first chunk
        self.last: Chunk | None = None
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        # The worker never waits for a reader; what bounds this is max_new_tokens, since a chunk has a token or more.
        self._items: asyncio.Queue[Chunk | ApiError | None] = asyncio.Queue()

    def start(self, request: GenerationRequest) -> None:
        self.request = request
        self._engine.enqueue(self)

    def cancel(self) -> None:
        """Stop: at once where it still waits, after the token in the making where it runs. Harmless when repeated."""
        if not self.is_cancelled.is_set():
            self.is_cancelled.set()
            self._engine.withdraw(self)
            self._items.put_nowait(None)

    def __aiter__(self) -> "Generation":
        return self

    async def __anext__(self) -> Chunk:
        """The next chunk; ends after the last one and after `cancel`; raises the ApiError that ended the request."""
        item = None if self.is_cancelled.is_set() else await self._items.get()
        if item is None or self.is_cancelled.is_set():
            raise StopAsyncIteration
        if isinstance(item, ApiError):
            raise item
        return item

    def deliver(self, item: Chunk | ApiError | None) -> None:
        """Called by the worker: a chunk, an error, or None for the end."""
        if isinstance(item, Chunk):
            self.last, self.last_at = item, time.monotonic()
            if self.first_at is None:
                self.first_at, self.first_tokens = self.last_at, item.completion_tokens
        try:
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)
        except RuntimeError:  # the event loop is closed, so nobody reads any more
            self.is_cancelled.set()

    @property
    def seconds_to_first_token(self) -> float | None:
        return None if self.first_at is None else self.first_at - self.admitted_at

    @property
    def tokens_per_second(self) -> float | None:
        """The pace after the first chunk; None where there is no second one."""
        if self.last is None or self.first_at is None or self.last_at is None or self.last_at <= self.first_at:
            return None
        return (self.last.completion_tokens - self.first_tokens) / (self.last_at - self.first_at)


class Engine:
    """A queue in front of one assistant. A place is held from `admit` until the worker is done with the request."""

    def __init__(self, assistant: Assistant, max_waiting: int = 32):
        self.assistant = assistant
        self._changed = threading.Condition()  # guards everything below
        self._waiting: deque[Generation] = deque()
        self._admitted: set[Generation] = set()
        self._places = 1 + max_waiting
        self._closing = False
        self._worker = threading.Thread(target=self._work, name="regard-engine", daemon=True)
        self._worker.start()

    @property
    def is_alive(self) -> bool:
        return self._worker.is_alive() and not self._closing

    def admit(self) -> Generation:
        """A place in the queue, before any work is done for the request. Raises QueueFull or WorkerStopped."""
        with self._changed:
            if not self.is_alive:
                raise worker_stopped()
            if len(self._admitted) >= self._places:
                raise QueueFull(
                    f"All {self._places} places in the queue are taken. Try again in a few seconds.",
                    headers=RETRY_AFTER,
                )
            generation = Generation(self)
            self._admitted.add(generation)
            return generation

    def enqueue(self, generation: Generation) -> None:
        with self._changed:
            if not self.is_alive:
                raise worker_stopped()
            if not generation.is_cancelled.is_set():
                self._waiting.append(generation)
                self._changed.notify()

    def withdraw(self, generation: Generation) -> None:
        """Give the place of a cancelled request back, unless the worker has it: then the worker does."""
        with self._changed:
            if generation in self._waiting:
                self._waiting.remove(generation)
                self._admitted.discard(generation)
            elif generation.request is None:
                self._admitted.discard(generation)

    def close(self, timeout: float = 5.0) -> None:
        """End everything and wait for the worker, which stops after the token in the making."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._worker.join(timeout)

    def _work(self) -> None:
        try:
            while (generation := self._next()) is not None:
                try:
                    self._generate(generation)
                finally:
                    with self._changed:
                        self._admitted.discard(generation)
        finally:  # also when the worker dies of what no request can cause: let nobody wait for ever
            with self._changed:
                self._closing = True
                abandoned, self._waiting = list(self._waiting), deque()
            for generation in abandoned:
                generation.deliver(worker_stopped())

    def _next(self) -> Generation | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            return None if self._closing else self._waiting.popleft()

    def _generate(self, generation: Generation) -> None:
        assert generation.request is not None
        end: ApiError | None = worker_stopped()
        try:
            with closing(self.assistant.stream(generation.request)) as chunks:
                for chunk in chunks:
                    if generation.is_cancelled.is_set() or self._closing:
                        break
                    generation.deliver(chunk)
                else:
                    end = None
        except RequestError as error:  # written for the user by vlm.generation
            end = BadRequest(str(error), param="messages")
        except Exception:
            logger.exception("a request failed")
            end = InternalError()
        finally:
            generation.deliver(end)


def load_engine(config: ServeConfig) -> Engine:
    """Load the model that `config` names; takes seconds, and longer when it is the first time."""
    from vlm.loading import load

    assistant = load(config.model, quantization=config.quantization, device=config.device, adapter=config.adapter)
    return Engine(assistant, config.max_waiting)
