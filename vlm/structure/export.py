"""A reading in the forms that other programs and people take: rows, CSV, aligned text, Markdown, JSON, Mermaid."""

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .base import Label, Structure
from .chart import Chart, Dot
from .chart_facts import placed_marks, series_names
from .graph import Graph
from .graph_facts import lone_nodes
from .mermaid import to_mermaid
from .notice import Notice
from .numbers import parse_number, write_number
from .parts import Parts
from .reading import Reading
from .scene import Scene
from .table import Table

UNSURE = "?"  # behind what is not sure, for people
MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\|`*_[]<>#~"})


class ExportError(ValueError):
    """A structure that has no such form."""


class Text(NamedTuple):
    """What stands in one place of the rows."""

    text: str
    is_sure: bool = True


class Rows(NamedTuple):
    """A structure as one table."""

    header: list[str]
    rows: list[list[str]]


Row = list[Text]


def to_rows(structure: Structure, unsure: str = "") -> Rows:
    """Every structure as a header and rows of text on one line; `unsure` is put behind what is below SURE."""
    kind = next(kind for kind in type(structure).__mro__ if kind in ROWS)
    header, rows = ROWS[kind](structure)
    return Rows(
        [_one_line(name) for name in header],
        [[_one_line(cell.text) + ("" if cell.is_sure else unsure) for cell in row] for row in rows],
    )


def _one_line(text: str) -> str:
    """Without control characters, which no picture shows and some terminals obey."""
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in text).split())


def to_csv(structure: Structure) -> str:
    """RFC 4180, the header first."""
    file = io.StringIO()
    rows = to_rows(structure)
    csv.writer(file).writerows([rows.header, *rows.rows])
    return file.getvalue()


def to_text(structure: Structure) -> str:
    """Columns that are aligned on a terminal, numbers to the right."""
    header, rows = to_rows(structure, UNSURE)
    right = [_is_numeric(column) for column in zip(*rows, strict=True)] or [False] * len(header)
    widths = [max(map(_width, column)) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "".join(
        "  ".join(_pad(*cell) for cell in zip(line, widths, right, strict=True)).rstrip() + "\n" for line in lines
    )


def to_markdown(structure: Structure) -> str:
    """A table of GitHub's Markdown."""
    header, rows = to_rows(structure, UNSURE)
    right = [_is_numeric(column) for column in zip(*rows, strict=True)] or [False] * len(header)
    lines = [header, *rows]
    written = [f"| {' | '.join(escape_markdown(cell) for cell in line)} |" for line in lines]
    rule = f"| {' | '.join('---:' if one else '---' for one in right)} |"
    return "".join(f"{line}\n" for line in (written[0], rule, *written[1:]))


def escape_markdown(text: str) -> str:
    return text.translate(MARKDOWN)


def to_json(reading: Reading) -> str:
    return f"{reading.model_dump_json(indent=2)}\n"


def to_json_list(readings: Sequence[tuple[str, Reading]]) -> str:
    """Several readings, each with the name of its picture."""
    values = [{"picture": name, **json.loads(reading.model_dump_json())} for name, reading in readings]
    return f"{json.dumps(values, indent=2, ensure_ascii=False)}\n"


def graph_to_mermaid(structure: Structure) -> str:
    """The text of a Mermaid diagram; only of a graph."""
    if not isinstance(structure, Graph):
        name = type(structure).__name__.lower()
        raise ExportError(
            f"only a node-link picture can be written as Mermaid, and this was read as a {name};"
            " table, csv, json and markdown work for everything"
        )
    return to_mermaid(structure)


def _is_numeric(column: Sequence[str]) -> bool:
    written = [text.removesuffix(UNSURE) for text in column if text.strip(UNSURE)]
    return bool(written) and all(parse_number(text) is not None for text in written)


def _width(text: str) -> int:
    """Columns on a terminal."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def _pad(text: str, width: int, is_right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if is_right else text + space


def _of(label: Label | None, is_sure: bool = True) -> Text:
    return Text(label.text if label else "", is_sure and (label is None or label.is_sure))


def _chart_rows(chart: Chart) -> tuple[Sequence[str], list[Row]]:
    value_title = chart.value_axis.title if chart.value_axis else None
    value_name = value_title.text if value_title else "value"
    names = [name or value_name for name in series_names(chart)]
    if chart.categories:
        found = {(mark.category, mark.series): mark for mark in placed_marks(chart)}
        rows: list[Row] = []
        for i, category in enumerate(chart.categories):
            marks = [found.get((i, j)) for j in range(len(names))]
            rows.append(
                [_of(category), *(Text(write_number(m.value), m.is_sure) if m else Text("") for m in marks)],
            )
        return [chart.category_title.text if chart.category_title else "category", *names], rows
    x_title = chart.x_axis.title if chart.x_axis else None
    points = [mark for mark in chart.marks if isinstance(mark, Dot)]
    many = len(chart.series) > 1
    rows = [
        [
            *([Text(names[mark.series])] if many else []),
            Text("" if mark.x is None else write_number(mark.x), mark.is_sure),
            Text(write_number(mark.value), mark.is_sure),
        ]
        for mark in points
    ]
    return [*(["series"] if many else []), x_title.text if x_title else "x", value_name], rows


def _graph_rows(graph: Graph) -> tuple[Sequence[str], list[Row]]:
    names = [Text(node.text, node.is_sure and all(line.is_sure for line in node.lines)) for node in graph.nodes]
    rows = [
        [names[edge.source], names[edge.target], _of(edge.label), Text("yes" if edge.directed else "no", edge.is_sure)]
        for edge in graph.edges
    ]
    return ["from", "to", "label", "arrow"], rows + [[names[i], *[Text("")] * 3] for i in lone_nodes(graph)]


def _table_rows(table: Table) -> tuple[Sequence[str], list[Row]]:
    rows = [[_of(cell.label, cell.is_sure) for cell in row] for row in table.rows]
    return [cell.text for cell in table.header], rows


def _notice_rows(notice: Notice) -> tuple[Sequence[str], list[Row]]:
    rows = [[Text(str(one.row + 1)), Text(one.role), _of(one.label, one.is_sure)] for one in notice.entries]
    return ["row", "role", "text"], rows


def _parts_rows(parts: Parts) -> tuple[Sequence[str], list[Row]]:
    rows = []
    for one in parts.call_outs:
        thing = parts.part(one)
        kind = Text(thing.kind, one.is_sure and thing.is_sure)
        rows.append([_of(one.label), kind, Text(thing.colour, kind.is_sure), _of(one.meaning)])
    return ["label", "points to", "colour", "meaning"], rows


def _scene_rows(scene: Scene) -> tuple[Sequence[str], list[Row]]:
    rows = []
    for thing in scene.things:
        places = (Text(str(round(number))) for number in thing.box)
        rows.append([Text(thing.kind, thing.is_sure), Text(thing.colour, thing.is_sure), Text(thing.size), *places])
    return ["kind", "colour", "size", "left", "top", "right", "bottom"], rows


ROWS: Mapping[type[Structure], Callable[..., tuple[Sequence[str], list[Row]]]] = {
    Chart: _chart_rows,
    Graph: _graph_rows,
    Table: _table_rows,
    Notice: _notice_rows,
    Parts: _parts_rows,
    Scene: _scene_rows,
}
