"""The one place where requests meet the model: a bounded queue, one worker thread, cancellation.

The worker owns the model and runs it step by step; requests join the batch in the order in which they came, as far as
there is room, and leave it between steps. A `Generation` is the handle of one request: made by `Engine.admit` (which
may refuse), given to the worker by `start`, read on the event loop with `async for`, and ended early by `cancel`, also
when the client is gone.
"""

import asyncio
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vlm.allocator import give_back_gaps
from vlm.answers import Chunk, GenerationRequest, PictureReport
from vlm.run_config import ConfigError
from vlm.sampling import RequestError

from .config import ServeConfig
from .counters import Histogram, Snapshot
from .errors import ApiError, BadRequest, DeadlinePassed, InternalError, QueueFull, worker_stopped
from .protocols import Assistant, Batch

__all__ = ["Assistant", "Chunk", "Engine", "Generation", "GenerationRequest", "PictureReport", "load_engine"]

logger = logging.getLogger(__name__)

NOT_OURS = "it is not a Regard model"
RETRY_AFTER = {"retry-after": "5"}  # seconds; about an answer's length
IDLE_SECONDS = 1.0  # after which memory is tidied, ...
TIDY_SECONDS = 10.0  # ... as it is so often while there is work


class Generation:
    """One request, from admission to its last token. Everything but `deliver` is for the event loop."""

    def __init__(self, engine: "Engine"):
        self.is_cancelled = threading.Event()
        self.request: GenerationRequest | None = None
        self.prompt: Future[Any] | None = None  # the request made ready for the batch
        self.admitted_at = time.monotonic()
        self.first_at: float | None = None  # when the first and the latest chunk left the model
        self.last_at: float | None = None
        self.first_tokens = 0  # tokens in the first chunk
        self.last: Chunk | None = None
        self.latest: list[Chunk | None] = []  # of each of its answers
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        # The worker never waits for a reader; what bounds this is max_new_tokens, since a chunk has a token or more.
        self._items: asyncio.Queue[Chunk | ApiError | None] = asyncio.Queue()

    def start(self, request: GenerationRequest) -> None:
        self.request = request
        self.latest = [None] * request.n
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
            self.latest[item.index] = item
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
    def completion_tokens(self) -> int:
        """So far, of all its answers."""
        return sum(chunk.completion_tokens for chunk in self.latest if chunk is not None)

    @property
    def finish_reason(self) -> str | None:
        """Why the last of its answers to end has ended; None while one goes on."""
        is_over = all(chunk is not None and chunk.finish_reason is not None for chunk in self.latest)
        return self.last.finish_reason if is_over and self.last is not None else None

    @property
    def tokens_per_second(self) -> float | None:
        """The pace after the first chunk; None where there is no second one."""
        if self.first_at is None or self.last_at is None or self.last_at <= self.first_at:
            return None
        return (self.completion_tokens - self.first_tokens) / (self.last_at - self.first_at)


