"""Node-link pictures: flowcharts, trees, networks, with the outline of every box and the route of every arrow."""

from typing import Literal

from pydantic import Field, model_validator

from .base import Box, Colour, Element, Label, Point, Structure

NodeShape = Literal["rectangle", "rounded rectangle", "oval", "circle", "diamond", "hexagon", "parallelogram"]


class Node(Element):
    """A box with what is written in it."""

    lines: tuple[Label, ...] = Field(min_length=1)  # as OCR reads them
    shape: NodeShape
    box: Box  # around the outline
    colour: Colour  # of the inside

    @property
    def label(self) -> Label:
        """All its lines as one text."""
        lefts, tops, rights, bottoms = zip(*(line.box for line in self.lines), strict=True)
        text = " ".join(line.text for line in self.lines)
        return Label(text=text, box=(min(lefts), min(tops), max(rights), max(bottoms)))

    @property
    def text(self) -> str:
        return " ".join(line.text for line in self.lines)

    @property
    def centre(self) -> Point:
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2


class Edge(Element):
    """A line from one box to another; with an arrow head at its target where it is directed."""

    source: int = Field(ge=0)  # which of the graph's nodes
    target: int = Field(ge=0)
    route: tuple[Point, ...] = Field(min_length=2)  # from outline to outline; curves as short lines
    label: Label | None
    directed: bool


class Graph(Structure):
    """Boxes and what joins them."""

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    title: Label | None
    nodes: tuple[Node, ...] = Field(min_length=1)
    edges: tuple[Edge, ...]

    @property
    def labels(self) -> tuple[Label, ...]:
        """Everything that is written, line by line; the title first."""
        lines = (line for node in self.nodes for line in node.lines)
        return tuple(label for label in (self.title, *lines, *(edge.label for edge in self.edges)) if label)

    def following(self, node: int) -> tuple[int, ...]:
        """The nodes one step on; a line without an arrow head leads both ways."""
        found = {edge.target for edge in self.edges if edge.source == node}
        return tuple(sorted(found | {e.source for e in self.edges if e.target == node and not e.directed}))

    def preceding(self, node: int) -> tuple[int, ...]:
        return tuple(other for other in range(len(self.nodes)) if node in self.following(other))

    def reachable(self, node: int) -> frozenset[int]:
        """The nodes that a path of one step or more leads to; itself only where it lies on a loop."""
        found: set[int] = set()
        waiting = list(self.following(node))
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self.following(one)
        return frozenset(found)

    @model_validator(mode="after")
    def _edges_join_its_nodes(self) -> "Graph":
        for edge in self.edges:
            if max(edge.source, edge.target) >= len(self.nodes):
                raise ValueError(
                    f"an edge runs from node {edge.source} to node {edge.target}, but there are {len(self.nodes)} nodes"
                )
        return self
