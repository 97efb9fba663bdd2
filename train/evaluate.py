"""Measure a model: one table, and every prompt with its raw answers in a file.

vlm eval configs/eval/mini.yaml
vlm eval configs/eval/read.yaml
vlm eval configs/eval/mini.yaml model=runs/mine output_dir=runs/eval-mine
vlm eval --compare runs/eval-mini runs/eval-mine

Each question is asked twice: with its picture, and blind, with a grey picture in its place and no hints. What the model
can answer without looking does not show that it sees.
"""

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from PIL import Image
from pydantic import Field, model_validator
from tqdm import tqdm

from vlm.generation import GenerationRequest
from vlm.images import open_image
from vlm.loading import Assistant, PartNotFoundError, load
from vlm.quantization import dequantize_
from vlm.run_config import RunConfig

from . import compare
from .answering import answer_together
from .bundled_photographs import QUESTION, names_one_of, photographs
from .command import run_command
from .data_engine import draw
from .intervals import Measure, measures
from .metrics import Metric, score
from .own_suite import asked_rows, name_of_pictures, prompt_of
from .readers import Messages, RowsConfig, open_rows
from .readers.row import text_of
from .scoring import exact_match, normalise, recall, relaxed_match, wilson_interval
from .seeing.evaluate import ReadEvalConfig
from .seeing.evaluate import run as run_reading

logger = logging.getLogger(__name__)

GREY = Image.new("RGB", (224, 224), (128, 128, 128))
QUESTIONS_AT_ONCE = 24  # packed into one row; longer rows cost more than they save
LONGEST = {False: 40, True: 160}  # tokens of an answer: short ones, descriptions


class SuiteConfig(RunConfig):
    """Questions of one origin: a family's unseen pictures, a known set, or rows of one's own."""

    name: str
    family: str | None = None
    pictures: int = Field(400, gt=0)  # of a family
    easy_vqa: bool = False  # the 9,673 test questions of the PyPI package easy-vqa
    photographs: bool = False  # those that packages bundle
    transfer: Path | None = None  # the folder that `vlm data transfer` built
    every: int = Field(1, gt=0)  # of that only every so many-th picture
    data: RowsConfig | None = None  # rows of one's own; their last answers are expected
    metric: Metric = "exact"  # of rows of one's own
    max_tokens: int = Field(32, gt=0)  # of an answer to one of them
    limit: int | None = Field(None, gt=0)  # only so many questions
    hints: bool = True  # whether a model that uses them gets them (vlm/hints)

    @model_validator(mode="after")
    def _one_origin(self) -> "SuiteConfig":
        origins = [self.family is not None, self.easy_vqa, self.photographs, self.transfer is not None]
        if [*origins, self.data is not None].count(True) != 1:
            raise ValueError("a suite has one of `family`, `easy_vqa`, `photographs`, `transfer` and `data`")
        if self.data is not None and (self.data.path is None) == (self.data.dataset is None):
            raise ValueError("`data` of a suite has either `path` or `dataset`")
        return self


class EvalConfig(RunConfig):
    """What is measured, of which model."""

    model: str
    output_dir: Path
    instruction: str  # stands after every question that wants a short answer
    suites: tuple[SuiteConfig, ...] = Field(min_length=1)


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


def family_items(suite: SuiteConfig, instruction: str) -> Iterator[tuple[Image.Image, list[Item]]]:
    """Pictures of the family's test split, each with its questions."""
    assert suite.family is not None
    for seed in range(suite.pictures):
        sample = draw(suite.family, seed, "test")
        yield (
            sample.image,
            [
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
            ],
        )


def easy_vqa_items(suite: SuiteConfig, instruction: str) -> Iterator[tuple[Image.Image, list[Item]]]:
    """The test pictures of easy-VQA (https://github.com/vzhou842/easy-VQA), each with its questions."""
    try:
        from easy_vqa import get_test_image_paths, get_test_questions
    except ImportError:
        raise PartNotFoundError("the easy-VQA suite needs its data: run pip install easy-vqa==1.0") from None
    paths = get_test_image_paths()
    rows = sorted(zip(*get_test_questions(), strict=True), key=lambda row: row[2])
    for picture, questions in groupby(rows, key=lambda row: row[2]):
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
        yield open_image(Path(paths[picture])), items


def transfer_items(suite: SuiteConfig, instruction: str) -> Iterator[tuple[Image.Image, list[Item]]]:
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
        yield open_image(suite.transfer / name), items


def photograph_items(suite: SuiteConfig, instruction: str) -> Iterator[tuple[Image.Image, list[Item]]]:
    """What is the main thing in each of the photographs that packages bundle?"""
    for path, words in photographs():
        item = Item(suite.name, path.name, "photograph", QUESTION, " / ".join(words), (), yes_no=False)
        yield open_image(path), [item]


def ask_all(assistant: Assistant, image: Image.Image, items: list[Item], hints: bool) -> list[str]:
    """The answers to `items` about one picture."""
    answers: dict[int, str] = {}
    for described in (False, True):
        chosen = [i for i, item in enumerate(items) if bool(item.elements) == described]
        for start in range(0, len(chosen), QUESTIONS_AT_ONCE):
            part = chosen[start : start + QUESTIONS_AT_ONCE]
            contents = [[{"type": "image", "image": image}, {"type": "text", "text": items[i].prompt}] for i in part]
            conversations = [hinted(assistant, [{"role": "user", "content": content}], hints) for content in contents]
            texts = answer_together(assistant.model, assistant.processor, conversations, LONGEST[described])
            answers |= dict(zip(part, texts, strict=True))
    return [answers[i] for i in range(len(items))]


