"""What the engine needs of a model, and of the batch in which it answers."""

from collections.abc import Callable, Generator, Hashable, Sequence
from pathlib import Path
from typing import Any, Protocol

from vlm.answers import Chunk, GenerationRequest


class Assistant(Protocol):
    """What the engine needs of `vlm.loading.Assistant`."""

    @property
    def name(self) -> str: ...

    def stream(self, request: GenerationRequest) -> Generator[Chunk, None, None]:
        """The answer; closing the generator stops the model."""

    def spell(self, token: int) -> tuple[str, bytes | None]:
        """A token as text, and its bytes where they are known."""


class Batch(Protocol):
    """What the worker needs of `vlm.engine.batch.Batch` or `vlm.engine.single.OneAtATime`."""

    @property
    def max_answers(self) -> int: ...

    @property
    def adapters(self) -> Sequence[str]: ...

    def load_adapter(self, name: str, folder: Path) -> None:
        """From any thread. Raises ValueError and OSError."""

    def unload_adapter(self, name: str) -> None:
        """What has come before is still answered with it. From any thread."""

    def preparing(self, request: GenerationRequest) -> Callable[[], Any]:
        """What makes the request as `join` takes it, in a thread of its own. Both raise RequestError."""

    def can_join(self, prompt: Any) -> bool: ...

    def join(self, owner: Hashable, prompt: Any) -> None: ...

    def leave(self, owner: Hashable) -> None: ...

    def is_busy_with(self, owner: Hashable) -> bool: ...

    def step(self) -> Sequence[tuple[Any, Chunk | Exception]]: ...

    def stats(self) -> dict[str, float]: ...
