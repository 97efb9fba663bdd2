"""Measure a model: one table, and every prompt with its raw answers in a file.

vlm eval configs/eval/mini.yaml
vlm eval configs/eval/read.yaml
vlm eval configs/eval/mini.yaml adapter=runs/own/step-000100 output_dir=runs/eval-own
vlm eval --compare runs/eval-mini runs/eval-own

Each question is asked twice: with its picture, and blind, with a grey picture in its place and no hints. What the model
can answer without looking does not show that it sees.
"""

import json
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Literal

from PIL import Image
from pydantic import Field
from tqdm import tqdm

from vlm.answers import GenerationRequest
from vlm.loading import Assistant, load
from vlm.perception import Perceived, with_hints
from vlm.run_config import ConfigError, RunConfig

from . import compare
from .as_read import as_read
from .asking import Asker, first_ones_ahead
from .command import run_command
from .intervals import Measure, measures
from .metrics import score
from .own_suite import asked_rows, name_of_pictures, prompt_of
from .plain_chat import compare_chat
from .readers import Messages, open_rows
from .readers.row import text_of
from .scoring import normalise, wilson_interval
from .seeing.evaluate import ReadEvalConfig
from .seeing.evaluate import run as run_reading
from .suites import Asked, Item, SuiteConfig, Way, items_of, worth
from .timing import time_charts

logger = logging.getLogger(__name__)

GREY = Image.new("RGB", (224, 224), (128, 128, 128))
WAYS: dict[Way, str] = {
    "hints": "with hints", "words": "without structure", "none": "without hints", "truth": "with true hints",
    "spoilt": "with hints that have mistakes",
}  # fmt: skip
LONGEST = {False: 40, True: 160}  # tokens of an answer: short ones, descriptions


class EvalConfig(RunConfig):
    """What is measured, of which model."""

    model: str
    adapter: str | None = None  # a folder that `vlm train` has written, to put on top of the model
    quantization: str | None = None  # of the language model; None: as the model is kept
    device: Literal["cpu", "cuda", "mps"] = "cpu"
    output_dir: Path
    instruction: str  # stands after every question that wants a short answer
    suites: tuple[SuiteConfig, ...] = Field(min_length=1)
    whole: bool = False  # ask about all pictures: `every` of the suites is not heeded
    timed: int = Field(0, ge=0)  # charts whose answers are timed, one by one, as a warm server gives them
    chat: bool = False  # whether it is compared, in talk without pictures, with the language model that it is made of


def run_suite(assistant: Assistant, asker: Asker, suite: SuiteConfig, instruction: str) -> list[Item]:
    """Ask everything with its picture, then every different question once about a grey one."""
    pictures, left = [], suite.limit
    for asked in items_of(suite)(suite, instruction):
        items = asked.items if left is None else asked.items[:left]
        left = None if left is None else left - len(items)
        pictures += [replace(asked, items=items)] if items else []
    done = [item for asked in pictures for item in asked.items]
    ask_in_all_ways(assistant, asker, suite, pictures)
    different = list({item.prompt: item for item in done}.values())
    requests = ((item.prompt, _request(GREY, item)) for item in different)
    progress = tqdm(asker.answer(requests), f"{suite.name}, blind", len(different), dynamic_ncols=True)
    blind = dict(progress)
    for item in done:
        item.answer_blind = blind[item.prompt]
        item.score, item.score_blind = (worth(suite, item, text) for text in (item.answer, item.answer_blind))
        item.other_scores = {way: worth(suite, item, text) for way, text in item.other_answers.items()}
    return done


def ask_in_all_ways(assistant: Assistant, asker: Asker, suite: SuiteConfig, pictures: list[Asked]) -> None:
    """Fill in what the model answers with its hints and, if it uses any, in the other ways of the suite."""
    ways: tuple[Way, ...] = ("hints", *suite.also) if assistant.perception and suite.hints else ("none",)
    groups = ([(asked, way, item) for item in asked.items] for asked in pictures for way in ways)
    total = len(ways) * sum(len(asked.items) for asked in pictures)
    waiting: dict[int, tuple[Way, Item]] = {}

    def requests() -> Iterator[tuple[int, GenerationRequest]]:
        for number, (asked, way, item) in enumerate(first_ones_ahead(groups)):
            waiting[number] = way, item
            yield number, hinted(assistant, asked, item, way)

    for number, text in tqdm(asker.answer(requests()), suite.name, total, unit="answer", dynamic_ncols=True):
        way, item = waiting.pop(number)
        if way == ways[0]:
            item.answer = text
        else:
            item.other_answers[way] = text


def _request(image: Image.Image, item: Item) -> GenerationRequest:
    content = [{"type": "image", "image": image}, {"type": "text", "text": item.prompt}]
    return GenerationRequest([{"role": "user", "content": content}], max_new_tokens=LONGEST[bool(item.elements)])


