"""Draws a node-link picture whose layout is known."""

from math import hypot
from random import Random

from PIL import Image, ImageDraw

from vlm.structure import Edge, Node, Point

from .charts_marks import draw_path
from .colours import RGB, distance, readable
from .graphs_geometry import along, corners, path_length, radius
from .graphs_style import DrawnGraph, GraphStyle
from .lettering import Lettering
from .spoiling import spoil

SCALE = 2  # lines are drawn larger and reduced; letters are written afterwards, as fonts are hinted


def paint(graph: DrawnGraph, rng: Random) -> Image.Image:
    """An RGB picture of the graph, `graph.width` x `graph.height`."""
    style = graph.style
    canvas = Image.new("RGB", (SCALE * graph.width, SCALE * graph.height), style.page)
    draw = ImageDraw.Draw(canvas)
    for edge, dash in zip(graph.edges, style.dashes, strict=True):
        _draw_edge(draw, edge, dash, style)
    for edge in graph.edges:
        if edge.label:
            left, top, right, bottom = edge.label.box
            draw.rectangle([SCALE * side for side in (left - 2, top - 1, right + 2, bottom + 1)], style.page)
    for node in graph.nodes:
        _draw_box(draw, node, style)
    canvas = canvas.reduce(SCALE)
    _write(ImageDraw.Draw(canvas), graph)
    return spoil(canvas, rng)


def _draw_edge(draw: ImageDraw.ImageDraw, edge: Edge, dash: int, style: GraphStyle) -> None:
    route = [(SCALE * x, SCALE * y) for x, y in edge.route]
    width = round(SCALE * style.line_width)
    if not edge.directed:
        draw_path(draw, route, style.line, width, SCALE * dash)
        return
    backwards = route[::-1]
    size = SCALE * (style.head_size + style.line_width)
    size = min(size, 0.6 * path_length(route))
    base, _ = along(backwards, 0.75 * size)
    draw_path(
        draw, _shortened(backwards, 0 if style.head == "open" else 0.75 * size)[::-1], style.line, width, SCALE * dash
    )
    _draw_head(draw, base, route[-1], size, width, style)


def _shortened(path: list[Point], by: float) -> list[Point]:
    """Without its first part of this length."""
    if not by:
        return path
    rest, walked = list(path), 0.0
    while len(rest) > 2 and walked + path_length(rest[:2]) < by:
        walked += path_length(rest[:2])
        rest.pop(0)
    return [along(path, by)[0], *rest[1:]]


def _draw_head(draw: ImageDraw.ImageDraw, base: Point, tip: Point, size: float, width: int, style: GraphStyle) -> None:
    length = max(hypot(tip[0] - base[0], tip[1] - base[1]), 1e-6)
    x, y = (tip[0] - base[0]) / length, (tip[1] - base[1]) / length
    half = size * (0.28 if style.head == "slim" else 0.42)
    back = (tip[0] - x * size, tip[1] - y * size)
    wings = [(back[0] - y * half, back[1] + x * half), (back[0] + y * half, back[1] - x * half)]
    if style.head == "open":
        draw.line([wings[0], tip, wings[1]], style.line, width, joint="curve")
    elif style.head == "notched":
        notch = (tip[0] - x * 0.7 * size, tip[1] - y * 0.7 * size)
        draw.polygon([wings[0], tip, wings[1], notch], style.line)
    elif style.head == "hollow":
        draw.polygon([wings[0], tip, wings[1]], style.page)
        draw.line([wings[0], tip, wings[1], wings[0], tip], style.line, SCALE, joint="curve")
    else:
        draw.polygon([wings[0], tip, wings[1]], style.line)


def _draw_box(draw: ImageDraw.ImageDraw, node: Node, style: GraphStyle) -> None:
    left, top, right, bottom = (SCALE * side for side in node.box)
    box = (left, top, right - 1, bottom - 1)
    fill, width = node.colour.rgb, SCALE * style.edge_width
    if node.shape in ("oval", "circle"):
        draw.ellipse(box, fill, style.edge, width if style.edge else 0)
    elif node.shape in ("rectangle", "rounded rectangle"):
        draw.rounded_rectangle(box, SCALE * radius(node.shape, node.box), fill, style.edge, width if style.edge else 0)
    else:
        points = [(SCALE * x, SCALE * y) for x, y in corners(node.shape, node.box)]
        draw.polygon(points, fill)
        if style.edge:
            draw.line([*points, *points[:2]], style.edge, width, joint="curve")


def _write(draw: ImageDraw.ImageDraw, graph: DrawnGraph) -> None:
    style = graph.style
    pen, small = Lettering(draw, style.font, style.size), Lettering(draw, style.font, style.link_size)
    if graph.title:
        Lettering(draw, style.title_font, style.title_size).trace(graph.title, style.title_ink)
    for node in graph.nodes:
        for line in node.lines:
            pen.trace(line, ink_on(node.colour.rgb, style.ink))
    for edge in graph.edges:
        if edge.label:
            small.trace(edge.label, style.ink)


def ink_on(fill: RGB, ink: RGB) -> RGB:
    """The usual ink where it can be read there."""
    return ink if distance(ink, fill) > 380 else readable(fill)