def hinted(assistant: Assistant, messages: Messages, hints: bool) -> Messages:
    """The conversation as the model gets it."""
    return assistant.with_hints(GenerationRequest(messages=messages, hints="on" if hints else "off")).messages


def _items_of(suite: SuiteConfig) -> Callable[[SuiteConfig, str], Iterator[tuple[Image.Image, list[Item]]]]:
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


def run_suite(assistant: Assistant, suite: SuiteConfig, instruction: str) -> list[Item]:
    """Ask everything with its picture, then every different question once about a grey one."""
    pictures = list(_items_of(suite)(suite, instruction))
    total = sum(len(items) for _, items in pictures)
    done: list[Item] = []
    with tqdm(total=min(total, suite.limit or total), desc=suite.name, unit="question", dynamic_ncols=True) as progress:
        for image, items in pictures:
            asked = items[: (suite.limit or total) - len(done)]
            for item, answer in zip(asked, ask_all(assistant, image, asked, suite.hints) if asked else [], strict=True):
                item.answer = answer
            done += asked
            progress.update(len(asked))
    different = list({item.prompt: item for item in done}.values())
    blind: dict[str, str] = {}
    for start in tqdm(range(0, len(different), QUESTIONS_AT_ONCE), f"{suite.name}, blind", dynamic_ncols=True):
        part = different[start : start + QUESTIONS_AT_ONCE]
        blind |= dict(zip((item.prompt for item in part), ask_all(assistant, GREY, part, hints=False), strict=True))
    for item in done:
        item.answer_blind = blind[item.prompt]
        item.score, item.score_blind = (worth(suite, item, text) for text in (item.answer, item.answer_blind))
    return done


def run_own_suite(assistant: Assistant, suite: SuiteConfig, instruction: str) -> list[Item]:
    """Ask the last question of every row with its pictures, and with grey ones."""
    assert suite.data is not None
    done: list[Item] = []
    blind: dict[str, str] = {}
    for row, seen, hidden in asked_rows(open_rows(suite.data), instruction, GREY, suite.limit):
        expected, prompt = text_of(row.messages[-1]), prompt_of(row, instruction)
        right = row.answers or (expected,)
        is_yes_no = normalise(expected) in ("yes", "no")
        item = Item(suite.name, name_of_pictures(row), row.type, prompt, expected, (), is_yes_no, suite.metric, right)
        shown = hinted(assistant, seen, suite.hints)
        item.answer, *_ = answer_together(assistant.model, assistant.processor, [shown], suite.max_tokens)
        key = json.dumps([(message["role"], text_of(message)) for message in hidden])
        if key not in blind:
            blind[key], *_ = answer_together(assistant.model, assistant.processor, [hidden], suite.max_tokens)
        item.answer_blind = blind[key]
        item.score, item.score_blind = (
            score(suite.metric, answer, right, prompt) for answer in (item.answer, item.answer_blind)
        )
        done.append(item)
    return done


def table(items: list[Item]) -> str:
    """Markdown: one row a suite, one for its questions that are not yes/no, and one a type."""
    lines = ["| suite | questions | score | 95 % interval | blind |", "|---|---|---|---|---|"]
    for suite, of_suite in _groups(items, lambda item: item.suite):
        rows = [(suite, of_suite), (f"{suite}: not yes/no", [item for item in of_suite if not item.yes_no])]
        rows += [(f"{suite}: {type_}", of_type) for type_, of_type in _groups(of_suite, lambda item: item.type)]
        for name, chosen in rows:
            blind = sum(item.score_blind for item in chosen) / max(1, len(chosen))
            for found in _measures(chosen) if chosen else ():
                shown = name if found.name in ("exact", "") else f"{name} ({found.name})"
                lines.append(
                    f"| {shown} | {len(chosen)} | {found.value:.1%} | {found.low:.1%} - {found.high:.1%} |"
                    f" {blind:.1%} |".replace("%", " %")
                )
    return "\n".join(lines) + "\n"


def _measures(items: list[Item]) -> list[Measure]:
    references = [item.answers or (item.expected,) for item in items]
    if items[0].metric == "exact":  # descriptions among them are graded: Wilson's interval is on the safe side
        mean = sum(item.score for item in items) / len(items)
        return [Measure("exact", mean, *wilson_interval(mean, len(items)))]
    return measures(items[0].metric, [item.score for item in items], [item.answer for item in items], references)


def _groups(items, key):
    return [(name, list(group)) for name, group in groupby(sorted(items, key=key), key=key)]


def main(argv: list[str] | None = None) -> int:
    if "--compare" in (sys.argv[1:] if argv is None else argv):
        return compare.main(sys.argv[1:] if argv is None else argv)
    return run_command("eval", __doc__, ((EvalConfig, run), (ReadEvalConfig, run_reading)), argv)


def run(config: EvalConfig) -> None:
    assistant = load(config.model)
    # The very weights that are stored, multiplied in fp32: the packed kernels are made for few rows at a time.
    dequantize_(assistant.model.language_model)
    started = time.monotonic()
    items = []
    for suite in config.suites:
        items += (run_suite if suite.data is None else run_own_suite)(assistant, suite, config.instruction)
    config.output_dir.mkdir(parents=True, exist_ok=True)
    with (config.output_dir / "predictions.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(item)) + "\n" for item in items)
    report = table(items)
    (config.output_dir / "table.md").write_text(report, encoding="utf-8")
    print(report)
    logger.info(
        "%d questions in %.0f s; every answer is in %s", len(items), time.monotonic() - started, config.output_dir
    )


if __name__ == "__main__":
    sys.exit(main())
