"""A finished run as one HTML page: did it look, did it learn, what became better and worse, and what exactly it was."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import yaml
from PIL import Image

from .canary import verdict
from .checking.page import sections
from .checking.report import Report
from .config import TrainConfig
from .evaluate import Item
from .intervals import compare_paired, measures
from .pages import embedded, escape, head, inline
from .readers import open_rows

REPORT = "report.html"
SHOWN = 12  # rows that became better, and as many that became worse
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
    reports: Sequence[Report] = ()  # of the checks of the files among the config's sources


def write_report(run: Finished) -> Path:
    """`report.html` in the run's folder; it needs no other file."""
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
        _data(run),
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


def _data(run: Finished) -> str:
    """What the check before the first step has found, and how many rows the run went without."""
    parts, reports = ["<h2>Data</h2>"], iter(run.reports)
    for source in run.config.data:
        if source.family is not None:
            parts.append(f"<p>drawn: {escape(source.family)}</p>")
            continue
        report = next(reports)
        skipped = f", {len(report.bad)} of them left out (skip_bad)" if report.bad else ""
        summary = f"<code>{escape(report.path)}</code>: {report.rows} rows{skipped}, {report.pictures} pictures"
        page = sections(report, open_rows(source))
        parts.append(f"<details><summary>{summary}</summary><pre>{escape(report.as_text())}</pre>{page}</details>")
    return "\n".join(parts)


def _trained(run: Finished) -> str:
    weights = sum(math.prod(shape) for shape in run.trained.values())
    listed = "".join(f"<li><code>{escape(name)}</code> {shape}</li>" for name, shape in run.trained.items())
    return (
        f"<h2>What was trained</h2><details><summary><b>{len(run.trained)}</b> tensors, {weights:,} weights"
        f" (trainable.json)</summary><ul>{listed}</ul></details>"
    )
