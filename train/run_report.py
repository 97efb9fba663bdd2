"""A finished run as one HTML page: did it look, did it learn, what became better and worse, and what exactly it was."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import yaml
from PIL import Image

from vlm.processing_vlm import VlmProcessor

from .canary import verdict
from .checking.check import Limits, check
from .checking.page import make_page
from .config import TrainConfig
from .evaluate import Item
from .intervals import compare_paired, measures
from .pages import embedded, escape, head, inline
from .readers import open_rows

REPORT = "report.html"
SHOWN = 12  # rows that became better, and as many that became worse
CHECKED = 5000  # rows: of larger sets the report names the command that checks them
MOODS = {"looks": "good", "blind": "bad"}


@dataclass(frozen=True)
class Finished:
    """What a page is made of."""

    config: TrainConfig
    records: Sequence[dict[str, float]]  # of metrics.jsonl
    trained: dict[str, list[int]]  # weight -> shape
    before: Sequence[Item]  # may be empty, like `after`
    after: Sequence[Item]
    pictures: dict[str, list[Image.Image]]  # of a question, by the name of its pictures


def write_report(run: Finished, processor: VlmProcessor) -> Path:
    """`report.html` in the run's folder, and beside it the page of the data check of every small file."""
    kind, words = verdict(run.records, run.config)
    first, *more = words.split("\n")
    last = run.records[-1]
    folder = run.config.output_dir
    parts = [
        head(f"Training: {folder.name}"),
        f"<h1>Training</h1><p><code>{escape(folder)}</code>: {last['step']} steps from"
        f" <code>{escape(run.config.model)}</code>, last loss {last['loss']:.3g},"
        f" {last['memory_gb']:.2f} GB, {last['tokens_per_second']:.0f} tokens/s</p>",
        f'<p class="verdict {MOODS.get(kind, "")}">{escape(first)}</p>',
        *(f"<p>{escape(line)}</p>" for line in more),
        "<h2>Curves</h2>",
        embedded((folder / "curves.png").read_bytes(), "png"),
        _scores(run),
        _gallery(run, "became better", 1),
        _gallery(run, "became worse", -1),
        _data(run.config, processor),
        _trained(run),
        "<h2>The resolved config</h2><details><summary>config.yaml</summary><pre>",
        escape(yaml.safe_dump(run.config.model_dump(mode="json"), sort_keys=False)),
        "</pre></details></html>\n",
    ]
    path = folder / REPORT
    path.write_text("\n".join(parts), encoding="utf-8", errors="replace")
    return path


def _pairs(run: Finished) -> list[tuple[Item, Item]]:
    """The same question before and after."""
    before = {(item.picture, item.prompt): item for item in run.before}
    both = ((before.get((item.picture, item.prompt)), item) for item in run.after)
    return [(one, other) for one, other in both if one is not None]


def _scores(run: Finished) -> str:
    title = "<h2>Held-out questions, before and after</h2>"
    if not (pairs := _pairs(run)):
        return f"{title}<p>None were asked (report_questions, held_out).</p>"
    rows = [_score_row("all", pairs, run.config)]
    kinds = sorted(pairs, key=lambda pair: pair[1].type)
    for kind, some in groupby(kinds, key=lambda pair: pair[1].type):
        rows.append(_score_row(kind, list(some), run.config))
    names = ("answers", "questions", "before", "after", "95 % interval", "better", "worse", "p (paired)")
    header = "".join(f"<th>{name}</th>" for name in names)
    return (
        f"{title}<p>By <code>metric: {run.config.metric}</code>. Every question and answer is in before.jsonl and"
        f" after.jsonl.</p><table class=scores><tr>{header}</tr>{''.join(rows)}</table>"
    )


def _score_row(name: str, pairs: list[tuple[Item, Item]], config: TrainConfig) -> str:
    scores = [[item.score for item in items] for items in zip(*pairs, strict=True)]
    after = [item for _, item in pairs]
    found = [
        measures(config.metric, some, [item.answer for item in items], [item.answers for item in items])[0]
        for some, items in zip(scores, zip(*pairs, strict=True), strict=True)
    ]
    paired = compare_paired(*scores)
    cells = (
        name, len(after), f"{found[0].value:.1%}", f"{found[1].value:.1%}", f"{found[1].low:.1%} - {found[1].high:.1%}",
        paired.better, paired.worse, f"{paired.p_value:.2g}",
    )  # fmt: skip
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _gallery(run: Finished, title: str, sign: int) -> str:
    changed = [(one, other) for one, other in _pairs(run) if sign * (other.score - one.score) > 0]
    if not changed:
        return ""
    articles = []
    for one, other in changed[:SHOWN]:
        images = "".join(map(inline, run.pictures.get(other.picture, [])))
        articles.append(
            f"<article>{images}<p>{escape(other.prompt)}</p><p>before: {escape(one.answer)}<br>"
            f"after: <b>{escape(other.answer)}</b><br>"
            f"expected: {escape(' / '.join(dict.fromkeys(other.answers)))}</p></article>"
        )
    shown = f", the first {SHOWN}" if len(changed) > SHOWN else ""
    return f"<h2>{len(changed)} {title}{shown}</h2><div class=rows>{''.join(articles)}</div>"


def _data(config: TrainConfig, processor: VlmProcessor) -> str:
    parts = ["<h2>Data</h2>"]
    for number, source in enumerate(config.data, 1):
        if source.family is not None:
            parts.append(f"<p>drawn: {escape(source.family)}</p>")
            continue
        reader = open_rows(source)
        name = escape(reader.path)
        if len(reader) > CHECKED:
            parts.append(
                f"<p><code>{name}</code>: {len(reader)} rows. <code>vlm data check {name}</code> tells more.</p>"
            )
            continue
        limits = Limits(config.max_row_tokens, processor.max_images, lambda: processor)
        report = check(source, None, limits, workers=1)
        page = config.output_dir / f"data-check-{number}.html"
        page.write_text(make_page(report, reader), encoding="utf-8", errors="replace")
        parts.append(
            f'<pre>{escape(report.as_text())}</pre><p><a href="{page.name}">The check with rows to look at</a></p>'
        )
    return "\n".join(parts)


def _trained(run: Finished) -> str:
    weights = sum(math.prod(shape) for shape in run.trained.values())
    listed = "".join(f"<li><code>{escape(name)}</code> {shape}</li>" for name, shape in run.trained.items())
    return (
        f"<h2>What was trained</h2><details><summary><b>{len(run.trained)}</b> tensors, {weights:,} weights"
        f" (trainable.json)</summary><ul>{listed}</ul></details>"
    )
