"""The batch: prompts join and leave between steps, each step gives every answer in it one token.

One prompt at a time is read, in parts, so that a long one does not stall the answers in the making; rows of answers
stand in the first slots, rows that are being read behind them. What a step computes for a row never depends on the
others (see decoder.py), and an error belongs to the row that has it. For one thread.
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..adapters import fingerprint, lay_beside
from ..answers import Chunk, FinishReason, GenerationRequest, TextStream
from ..generation import turn_ends
from ..modeling_vlm import VlmForConditionalGeneration
from ..processing_vlm import VlmProcessor
from ..sampling import RequestError, Sampler, TokenLogprob
from .caches import PrefixCache
from .graph_decoder import LEAST, make_decoder
from .prompts import Pictures, Prompt, Text, embed
from .variants import Variant, make_variant

MIB = 2**20
BUSY_PART, IDLE_PART = 32, 384  # prompt tokens read in a step: while others are answered, and while none is
PLAUSIBLE = 0.1  # guidance chooses among tokens that have this share of the likeliest one's probability

Event = tuple[Any, Chunk | Exception]  # who joined with the prompt, and what came of it


@dataclass(eq=False)
class Answer:
    """One of the answers to a prompt."""

    owner: Hashable
    prompt: Prompt
    index: int
    sampler: Sampler
    stream: TextStream
    token: int = 0  # the latest, not read yet


@dataclass(eq=False)
class Row:
    """One sequence in one slot: an answer, or what it would be without the pictures."""

    answer: Answer
    text: Text
    is_blind: bool
    length: int = 0  # tokens read
    is_reading: bool = True
    logits: Tensor | None = None  # [V] of the next token


class Batch:
    """Answers of one model. `with_hints` says in a request what is read in its pictures (`Assistant.with_hints`).

    `max_bytes` bounds keys and values of text, the other two what the caches keep.
    """

    def __init__(
        self,
        model: VlmForConditionalGeneration,
        processor: VlmProcessor,
        *,
        max_answers: int = 16,
        max_bytes: int = 512 * MIB,
        max_prefix_bytes: int = 128 * MIB,
        max_picture_bytes: int = 64 * MIB,
        with_hints: Callable[[GenerationRequest], GenerationRequest] = lambda request: request,
    ):
        self.with_hints = with_hints
        self.max_answers = max_answers
        self.decoder = make_decoder(model)
        self.slots = self.decoder.slots(max_answers, max_bytes)
        self.pictures = Pictures(model, processor, max_picture_bytes)
        self.prefixes = PrefixCache(max_prefix_bytes)
        self.rows: list[Row] = []  # by slot
        self.counts = {"prompt_tokens": 0, "cached_tokens": 0, "completion_tokens": 0, "steps": 0}
        self._model, self._processor = model, processor
        self._ends = turn_ends(model)
        self._variants: dict[str, Variant] = {}  # by adapter; replaced, not changed, for threads that look into it
        self._loading = threading.Lock()

    @property
    def adapters(self) -> tuple[str, ...]:
        """The names that `GenerationRequest.adapter` may have."""
        return tuple(self._variants)

    def load_adapter(self, name: str, folder: Path) -> None:
        """Offer an adapter from now on; from any thread. Raises ValueError where it does not fit, OSError."""
        with self._loading:
            base = self.decoder.base
            variant = make_variant(lay_beside(base.model, folder), fingerprint(folder), base)
            self.decoder.prepare(variant)
            self._variants = {**self._variants, name: variant}

    def unload_adapter(self, name: str) -> None:
        """Offer it no more; what has come before is answered with it. From any thread."""
        with self._loading:
            self._variants = {other: variant for other, variant in self._variants.items() if other != name}

    def _variant(self, adapter: str | None) -> Variant:
        if adapter is None:
            return self.decoder.base
        if (variant := self._variants.get(adapter)) is None:
            raise RequestError(f"there is no adapter {adapter!r} here (any more)")
        return variant

    def preparing(self, request: GenerationRequest) -> Callable[[], Prompt]:
        """`prepare` for later: its adapter is held from now on. Raises RequestError where there is no such adapter."""
        return partial(self._prepare, request, self._variant(request.adapter))

    def prepare(self, request: GenerationRequest) -> Prompt:
        """Hints, tokens, hashes and pixel values; for any thread. Raises RequestError for what cannot be answered."""
        return self.preparing(request)()

    def _prepare(self, request: GenerationRequest, variant: Variant) -> Prompt:
        prompt = self.pictures.prepare(self.with_hints(request), request, variant)
        if not self.slots.fits(prompt.rows, len(prompt.ids) + prompt.room):
            raise RequestError(
                f"{prompt.rows} answers of up to {len(prompt.ids) + prompt.room} tokens, prompt included, do not fit"
                " in the memory for them: ask for fewer or shorter ones"
            )
        return prompt

    def can_join(self, prompt: Prompt) -> bool:
        """Whether there is room now; one prompt is read at a time."""
        if any(row.is_reading for row in self.rows):
            return False
        longest = max([self._longest(row.answer.prompt) for row in self.rows], default=0)
        return self.slots.fits(len(self.rows) + prompt.rows, max(longest, self._longest(prompt)))

    def join(self, owner: Hashable, prompt: Prompt) -> None:
        """Encode the pictures, take what is known of the text, and read the rest in the steps to come."""
        sampler = prompt.sampler(self._model.config.text_config.vocab_size)
        self.pictures.encode(prompt)
        self.slots.reserve(
            len(self.rows) + prompt.rows, self._longest(prompt), len(prompt.encoded), [row.length for row in self.rows]
        )
        stream = TextStream(self._processor.tokenizer, prompt.request.stop, prompt.room)
        answer = Answer(owner, prompt, 0, sampler, stream)
        for is_blind in (False, True) if prompt.is_guided else (False,):
            row = Row(answer, embed(prompt.variant.model, prompt, is_blind), is_blind)
            self._begin(row, slot=len(self.rows))
            self.rows.append(row)
        prompt.cached_tokens = min(row.length for row in self.rows if row.answer is answer)
        self.counts["prompt_tokens"] += len(prompt.ids)
        self.counts["cached_tokens"] += prompt.cached_tokens

    def leave(self, owner: Hashable) -> None:
        """End what `owner` has in the batch, now."""
        for row in [row for row in self.rows if row.answer.owner == owner]:
            self._remove(row)

    def is_busy_with(self, owner: Hashable) -> bool:
        return any(row.answer.owner == owner for row in self.rows)

    def step(self) -> list[Event]:
        """One token for every answer, and a part of the prompt that is being read."""
        self.counts["steps"] += 1
        writing = [row for row in self.rows if not row.is_reading]
        events = self._write(writing) if writing else []
        if reading := [row for row in self.rows if row.is_reading]:
            events += self._read(reading, BUSY_PART if writing else IDLE_PART)
        return events

    def stats(self) -> dict[str, float]:
        """Counters since the start, and what is held now."""
        pictures, prefixes = self.pictures.cache, self.prefixes.entries
        return {
            **self.counts,
            "rows": len(self.rows),
            "picture_hits": pictures.hits, "picture_misses": pictures.misses, "picture_bytes": pictures.bytes,
            "prefix_hits": prefixes.hits, "prefix_misses": prefixes.misses, "prefix_bytes": prefixes.bytes,
            "image_encode_seconds": self.pictures.encode_seconds,
        }  # fmt: skip

    @staticmethod
    def _longest(prompt: Prompt) -> int:
        return len(prompt.ids) + prompt.room

    def _begin(self, row: Row, slot: int) -> None:
        """Show a row its pictures, and give it what is known of its text; its last part is always read anew."""
        if (looking := row.answer.prompt.variant.looking) is not None:
            for number, picture in enumerate(row.text.pictures):
                looking.show(self.slots.images, slot, number, picture.key_values)
        stored, shared = self.prefixes.find(row.text.units)
        row.length = min(shared, max(len(row.text.units) - LEAST, 0))
        if stored is not None:
            self.slots.restore(slot, stored, row.length)

    def _read(self, reading: list[Row], part: int) -> list[Event]:
        """Read on in the first unfinished row; when none is left, the answers begin."""
        row = next(row for row in reading if row.logits is None)
        total = len(row.text.units)
        end = min(row.length + part, total)
        if total - end == 1:  # at least LEAST are left for the last part
            end -= 1
        try:
            logits = self.decoder.forward(
                row.text.embeddings[:, row.length : end], self.slots, self.rows.index(row), [row.length],
                row.text.visible[:, row.length : end], int(end == total), [row.answer.prompt.variant],
            )  # fmt: skip
        except Exception as error:
            return [self._fail(row.answer, error)]
        row.length = end
        if end < total:
            return []
        row.logits = logits[0]
        if any(other.logits is None for other in reading):
            return []
        return self._start(reading)

    def _start(self, read: list[Row]) -> list[Event]:
        """The prompt is read: one copy of its rows for each further answer, and the first token of each."""
        first = read[0].answer
        request = first.prompt.request
        answers = [first]
        for row in read:
            row.is_reading = False
        for index in range(1, request.n):
            sampler = first.prompt.sampler(self._model.config.text_config.vocab_size, index)
            stream = TextStream(self._processor.tokenizer, request.stop, first.prompt.room)
            answers.append(Answer(first.owner, first.prompt, index, sampler, stream))
            for row in read:
                copy = Row(answers[-1], row.text, row.is_blind, row.length, False, row.logits)
                self.slots.copy(self.rows.index(row), len(self.rows), row.length, len(row.text.pictures))
                self.rows.append(copy)
        return [event for answer in answers for event in self._choose(answer)]

    def _write(self, rows: list[Row]) -> list[Event]:
        try:
            logits = self._forward(rows, first=0)
        except Exception:  # find whose it is: what one row wrote, it writes again
            return self._write_one_by_one(rows)
        for row, row_logits in zip(rows, logits, strict=True):
            self._advance(row, row_logits)
        answers = {row.answer: None for row in rows}
        return [event for answer in answers for event in self._choose(answer)]

    def _write_one_by_one(self, rows: list[Row]) -> list[Event]:
        failed: dict[Answer, Exception] = {}
        for slot, row in enumerate(rows):
            try:
                logits = self._forward([row], first=slot)
            except Exception as error:
                failed[row.answer] = error
            else:
                self._advance(row, logits[0])
        events: list[Event] = []
        for answer in {row.answer: None for row in rows}:
            events += [self._fail(answer, failed[answer])] if answer in failed else self._choose(answer)
        return events

    def _forward(self, rows: list[Row], first: int) -> Tensor:
        """The next logits [B, V] of rows in neighbouring slots."""
        tokens = torch.tensor([[row.answer.token] for row in rows])
        visible = torch.tensor([[len(row.text.pictures)] for row in rows])
        with torch.inference_mode():
            embeddings = self._model.get_input_embeddings()(tokens)
            return self.decoder.forward(
                embeddings, self.slots, first, [row.length for row in rows], visible, 1,
                [row.answer.prompt.variant for row in rows],
            )  # fmt: skip

    @staticmethod
    def _advance(row: Row, logits: Tensor) -> None:
        row.length += 1
        row.logits = logits

    def _choose(self, answer: Answer) -> list[Event]:
        """The next token of an answer whose rows have their logits; nothing where another of its prompt has failed."""
        if not any(row.answer is answer for row in self.rows):
            return []
        try:
            answer.token, logprob = answer.sampler.choose(self._guided(answer))
            text, reason = answer.stream.push(answer.token, answer.token in self._ends)
        except Exception as error:
            return [self._fail(answer, error)]
        self.counts["completion_tokens"] += 1
        if reason is not None:
            self._finish(answer)
        return [(answer.owner, self._chunk(answer, text, reason, logprob))]

    def _chunk(self, answer: Answer, text: str, reason: FinishReason | None, logprob: TokenLogprob | None) -> Chunk:
        prompt = answer.prompt
        return Chunk(
            text, reason, len(prompt.ids), answer.stream.count, answer.index,
            () if logprob is None or answer.token in self._ends else (logprob,),
            prompt.cached_tokens, prompt.reports, prompt.image_tokens,
        )  # fmt: skip

    def _guided(self, answer: Answer) -> Tensor:
        """The logits to choose from: with guidance, those with the pictures pushed away from those without.

        Visual contrastive decoding (arXiv 2311.16922), with the model that sees nothing as the contrast.
        """
        own = [row for row in self.rows if row.answer is answer]
        seeing, *blind = [row.logits for row in sorted(own, key=lambda row: row.is_blind) if row.logits is not None]
        if not blind:
            return seeing
        strength = answer.prompt.request.visual_guidance
        guided = (1 + strength) * seeing - strength * blind[0]
        return guided.masked_fill(seeing < seeing.max() + torch.log(torch.tensor(PLAUSIBLE)), float("-inf"))

    def _finish(self, answer: Answer) -> None:
        """Keep what was read of the prompt for the next turn, and free the rows."""
        for row in [row for row in self.rows if row.answer is answer]:
            self._keep(row)
            self._remove(row)

    def _keep(self, row: Row) -> None:
        """The prompt alone: what was written may have other last bits than what is read (see graph_decoder.py)."""
        self.prefixes.put(row.text.units, self.slots.store(self.rows.index(row), len(row.text.units)))

    def _fail(self, answer: Answer, error: Exception) -> Event:
        """End one answer and all others of its prompt; nothing of them stays in their slots."""
        for row in [row for row in self.rows if row.answer.owner == answer.owner]:
            self.slots.clear(self.rows.index(row))
            self._remove(row)
        return answer.owner, error

    def _remove(self, row: Row) -> None:
        """Free a row's slot: the last answer's row moves there, and the last that is being read to where that was."""
        slot = self.rows.index(row)
        for last in (sum(not other.is_reading for other in self.rows) - 1, len(self.rows) - 1):
            if slot < last:
                moved = self.rows[last]
                self.slots.copy(last, slot, moved.length, len(moved.text.pictures))
                self.rows[slot], slot = moved, last
        del self.rows[slot]
        self.slots.clear(slot)
        if not self.rows:
            self.slots.rest()
