"""The way of every line from box to box, and the place of what is written at it."""

from math import hypot
from random import Random

import numpy as np

from vlm.structure import Box, Label, NodeShape, Point

from .graphs_boxes import Extent, to_page
from .graphs_contents import Contents
from .graphs_geometry import along, bezier, hits, outside, path_length, rounded, segments
from .graphs_skeletons import Link
from .graphs_style import Form, GraphStyle
from .graphs_words import NETS
from .lettering import Lettering, apart

REACH: dict[Form, float] = {"orthogonal": 0, "rounded": 9, "curved": 60, "straight": 0}  # of round corners


class Paths:
    """Lays lines between boxes whose places are known."""

    def __init__(self, contents: Contents, style: GraphStyle, centres: list[Point], sizes: list[Extent]):
        self.contents, self.style, self.centres = contents, style, centres
        self.flat = style.direction in ("right", "left")
        self.sign = -1 if style.direction in ("up", "left") else 1
        self.along = [size.width if self.flat else size.height for size in sizes]
        self.across = [size.height if self.flat else size.width for size in sizes]

    def place(self, box: int) -> tuple[float, float]:
        """Along the flow and across it."""
        x, y = self.centres[box]
        return (self.sign * x, y) if self.flat else (self.sign * y, x)

    def path(self, link: Link, bow: float) -> list[Point]:
        """From within one box to within the other."""
        kind, start, end = self.contents.kind, self.centres[link.source], self.centres[link.target]
        if kind == "flow":
            corners = self._through_lane(link) if link.lane else self._around_corner(link)
        elif kind in ("layers", "tree"):
            return self._between_rows(link)
        elif kind == "cycle" and self.style.form == "curved":
            return _arc(start, end, self.centres)
        else:
            x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
            across = (-(end[1] - start[1]) * bow, (end[0] - start[0]) * bow)
            control = (x + across[0], y + across[1])
            return bezier(start, control, control, end) if bow else [start, end]
        return rounded([to_page(self.style.direction, u, v) for u, v in corners], REACH[self.style.form])

    def _around_corner(self, link: Link) -> list[tuple[float, float]]:
        (u, v), (s, t) = self.place(link.source), self.place(link.target)
        (row, column), (other_row, other_column) = (self.contents.cells[box] for box in (link.source, link.target))
        return [(u, v), (s, t)] if row == other_row or column == other_column else [(u, v), (s, v), (s, t)]

    def _through_lane(self, link: Link) -> list[tuple[float, float]]:
        """Out to the side, past the boxes, and in again from the side."""
        (u, v), (s, t) = self.place(link.source), self.place(link.target)
        low, high = sorted((link.source, link.target))
        room = 16 + (len(link.text or "") + 1) * (0.3 if self.flat else 0.7) * self.style.link_size
        reach = max(self.across[low : high + 1]) / 2 + room
        lane = v - reach if link.lane == "left" else v + reach
        return [(u, v), (u, lane), (s, lane), (s, t)]

    def _between_rows(self, link: Link) -> list[Point]:
        """From the side that looks along the flow to the one that looks against it."""
        (u, v), (s, t) = self.place(link.source), self.place(link.target)
        level = 0.5
        if self.contents.kind == "layers":
            v += self._offset(link, link.source, outgoing=True)
            t += self._offset(link, link.target, outgoing=False)
            level = self._level(link)
        leaves, enters = u + self.along[link.source] / 2, s - self.along[link.target] / 2
        middle = leaves + level * (enters - leaves)
        form = self.style.form
        if form == "straight":
            corners = [(u, v), (leaves, v), (enters, t), (s, t)]
        elif form == "curved":
            corners = [(u, v), *bezier((leaves, v), (middle, v), (middle, t), (enters, t)), (s, t)]
        elif abs(v - t) < 2:
            corners = [(u, v), (s, v)]
        else:
            corners = rounded([(u, v), (middle, v), (middle, t), (s, t)], REACH[form])
        return [to_page(self.style.direction, *corner) for corner in corners]

    def _offset(self, link: Link, box: int, outgoing: bool) -> float:
        """Lines that share a side of a box share it out."""
        others = [
            other.target if outgoing else other.source
            for other in self.contents.links
            if (other.source if outgoing else other.target) == box
        ]
        others.sort(key=lambda other: self.place(other)[1])
        number = others.index(link.target if outgoing else link.source) - (len(others) - 1) / 2
        return number * min(18.0, 0.6 * self.across[box] / len(others))

    def _level(self, link: Link) -> float:
        """How far in the gap between the rows a line turns: what has to pass below other boxes turns later."""
        sources = sorted({
            other.source for other in self.contents.links
            if self.contents.cells[other.source][0] == self.contents.cells[link.source][0]
        })  # fmt: skip
        number = sources.index(link.source)
        if self.place(link.target)[1] > self.place(link.source)[1]:
            number = len(sources) - 1 - number
        return (number + 1) / (len(sources) + 1)


