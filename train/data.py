"""Where training rows come from. Row `index` is a pure function of the config, so resuming needs only the step.

A row is a list of conversations about the same pictures (see `train/collator.py` for why). Sources: families of
`train/data_engine`, drawn as they are needed, and files of one's own (`train/file_source.py`).
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Protocol

from torch.utils.data import Dataset

from vlm.perception import Perceived, Perception, with_hints
from vlm.processing_vlm import VlmProcessor

from .as_read import as_read
from .checking.check import Limits
from .checking.report import Report
from .collator import PackedRow, pack
from .config import SourceConfig, TrainConfig
from .data_engine import Question, Sample, Split, draw
from .file_source import FileSource
from .photographs import PhotographSource
from .preference import pack_pairs
from .readers import DataError, Messages
from .truncation import fit

logger = logging.getLogger(__name__)

# Asks for the short form of an answer. The first is the one to use (and the one in configs/eval); the others keep the
# model from hanging on its exact words.
BRIEF = ("Answer briefly.", "Answer in one word.", "Give a short answer.", "Only the answer, please.")
PHOTOGRAPHS = "photographs"  # beside the families that are drawn
SPOILT = 0.25  # of the pictures with hints: these have mistakes
ORDINALS = ("first", "second", "third")


class Source(Protocol):
    def conversations(self, index: int) -> list[Messages]:
        """Conversations of row `index`; all of them have the same pictures, first."""


class DrawnSource:
    """Conversations about pictures that a family draws: single questions, and sometimes talks over several pictures.

    A share of them, `hints`, comes with what reading the pictures would say of them, at times with mistakes.
    """

    def __init__(
        self,
        family: str,
        split: Split = "train",
        seed: int = 0,
        types: frozenset[str] | None = None,
        hints: float = 0.0,
        count_tokens: Callable[[str], int] = len,
    ):
        self.family, self.split, self.seed, self.types = family, split, seed, types
        self.hints, self.count_tokens = hints, count_tokens

    def conversations(self, index: int) -> list[Messages]:
        rng = Random(f"{self.family}/{self.split}/{self.seed}/{index}/hints")
        samples, found = self._without_hints(index)
        if rng.random() >= self.hints:
            return found
        spoilt = rng.random() < SPOILT
        seen = {id(sample.image): Perceived(as_read(sample.truth, self.family, rng, spoilt), ()) for sample in samples}
        return [with_hints(messages, lambda image: seen[id(image)], self.count_tokens) for messages in found]

    def _without_hints(self, index: int) -> tuple[list[Sample], list[Messages]]:
        rng = Random(f"{self.family}/{self.split}/{self.seed}/{index}/conversations")
        num_pictures = rng.choices((1, 2, 3), (85, 11, 4))[0]
        seeds = range(index * len(ORDINALS), index * len(ORDINALS) + num_pictures)
        samples = [draw(self.family, self.seed * 1_000_000_007 + seed, self.split) for seed in seeds]
        samples = [replace(sample, questions=self._wanted(sample.questions)) for sample in samples]
        if rng.random() < 0.15:
            return samples, [_talk(samples, rng)]
        if num_pictures == 1:
            return samples, [_single(samples, question, "", rng) for question in samples[0].questions]
        asked = [
            _single(samples, question, _which(i, num_pictures, rng), rng)
            for i, sample in enumerate(samples)
            for question in rng.sample(sample.questions, min(len(sample.questions), 12 // num_pictures))
        ]
        return samples, rng.sample(asked, len(asked))

    def _wanted(self, questions: tuple[Question, ...]) -> tuple[Question, ...]:
        """Those of the types that are asked for; all of them where a picture has none of these."""
        return tuple(q for q in questions if self.types is None or q.type in self.types) or questions


def _which(number: int, num_pictures: int, rng: Random) -> str:
    """Words that say which picture is meant; none at all means the last one."""
    name = ORDINALS[number]
    if number == num_pictures - 1 and rng.random() < 0.4:
        return rng.choice(("", "In the last picture: "))
    return rng.choice((f"In the {name} picture: ", f"Look at the {name} picture. ", f"Picture {number + 1}: "))


def _turn(question: Question, which: str, rng: Random) -> tuple[str, str]:
    """What the user writes, and the answer in the form that was asked for."""
    if question.elements or rng.random() < 0.35:
        return which + question.text, question.sentence
    return brief(which + question.text, rng), question.answer


def brief(text: str, rng: Random) -> str:
    """`text` with the wish for a short answer."""
    return f"{text} {rng.choices(BRIEF, (7, 1, 1, 1))[0]}"


def _user(samples: Iterable[Sample], text: str) -> dict[str, Any]:
    images = [{"type": "image", "image": sample.image} for sample in samples]
    return {"role": "user", "content": [*images, {"type": "text", "text": text}]}


def _single(samples: list[Sample], question: Question, which: str, rng: Random) -> Messages:
    text, answer = _turn(question, which, rng)
    return [_user(samples, text), {"role": "assistant", "content": answer}]


def _talk(samples: list[Sample], rng: Random) -> Messages:
    """Several turns; each brings a new picture as long as there are some, then asks about any of them."""
    messages: Messages = []
    for number, sample in enumerate(samples):
        for turn, question in enumerate(rng.sample(sample.questions, min(4, len(sample.questions)))):
            text, answer = _turn(question, "", rng)
            messages += [_user([sample] if turn == 0 else [], text), {"role": "assistant", "content": answer}]
        if number > 0:
            question = rng.choice(samples[0].questions)
            text, answer = _turn(question, "In the first picture: ", rng)
            messages += [_user([], text), {"role": "assistant", "content": answer}]
    return messages


class ReadSource:
    """Rows whose pictures are read, as they are when the model is asked (`vlm/perception.py`); a share of them."""

    def __init__(self, source: Source, share: float, seed: int, count_tokens: Callable[[str], int]):
        self.source, self.share, self.seed, self.count_tokens = source, share, seed, count_tokens
        self.perception = Perception()

    def conversations(self, index: int) -> list[Messages]:
        found = self.source.conversations(index)
        if Random(f"{self.seed}/{index}/read").random() >= self.share:
            return found
        return [with_hints(messages, self.perception.see, self.count_tokens) for messages in found]


class Rows(Dataset[list[PackedRow]]):
    """Row `index` of a mixture of sources, encoded and packed."""

    def __init__(
        self,
        sources: list[tuple[Source, float]],
        processor: VlmProcessor,
        seed: int,
        max_tokens: int,
        pairs: bool = False,
        reports: Sequence[Report] = (),
    ):
        self.sources, self.processor, self.seed, self.max_tokens = sources, processor, seed, max_tokens
        self.pairs = pairs  # conversations come as chosen and rejected, by turns
        self.reports = reports  # of the checks of the files among the sources, in their order

    def conversations(self, index: int) -> list[Messages]:
        source = Random(f"{self.seed}/{index}/source").choices(*zip(*self.sources, strict=True))[0]
        return source.conversations(index)

    def __getitem__(self, index: int) -> list[PackedRow]:
        told, together, image = self.conversations(index), 1 + self.pairs, self.processor.image_token_id
        fitted = [
            fit(told[start : start + together], self.processor, self.max_tokens)
            for start in range(0, len(told), together)
        ]
        if self.pairs:
            return pack_pairs([chat for one in fitted for chat in one.chats], image)
        packed = pack([chat for one in fitted if one.is_whole for chat in one.chats], image, self.max_tokens)
        # One that was cut fills a row, and no longer has what the others have in common.
        return packed + [row for one in fitted if not one.is_whole for row in pack(one.chats, image, self.max_tokens)]


def build_rows(config: TrainConfig, processor: VlmProcessor) -> tuple[Rows, Rows]:
    """The mixture of a config: what is trained on, and what is not.

    Of families the second has unseen pictures, of files the rows that are held out. Raises DataError.
    """
    files = [None if spec.family is not None else _open(spec, config, processor) for spec in config.data]
    sources = [
        (_both_sides(spec, file, config, processor), spec.weight) for spec, file in zip(config.data, files, strict=True)
    ]
    reports = [file.report for file in files if file is not None]
    settings = processor, config.seed, config.max_row_tokens, config.preference is not None, reports
    train, held_out = (Rows([(both[side], weight) for both, weight in sources], *settings) for side in (0, 1))
    return train, held_out


def _open(spec: SourceConfig, config: TrainConfig, processor: VlmProcessor) -> FileSource:
    is_pairs = config.preference is not None
    limits = Limits(config.max_row_tokens, processor.max_images, lambda: processor, is_pairs)
    return FileSource(spec, config.seed, limits, config.skip_bad)


def _both_sides(
    spec: SourceConfig, files: FileSource | None, config: TrainConfig, processor: VlmProcessor
) -> tuple[Source, Source]:
    if spec.family == PHOTOGRAPHS:
        return PhotographSource("train", config.seed), PhotographSource("test", config.seed)
    if files is None:
        settings = str(spec.family), config.seed, spec.types, spec.hints, processor.count_tokens
        return _drawn("train", *settings), _drawn("test", *settings)
    if not files.have_pictures and config.trainable:
        raise DataError(
            f"no row of {files.reader.path} has a picture, and {' and '.join(config.trainable)} can learn from pictures"
            " only. If text alone is meant, train a LoRA alone: trainable=[] (a LoRA needs the key `lora`)"
        )
    train, held_out = files.split(spec.held_out)
    if held_out is None:
        logger.warning(
            "%s: no rows are held out (%s). What is measured is measured on rows that are trained on, and does not tell"
            " whether anything is learnt beyond them",
            files.reader.path,
            "held_out is 0" if not spec.held_out else "too few of them have pictures of their own",
        )
    sides = train, held_out or train
    if not spec.hints:
        return sides
    one, other = (ReadSource(side, spec.hints, config.seed, processor.count_tokens) for side in sides)
    return one, other


def _drawn(split: Split, family: str, seed: int, *settings: Any) -> Source:
    return DrawnSource(family, split, seed, *settings)
