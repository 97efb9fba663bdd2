"""Draws a chart from its truth: paper, scales, words. Lines are drawn at twice the size and reduced; text is not."""

from random import Random

from PIL import Image, ImageDraw

from vlm.structure import Axis, Box, Label

from .charts_assembly import legend_box
from .charts_marks import draw_marks, draw_swatch
from .charts_numbers import multiples
from .charts_style import DrawnChart
from .charts_text import draw_label
from .colours import RGB
from .spoiling import spoil

SCALE = 2
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def paint(chart: DrawnChart, rng: Random) -> Image.Image:
    """The picture of a chart, `chart.width` x `chart.height`."""
    return spoil(draw_chart(chart), rng)


def draw_chart(chart: DrawnChart) -> Image.Image:
    """The picture before anything happens to it."""
    canvas = Image.new("RGB", (SCALE * chart.width, SCALE * chart.height), chart.style.paper)
    draw = ImageDraw.Draw(canvas)
    if chart.value_axis:
        _draw_grid(draw, chart)
    draw_marks(canvas, chart, SCALE)
    if chart.value_axis:
        _draw_frame(draw, chart)
    if chart.legend:
        _draw_legend(draw, chart)
    picture = canvas.reduce(SCALE)
    _write(picture, chart)
    return picture


def _line(draw: ImageDraw.ImageDraw, ends: tuple[float, float, float, float], colour: RGB, dash: int = 0) -> None:
    """One pixel wide in the picture, straight across or up."""
    x, y, u, v = (round(SCALE * place) for place in ends)
    if not dash:
        draw.rectangle((min(x, u), min(y, v), max(x, u) + 1, max(y, v) + 1), colour)
        return
    length, step = max(abs(u - x), abs(v - y)), SCALE * dash
    for start in range(0, length, 2 * step):
        end = min(start + step, length)
        if y == v:
            draw.rectangle((min(x, u) + start, y, min(x, u) + end, y + 1), colour)
        else:
            draw.rectangle((x, min(y, v) + start, x + 1, min(y, v) + end), colour)


def _scales(chart: DrawnChart) -> list[tuple[Axis, bool]]:
    """The numeric axes with their ticks, each with whether it runs across."""
    axes = [(chart.value_axis, chart.horizontal), (chart.x_axis, True)]
    return [(axis, across) for axis, across in axes if axis and axis.ticks]


def _draw_grid(draw: ImageDraw.ImageDraw, chart: DrawnChart) -> None:
    style, (left, top, right, bottom) = chart.style, chart.plot
    if style.plot_paper != style.paper:
        draw.rectangle(tuple(SCALE * side for side in chart.plot), style.plot_paper)
    dash = 3 if style.dashed_grid else 0
    for axis, across in _scales(chart):
        if style.grid == "none" or (style.grid == "values" and axis is chart.x_axis):
            continue
        for tick in axis.ticks:
            at = axis.place(tick.value)
            _line(draw, (at, top, at, bottom) if across else (left, at, right, at), style.grid_colour, dash)
    if style.grid == "both":
        for across, at in _category_places(chart):
            _line(draw, (at, top, at, bottom) if across else (left, at, right, at), style.grid_colour, dash)


def _category_places(chart: DrawnChart) -> list[tuple[bool, float]]:
    """The middle of every category along its axis, with whether that axis runs across."""
    left, top, right, bottom = chart.plot
    start, end = (top, bottom) if chart.horizontal else (left, right)
    count = len(chart.categories)
    return [(not chart.horizontal, start + (i + 0.5) * (end - start) / count) for i in range(count)]


def _draw_frame(draw: ImageDraw.ImageDraw, chart: DrawnChart) -> None:
    style, (left, top, right, bottom) = chart.style, chart.plot
    base = (left, top, left, bottom) if chart.horizontal else (left, bottom, right, bottom)
    sides = {
        "none": [], "base": [base], "axes": [(left, top, left, bottom), (left, bottom, right, bottom)],
        "box": [(left, top, left, bottom), (left, bottom, right, bottom), (right, top, right, bottom),
                (left, top, right, top)],
    }[style.frame]  # fmt: skip
    for side in sides:
        _line(draw, side, style.ink)
    if style.tick_length and style.frame in ("axes", "box"):
        for axis, across in _scales(chart):
            values = [(tick.value, style.tick_length) for tick in axis.ticks]
            if style.minor_ticks and len(values) > 1:
                step = (values[1][0] - values[0][0]) / 5
                values += [(value, style.tick_length // 2) for value in multiples(step, axis.low, axis.high)]
            for value, length in values:
                _draw_tick(draw, chart.plot, axis.place(value), across, length, style.ink)
        for across, at in _category_places(chart):
            _draw_tick(draw, chart.plot, at, across, style.tick_length, style.ink)


def _draw_tick(draw: ImageDraw.ImageDraw, plot: Box, at: float, across: bool, length: int, ink: RGB) -> None:
    left, _, _, bottom = plot
    _line(draw, (at, bottom, at, bottom + length) if across else (left - length, at, left, at), ink)


def _draw_legend(draw: ImageDraw.ImageDraw, chart: DrawnChart) -> None:
    style = chart.style
    if style.legend_frame:
        box = tuple(SCALE * side for side in legend_box(chart.legend))
        inside = chart.style.legend_place == "inside"
        draw.rectangle(box, style.plot_paper if inside else style.paper, style.ink, 1)
    for number, entry in enumerate(chart.legend):
        draw_swatch(draw, chart, number, entry, SCALE)


def _write(picture: Image.Image, chart: DrawnChart) -> None:
    style = chart.style
    words = [entry.label for entry in chart.legend] + [one.name for one in chart.series if one.name]
    for axis in (chart.value_axis, chart.x_axis):
        words += [tick.label for tick in axis.ticks] if axis else []
    upright = [chart.category_title if chart.horizontal else chart.value_axis.title if chart.value_axis else None]
    level = [chart.value_axis.title if chart.horizontal and chart.value_axis else chart.category_title]
    level += [chart.x_axis.title if chart.x_axis else None]
    if chart.title:
        draw_label(picture, chart.title, style.heading_font, style.heading_size, style.ink)
    for label in dict.fromkeys([*words, *(label for label in level if label)]):
        draw_label(picture, label, style.font, style.size, style.ink)
    for title in upright:
        if title:
            draw_label(picture, title, style.font, style.size, style.ink, 90 if style.upright_title else 0)
    explained = [entry.label for entry in chart.legend]
    for label in chart.categories:
        if label not in explained:
            draw_label(picture, label, style.font, style.size, style.ink, style.category_angle)
    for mark in chart.marks:
        if mark.written:
            draw_label(picture, mark.written, style.font, style.size, _ink_on(picture, mark.written))


def _ink_on(picture: Image.Image, label: Label) -> RGB:
    """Black or white, whichever is clearer on what is behind a label."""
    left, top, right, bottom = label.box
    corners = [(left, top), (right - 1, top), (left, bottom - 1), (right - 1, bottom - 1)]
    lightness = [sum(picture.getpixel((int(x), int(y)))) for x, y in corners]  # type: ignore[arg-type]
    return BLACK if sum(lightness) / 4 > 330 else WHITE