def connect(paths: Paths, shapes: tuple[NodeShape, ...], boxes: list[Box], rng: Random) -> list[list[Point]]:
    """The lines from outline to outline; a line is empty where two boxes leave no room for it."""
    style, found = paths.style, []
    usual = rng.choice((-1, 1)) * rng.uniform(0.12, 0.2) if style.form == "curved" else 0.0
    pairs = {(link.source, link.target) for link in paths.contents.links}
    for link in paths.contents.links:
        both = paths.contents.kind in NETS and (link.target, link.source) in pairs
        path = paths.path(link, (usual or 0.15) * 1.5 if both else usual)
        trimmed = outside(path, shapes[link.source], boxes[link.source])[::-1]
        found.append(outside(trimmed, shapes[link.target], boxes[link.target])[::-1] if trimmed else [])
    return found


def _arc(start: Point, end: Point, centres: list[Point]) -> list[Point]:
    """Along the ring on which both stand, seen from its middle."""
    x, y = (sum(values) / len(centres) for values in zip(*centres, strict=True))
    points = []
    for i in range(11):
        part = i / 10
        u, v = (a + (b - a) * part for a, b in zip(start, end, strict=True))
        reach = hypot(start[0] - x, start[1] - y) * (1 - part) + hypot(end[0] - x, end[1] - y) * part
        stretch = reach / max(hypot(u - x, v - y), 1e-6)
        points.append((x + (u - x) * stretch, y + (v - y) * stretch))
    return points


def label_links(
    contents: Contents, routes: list[list[Point]], boxes: list[Box], pen: Lettering, on_line: bool
) -> list[Label | None] | None:
    """What stands at the lines: beside them or on them, clear of all else; None where there is no room."""
    placed: list[Box] = []
    labels: list[Label | None] = []
    parts = [segments(route) for route in routes]
    for i, link in enumerate(contents.links):
        label = None
        if link.text:
            others = np.concatenate([part for j, part in enumerate(parts) if j != i or not on_line])
            for centre in _spots(routes[i], pen.extent(link.text), "decision" in contents.roles, on_line):
                label = Label(text=link.text, box=pen.box((round(centre[0]), round(centre[1])), link.text, "mm"))
                around = _grown(label.box, 2)
                if apart([around, *boxes, *placed], 0) and not hits(label.box, others, 1.5).any():
                    break
            else:
                return None
            assert label is not None
            placed.append(_grown(label.box, 3))
        labels.append(label)
    return labels


def _spots(route: list[Point], extent: tuple[float, float], at_start: bool, on_line: bool) -> list[Point]:
    """Where the middle of a label may go, the best first: at the start of a decision's exits, else half way."""
    length, found = path_length(route), []
    if on_line and length < extent[0] + 20:  # too little of the line would be left
        return []
    steps = [6.0, 10.0, 15.0, 22.0, 30.0, 40.0] if at_start else [length * part for part in (0.5, 0.4, 0.6, 0.3)]
    for step in steps:
        _, (x, y) = along(route, min(step, length))
        half = abs(x) * extent[0] / 2 + abs(y) * extent[1] / 2
        point, (x, y) = along(route, min(step + half, length) if at_start else step)
        if on_line:
            found.append(point)
            continue
        away = abs(y) * extent[0] / 2 + abs(x) * extent[1] / 2 + 3.5
        found += [(point[0] + side * y * away, point[1] - side * x * away) for side in (1, -1)]
    return found


def _grown(box: Box, by: float) -> Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by
