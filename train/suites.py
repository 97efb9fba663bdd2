"""Suites of questions: of a family's unseen pictures, of a known set, of bundled photographs."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Literal

from PIL import Image
from pydantic import Field, model_validator

from vlm.images import open_image
from vlm.loading import PartNotFoundError
from vlm.run_config import RunConfig
from vlm.structure import Structure

from .bundled_photographs import QUESTION, names_one_of, photographs
from .data_engine import draw
from .metrics import Metric
from .readers import RowsConfig
from .scoring import exact_match, recall, relaxed_match

# How the model is asked: with all hints, with those that are no structure, with none; with the truth for a reading, and
# with mistakes in it.
Way = Literal["hints", "words", "none", "truth", "spoilt"]


class SuiteConfig(RunConfig):
    """Questions of one origin: a family's unseen pictures, a known set, or rows of one's own."""

    name: str
    family: str | None = None
    pictures: int = Field(400, gt=0)  # of a family
    easy_vqa: bool = False  # the 9,673 test questions of the PyPI package easy-vqa
    photographs: bool = False  # those that packages bundle
    transfer: Path | None = None  # the folder that `vlm data transfer` built
    every: int = Field(1, gt=0)  # only every so many-th picture
    data: RowsConfig | None = None  # rows of one's own; their last answers are expected
    metric: Metric = "exact"  # of rows of one's own
    max_tokens: int = Field(32, gt=0)  # of an answer to one of them
    limit: int | None = Field(None, gt=0)  # only so many questions
    hints: bool = True  # whether a model that uses them gets them (vlm/hints)
    also: tuple[Way, ...] = ()  # ways in which a model that uses hints is asked as well

    @model_validator(mode="after")
    def _one_origin(self) -> "SuiteConfig":
        origins = [self.family is not None, self.easy_vqa, self.photographs, self.transfer is not None]
        if [*origins, self.data is not None].count(True) != 1:
            raise ValueError("a suite has one of `family`, `easy_vqa`, `photographs`, `transfer` and `data`")
        if self.data is not None and (self.data.path is None) == (self.data.dataset is None):
            raise ValueError("`data` of a suite has either `path` or `dataset`")
        if self.family is None and {"truth", "spoilt"} & {*self.also}:
            raise ValueError("only of a `family` the truth is known that `also: [truth, spoilt]` needs")
        return self


@dataclass
class Item:
    """One question, and what came of it."""

    suite: str
    picture: str
    type: str
    prompt: str
    expected: str
    elements: tuple[str, ...]  # of a description
    yes_no: bool
    metric: Metric = "exact"
    answers: tuple[str, ...] = ()  # all that count as right, where there are several
    answer: str = ""
    answer_blind: str = ""
    score: float = 0.0
    score_blind: float = 0.0
    other_answers: dict[Way, str] = field(default_factory=dict)  # in the other ways in which it was asked
    other_scores: dict[Way, float] = field(default_factory=dict)
    spoilt_differs: bool = False  # whether the hints with mistakes said something else than the true ones


@dataclass(frozen=True)
class Asked:
    """A picture with its questions."""

    image: Image.Image
    items: list[Item]
    truth: Structure | None = None  # of a drawn picture


def family_items(suite: SuiteConfig, instruction: str) -> Iterator[Asked]:
    """Pictures of the family's test split, each with its questions."""
    assert suite.family is not None
    for seed in range(0, suite.pictures, suite.every):
        sample = draw(suite.family, seed, "test")
        items = [
            Item(
                suite.name,
                f"{suite.family}/test/{seed}",
                question.type,
                question.text if question.elements else f"{question.text} {instruction}",
                question.answer,
                question.elements,
                question.is_yes_no,
            )
            for question in sample.questions
        ]
        yield Asked(sample.image, items, sample.truth)


def easy_vqa_items(suite: SuiteConfig, instruction: str) -> Iterator[Asked]:
    """The test pictures of easy-VQA (https://github.com/vzhou842/easy-VQA), each with its questions."""
    try:
        from easy_vqa import get_test_image_paths, get_test_questions
    except ImportError:
        raise PartNotFoundError("the easy-VQA suite needs its data: run pip install easy-vqa==1.0") from None
    paths = get_test_image_paths()
    rows = sorted(zip(*get_test_questions(), strict=True), key=lambda row: row[2])
    pictures = [(picture, list(questions)) for picture, questions in groupby(rows, key=lambda row: row[2])]
    for picture, questions in pictures[:: suite.every]:
        items = [
            Item(
                suite.name,
                f"easy-vqa/test/{picture}",
                "yes_no" if answer in ("yes", "no") else "open",
                f"{question} {instruction}",
                answer,
                (),
                answer in ("yes", "no"),
            )
            for question, answer, _ in questions
        ]
        yield Asked(open_image(Path(paths[picture])), items)


def transfer_items(suite: SuiteConfig, instruction: str) -> Iterator[Asked]:
    """Pictures that other programs drew, each with its questions."""
    assert suite.transfer is not None
    lines = (suite.transfer / "data.jsonl").read_text(encoding="utf-8").splitlines()
    pictures = [
        (name, list(group)) for name, group in groupby(map(json.loads, lines), key=lambda row: row["images"][0])
    ]
    for name, group in pictures[:: suite.every]:
        items = []
        for row in group:
            question = row["messages"][0]["content"][-1]["text"]
            yes_no = row["answer"] in ("yes", "no")
            items.append(Item(suite.name, name, row["type"], f"{question} {instruction}", row["answer"], (), yes_no))
        yield Asked(open_image(suite.transfer / name), items)


def photograph_items(suite: SuiteConfig, instruction: str) -> Iterator[Asked]:
    """What is the main thing in each of the photographs that packages bundle?"""
    for path, words in photographs():
        item = Item(suite.name, path.name, "photograph", QUESTION, " / ".join(words), (), yes_no=False)
        yield Asked(open_image(path), [item])


def items_of(suite: SuiteConfig) -> Callable[[SuiteConfig, str], Iterator[Asked]]:
    """What makes the questions of a suite; not of rows of one's own."""
    if suite.easy_vqa:
        return easy_vqa_items
    if suite.photographs:
        return photograph_items
    return transfer_items if suite.transfer is not None else family_items


def worth(suite: SuiteConfig, item: Item, answer: str) -> float:
    """What an answer is worth in its suite; the rules are in `train/scoring.py`."""
    if item.elements:
        return recall(answer, item.elements)
    if suite.photographs:
        return names_one_of(answer, tuple(item.expected.split(" / ")))
    return (exact_match if suite.easy_vqa else relaxed_match)(answer, item.expected)
