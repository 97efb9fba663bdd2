"""Line charts: one to four lines over categories in their order."""

from itertools import pairwise
from random import Random

from vlm.structure import Dot, Label, Series

from .charts_assembly import legend_in_plot, overlap, pick_size, require_readable, take_legend_outside
from .charts_axes import Scale, Words, make_axis, make_frame
from .charts_numbers import make_scale, most_steps
from .charts_page import NoRoom, Page
from .charts_style import DrawnChart, pick_chart_style, pick_colours, pick_legend_place
from .charts_topic import Topic, make_topic, on_ticks
from .charts_words import ORDERED_POOLS
from .family import Split


def lay_out_lines(rng: Random, split: Split) -> DrawnChart:
    """Raises NoRoom where the choices do not fit together."""
    series = rng.choice((1, 1, 1, 2, 2, 3, 4))
    width, height = pick_size(rng)
    style = pick_chart_style("line", series, (width, height), rng, split)
    topic = make_topic(rng, ORDERED_POOLS, rng.randint(3, 12), series, rng.choice((0.1, 0.5, 0.8)))
    values = [value for row in topic.values for value in row]
    low, high, step = make_scale(min(values), max(values), rng.random() < 0.5, most_steps(height, rng), rng)
    is_written = series == 1 and rng.random() < 0.35
    if not is_written and rng.random() < 0.45:
        topic = on_ticks(topic, step, low, rng)
    colours = pick_colours(series, style, rng)
    if colours is None:
        raise NoRoom("too few colours")
    names = topic.series if series > 1 else []
    where = pick_legend_place(rng, split) if names else None
    named_at_ends = where == "right" and rng.random() < 0.4
    page = Page(width, height, style, rng)
    title = page.take_title(topic.title, rng) if topic.title else None
    legend = [] if named_at_ends else take_legend_outside(page, names, colours, where, rng)
    if named_at_ends:
        page.right -= max(page.extent(name)[0] for name in names) + 6
    scale = Scale(low, high, step, topic.numbers, topic.value_title, topic.unit)
    frame = make_frame(page, scale, Words(topic.categories, topic.category_title), rng)
    ends = frame.plot[3], frame.plot[1]
    axis = make_axis(scale, frame.left_title, frame.left, ends)
    slot = (frame.plot[2] - frame.plot[0]) / len(topic.categories)
    points = [
        [(round(frame.plot[0] + (i + 0.5) * slot, 2), round(axis.place(value), 2)) for i, value in enumerate(row)]
        for row in topic.values
    ]
    at_ends = [page.text(name, (row[-1][0] + 8, row[-1][1]), "lm") for name, row in zip(names, points, strict=False)]
    marks = [
        Dot(
            series=j, category=i, value=value, colour=colours[j], centre=points[j][i], x=None,
            written=_written(page, topic, points[j], i) if is_written else None,
        )
        for j, row in enumerate(topic.values)
        for i, value in enumerate(row)
    ]  # fmt: skip
    if where == "inside":
        taken = [box for row in points for box in _along(row)]
        legend = legend_in_plot(page, names, colours, frame, taken, rng)
    labels = at_ends if named_at_ends else [entry.label for entry in legend]
    chart = DrawnChart(
        kind="line", width=width, height=height, title=title, plot=frame.plot, horizontal=False, stacked=False,
        category_title=frame.bottom_title, categories=frame.bottom, value_axis=axis, x_axis=None,
        series=tuple(Series(name=labels[j] if labels else None, colour=colours[j]) for j in range(series)),
        legend=tuple(legend), marks=tuple(marks), numbers=topic.numbers,
        style=style.model_copy(
            update={"legend_place": "ends" if named_at_ends else where, "category_angle": frame.angle}
        ),
    )  # fmt: skip
    return require_readable(chart)


def _written(page: Page, topic: Topic, points: list[tuple[float, float]], i: int) -> Label:
    """The value above its point, or below where the line goes down to it and up again."""
    x, y = points[i]
    around = [points[k][1] for k in (i - 1, i + 1) if 0 <= k < len(points)]
    below = all(other < y for other in around)
    label = page.text(topic.numbers.write(topic.values[0][i]), (x, y + 6 if below else y - 6), "mt" if below else "mb")
    line = [box for box in _along(points) if overlap(box, label.box)]
    if line:
        raise NoRoom("the line runs through a value")
    return label


def _along(points: list[tuple[float, float]]) -> list[tuple[float, float, float, float]]:
    """Small boxes along a line, so that what touches it can be found."""
    boxes = []
    for (x, y), (u, v) in pairwise(points):
        for k in range(9):
            a, b = x + (u - x) * k / 8, y + (v - y) * k / 8
            boxes.append((a - 1, b - 1, a + 1, b + 1))
    return boxes
