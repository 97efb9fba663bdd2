"""What the heads should say about a drawn picture, in pixels of the encoder's input.

Shape letters as in `vlm/scene_heads.py`; M things, S slices, B boxes of a graph.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import torch
from torch import Tensor

from vlm.scene_heads import FAMILIES, FORMS, NODE_SHAPES, ROLES, UNIT
from vlm.structure import Bar, Chart, Dot, Graph, Notice, Parts, Scene, Slice, Structure, Table

from .words import Word, key

UNKNOWN = -100
NAN = math.nan


@dataclass
class SeriesTarget:
    """The marks of a chart with categories."""

    upright: bool
    categories: Tensor  # [K] words
    anchors: Tensor  # [K]
    legend: Tensor  # [Q] words; empty for a lone series
    swatches: Tensor  # [Q, 2]
    end: Tensor  # [Q, K]; NaN where there is no mark
    start: Tensor  # [Q, K]; NaN where nothing begins
    across: Tensor  # [Q, K] place of the mark on the category axis
    half: Tensor  # [Q, K] half of its width


@dataclass
class Targets:
    family: int
    roles: Tensor  # [N]
    relations: Tensor  # [N, N, RELATIONS], 0, 1 or UNKNOWN
    form: int = UNKNOWN
    anchors: Tensor = field(default_factory=lambda: torch.zeros(0))  # [N, 2] way to the mark, NaN for none
    swatches: Tensor = field(default_factory=lambda: torch.zeros(0))  # [N, 2] way to the colour, NaN for none
    series: SeriesTarget | None = None
    circle: Tensor | None = None  # [3] of a pie
    edges: Tensor = field(default_factory=lambda: torch.zeros(0))  # [S] radians
    dots: Tensor = field(default_factory=lambda: torch.zeros(0, 2))
    things: Tensor = field(default_factory=lambda: torch.zeros(0, 4))  # [M, 4]
    kinds: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    colours: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    tips: Tensor = field(default_factory=lambda: torch.zeros(0, 2))
    leads: Tensor = field(default_factory=lambda: torch.zeros(0, 2, dtype=torch.long))  # [., 2] word, tip
    directed: int = UNKNOWN
    node_boxes: Tensor = field(default_factory=lambda: torch.zeros(0))  # [N, 4] beyond the word's box, NaN for none
    node_shapes: Tensor = field(default_factory=lambda: torch.zeros(0))  # [N]
    boxes: Tensor = field(default_factory=lambda: torch.zeros(0, 4))  # [B, 4]
    links: Tensor = field(default_factory=lambda: torch.zeros(0, 0))  # [B, B] 1 where a line leads from one to another


def make_targets(
    family: str, truth: Structure | None, words: list[Word], scale: float, kinds: Sequence[str], colours: Sequence[str]
) -> Targets:
    roles = torch.tensor([UNKNOWN if w.role is None else ROLES.index(w.role) for w in words], dtype=torch.long)
    nowhere = torch.full((len(words), 2), NAN)
    targets = Targets(
        FAMILIES.index(family), roles, _relations(truth, words), anchors=nowhere, swatches=nowhere.clone(),
        node_boxes=torch.full((len(words), 4), NAN), node_shapes=torch.full((len(words),), UNKNOWN),
    )  # fmt: skip
    if isinstance(truth, Chart):
        _see_chart(targets, truth, words, scale)
    elif isinstance(truth, Graph):
        _see_graph(targets, truth, words, scale)
    elif isinstance(truth, Scene):
        _see_things(targets, truth, scale, kinds, colours)
        if isinstance(truth, Parts):
            _see_call_outs(targets, truth, words, scale)
    return targets


def _places(words: list[Word]) -> dict[object, list[int]]:
    """Which words came from each label."""
    found: dict[object, list[int]] = {}
    for i, word in enumerate(words):
        if word.label is not None:
            found.setdefault(word.label, []).append(i)
    return found


def _relations(truth: Structure | None, words: list[Word]) -> Tensor:
    """Pieces of one label share everything; cells their rows and columns; lines of a box their element."""
    row: dict[object, int] = {}
    column: dict[object, int] = {}
    element: dict[object, int] = {}
    if isinstance(truth, Table):
        for i, cells in enumerate((truth.header, *truth.rows)):
            for j, cell in enumerate(cells):
                if cell.label:
                    row[key(cell.label)], column[key(cell.label)] = i, j
    elif isinstance(truth, Notice):
        row = {key(entry.label): entry.row for entry in truth.entries}
    elif isinstance(truth, Graph):
        element = {key(line): i for i, node in enumerate(truth.nodes) for line in node.lines}
    known = (isinstance(truth, Table | Notice), isinstance(truth, Table), True)
    found = torch.full((len(words), len(words), 3), UNKNOWN, dtype=torch.float32)
    for number, (groups, is_known) in enumerate(zip((row, column, element), known, strict=True)):
        if not is_known:
            continue
        names = [groups.get(w.label, w.label or f"alone {i}") for i, w in enumerate(words)]
        same = torch.tensor([[one == two for two in names] for one in names], dtype=torch.float32)
        found[..., number] = same.reshape(len(words), len(words))
        unsure = torch.tensor([w.label is None for w in words], dtype=torch.bool)
        found[unsure, :, number] = found[:, unsure, number] = UNKNOWN
    return found


def band_of(anchors: Tensor, extent: float) -> float:
    """The width of a category: the median distance of neighbours, or a third of the picture for a lone one."""
    if len(anchors) < 2:
        return extent / 3
    return max(4.0, anchors.sort().values.diff().median().item())


def _see_chart(targets: Targets, chart: Chart, words: list[Word], scale: float) -> None:
    form = {"bar": "stacked" if chart.stacked else "bar"}.get(chart.kind, chart.kind)
    targets.form = FORMS.index(f"{form} across" if chart.horizontal else form)
    places = _places(words)
    swatches: dict[object, tuple[float, float]] = {}
    for series in range(len(chart.series)):
        name, dots = chart.series[series].name, [m for m in chart.marks if isinstance(m, Dot) and m.series == series]
        if name and dots:  # at the end of a line its own colour is the swatch
            swatches[key(name)] = dots[-1].centre
    for entry in chart.legend:
        left, top, right, bottom = entry.box
        swatches[key(entry.label)] = ((left + right) / 2, (top + bottom) / 2)
    centres = [((w.box[0] + w.box[2]) / 2, (w.box[1] + w.box[3]) / 2) for w in words]
    for label, swatch in swatches.items():
        for i in places.get(label, []):
            targets.swatches[i] = torch.tensor(
                [scale * (s - c) / UNIT for s, c in zip(swatch, centres[i], strict=True)]
            )
    if slices := [mark for mark in chart.marks if isinstance(mark, Slice)]:
        x, y = slices[0].centre
        targets.circle = torch.tensor([x, y, slices[0].radius]) * scale
        targets.edges = torch.tensor([math.radians(one.start) for one in slices])
    elif chart.kind == "scatter":
        targets.dots = torch.tensor([m.centre for m in chart.marks if isinstance(m, Dot)]).reshape(-1, 2) * scale
    else:
        _see_series(targets, chart, words, scale, swatches)


def _see_series(
    targets: Targets, chart: Chart, words: list[Word], scale: float, swatches: dict[object, tuple[float, float]]
) -> None:
    places = _places(words)
    axis = 1 if chart.horizontal else 0  # of the categories
    anchors: dict[int, float] = {}
    for number in range(len(chart.categories)):
        centres = [_across(m, axis)[0] for m in chart.marks if m.category == number and isinstance(m, Bar | Dot)]
        if centres:
            anchors[number] = sum(centres) / len(centres)
    known = [
        (places[key(label)], i) for i, label in enumerate(chart.categories) if key(label) in places and i in anchors
    ]
    for found, number in known:
        for i in found:
            box = words[i].box
            targets.anchors[i] = torch.tensor([0.0, 0.0])
            targets.anchors[i, axis] = scale * (anchors[number] - (box[axis] + box[axis + 2]) / 2) / UNIT
    lone = len(chart.series) == 1
    named = [
        (places[key(one.name)][0], j, swatches[key(one.name)])
        for j, one in enumerate(chart.series)
        if one.name and key(one.name) in places and key(one.name) in swatches
    ]
    series = [0] if lone else [j for _, j, _ in named]
    if not known or not series:
        return
    shape = (len(series), len(known))
    end, start, across, half = (torch.full(shape, NAN) for _ in range(4))
    for q, j in enumerate(series):
        for k, (_, i) in enumerate(known):
            for mark in chart.marks:
                if mark.series == j and mark.category == i and isinstance(mark, Bar | Dot):
                    across[q, k], half[q, k] = (scale * value for value in _across(mark, axis))
                    if isinstance(mark, Bar):
                        left, top, right, bottom = (scale * edge for edge in mark.box)
                        end[q, k], start[q, k] = (right, left) if chart.horizontal else (top, bottom)
                    else:
                        end[q, k] = scale * mark.centre[1]
    targets.series = SeriesTarget(
        upright=not chart.horizontal,
        categories=torch.tensor([found[0] for found, _ in known]),
        anchors=torch.tensor([anchors[i] for _, i in known]) * scale,
        legend=torch.tensor([] if lone else [word for word, _, _ in named], dtype=torch.long),
        swatches=torch.tensor([] if lone else [place for _, _, place in named]).reshape(-1, 2) * scale,
        end=end, start=start, across=across, half=half,
    )  # fmt: skip


def _across(mark: Bar | Dot, axis: int) -> tuple[float, float]:
    """Place and half width of a mark on the category axis."""
    if isinstance(mark, Dot):
        return mark.centre[axis], 0.0
    return (mark.box[axis] + mark.box[axis + 2]) / 2, (mark.box[axis + 2] - mark.box[axis]) / 2


def _see_graph(targets: Targets, graph: Graph, words: list[Word], scale: float) -> None:
    places = _places(words)
    for node in graph.nodes:
        for line in node.lines:
            for i in places.get(key(line), []):
                beyond = [(w - n) * sign for w, n, sign in zip(words[i].box, node.box, (1, 1, -1, -1), strict=True)]
                targets.node_boxes[i] = torch.tensor(beyond) * scale / UNIT
                targets.node_shapes[i] = NODE_SHAPES.index(node.shape)
    targets.boxes = torch.tensor([node.box for node in graph.nodes]) * scale
    targets.links = torch.zeros(len(graph.nodes), len(graph.nodes))
    for edge in graph.edges:
        targets.links[edge.source, edge.target] = 1
        if not edge.directed:
            targets.links[edge.target, edge.source] = 1
    if graph.edges:
        targets.directed = int(graph.edges[0].directed)


def _see_things(targets: Targets, scene: Scene, scale: float, kinds: Sequence[str], colours: Sequence[str]) -> None:
    other = kinds.index("part")
    targets.things = torch.tensor([thing.box for thing in scene.things]).reshape(-1, 4) * scale
    is_parts = isinstance(scene, Parts)
    named = [other if is_parts or t.kind not in kinds else kinds.index(t.kind) for t in scene.things]
    targets.kinds = torch.tensor(named, dtype=torch.long)
    hues = [colours.index(t.colour) if t.colour in colours else UNKNOWN for t in scene.things]
    targets.colours = torch.tensor(hues, dtype=torch.long)


def _see_call_outs(targets: Targets, parts: Parts, words: list[Word], scale: float) -> None:
    places = _places(words)
    targets.tips = torch.tensor([one.target for one in parts.call_outs]).reshape(-1, 2) * scale
    leads = [(i, tip) for tip, one in enumerate(parts.call_outs) for i in places.get(key(one.label), [])[:1]]
    targets.leads = torch.tensor(leads, dtype=torch.long).reshape(-1, 2)


def jitter(boxes: Tensor, rng: Random) -> Tensor:
    """Boxes a little off, as they are when they were found rather than known."""
    noise = torch.tensor([[rng.gauss(0, 1.5) for _ in range(4)] for _ in range(len(boxes))])
    return boxes + noise.reshape(-1, 4)
