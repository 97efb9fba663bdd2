"""One request at a time behind the interface of `Batch`, for models that the batch cannot run."""

from collections.abc import Callable, Generator, Hashable
from pathlib import Path

from ..answers import Chunk, GenerationRequest
from .batch import Event


class OneAtATime:
    """Answers of a function from a request to its chunks, such as `vlm.loading.Assistant.stream`. For one thread."""

    max_answers = 1
    adapters = ()

    def __init__(self, stream: Callable[[GenerationRequest], Generator[Chunk, None, None]]):
        self._stream = stream
        self._owner: Hashable = None
        self._chunks: Generator[Chunk, None, None] | None = None
        self._tokens = 0  # of the answer in the making
        self._counts = {"prompt_tokens": 0, "completion_tokens": 0}

    def load_adapter(self, name: str, folder: Path) -> None:
        raise ValueError(
            "this model answers one request at a time, and so with one adapter only: put that on top of the model, or"
            " merge them"
        )

    def unload_adapter(self, name: str) -> None:
        pass

    def preparing(self, request: GenerationRequest) -> Callable[[], GenerationRequest]:
        return lambda: request

    def can_join(self, _: GenerationRequest) -> bool:
        return self._chunks is None

    def join(self, owner: Hashable, request: GenerationRequest) -> None:
        self._owner, self._chunks, self._tokens = owner, self._stream(request), 0

    def leave(self, owner: Hashable) -> None:
        if self.is_busy_with(owner):
            assert self._chunks is not None
            self._chunks.close()
            self._chunks = None

    def is_busy_with(self, owner: Hashable) -> bool:
        return self._chunks is not None and self._owner is owner

    def step(self) -> list[Event]:
        if self._chunks is None:
            return []
        owner = self._owner
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self._chunks = None
            return []
        except Exception as error:
            self._chunks = None
            return [(owner, error)]
        self._count(chunk)
        if chunk.finish_reason is not None:
            self.leave(owner)
        return [(owner, chunk)]

    def stats(self) -> dict[str, float]:
        """Counters since the start, named as those of `Batch`."""
        return {**self._counts}

    def _count(self, chunk: Chunk) -> None:
        if not self._tokens:
            self._counts["prompt_tokens"] += chunk.prompt_tokens
        self._counts["completion_tokens"] += chunk.completion_tokens - self._tokens
        self._tokens = chunk.completion_tokens
