"""How much of what a picture shows was read right: one judgement for every element of the truth.

A judgement is (right, confidence of what was read there, or None where nothing was). Texts match when they are the same
without case, spaces and punctuation.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vlm.structure import Chart, Dot, Graph, Notice, Parts, Scene, Table

from .words import roles_as_read

WITHIN = 0.05  # of the axis; of pies five percentage points


@dataclass(frozen=True)
class Judgement:
    """Whether one element was read right, and how sure the reader was of it (None: it read nothing there)."""

    right: bool
    confidence: float | None


@dataclass(frozen=True)
class Counts:
    """Elements of the truth, elements that were read, and those that are both."""

    true: int
    read: int
    both: int


def same_text(one: str | None, two: str | None) -> bool:
    return plain(one) == plain(two)


def plain(text: str | None) -> str:
    return re.sub(r"[\W_]+", "", (text or "").casefold())


@dataclass(frozen=True)
class TrueChart:
    """What there is to read in a chart, however it was drawn."""

    kind: str  # "bar", "line", "pie", "scatter"
    grouped: bool
    stacked: bool
    values: dict[tuple[str, str | None], float]  # (category, series) -> value
    points: tuple[tuple[str | None, float, float], ...]  # (series, x, y) of a scatter plot
    reach: float  # what the value axis spans
    x_reach: float


def true_chart(chart: Chart) -> TrueChart:
    """From the truth of a drawn chart."""
    names = [one.name.text if one.name else None for one in chart.series]
    values = {
        (chart.categories[m.category].text, names[m.series]): m.value for m in chart.marks if m.category is not None
    }
    points = tuple((names[m.series], m.x, m.value) for m in chart.marks if isinstance(m, Dot) and m.x is not None)
    reach = 100.0 if chart.value_axis is None else chart.value_axis.high - chart.value_axis.low
    x_reach = 1.0 if chart.x_axis is None else chart.x_axis.high - chart.x_axis.low
    many = chart.kind == "bar" and len(chart.series) > 1
    return TrueChart(chart.kind, many and not chart.stacked, many and chart.stacked, values, points, reach, x_reach)


def judge_chart(true: TrueChart, read: Chart | None) -> list[Judgement]:
    """Every value: right label, right series, within 5 % of the axis. A lone series needs no name."""
    found: dict[tuple[str, str], tuple[float, float]] = {}
    many = len({series for _, series in true.values}) > 1
    for mark in read.marks if read is not None else ():
        if mark.category is not None and read is not None:
            name = read.series[mark.series].name
            key = plain(read.categories[mark.category].text), plain(name.text) if name and many else ""
            found[key] = mark.value, mark.confidence
    judged = []
    for (category, series), value in true.values.items():
        said = found.get((plain(category), plain(series) if many else ""))
        right = said is not None and abs(said[0] - value) <= WITHIN * true.reach
        judged.append(Judgement(right, said[1] if said else None))
    return judged


def match_points(true: TrueChart, read: Chart | None) -> tuple[Counts, list[Judgement]]:
    """Points of a scatter plot within 5 % of both axes, each matched once, the nearest first; series must agree."""
    dots = [mark for mark in read.marks if isinstance(mark, Dot) and mark.x is not None] if read else []
    many = len({series for series, _, _ in true.points}) > 1
    pairs = []
    for i, (series, x, y) in enumerate(true.points):
        for j, dot in enumerate(dots):
            assert read is not None and dot.x is not None
            away = max(abs(dot.x - x) / true.x_reach, abs(dot.value - y) / true.reach)
            name = read.series[dot.series].name
            if away <= WITHIN and (not many or same_text(series, name.text if name else None)):
                pairs.append((away, i, j))
    matched: dict[int, int] = {}
    for _, i, j in sorted(pairs):
        if i not in matched and j not in matched.values():
            matched[i] = j
    judged = [Judgement(j in matched.values(), dot.confidence) for j, dot in enumerate(dots)]
    return Counts(len(true.points), len(dots), len(matched)), judged


def match_edges(
    texts: Sequence[str], edges: Iterable[tuple[int, int]], directed: bool, read: Graph | None
) -> tuple[Counts, list[Judgement]]:
    """Edges between the right boxes in the right direction; an undirected one has none."""

    def named(one: str, two: str) -> tuple[str, str]:
        return (plain(one), plain(two)) if directed else tuple(sorted((plain(one), plain(two))))  # type: ignore[return-value]

    true = {named(texts[i], texts[j]) for i, j in edges}
    said: dict[tuple[str, str], float] = {}
    for edge in read.edges if read else ():
        assert read is not None
        key = named(read.nodes[edge.source].text, read.nodes[edge.target].text)
        said[key] = max(edge.confidence, said.get(key, 0.0))
    if read is not None and read.edges and read.edges[0].directed != directed:
        return Counts(len(true), len(said), 0), [Judgement(False, sure) for sure in said.values()]
    judged = [Judgement(key in true, sure) for key, sure in said.items()]
    return Counts(len(true), len(said), len(true & set(said))), judged


def judge_table(true: Table, read: Table | None) -> list[Judgement]:
    """Every written cell: the right text in the right row and column."""
    judged = []
    rows = (read.header, *read.rows) if read is not None else ()
    for i, cells in enumerate((true.header, *true.rows)):
        for j, cell in enumerate(cells):
            if not cell.text:
                continue
            said = rows[i][j] if i < len(rows) and j < len(rows[i]) else None
            right = said is not None and same_text(said.text, cell.text)
            judged.append(Judgement(right, said.confidence if said is not None and said.text else None))
    return judged


def judge_notice(true: Notice, read: Notice | None) -> list[Judgement]:
    """Every text, with what it is there for as far as reading tells."""
    left = list(read.entries) if read is not None else []
    judged = []
    for entry in roles_as_read(true):
        role = entry.role
        said = [one for one in left if same_text(one.label.text, entry.label.text)]
        best = next((one for one in said if one.role == role), said[0] if said else None)
        if best is not None:
            left.remove(best)
        judged.append(Judgement(best is not None and best.role == role, best.confidence if best else None))
    return judged


def judge_parts(true: Parts, read: Parts | None) -> list[Judgement]:
    """Every call-out: the right label, with a line that ends on the right part."""
    said = {plain(one.label.text): one for one in read.call_outs} if read is not None else {}
    judged = []
    for one in true.call_outs:
        found = said.get(plain(one.label.text))
        right = found is not None and _distance(found.target, one.target) < 0.03 * max(true.width, true.height)
        if found is not None and not right:
            right = _topmost(true, found.target) == one.part
        judged.append(Judgement(right, found.confidence if found else None))
    return judged


def _topmost(scene: Scene, point: tuple[float, float]) -> int | None:
    """The thing in front at a place."""
    return next((i for i in reversed(range(len(scene.things))) if _inside(point, scene.things[i].outline)), None)


def _inside(point: tuple[float, float], outline: Sequence[tuple[float, float]]) -> bool:
    """Whether a point lies in a polygon: how often a ray to the right crosses its edge."""
    x, y = point
    crossings = 0
    for (x0, y0), (x1, y1) in zip(outline, (*outline[1:], outline[0]), strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            crossings += 1
    return crossings % 2 == 1


def _distance(one: tuple[float, float], two: tuple[float, float]) -> float:
    return math.hypot(one[0] - two[0], one[1] - two[1])


def judge_scene(true: Scene, read: Scene | None) -> list[Judgement]:
    """Every thing: its kind and colour at its place (the centre within a quarter of its size)."""
    left = list(read.things) if read is not None else []
    judged = []
    for thing in true.things:
        near = [t for t in left if _distance(t.centre, thing.centre) < max(4, 0.25 * thing.longer_side)]
        best = min(near, key=lambda t: _distance(t.centre, thing.centre), default=None)
        if best is not None:
            left.remove(best)
        right = best is not None and (best.kind, best.colour) == (thing.kind, thing.colour)
        judged.append(Judgement(right, best.confidence if best else None))
    return judged


def f1(counts: Iterable[Counts]) -> float:
    """Over all pictures together."""
    every = list(counts)
    true, read, both = (sum(getattr(one, name) for one in every) for name in ("true", "read", "both"))
    return 2 * both / max(1, true + read)


def calibration_error(judged: Iterable[Judgement], bins: int = 10) -> float:
    """The expected calibration error (https://arxiv.org/abs/1706.04599): how far confidence and being right differ."""
    sure = [(one.confidence, one.right) for one in judged if one.confidence is not None]
    error = 0.0
    for number in range(bins):
        here = [(c, r) for c, r in sure if min(int(c * bins), bins - 1) == number]
        if here:
            error += abs(sum(c for c, _ in here) - sum(r for _, r in here))
    return error / max(1, len(sure))
