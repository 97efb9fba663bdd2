"""What the pictures of the transfer set show, as far as it can be known without measuring pixels.

Other programs choose the places of marks and words, so these truths say what is drawn and not where. The scales are
those that were drawn: an error is measured against them.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from train.data_engine.family import Question
from vlm.structure import ChartKind, Structure
from vlm.structure import Point as XY

LINES = "transfer.jsonl"
Renderer = Literal["matplotlib", "vega-lite", "graphviz"]
Range = tuple[float, float]  # the values at the two ends of an axis, (low, high)


class ChartTruth(Structure):
    """A chart: either categories with values, or points."""

    kind: ChartKind
    horizontal: bool  # whether bars run across
    stacked: bool
    hole: bool  # whether a pie is a donut
    title: str | None
    category_title: str | None  # of the axis of categories
    value_title: str | None  # of the value axis; for scatter plots of the y axis
    x_title: str | None  # scatter plots only
    categories: tuple[str, ...]  # as handed to the renderer, which may draw them upwards; none for scatter
    series: tuple[str | None, ...] = Field(min_length=1)  # None: the only one, and without a name
    values: tuple[tuple[float, ...], ...]  # [series][category], as drawn; of pies in per cent of the whole
    points: tuple[tuple[XY, ...], ...]  # [series][any order]; scatter plots only
    value_range: Range | None  # of the value axis, which for scatter plots is y; None for pies
    x_range: Range | None  # scatter plots only
    decimals: int | None  # of the values that stand at the marks; None where none do

    @model_validator(mode="after")
    def _every_mark_has_its_place(self) -> "ChartTruth":
        rows, wide = len(self.series), len(self.categories)
        if self.kind == "scatter":
            fits = len(self.points) == rows and not self.values and bool(self.x_range and self.value_range)
        else:
            fits = [len(row) for row in self.values] == [wide] * rows and not self.points and not self.x_range
            fits = fits and (self.value_range is None) == (self.kind == "pie")
        if not fits:
            raise ValueError(f"the series, categories, values and ranges of this {self.kind} chart do not fit together")
        return self


class GraphTruth(Structure):
    """Boxes and what joins them."""

    title: str | None
    nodes: tuple[str, ...] = Field(min_length=2)  # all different; lines of one box are joined by a space
    decisions: tuple[int, ...]  # which of the nodes are diamonds
    edges: tuple[tuple[int, int], ...]  # (source, target); in no order where there are no arrow heads
    edge_labels: tuple[str | None, ...]  # what stands at each edge
    directed: bool

    @model_validator(mode="after")
    def _edges_join_its_nodes(self) -> "GraphTruth":
        if len(self.edge_labels) != len(self.edges):
            raise ValueError(f"there are {len(self.edges)} edges and {len(self.edge_labels)} edge labels")
        if any(not 0 <= node < len(self.nodes) for edge in self.edges for node in edge):
            raise ValueError(f"an edge leads to a node that is not there; there are {len(self.nodes)}")
        return self

    def following(self, node: int) -> frozenset[int]:
        """The nodes one step on; a line without an arrow head leads both ways."""
        found = {target for source, target in self.edges if source == node}
        return frozenset(found if self.directed else found | {s for s, target in self.edges if target == node})

    def preceding(self, node: int) -> frozenset[int]:
        return frozenset(other for other in range(len(self.nodes)) if node in self.following(other))

    def reachable(self, node: int) -> frozenset[int]:
        """The nodes that a path of one step or more leads to."""
        found: set[int] = set()
        waiting = list(self.following(node))
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self.following(one)
        return frozenset(found)


class Source(Structure):
    """Where a picture comes from."""

    renderer: Renderer
    style: str  # a style sheet, a theme or a layout
    data: str  # "vega-datasets cars"; of graphs their topic


class Picture(Structure):
    """One line of the set."""

    file: str  # beside the lines
    source: Source
    family: Literal["charts", "graphs"]
    truth: ChartTruth | GraphTruth
    questions: tuple[Question, ...]


def read(folder: Path) -> list[Picture]:
    """The pictures of a set that was built, in order."""
    lines = (folder / LINES).read_text(encoding="utf-8").splitlines()
    return [Picture.model_validate_json(line) for line in lines]
