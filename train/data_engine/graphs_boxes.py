"""How large a box has to be for its text, and where every box stands."""

from math import cos, hypot, pi, sin
from random import Random
from typing import NamedTuple

from vlm.structure import Box, Label, NodeShape, Point

from .graphs_contents import Contents
from .graphs_geometry import SLANT
from .graphs_style import Direction, GraphStyle
from .lettering import Lettering, apart, ruler

LINES = 3  # at most so many in a box
PITCH = 1.25  # from line to line, of the letters' size


class Extent(NamedTuple):
    width: float
    height: float

    def around(self, centre: Point) -> Box:
        """The box on whole pixels."""
        left, top = round(centre[0] - self.width / 2), round(centre[1] - self.height / 2)
        return left, top, left + round(self.width), top + round(self.height)


def wrap(text: str, pen: Lettering, width: float) -> list[str]:
    """In lines of about this width; wider where there would be too many."""
    while len(lines := pen.wrap(text, width)) > LINES:
        width *= 1.3
    return lines


def write(lines: list[str], pen: Lettering, centre: Point) -> tuple[Label, ...]:
    """The lines around a centre."""
    pitch = PITCH * pen.size
    base = centre[1] + pen.extent("H")[1] / 2 - pitch * (len(lines) - 1) / 2
    return tuple(
        Label(text=line, box=pen.box((round(centre[0]), round(base + i * pitch)), line, "ms"))
        for i, line in enumerate(lines)
    )


def extents(contents: Contents, style: GraphStyle, rng: Random) -> list[Extent]:
    """Of every box with its text."""
    pen, room = ruler(style.font, style.size), rng.uniform(0.8, 1.5)
    found = []
    for text, shape in zip(contents.texts, style.shapes, strict=True):
        lines = wrap(text, pen, style.text_width)
        width = max(pen.extent(line)[0] for line in lines)
        height = 2 * pen.extent("Hg")[1] - pen.extent("H")[1] + PITCH * pen.size * (len(lines) - 1)
        found.append(_around_text(shape, width, height, room * style.size))
    if style.same_width:
        widest = {shape: max(e.width for e, s in zip(found, style.shapes, strict=True) if s == shape)
                  for shape in style.shapes}  # fmt: skip
        found = [
            Extent(widest[shape], max(extent.height, widest[shape] if shape == "circle" else 0))
            for extent, shape in zip(found, style.shapes, strict=True)
        ]
    return found


def _around_text(shape: NodeShape, width: float, height: float, room: float) -> Extent:
    """So that the corners of the text lie within the outline."""
    if shape == "circle":
        side = hypot(width, height) + 0.5 * room
        return Extent(side, side)
    if shape == "diamond":
        return Extent(1.65 * width + 0.6 * room, 2.54 * height + 0.3 * room)
    if shape == "oval":
        height = 1.42 * height + 0.6 * room
        return Extent(max(1.42 * width + 0.6 * room, 1.4 * height), height)
    tall = height + room
    if shape == "hexagon":
        return Extent(max(width + 2 * SLANT * height + 0.8 * room, 1.3 * tall), tall)
    if shape == "parallelogram":
        return Extent(max(width + SLANT * (height + tall) + 0.6 * room, 1.5 * tall), tall)
    return Extent(max(width + 1.3 * room, 1.1 * tall), tall)


def to_page(direction: Direction, along: float, across: float) -> Point:
    """From places in the flow to places in the picture."""
    if direction in ("down", "up"):
        return across, along if direction == "down" else -along
    return along if direction == "right" else -along, across


def centres(contents: Contents, style: GraphStyle, sizes: list[Extent], rng: Random) -> list[Point]:
    """Where the boxes stand, somewhere around (0, 0)."""
    pen = ruler(style.font, style.link_size)
    texts = [pen.extent(link.text) for link in contents.links if link.text]
    label = Extent(max((w for w, _ in texts), default=0), max((h for _, h in texts), default=0))
    if contents.kind in ("cycle", "ring"):
        return _around_ring(style, sizes, label, rng)
    flat = style.direction in ("right", "left")
    gap_along, gap_across = _gaps(contents, style, Extent(label.height, label.width) if flat else label)
    along = [size.width if flat else size.height for size in sizes]
    across = [size.height if flat else size.width for size in sizes]
    rows, columns = ([cell[i] for cell in contents.cells] for i in (0, 1))
    us = _lines(rows, along, gap_along)
    if contents.kind in ("tree", "layers"):
        pitch = max(across) + gap_across
        vs = {column: column * pitch for column in columns}
    else:
        vs = _lines(columns, across, gap_across)
    jitter = 0.35 * style.size if contents.kind == "grid" else 0.0
    return [
        to_page(style.direction, us[row] + rng.uniform(-jitter, jitter), vs[column] + rng.uniform(-jitter, jitter))
        for row, column in contents.cells
    ]


def _gaps(contents: Contents, style: GraphStyle, label: Extent) -> tuple[float, float]:
    """Between rows and between columns, with room for arrow heads and for what stands at the lines.

    The label's width is its length across the flow here, its height that along it.
    """
    unit = style.spacing * style.size
    if contents.kind == "grid":
        return max(30, 2.8 * unit) + 1.5 * label.height, max(34, 2.8 * unit) + 1.5 * label.width
    if contents.kind == "flow":
        return max(18, 1.4 * unit) + label.height, max(18, 1.2 * unit) + label.width
    return max(26, 2.4 * unit), max(12, 1.2 * unit)


def _lines(values: list[float], lengths: list[float], gap: float) -> dict[float, float]:
    """The middle of every row (or column) that is in use, one after the other."""
    found: dict[float, float] = {}
    edge = 0.0
    for value in sorted(set(values)):
        length = max(one for one, other in zip(lengths, values, strict=True) if other == value)
        found[value] = edge + length / 2
        edge += length + gap
    return found


def _around_ring(style: GraphStyle, sizes: list[Extent], label: Extent, rng: Random) -> list[Point]:
    """On an ellipse just large enough."""
    gap = max(22, 1.8 * style.spacing * style.size) + 1.2 * max(label)
    first, turn = rng.choice((-pi / 2, rng.uniform(0, 2 * pi))), 1 if style.direction == "right" else -1
    flat, reach = rng.uniform(0.9, 1.45), 0.5 * max(max(size) for size in sizes)
    while True:
        angles = [first + turn * 2 * pi * i / len(sizes) for i in range(len(sizes))]
        found = [(reach * flat * cos(angle), reach * sin(angle)) for angle in angles]
        if apart((size.around(centre) for size, centre in zip(sizes, found, strict=True)), gap):
            return found
        reach *= 1.12
