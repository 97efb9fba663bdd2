"""The report of a check as HTML that needs no other file: findings, histograms, and rows to look at."""

from collections import Counter
from random import Random

from ..pages import escape, head, inline
from ..readers import Problem, Reader, open_picture
from .check import sample_rows
from .report import KINDS, Report

SAMPLES = 24
LISTED = 50  # findings of a kind
BARS = 20


def make_page(report: Report, reader: Reader) -> str:
    """A page of its own."""
    return f"{head(f'Data check: {report.path}')}<h1>Data check</h1>{sections(report, reader)}</html>\n"


def sections(report: Report, reader: Reader) -> str:
    """What stands on the page; all that comes from the data is escaped."""
    verdict, mood = "Nothing stands against training on it.", "good"
    if not report.is_usable:
        verdict, mood = f"{len(report.bad)} of {report.rows} rows are to be mended.", "bad"
    against = f", against <code>{escape(report.against)}</code>" if report.against else ""
    return "\n".join(
        [
            f"<p><code>{escape(report.path)}</code>{against}:"
            f" {report.rows} rows, {report.pictures} pictures, {report.seconds:.0f} s</p>",
            f'<p class="verdict {mood}">{verdict}</p>',
            _findings(report),
            _shares(report),
            "<h2>How it is distributed</h2><div class=charts>",
            _bars("most frequent answers", report.answers.most_common(BARS)),
            *(_bars(name, binned(counts)) for name, counts in report.histograms.items()),
            "</div>",
            _samples(report, reader),
        ]
    )


def _findings(report: Report) -> str:
    parts = ["<h2>What was found</h2>"]
    for kind, findings in report.by_kind().items():
        is_error, title = KINDS[kind]
        rows = [
            escape(f.message if f.row is None else f"{report.unit} {f.row}: {f.message}") for f in findings[:LISTED]
        ]
        rows += [f"and {len(findings) - LISTED} more"] if len(findings) > LISTED else []
        count = f'<b class="{"bad" if is_error else ""}">{len(findings)}</b>'
        listed = "".join(f"<li>{row}</li>" for row in rows)
        parts.append(f"<details><summary>{count} {escape(title)}</summary><ul>{listed}</ul></details>")
    return "\n".join(parts if len(parts) > 1 else [*parts, "<p>Nothing.</p>"])


def _shares(report: Report) -> str:
    parts = []
    for title, shares in (("these rows", report.blind), ("the test set", report.blind_against)):
        rows = "".join(
            _bar(f"by the most frequent answer of the {name}", share, f"{share:.1%}") for name, share in shares.items()
        )
        if rows:
            parts.append(f"<p>Answers of {title} that are right without a look at the picture</p>")
            parts.append(f"<table class=shares>{rows}</table>")
    return "<h2>Without the pictures</h2>" + "".join(parts) if parts else ""


def binned(counts: Counter[int]) -> list[tuple[str, int]]:
    """At most BARS bars over whole numbers; few different values stand for themselves."""
    if not counts:
        return []
    if len(counts) <= BARS:
        return [(str(value), counts[value]) for value in sorted(counts)]
    low, high = min(counts), max(counts)
    width = -(-(high - low + 1) // BARS)
    bins = Counter[int]()
    for value, count in counts.items():
        bins[(value - low) // width] += count
    return [(f"{low + i * width} - {low + (i + 1) * width - 1}", bins[i]) for i in range(max(bins) + 1)]


def _bars(title: str, bars: list[tuple[str, int]]) -> str:
    most = max((count for _, count in bars), default=1)
    rows = "".join(_bar(name, count / most, str(count)) for name, count in bars)
    return f"<div class=chart><h3>{escape(title)}</h3><table>{rows}</table></div>"


def _bar(name: str, share: float, value: str) -> str:
    """A row of a chart: what it is, a bar of that share of the width, and the value."""
    bar = f'<div class=bar style="width:{share:.1%}"></div>'
    return f'<tr><td title="{escape(name)}">{escape(name)}</td><td>{bar}</td><td>{value}</td></tr>'


def _samples(report: Report, reader: Reader) -> str:
    """Rows drawn at random, the same ones each time."""
    wanted = sorted(Random(0).sample(range(len(reader)), min(SAMPLES, len(reader))))
    articles = []
    for number, pictures, questions in sample_rows(reader, wanted):
        images = "".join(_thumbnail(part, reader) for part in pictures)
        said = "".join(f"<p>{escape(question)}<br><b>{escape(answer)}</b></p>" for question, answer in questions)
        articles.append(f"<article>{images}<code>{escape(report.unit)} {number}</code>{said}</article>")
    return f"<h2>Rows to look at</h2><div class=rows>{''.join(articles)}</div>"


def _thumbnail(part: dict, reader: Reader) -> str:
    try:
        image = open_picture(part, reader.folder)
    except Problem as problem:
        return f"<p class=bad>{escape(problem)}</p>"
    return inline(image)