def hinted(assistant: Assistant, asked: Asked, item: Item, way: Way) -> GenerationRequest:
    """A question as the model gets it, with the hints that it is to have."""
    request = _request(asked.image, item)
    if way == "none" or assistant.perception is None:
        return request
    count, see = assistant.processor.count_tokens, partial(assistant.perception.see, glance=True)
    if way in ("truth", "spoilt"):
        right, wrong = (_as_read(asked, item, spoilt) for spoilt in (False, True))
        messages = with_hints(request.messages, lambda _: right, count)
        spoilt = with_hints(request.messages, lambda _: wrong, count)
        item.spoilt_differs = _said(messages) != _said(spoilt)
        return replace(request, messages=messages if way == "truth" else spoilt)
    seen = see if way == "hints" else lambda image: _without_structure(see(image))
    return replace(request, messages=with_hints(request.messages, seen, count))


def _as_read(asked: Asked, item: Item, spoilt: bool) -> Perceived:
    assert asked.truth is not None
    family = item.picture.partition("/")[0]
    return Perceived(as_read(asked.truth, family, Random(item.picture), spoilt), ())


def _without_structure(perceived: Perceived) -> Perceived:
    return replace(perceived, reading=perceived.reading.model_copy(update={"structure": None, "family": "none"}))


def _said(messages: Messages) -> list[str]:
    return [part.get("hint", "") + part.get("text", "") for message in messages for part in message["content"]]


def run_own_suite(assistant: Assistant, asker: Asker, suite: SuiteConfig, instruction: str) -> list[Item]:
    """Ask the last question of every row with its pictures, and with grey ones."""
    assert suite.data is not None
    done: list[Item] = []
    blind: dict[str, str] = {}
    for row, seen, hidden in asked_rows(open_rows(suite.data), instruction, GREY, suite.limit):
        expected, prompt = text_of(row.messages[-1]), prompt_of(row, instruction)
        right = row.answers or (expected,)
        is_yes_no = normalise(expected) in ("yes", "no")
        item = Item(suite.name, name_of_pictures(row), row.type, prompt, expected, (), is_yes_no, suite.metric, right)
        shown = GenerationRequest(seen, max_new_tokens=suite.max_tokens, hints="auto" if suite.hints else "off")
        ((_, item.answer),) = asker.answer([(0, assistant.with_hints(shown))])
        key = json.dumps([(message["role"], text_of(message)) for message in hidden])
        if key not in blind:
            ((_, blind[key]),) = asker.answer([(0, GenerationRequest(hidden, max_new_tokens=suite.max_tokens))])
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
        for way in dict.fromkeys(way for item in of_suite for way in item.other_scores):
            rows += [
                (f"{name}, {WAYS[way]}", [replace(item, score=item.other_scores[way]) for item in some])
                for name, some in rows[:2]
            ]
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


def harm(items: list[Item]) -> list[str]:
    """Of answers that were right with true hints, how many became wrong where the hints said something wrong."""
    lines = []
    for way in ("truth", "none"):
        right = [
            item for item in items if item.spoilt_differs and "spoilt" in item.other_scores
            and item.other_scores.get(way) == 1
        ]  # fmt: skip
        if right:
            share = sum(item.other_scores["spoilt"] < 1 for item in right) / len(right)
            low, high = wilson_interval(share, len(right))
            lines.append(
                f"Of {len(right)} answers that were right {WAYS[way]}, wrong ones made {share:.1%} wrong"
                f" ({low:.1%} - {high:.1%}).\n".replace("%", " %")
            )
    return lines


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
    return run_command("vlm eval", __doc__, ((EvalConfig, run), (ReadEvalConfig, run_reading)), argv)


def run(config: EvalConfig) -> None:
    for suite in config.suites:
        if suite.transfer is not None and not (suite.transfer / "data.jsonl").is_file():
            raise ConfigError(
                f"suite {suite.name!r}: there is no transfer set in {suite.transfer}. Run"
                f" `vlm data transfer --out {suite.transfer}` first, or name its folder in `transfer`"
            )
    assistant = load(config.model, quantization=config.quantization, device=config.device, adapter=config.adapter)
    started = time.monotonic()
    lines = [time_charts(assistant, config.timed)] if config.timed else []
    lines += [compare_chat(assistant)] if config.chat else []
    asker, items = Asker(assistant), list[Item]()
    config.output_dir.mkdir(parents=True, exist_ok=True)
    with (config.output_dir / "predictions.jsonl").open("w", encoding="utf-8") as file:
        for suite in config.suites:
            suite = suite.model_copy(update={"every": 1}) if config.whole else suite
            found = (run_suite if suite.data is None else run_own_suite)(assistant, asker, suite, config.instruction)
            file.writelines(json.dumps(asdict(item)) + "\n" for item in found)
            file.flush()  # what is asked later may fail
            items += found
    report = "\n".join([table(items), *harm(items), *lines])
    (config.output_dir / "table.md").write_text(report, encoding="utf-8")
    print(report)
    logger.info(
        "%d questions in %.0f s; every answer is in %s", len(items), time.monotonic() - started, config.output_dir
    )


if __name__ == "__main__":
    sys.exit(main())
