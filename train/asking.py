"""Greedy answers of a model from the engine that serves it (`vlm/engine`), many at a time.

So what is measured is what is released: the same kernels, the same quantization. An answer does not depend on its
neighbours.
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

from vlm.answers import Chunk, GenerationRequest
from vlm.engine.batch import Batch
from vlm.loading import Assistant

Owner = TypeVar("Owner", bound=Hashable)
Question = TypeVar("Question")


class Asker:
    """Requests in, answers out, in the order in which they end; what was read of a picture is kept between calls."""

    def __init__(self, assistant: Assistant, max_answers: int = 16):
        self._batch = Batch(assistant.model, assistant.processor, max_answers=max_answers)

    def answer(self, requests: Iterable[tuple[Owner, GenerationRequest]]) -> Iterator[tuple[Owner, str]]:
        """Each owner with its answer. Requests are taken when there is room; their hints have been said already."""
        coming, texts = iter(requests), dict[Owner, str]()
        waiting = next(coming, None)
        prompt = self._batch.prepare(waiting[1]) if waiting else None
        while waiting or self._batch.rows:
            if waiting and prompt and self._batch.can_join(prompt):
                self._batch.join(waiting[0], prompt)
                texts[waiting[0]] = ""
                waiting = next(coming, None)
                prompt = self._batch.prepare(waiting[1]) if waiting else None
            for owner, chunk in self._batch.step():
                if not isinstance(chunk, Chunk):
                    raise chunk
                texts[owner] += chunk.text
                if chunk.finish_reason is not None:
                    yield owner, texts.pop(owner).strip()


def first_ones_ahead(groups: Iterable[list[Question]]) -> Iterator[Question]:
    """What stands in groups, in turn, but the first of each group before the rest of the group before it.

    Questions about one picture begin with the same tokens, which the engine reads once if the first of them has been
    answered before the others come.
    """
    rest: list[Question] = []
    for group in groups:
        yield from group[:1]
        yield from rest
        rest = group[1:]
    yield from rest