class Engine:
    """A queue in front of one model. A place is held from `admit` until the worker is done with the request.

    Without a `batch` the assistant answers one request at a time. `deadline` is in seconds from admission.
    """

    def __init__(
        self,
        assistant: Assistant,
        max_waiting: int = 32,
        *,
        batch: Batch | None = None,
        deadline: float | None = None,
    ):
        if batch is None:
            from vlm.engine.single import OneAtATime

            batch = OneAtATime(assistant.stream)
        self.assistant = assistant
        self._batch = batch
        self._deadline = deadline
        self._changed = threading.Condition()  # guards what follows, up to the counters
        self._waiting: deque[Generation] = deque()
        self._admitted: set[Generation] = set()
        self._places = batch.max_answers + max_waiting
        self._closing = False
        self._running: list[Generation] = []  # changed by the worker alone
        self._finished: Counter[str] = Counter()
        self._to_first, self._per_token = Histogram(), Histogram()
        self._preparer = ThreadPoolExecutor(1, thread_name_prefix="regard-prepare")
        self._worker = threading.Thread(target=self._work, name="regard-engine", daemon=True)
        self._worker.start()

    @property
    def is_alive(self) -> bool:
        return self._worker.is_alive() and not self._closing

    @property
    def models(self) -> tuple[str, ...]:
        """What a request may name: the model, then its adapters."""
        return self.assistant.name, *self._batch.adapters

    def load_adapter(self, name: str, folder: Path) -> None:
        """Offer a peft folder by that name from now on; takes a moment. Raises ValueError and OSError."""
        self._batch.load_adapter(name, folder)

    def unload_adapter(self, name: str) -> None:
        """Offer it no more; requests that have it already are answered."""
        self._batch.unload_adapter(name)

    def snapshot(self) -> Snapshot:
        """Counters for a person or a program that watches; from any thread, and never waits for a step."""
        perception = getattr(self.assistant, "perception", None)  # of a model that uses hints
        hints = {} if perception is None else perception.stats()
        with self._changed:
            return Snapshot(
                len(self._waiting), len(self._running), dict(self._finished), self._to_first.copy(),
                self._per_token.copy(), {**self._batch.stats(), **hints},
            )  # fmt: skip

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
        assert generation.request is not None
        with self._changed:
            if not self.is_alive:
                raise worker_stopped()
            if not generation.is_cancelled.is_set():
                try:
                    prepare = self._batch.preparing(generation.request)
                except RequestError as error:  # its adapter has been unloaded while it came
                    raise BadRequest(str(error), param="model") from None
                generation.prompt = self._preparer.submit(prepare)
                self._waiting.append(generation)
                generation.prompt.add_done_callback(self._wake)

    def withdraw(self, generation: Generation) -> None:
        """Give the place of a cancelled request back, unless the worker has it: then the worker does."""
        with self._changed:
            if generation in self._waiting:
                self._waiting.remove(generation)
                self._admitted.discard(generation)
                self._finished["cancelled"] += 1
                assert generation.prompt is not None
                generation.prompt.cancel()
            elif generation.request is None:
                self._admitted.discard(generation)

    def close(self, timeout: float = 5.0) -> None:
        """End everything and wait for the worker, which stops after the step in the making."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._worker.join(timeout)
        self._preparer.shutdown(cancel_futures=True)

    def _wake(self, _: object) -> None:
        with self._changed:
            self._changed.notify_all()

    def _work(self) -> None:
        tidied_at = time.monotonic()
        try:
            while self._wait_for_work():
                if time.monotonic() - tidied_at > TIDY_SECONDS:
                    give_back_gaps()
                    tidied_at = time.monotonic()
                self._end_early()
                self._let_join()
                if self._running:
                    self._step()
        finally:  # also when the worker dies of what no request can cause: let nobody wait for ever
            with self._changed:
                self._closing = True
                abandoned, self._waiting = [*self._running, *self._waiting], deque()
            for generation in abandoned:
                self._end(generation, worker_stopped(), "failed")

    def _wait_for_work(self) -> bool:
        """True as soon as there is something to do, False when all is to end."""
        is_tidy = False
        with self._changed:
            while not (self._closing or self._running or self._is_overdue(self._waiting) or self._next() is not None):
                seconds = None if self._deadline is None else self._seconds_to_next_deadline()
                if is_tidy or self._waiting:
                    self._changed.wait(seconds)
                elif not self._changed.wait(IDLE_SECONDS):
                    is_tidy = True
                    give_back_gaps()
            return not self._closing

    def _next(self) -> Generation | None:
        """The first in the queue, where it is ready: nobody overtakes."""
        first = self._waiting[0] if self._waiting else None
        return first if first is not None and first.prompt is not None and first.prompt.done() else None

    def _seconds_left(self, generation: Generation) -> float:
        assert self._deadline is not None
        return generation.admitted_at + self._deadline - time.monotonic()

    def _seconds_to_next_deadline(self) -> float | None:
        return min(map(self._seconds_left, self._waiting), default=None)

    def _is_overdue(self, generations: Sequence[Generation]) -> bool:
        return self._deadline is not None and any(self._seconds_left(generation) <= 0 for generation in generations)

    def _end_early(self) -> None:
        """Let go of what is cancelled or overdue."""
        for generation in list(self._running):
            if generation.is_cancelled.is_set():
                self._end(generation, None, "cancelled")
            elif self._is_overdue([generation]):
                self._end(generation, self._too_late(), "overdue")
        with self._changed:
            overdue = [generation for generation in self._waiting if self._is_overdue([generation])]
            for generation in overdue:
                self._waiting.remove(generation)
        for generation in overdue:
            self._end(generation, self._too_late(), "overdue")

    def _too_late(self) -> DeadlinePassed:
        return DeadlinePassed(
            f"The answer was not there after {self._deadline:g} seconds. Try again later, or ask for fewer tokens.",
            headers=RETRY_AFTER,
        )

    def _let_join(self) -> None:
        """Take from the head of the queue whatever there is room for."""
        while True:
            with self._changed:
                generation = self._next()
                if generation is None:
                    return
                assert generation.prompt is not None
                failed = generation.prompt.exception()
                if failed is None and not self._batch.can_join(generation.prompt.result()):
                    return
                self._waiting.popleft()
                self._running.append(generation)
            try:
                self._batch.join(generation, generation.prompt.result())
            except Exception as error:
                self._fail(generation, error)

    def _step(self) -> None:
        try:
            events = self._batch.step()
        except Exception as error:  # not of one request, or the batch would have told whose
            events = [(generation, error) for generation in self._running]
        for generation, item in events:
            if not isinstance(item, Chunk):
                self._fail(generation, item)
            elif not (generation.is_cancelled.is_set() or self._closing):
                self._count(generation, item)
                generation.deliver(item)
        for generation in list(self._running):
            # Whoever has the last chunk may let go at once, and that is no cancellation.
            is_left = generation.is_cancelled.is_set() and generation.finish_reason is None
            if not (self._batch.is_busy_with(generation) or is_left):
                self._end(generation, None, generation.finish_reason or "stop")

    def _count(self, generation: Generation, chunk: Chunk) -> None:
        now = time.monotonic()
        if generation.last_at is None:
            self._to_first.add(now - generation.admitted_at)
        elif chunk.index == 0:
            self._per_token.add(now - generation.last_at)

    def _fail(self, generation: Generation, error: Exception) -> None:
        if isinstance(error, RequestError):  # written for the user by vlm
            self._end(generation, BadRequest(str(error), param="messages"), "refused")
            return
        logger.error("a request failed", exc_info=error)
        self._end(generation, InternalError(), "failed")

    def _end(self, generation: Generation, item: ApiError | None, how: str) -> None:
        """The worker is done with a request: nothing of it stays in the batch, and its place is free."""
        self._batch.leave(generation)
        with self._changed:
            if generation in self._running:
                self._running.remove(generation)
            self._admitted.discard(generation)
            self._finished[how] += 1
            self._changed.notify_all()
        generation.deliver(item)


def load_engine(config: ServeConfig) -> Engine:
    """Load the model that `config` names; takes seconds, and longer when it is the first time."""
    from vlm.engine.batch import Batch as SlotBatch
    from vlm.engine.decoder import why_not
    from vlm.loading import find_adapter, load
    from vlm.modeling_vlm import VlmForConditionalGeneration

    assistant = load(config.model, quantization=config.quantization, device=config.device, adapter=config.adapter)
    batch: Batch | None = None
    reason = why_not(assistant.model) if isinstance(assistant.model, VlmForConditionalGeneration) else NOT_OURS
    if reason is None:
        batch = SlotBatch(
            assistant.model, assistant.processor, max_answers=config.max_answers, with_hints=assistant.with_hints
        )
    else:
        logger.warning("this model answers one request at a time: %s", reason)
    for name, folder in config.adapters.items():
        if name == assistant.name:
            raise ConfigError(f"an adapter cannot be called {name}, as the model is: give it another name")
        if batch is None:
            raise ConfigError(f"the adapter {name} cannot stand beside this model, which answers one request at a time")
        batch.load_adapter(name, find_adapter(folder))
    give_back_gaps()
    if (perception := getattr(assistant, "perception", None)) is not None:  # text can be answered in the meantime
        threading.Thread(target=_warm_up, args=(perception.warm_up,), name="regard-warm-up", daemon=True).start()
    return Engine(assistant, config.max_waiting, batch=batch, deadline=config.deadline)


def _warm_up(warm_up: Callable[[], None]) -> None:
    warm_up()
    give_back_gaps()
