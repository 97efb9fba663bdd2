"""Measure `vlm read`: real OCR, unseen pictures, one table, every prediction kept.

vlm eval configs/eval/read.yaml
vlm eval configs/eval/read.yaml pictures.charts=50 transfer=null

Pictures are drawn by the test split (its fonts, palettes and layouts were never trained on); those of the transfer set
by other programs (`vlm data transfer`).
"""

import json
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from statistics import median

import torch
from PIL import Image
from pydantic import Field
from tqdm import tqdm

from vlm.images import open_image
from vlm.reading import Reader, load_reader
from vlm.reading.weights import load_weights
from vlm.run_config import RunConfig
from vlm.structure import Chart, Graph, Notice, Parts, Reading, Scene, Structure, Table

from ..data_engine import draw
from ..scoring import wilson_interval
from ..transfer.truth import ChartTruth, GraphTruth
from ..transfer.truth import read as read_transfer
from .config import NOTHING
from .nothing import draw_nothing
from .scores import (
    Counts,
    Judgement,
    TrueChart,
    calibration_error,
    f1,
    judge_chart,
    judge_notice,
    judge_parts,
    judge_scene,
    judge_table,
    match_edges,
    match_points,
    true_chart,
)
from .sheet import contact_sheet

logger = logging.getLogger(__name__)

RESAMPLES = 500  # of the pictures, for the intervals of F1
TIMED, TIMED_SIZE = 8, (800, 600)  # charts, and their size, by which the speed is told


class ReadEvalConfig(RunConfig):
    """What is read and compared with its truth."""

    reader: Path | None = None  # a checkpoint of `vlm train configs/train/scene.yaml`; None: the package's
    output_dir: Path
    pictures: dict[str, int] = Field(min_length=1)  # of each family's test split
    transfer: Path | None = None  # the folder that `vlm data transfer` built
    every: int = Field(1, gt=0)  # of the transfer set only every so many-th picture


@dataclass
class Item:
    """One picture, and what came of it."""

    suite: str
    picture: str
    family: str
    family_read: str
    family_sure: float  # how sure the reader was of it
    row: str  # of the table: "bar", "grouped", "edges", ...
    seconds: float
    judged: list[Judgement] = field(default_factory=list)
    counts: Counts | None = None
    reading: str = ""

    @property
    def named(self) -> Judgement:
        """Whether its family was told right."""
        return Judgement(self.family == self.family_read, self.family_sure)

    @property
    def score(self) -> float:
        if self.counts is not None:
            return f1([self.counts])
        return sum(one.right for one in self.judged) / len(self.judged) if self.judged else 1.0


@torch.inference_mode()
def judge(suite: str, name: str, family: str, image: Image.Image, truth: object, reader: Reader) -> Item:
    started = time.monotonic()
    reading = reader.read(image)
    row = row_of(family, truth)
    item = Item(suite, name, family, reading.family, reading.confidence, row, time.monotonic() - started)
    item.reading = reading.model_dump_json()
    _compare(item, truth, reading.structure)
    return item


def row_of(family: str, truth: object) -> str:
    """What the table calls pictures with such a truth."""
    if isinstance(truth, Graph | GraphTruth):
        return "edges"
    if isinstance(truth, Chart | ChartTruth):
        true = true_chart(truth) if isinstance(truth, Chart) else transfer_chart(truth)
        return "grouped" if true.grouped else "stacked" if true.stacked else true.kind
    return family


def _compare(item: Item, truth: object, read: Structure | None) -> None:
    chart = read if isinstance(read, Chart) else None
    if isinstance(truth, Chart | ChartTruth):
        true = true_chart(truth) if isinstance(truth, Chart) else transfer_chart(truth)
        if true.kind == "scatter":
            item.counts, item.judged = match_points(true, chart)
        else:
            item.judged = judge_chart(true, chart)
    elif isinstance(truth, Graph | GraphTruth):
        texts, edges, directed = graph_parts(truth)
        item.counts, item.judged = match_edges(texts, edges, directed, read if isinstance(read, Graph) else None)
    elif isinstance(truth, Table):
        item.judged = judge_table(truth, read if isinstance(read, Table) else None)
    elif isinstance(truth, Parts):
        item.judged = judge_parts(truth, read if isinstance(read, Parts) else None)
    elif isinstance(truth, Notice):
        item.judged = judge_notice(truth, read if isinstance(read, Notice) else None)
    elif isinstance(truth, Scene):
        item.judged = judge_scene(truth, read if isinstance(read, Scene) else None)


def transfer_chart(truth: ChartTruth) -> TrueChart:
    values = {
        (category, name): value
        for name, row in zip(truth.series, truth.values, strict=False)
        for category, value in zip(truth.categories, row, strict=True)
    }
    points = tuple((name, x, y) for name, row in zip(truth.series, truth.points, strict=False) for x, y in row)
    low, high = truth.value_range or (0.0, 100.0)
    x_low, x_high = truth.x_range or (0.0, 1.0)
    many = truth.kind == "bar" and len(truth.series) > 1
    return TrueChart(
        truth.kind, many and not truth.stacked, many and truth.stacked, values, points, high - low, x_high - x_low
    )


def graph_parts(truth: Graph | GraphTruth) -> tuple[list[str], list[tuple[int, int]], bool]:
    if isinstance(truth, GraphTruth):
        return list(truth.nodes), list(truth.edges), truth.directed
    edges = [(edge.source, edge.target) for edge in truth.edges]
    return [node.text for node in truth.nodes], edges, all(edge.directed for edge in truth.edges)


