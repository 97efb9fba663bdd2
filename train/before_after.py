"""Held-out questions, asked before and after a training: what it was good for, in answers that a person can read.

The answers are kept in the form of `vlm eval` (`before.jsonl`, `after.jsonl`), and `vlm eval --compare` takes them.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from peft import PeftModel
from PIL import Image

from vlm.processing_vlm import VlmProcessor
from vlm.structure.numbers import parse_number

from .answering import answer_together
from .config import TrainConfig
from .data import Rows
from .evaluate import Item
from .metrics import said_yes, score
from .precision import autocast
from .readers import Messages
from .readers.row import parts_of, text_of
from .scoring import normalise

BEFORE, AFTER = "before.jsonl", "after.jsonl"
PER_PICTURE = 4  # questions: many pictures tell more than many questions about a few
LONGEST = 128  # tokens of an answer
MORE = 8  # tokens that an answer may have beyond the longest that is expected


@dataclass(frozen=True)
class Asked:
    """A question, what is said before it, and its pictures."""

    item: Item
    messages: Messages
    images: list[Image.Image] = field(default_factory=list)


def questions(rows: Rows, count: int, config: TrainConfig) -> Iterator[list[Asked]]:
    """The last questions of the first rows, `count` different ones or all there are, those of a row together."""
    seen: set[tuple[str, str]] = set()
    for index in range(count):
        about_one = []
        told = rows.conversations(index)[:: 2 if rows.pairs else 1]  # of a pair, what was chosen
        for messages in told[:PER_PICTURE]:
            asked = _asked(messages, config)
            key = asked.item.picture, asked.item.prompt
            if key not in seen and len(seen) < count:
                seen.add(key)
                about_one.append(asked)
        if about_one:
            yield about_one


def _asked(messages: Messages, config: TrainConfig) -> Asked:
    *before, last = messages
    images = [part["image"] for message in before for part in parts_of(message) if part["type"] == "image"]
    digest = hashlib.blake2b(repr([image.size for image in images]).encode(), digest_size=6)
    for image in images:
        digest.update(image.tobytes())
    expected, prompt = text_of(last).strip(), text_of(before[-1]) if before else ""
    right = tuple(last.get("answers") or (expected,))
    kind = last.get("type") or answer_type(expected)
    is_yes_no = said_yes(expected) is not None and len(expected.split()) == 1
    item = Item("held out", digest.hexdigest(), kind, prompt, expected, (), is_yes_no, config.metric, right)
    return Asked(item, before, images)


def answer_type(answer: str) -> str:
    """As VQAv2 sorts answers: yes/no, number, other."""
    if normalise(answer) in ("yes", "no"):
        return "yes/no"
    return "number" if parse_number(normalise(answer)) is not None else "other"


def ask(model: PeftModel, processor: VlmProcessor, groups: list[list[Asked]], config: TrainConfig) -> list[Item]:
    """What the model, as it stands, answers."""
    longest = max((processor.count_tokens(a.item.expected) for group in groups for a in group), default=0)
    found = []
    for group in groups:
        with autocast(model.device, config.precision):
            told = answer_together(
                model.get_base_model(), processor, [a.messages for a in group], min(LONGEST, longest + MORE)
            )
        for asked, answer in zip(group, told, strict=True):
            item = Item(**{**asdict(asked.item), "answer": answer})
            item.score = score(config.metric, answer, item.answers, item.prompt)
            found.append(item)
    return found


def write_answers(path: Path, items: list[Item]) -> None:
    partial = path.with_name(f"partial-{path.name}")
    partial.write_text("".join(json.dumps(asdict(item)) + "\n" for item in items), encoding="utf-8")
    partial.replace(path)


def read_answers(path: Path) -> list[Item]:
    """None where there is no such file: a run that began before it was asked for."""
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Item(**{**row, "elements": tuple(row["elements"]), "answers": tuple(row["answers"])}) for row in rows]
