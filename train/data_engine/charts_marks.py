"""Draws what stands for values: bars, lines, points and slices, and their swatches in a legend."""

from itertools import pairwise

from PIL import Image, ImageDraw

from vlm.structure import Bar, Dot, LegendEntry, Point, Slice

from .charts_style import DrawnChart
from .colours import RGB, mixed


def draw_marks(canvas: Image.Image, chart: DrawnChart, scale: int) -> None:
    """All marks of a chart on a canvas that is `scale` times its size."""
    draw = ImageDraw.Draw(canvas)
    if chart.kind == "line":
        for number in range(len(chart.series)):
            _draw_line(draw, chart, number, scale)
    for mark in chart.marks:
        if isinstance(mark, Bar):
            _draw_bar(canvas, draw, chart, mark, scale)
        elif isinstance(mark, Slice):
            _draw_slice(draw, chart, mark, scale)
        else:
            _draw_dot(draw, chart, mark.series, mark.centre, mark.colour.rgb, scale)
    if chart.kind == "pie":
        _draw_hole(draw, chart, scale)


def _draw_bar(canvas: Image.Image, draw: ImageDraw.ImageDraw, chart: DrawnChart, bar: Bar, scale: int) -> None:
    style = chart.style
    left, top, right, bottom = (round(scale * side) for side in bar.box)
    box = (left, top, right - 1, max(bottom - 1, top))
    if box[2] <= box[0]:
        return
    edge, width = style.edge, style.edge_width * scale // 2 if style.edge else 0
    if style.round_bars and not chart.stacked and min(right - left, bottom - top) > 6 * scale:
        ends = (False, True, True, False) if chart.horizontal else (True, True, False, False)
        draw.rounded_rectangle(box, 2 * scale, bar.colour.rgb, edge, width, corners=ends)
    else:
        draw.rectangle(box, bar.colour.rgb, edge, width)
    if hatch := style.hatches[bar.series]:
        _draw_hatch(canvas, box, hatch, mixed(bar.colour.rgb, style.ink, 0.45), scale)
    if bar.error is not None:
        _draw_error(draw, chart, bar, scale)


