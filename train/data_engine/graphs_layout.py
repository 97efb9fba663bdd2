"""Puts a node-link picture together: boxes, lines and words in places where nothing is in the way of anything."""

from random import Random

import numpy as np

from vlm.structure import Box, Edge, Label, Node, Point

from .graphs_boxes import centres, extents, wrap, write
from .graphs_contents import Contents
from .graphs_geometry import hits, segments, tangled
from .graphs_routes import Paths, connect, label_links
from .graphs_style import DrawnGraph, GraphStyle
from .graphs_words import NETS
from .lettering import apart, ruler
from .tables_layout import LARGEST, SMALLEST

Shift = tuple[int, int]


def lay_out(contents: Contents, style: GraphStyle, rng: Random) -> DrawnGraph | None:
    """The picture, or None where it would get too large or a line had no way."""
    sizes = extents(contents, style, rng)
    places = centres(contents, style, sizes, rng)
    boxes = [size.around(centre) for size, centre in zip(sizes, places, strict=True)]
    around = _around(boxes)
    if around[2] - around[0] > LARGEST[0] or around[3] - around[1] > LARGEST[1] or not apart(boxes, 6):
        return None
    routes = connect(Paths(contents, style, places, sizes), style.shapes, boxes, rng)
    if not _clear(contents, style, routes, boxes):
        return None
    pen = ruler(style.font, style.link_size)
    labels = label_links(contents, routes, boxes, pen, on_line="decision" not in contents.roles and rng.random() < 0.5)
    if labels is None:
        return None
    return _on_page(contents, style, boxes, routes, labels, rng)


def _around(boxes: list[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _clear(contents: Contents, style: GraphStyle, routes: list[list[Point]], boxes: list[Box]) -> bool:
    """Whether every line can be followed: it passes no box, and comes close to another line only to cross it."""
    if any(len(route) < 2 for route in routes):
        return False
    parts = [segments(route) for route in routes]
    for i, box in enumerate(boxes):
        foreign = [
            part for part, link in zip(parts, contents.links, strict=True) if i not in (link.source, link.target)
        ]
        if foreign and hits(box, np.concatenate(foreign), 5).any():
            return False
    shared = contents.kind == "tree" or (contents.kind == "layers" and style.form in ("orthogonal", "rounded"))
    bundles = [link.source if shared else i for i, link in enumerate(contents.links)]
    return not tangled(routes, bundles, crossings=4 if contents.kind in NETS else 0)


def _on_page(
    contents: Contents, style: GraphStyle, boxes: list[Box], routes: list[list[Point]],
    labels: list[Label | None], rng: Random,
) -> DrawnGraph | None:  # fmt: skip
    """Everything moved to where it stands in the picture, under a title or above it."""
    pen, title_pen = ruler(style.font, style.size), ruler(style.title_font, style.title_size)
    points = [point for route in routes for point in route]
    left, top, right, bottom = _around([*boxes, *(label.box for label in labels if label), *((*p, *p) for p in points)])
    title_width = title_pen.extent(contents.title)[0] if contents.title else 0.0
    title_height = round(2.2 * style.title_size) if contents.title else 0
    margin = rng.randint(6, 24)
    inner = max(right - left, title_width)
    width = round(max(SMALLEST[0], inner + 2 * margin + rng.choice((0, 0, rng.randint(0, 60)))))
    height = round(max(SMALLEST[1], bottom - top + title_height + 2 * margin + rng.choice((0, 0, rng.randint(0, 50)))))
    if width > LARGEST[0] or height > LARGEST[1]:
        return None
    below = rng.random() < 0.2
    shift = (
        round((width - (right - left)) / 2 - left),
        round((height - title_height - (bottom - top)) / 2 - top + (0 if below else title_height)),
    )
    title = None
    if contents.title:
        y = height - margin - style.title_size if below else margin + style.title_size // 2 + 2
        place = (width // 2, y) if rng.random() < 0.7 else (margin, y)
        title = Label(
            text=contents.title, box=title_pen.box(place, contents.title, "mm" if place[0] > margin else "lm")
        )
    nodes = []
    for i, text in enumerate(contents.texts):
        box = _moved_box(boxes[i], shift)
        centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        lines = write(wrap(text, pen, style.text_width), pen, centre)
        nodes.append(Node(lines=lines, shape=style.shapes[i], box=box, colour=style.fills[i]))
    edges = tuple(
        Edge(
            source=link.source, target=link.target, directed=contents.directed,
            route=tuple((round(x + shift[0], 1), round(y + shift[1], 1)) for x, y in route),
            label=Label(text=label.text, box=_moved_box(label.box, shift)) if label else None,
        )
        for link, route, label in zip(contents.links, routes, labels, strict=True)
    )  # fmt: skip
    return DrawnGraph(
        width=width, height=height, title=title, nodes=tuple(nodes), edges=edges, kind=contents.kind,
        topic=contents.topic, style=style,
    )  # fmt: skip


def _moved_box(box: Box, shift: Shift) -> Box:
    return box[0] + shift[0], box[1] + shift[1], box[2] + shift[0], box[3] + shift[1]