def own_pictures(config: ReadEvalConfig) -> Iterator[tuple[str, str, str, Image.Image, object]]:
    for family, number in config.pictures.items():
        for seed in range(number):
            if family == NOTHING:
                yield "own", f"nothing/{seed}", NOTHING, draw_nothing(Random(f"nothing/test/{seed}")), None
            else:
                sample = draw(family, seed, "test")
                yield "own", f"{family}/test/{seed}", family, sample.image, sample.truth


def transfer_pictures(config: ReadEvalConfig) -> Iterator[tuple[str, str, str, Image.Image, object]]:
    if config.transfer is not None:
        for picture in read_transfer(config.transfer)[:: config.every]:
            image = open_image(config.transfer / picture.file)
            yield f"transfer ({picture.source.renderer})", picture.file, picture.family, image, picture.truth


def time_charts(reader: Reader) -> dict[str, list[float]]:
    """Seconds for each of some charts of 800 x 600 pixels: with the words given, and with OCR."""
    times: dict[str, list[float]] = {"network alone": [], "with OCR": []}
    for seed in range(TIMED + 1):
        image = draw("charts", seed, "test").image.resize(TIMED_SIZE)
        started = time.monotonic()
        words = reader.read(image).words
        read = time.monotonic()
        reader.read(image, words)
        if seed:  # the first one loads what it needs
            times["with OCR"].append(read - started)
            times["network alone"].append(time.monotonic() - read)
    return times


def table(items: list[Item], times: dict[str, list[float]]) -> str:
    """Markdown: what was asked for, how many pictures and elements, the score with its interval, the calibration.

    Then what a chart of 800 x 600 pixels takes, the median of `times`.
    """
    lines = ["| set | what | pictures | elements | score | 95 % interval | calibration error |", "|" + "---|" * 7]
    for suite in sorted({item.suite for item in items}):
        own = [item for item in items if item.suite == suite]
        rows = [("chart values", [i for i in own if i.family == "charts" and i.counts is None])]
        rows += [(row, [i for i in own if i.row == row]) for row in dict.fromkeys(i.row for i in own)]
        for name, chosen in rows:
            judged = [one for item in chosen for one in item.judged]
            counts = [item.counts for item in chosen if item.counts is not None]
            if not chosen or not (judged or counts):
                continue
            size = sum(c.true for c in counts) if counts else len(judged)
            score = f1(counts) if counts else sum(one.right for one in judged) / len(judged)
            low, high = _f1_interval(counts) if counts else _interval(chosen)
            error = calibration_error(judged)
            lines.append(
                f"| {suite} | {name}{' (F1)' if counts else ''} | {len(chosen)} | {size} | {100 * score:.1f} % |"
                f" {100 * low:.1f} % - {100 * high:.1f} % | {error:.3f} |"
            )
        named = [item.named for item in own]
        score = sum(one.right for one in named) / len(named)
        low, high = wilson_interval(score, len(named))
        lines.append(
            f"| {suite} | family | {len(own)} | {len(own)} | {100 * score:.1f} % |"
            f" {100 * low:.1f} % - {100 * high:.1f} % | {calibration_error(named):.3f} |"
        )
    for name, taken in times.items():
        width, height = TIMED_SIZE
        lines.append(f"| time | {width} x {height} chart, {name} | {len(taken)} | | {median(taken):.2f} s | | |")
    lines.append(f"\nMedian time for a picture: {median(item.seconds for item in items):.2f} s.")
    return "\n".join(lines) + "\n"


def _interval(items: list[Item]) -> tuple[float, float]:
    """Of a share, over resampled pictures: what stands in one picture is right or wrong together."""
    return _bootstrap([(sum(one.right for one in item.judged), len(item.judged)) for item in items])


def _f1_interval(counts: list[Counts]) -> tuple[float, float]:
    return _bootstrap([(2 * c.both, c.true + c.read) for c in counts])


def _bootstrap(parts: list[tuple[int, int]]) -> tuple[float, float]:
    """The 95 % interval of a ratio of sums (Efron 1979)."""
    rng, found = Random(0), []
    for _ in range(RESAMPLES):
        drawn = rng.choices(parts, k=len(parts))
        found.append(sum(one for one, _ in drawn) / max(1, sum(all_ for _, all_ in drawn)))
    found.sort()
    return found[math.floor(0.025 * RESAMPLES)], found[math.ceil(0.975 * RESAMPLES) - 1]


def run(config: ReadEvalConfig) -> None:
    reader = load_reader() if config.reader is None else Reader(*load_weights(config.reader))
    config.output_dir.mkdir(parents=True, exist_ok=True)
    total = sum(config.pictures.values())
    if config.transfer is not None:
        total += len(read_transfer(config.transfer)[:: config.every])
    items: list[Item] = []
    worst: list[tuple[float, Image.Image, Reading, str]] = []
    with (config.output_dir / "predictions.jsonl").open("w", encoding="utf-8") as file:
        pictures = (one for source in (own_pictures, transfer_pictures) for one in source(config))
        for suite, name, family, image, truth in tqdm(pictures, "reading", total, unit="picture", dynamic_ncols=True):
            item = judge(suite, name, family, image, truth, reader)
            items.append(item)
            file.write(json.dumps(asdict(item) | {"score": item.score}) + "\n")
            if item.score < 1 or item.family != item.family_read:
                reading = Reading.model_validate_json(item.reading)
                worst.append((item.score, image, reading, f"{name}: {item.score:.2f}"))
                worst = sorted(worst, key=lambda one: one[0])[:64]
    contact_sheet([one[1:] for one in worst]).save(config.output_dir / "worst.png")
    report = table(items, time_charts(reader))
    (config.output_dir / "table.md").write_text(report, encoding="utf-8")
    print(report)
    logger.info("every reading is in %s, the worst ones on worst.png there", config.output_dir)
