"""What is measured of Regard's own engine, through the same `Batch` that the server runs.

All that an answer needs is in these times: the prompt, the sampler, the text. Prompts are new ones every time, unless
it is what is known of them that is measured.
"""

import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ..answers import Chunk, GenerationRequest
from ..engine.batch import Batch
from ..loading import Assistant

WORDS = "the sea a hill we saw old stone and walk to blue road house wind tall light under small tree".split()
PICTURE = (800, 600)


def some_text(words: int, dice: random.Random) -> str:
    return " ".join(dice.choices(WORDS, k=words))


def new_picture(dice: random.Random, size: tuple[int, int] = PICTURE) -> Image.Image:
    """Soft patches of colour: no two alike, and no text in them."""
    noise = np.random.default_rng(dice.randrange(2**32)).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def turn(text: str, *pictures: Image.Image) -> dict[str, Any]:
    parts = [*({"type": "image", "image": picture} for picture in pictures), {"type": "text", "text": text}]
    return {"role": "user", "content": parts}


@dataclass
class Ours:
    """A model that never ends its answers by itself."""

    assistant: Assistant
    streams: int

    def __post_init__(self) -> None:
        self.assistant.model.generation_config.eos_token_id = None
        self.dice = random.Random(0)
        self.batch = Batch(self.assistant.model, self.assistant.processor, max_answers=self.streams)
        self._owners = itertools.count()

    def tokens_per_second(self, words: int, count: int, streams: int = 1, pictures: int = 0) -> float:
        """In all, of `streams` answers to prompts of so many words, once they are read; about `pictures` pictures."""
        self._begin(words, count + 8 * streams, streams, pictures)
        started = time.perf_counter()
        for _ in range(count):
            self.batch.step()
        seconds = time.perf_counter() - started
        assert len(self.batch.rows) == streams
        self.drop()
        return streams * count / seconds

    def seconds_to_first(self, request: GenerationRequest) -> float:
        """From a request to the first piece of its answer."""
        started = time.perf_counter()
        self._join(request)
        for _ in self._chunks():
            break
        seconds = time.perf_counter() - started
        self.drop()
        return seconds

    def seconds_of_prefill(self, tokens: int) -> float:
        """From a new prompt of about so many tokens to the first piece of its answer."""
        return self.seconds_to_first(self._ask(turn(some_text(tokens, self.dice)), tokens=2))

    def seconds_of_a_new_picture(self) -> float:
        question = turn("What is in this picture?", new_picture(self.dice))
        return self.seconds_to_first(self._ask(question, tokens=2))

    def seconds_of_the_next_question(self, with_picture: bool) -> float:
        """To the first piece of the second answer of a conversation that began with a question of twenty words."""
        shown = [new_picture(self.dice)] if with_picture else []
        first = turn(some_text(20, self.dice), *shown)
        self._join(self._ask(first, tokens=12))
        answer = "".join(chunk.text for chunk in self._chunks())
        talk = [first, {"role": "assistant", "content": answer}, turn("And what is beside it?")]
        return self.seconds_to_first(self._ask(*talk, tokens=2))

    def prompt_ids(self, words: int) -> list[int]:
        """The tokens of a prompt of so many words."""
        return self.batch.prepare(self._ask(turn(some_text(words, self.dice)), tokens=2)).ids

    def steps(self, words: int, count: int, streams: int) -> Callable[[], None]:
        """What does `count` steps of so many answers about a picture, which are read already; for the profile."""
        self._begin(words, 4000, streams, pictures=1)

        def run() -> None:
            for _ in range(count):
                self.batch.step()

        return run

    def _begin(self, words: int, tokens: int, streams: int, pictures: int) -> None:
        """Have so many answers in the batch, of up to so many tokens, each about one of `pictures` pictures."""
        seen = [new_picture(self.dice) for _ in range(pictures)]
        for number in range(streams):
            shown = [seen[number % pictures]] if pictures else []
            self._join(self._ask(turn(some_text(words, self.dice), *shown), tokens=tokens))
            while any(row.is_reading for row in self.batch.rows):
                self.batch.step()

    @staticmethod
    def _ask(*messages: dict[str, Any], tokens: int) -> GenerationRequest:
        return GenerationRequest(list(messages), max_new_tokens=tokens, hints="off")

    def _join(self, request: GenerationRequest) -> None:
        self.batch.join(next(self._owners), self.batch.prepare(request))

    def _chunks(self) -> Iterator[Chunk]:
        while self.batch.rows:
            for _, item in self.batch.step():
                if isinstance(item, Exception):
                    raise item
                yield item

    def drop(self) -> None:
        """End all that is in the batch."""
        for row in list(self.batch.rows):
            self.batch.leave(row.answer.owner)
