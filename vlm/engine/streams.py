"""Answers of a batch as plain generators, for whoever asks one question after the other and has no server."""

from collections import deque
from collections.abc import Generator

from ..answers import Chunk, GenerationRequest
from .batch import Batch
from .prompts import Prompt


class Streams:
    """Every answer is a generator that works when it is read; closing it ends the work. For one thread."""

    def __init__(self, batch: Batch):
        self._batch = batch
        self._come: dict[object, deque[Chunk | Exception]] = {}  # by answer: what nobody has read yet

    def stream(self, request: GenerationRequest) -> Generator[Chunk, None, None]:
        """Raises RequestError for what cannot be answered, before anything is computed."""
        return self._read(self._batch.prepare(request))

    def _read(self, prompt: Prompt) -> Generator[Chunk, None, None]:
        owner, come = object(), deque[Chunk | Exception]()
        self._come[owner] = come
        try:
            while not self._batch.can_join(prompt):
                self._step()
            self._batch.join(owner, prompt)
            while come or self._batch.is_busy_with(owner):
                if not come:
                    self._step()
                elif isinstance(item := come.popleft(), Exception):
                    raise item
                else:
                    yield item
        finally:
            self._batch.leave(owner)
            del self._come[owner]

    def _step(self) -> None:
        for owner, item in self._batch.step():
            self._come[owner].append(item)
