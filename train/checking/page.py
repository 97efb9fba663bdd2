"""The report of a check as one HTML page that needs no other file: findings, histograms, and rows to look at."""

import base64
import html
import io
from collections import Counter
from random import Random

from ..readers import Problem, Reader, open_picture
from .check import sample_rows
from .report import KINDS, Report

SAMPLES = 24
LISTED = 50  # findings of a kind
BARS = 20
THUMBNAIL = 240
STYLE = """\
body { font: 15px/1.45 system-ui, sans-serif; color: #1c2430; max-width: 72em; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em; margin-bottom: .2em } h2 { font-size: 1.15em; margin: 2em 0 .6em } code { color: #555 }
.good { color: #17663a } .bad { color: #a32020 } .verdict { font-size: 1.1em; font-weight: 600 }
details { border: 1px solid #d8dde5; border-radius: 6px; padding: .5em .8em; margin: .4em 0 }
summary { cursor: pointer } summary b { display: inline-block; min-width: 4em } li { overflow-wrap: anywhere }
.charts, .rows { display: grid; gap: 1em; grid-template-columns: repeat(auto-fill, minmax(21em, 1fr)) }
.chart h3 { font-size: 1em; margin: 0 0 .4em } table { border-collapse: collapse; width: 100% }
td { padding: 1px 4px } td:first-child { text-align: right; max-width: 10em; overflow: hidden; white-space: nowrap;
text-overflow: ellipsis } td:nth-child(2) { width: 55% } .bar { background: #4878a8; height: .8em; min-width: 1px }
.rows article { border: 1px solid #d8dde5; border-radius: 6px; padding: .7em; overflow-wrap: anywhere }
.rows img { max-width: 100%; max-height: 12em; display: block; margin-bottom: .4em } .rows p { margin: .3em 0 }
.rows b { color: #234a78 } .shares td:first-child { text-align: left; max-width: none }"""


def make_page(report: Report, reader: Reader) -> str:
    """The page; all that comes from the data is escaped."""
    verdict, mood = "Nothing stands against training on it.", "good"
    if not report.is_usable:
        verdict, mood = f"{report.bad_rows} of {report.rows} rows are to be mended.", "bad"
    against = f", against <code>{_text(report.against)}</code>" if report.against else ""
    return "\n".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Data check: {_text(report.path)}</title><style>{STYLE}</style>",
            f"<h1>Data check</h1><p><code>{_text(report.path)}</code>{against}:"
            f" {report.rows} rows, {report.pictures} pictures, {report.seconds:.0f} s</p>",
            f'<p class="verdict {mood}">{verdict}</p>',
            _findings(report),
            _shares(report),
            "<h2>How it is distributed</h2><div class=charts>",
            _bars("most frequent answers", report.answers.most_common(BARS)),
            *(_bars(name, binned(counts)) for name, counts in report.histograms.items()),
            "</div>",
            _samples(report, reader),
            "</html>\n",
        ]
    )


def _text(value: object) -> str:
    return html.escape(str(value))


def _findings(report: Report) -> str:
    parts = ["<h2>What was found</h2>"]
    for kind, findings in report.by_kind().items():
        is_error, title = KINDS[kind]
        rows = [_text(f.message if f.row is None else f"{report.unit} {f.row}: {f.message}") for f in findings[:LISTED]]
        rows += [f"and {len(findings) - LISTED} more"] if len(findings) > LISTED else []
        count = f'<b class="{"bad" if is_error else ""}">{len(findings)}</b>'
        listed = "".join(f"<li>{row}</li>" for row in rows)
        parts.append(f"<details><summary>{count} {_text(title)}</summary><ul>{listed}</ul></details>")
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
    return f"<div class=chart><h3>{_text(title)}</h3><table>{rows}</table></div>"


def _bar(name: str, share: float, value: str) -> str:
    """A row of a chart: what it is, a bar of that share of the width, and the value."""
    bar = f'<div class=bar style="width:{share:.1%}"></div>'
    return f'<tr><td title="{_text(name)}">{_text(name)}</td><td>{bar}</td><td>{value}</td></tr>'


def _samples(report: Report, reader: Reader) -> str:
    """Rows drawn at random, the same ones each time."""
    wanted = sorted(Random(0).sample(range(len(reader)), min(SAMPLES, len(reader))))
    articles = []
    for number, pictures, questions in sample_rows(reader, wanted):
        images = "".join(_thumbnail(part, reader) for part in pictures)
        said = "".join(f"<p>{_text(question)}<br><b>{_text(answer)}</b></p>" for question, answer in questions)
        articles.append(f"<article>{images}<code>{_text(report.unit)} {number}</code>{said}</article>")
    return f"<h2>Rows to look at</h2><div class=rows>{''.join(articles)}</div>"


def _thumbnail(part: dict, reader: Reader) -> str:
    try:
        image = open_picture(part, reader.folder)
    except Problem as problem:
        return f"<p class=bad>{_text(problem)}</p>"
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return f'<img src="data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}" alt="">'