def _draw_hatch(canvas: Image.Image, box: tuple[int, int, int, int], hatch: str, colour: RGB, scale: int) -> None:
    """Thin lines within a box."""
    left, top, right, bottom = box
    width, height = right - left + 1, bottom - top + 1
    mask = Image.new("L", (width, height))
    draw = ImageDraw.Draw(mask)
    for start in range(-height, width + height, 5 * scale):
        if hatch in ("/", "x"):
            draw.line([(start, height), (start + height, 0)], 255, scale // 2)
        if hatch in ("\\", "x"):
            draw.line([(start, 0), (start + height, height)], 255, scale // 2)
        if hatch == "-" and 0 <= start < height:
            draw.line([(0, start), (width, start)], 255, scale // 2)
    canvas.paste(colour, (left, top), mask)


def _draw_error(draw: ImageDraw.ImageDraw, chart: DrawnChart, bar: Bar, scale: int) -> None:
    """A thin line with caps around the end of a bar."""
    axis = chart.value_axis
    assert axis is not None and bar.error is not None
    low, high = (scale * axis.place(bar.value + sign * bar.error) for sign in (-1, 1))
    left, top, right, bottom = (scale * side for side in bar.box)
    cap = min(4 * scale, (bottom - top if chart.horizontal else right - left) / 3)
    ink = chart.style.ink
    if chart.horizontal:
        y = (top + bottom) / 2
        lines = [(low, y, high, y), (low, y - cap, low, y + cap), (high, y - cap, high, y + cap)]
    else:
        x = (left + right) / 2
        lines = [(x, low, x, high), (x - cap, low, x + cap, low), (x - cap, high, x + cap, high)]
    for line in lines:
        draw.line(line, ink, scale)


def _draw_line(draw: ImageDraw.ImageDraw, chart: DrawnChart, number: int, scale: int) -> None:
    dots = [mark for mark in chart.marks if isinstance(mark, Dot) and mark.series == number]
    points = [(scale * x, scale * y) for x, y in (dot.centre for dot in dots)]
    colour, width = dots[0].colour.rgb, round(scale * chart.style.line_width)
    if chart.style.area:
        bottom = scale * chart.plot[3]
        tint = mixed(chart.style.plot_paper, colour, 0.3)
        draw.polygon([(points[0][0], bottom), *points, (points[-1][0], bottom)], tint)
    draw_path(draw, points, colour, width, scale * chart.style.dashes[number])


def draw_path(draw: ImageDraw.ImageDraw, points: list[Point], colour: RGB, width: int, dash: int) -> None:
    """A line through points, solid or in dashes of one length."""
    if not dash:
        draw.line(points, colour, width, joint="curve")
        return
    walked = 0.0
    for (x, y), (u, v) in pairwise(points):
        length = ((u - x) ** 2 + (v - y) ** 2) ** 0.5
        at = 0.0
        while at < length:
            until = min(length, at + dash - walked % dash)
            if int(walked // dash) % 3 != 2:
                ends = [(x + (u - x) * k / length, y + (v - y) * k / length) for k in (at, until)]
                draw.line(ends, colour, width)
            walked += max(until - at, 1e-3)
            at = max(until, at + 1e-3)


def _draw_dot(
    draw: ImageDraw.ImageDraw, chart: DrawnChart, series: int, centre: Point, colour: RGB, scale: int
) -> None:
    marker, r = chart.style.markers[series], scale * chart.style.marker_size
    x, y = scale * centre[0], scale * centre[1]
    if marker == "circle":
        draw.ellipse((x - r, y - r, x + r, y + r), colour)
    elif marker == "ring":
        draw.ellipse((x - r, y - r, x + r, y + r), chart.style.plot_paper, colour, scale)
    elif marker == "square":
        draw.rectangle((x - 0.85 * r, y - 0.85 * r, x + 0.85 * r, y + 0.85 * r), colour)
    elif marker == "triangle":
        draw.polygon([(x, y - 1.1 * r), (x + r, y + 0.8 * r), (x - r, y + 0.8 * r)], colour)
    elif marker == "diamond":
        draw.polygon([(x, y - 1.2 * r), (x + 1.2 * r, y), (x, y + 1.2 * r), (x - 1.2 * r, y)], colour)
    elif marker == "cross":
        draw.line((x - r, y - r, x + r, y + r), colour, round(1.5 * scale))
        draw.line((x - r, y + r, x + r, y - r), colour, round(1.5 * scale))


def _draw_slice(draw: ImageDraw.ImageDraw, chart: DrawnChart, one: Slice, scale: int) -> None:
    x, y, r = scale * one.centre[0], scale * one.centre[1], scale * one.radius
    start, end = one.start - 90, one.end - 90  # Pillow counts from the right
    draw.pieslice((x - r, y - r, x + r, y + r), start, end, one.colour.rgb, chart.style.edge, chart.style.edge_width)


def _draw_hole(draw: ImageDraw.ImageDraw, chart: DrawnChart, scale: int) -> None:
    one = chart.marks[0]
    assert isinstance(one, Slice)
    if one.hole:
        x, y, r = scale * one.centre[0], scale * one.centre[1], scale * one.hole
        draw.ellipse((x - r, y - r, x + r, y + r), chart.style.paper, chart.style.edge, chart.style.edge_width)


def draw_swatch(draw: ImageDraw.ImageDraw, chart: DrawnChart, number: int, entry: LegendEntry, scale: int) -> None:
    """What a legend shows beside a name: a box, for lines a piece of the line, for points a marker."""
    left, top, right, bottom = (scale * side for side in entry.box)
    middle = (left + right) / 2, (top + bottom) / 2
    if chart.kind in ("bar", "pie"):
        draw.rectangle((left, top, right - 1, bottom - 1), entry.colour.rgb)
        return
    if chart.kind == "line":
        width, dash = round(scale * chart.style.line_width), scale * chart.style.dashes[number]
        draw_path(draw, [(left, middle[1]), (right, middle[1])], entry.colour.rgb, width, dash)
    _draw_dot(draw, chart, number, (middle[0] / scale, middle[1] / scale), entry.colour.rgb, scale)
