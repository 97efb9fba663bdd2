"""Builds the transfer set: `vlm data transfer --out FOLDER`.

The folder holds images/*.png; transfer.jsonl, a line per picture with its source, its truth and its questions (read
with train.transfer.truth.read); and data.jsonl, the same questions in the messages format, for vlm eval and vlm data
show.
"""

import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random

from PIL import Image
from tqdm import tqdm

from train.data_engine.dataset import LINES as MESSAGES
from train.data_engine.dataset import DatasetError, conversation

from . import (
    charts_questions,
    graphs_questions,
    graphviz_graphs,
    matplotlib_charts,
    tables_sklearn,
    tables_vega,
    vega_charts,
)
from .balance import Balance
from .charts_truth import DrawnChart
from .tables import FORMS, Form, Points, Table, choose
from .truth import LINES, Picture, Renderer, Source

PACKAGES = ("matplotlib", "vl_convert", "vega_datasets", "sklearn")
CHARTS: dict[Renderer, Callable[[Form, Table | Points, Random], DrawnChart | None]] = {
    "matplotlib": matplotlib_charts.draw,
    "vega-lite": vega_charts.draw,
}
COUNTS: dict[Renderer, int] = {
    "matplotlib": 143,
    "vega-lite": 143,
    "graphviz": 150,
}  # each a multiple of its number of forms


def build(out: Path, counts: Mapping[Renderer, int] = COUNTS) -> tuple[int, int]:
    """Writes the set to a folder that is not there yet; returns how many pictures and questions it has.

    All is written beside it first and renamed at the end, so that a folder that is there is complete.
    """
    if out.exists():
        raise DatasetError(f"{out} exists already: choose another folder for --out, or remove this one")
    require_renderers()
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        pictures = list(_write(unfinished, counts))
        with (unfinished / LINES).open("w", encoding="utf-8") as lines:
            lines.writelines(picture.model_dump_json() + "\n" for picture in pictures)
        questions = [(question, picture.file) for picture in pictures for question in picture.questions]
        with (unfinished / MESSAGES).open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(conversation(*asked)) + "\n" for asked in questions)
        unfinished.chmod(0o755)  # mkdtemp keeps its folders private
        os.rename(unfinished, out)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return len(pictures), len(questions)


def require_renderers() -> None:
    """Says what is missing, and what brings it."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise DatasetError(f"the transfer set needs {', '.join(missing)}: pip install 'regard[transfer]'")
    if not all(map(shutil.which, ("dot", "neato", "circo", "fdp"))):
        raise DatasetError("the transfer set needs Graphviz (the command dot): apt-get install graphviz")


def _write(folder: Path, counts: Mapping[Renderer, int]) -> Iterator[Picture]:
    """Draws and saves every picture."""
    (folder / "images").mkdir()
    balance, total = Balance(), sum(counts.values())
    for image, picture in tqdm(draw(counts, balance), "transfer", total=total, unit="picture", dynamic_ncols=True):
        image.save(folder / picture.file)
        yield picture


def draw(counts: Mapping[Renderer, int], balance: Balance) -> Iterator[tuple[Image.Image, Picture]]:
    """The pictures with what is known of them, one renderer after the other."""
    tables = [*tables_vega.tables(), *tables_sklearn.tables()]
    points = [*tables_vega.points(), *tables_sklearn.points()]
    for renderer, count in counts.items():
        for number in range(count):
            rng, asking = (Random(f"transfer/{renderer}/{number}/{part}") for part in ("picture", "questions"))
            file = f"images/{renderer}-{number:03d}.png"
            if renderer == "graphviz":
                graph = graphviz_graphs.draw(graphviz_graphs.FORMS[number % len(graphviz_graphs.FORMS)], rng)
                source = Source(renderer=renderer, style=graph.style, data=graph.topic)
                asked = graphs_questions.ask(graph.truth, balance, asking)
                yield (
                    graph.image,
                    Picture(file=file, source=source, family="graphs", truth=graph.truth, questions=asked),
                )
            else:
                form = FORMS[number % len(FORMS)]
                chart = None
                while chart is None:
                    table = choose(form, tables, points, rng)
                    chart = CHARTS[renderer](form, table, rng)
                source = Source(renderer=renderer, style=chart.style, data=table.source)
                asked = charts_questions.ask(chart.truth, balance, asking)
                yield (
                    chart.image,
                    Picture(file=file, source=source, family="charts", truth=chart.truth, questions=asked),
                )
