"""Bar charts: upright or across, single, grouped or stacked, in one colour, one for each series or for each bar."""

from dataclasses import dataclass
from random import Random

from vlm.structure import Bar, Colour, Label, Series

from .charts_assembly import legend_box, legend_in_plot, overlap, pick_size, require_readable, take_legend_outside
from .charts_axes import Frame, Scale, Words, make_axis, make_frame
from .charts_numbers import make_scale, most_steps
from .charts_page import NoRoom, Page
from .charts_style import ChartStyle, DrawnChart, pick_chart_style, pick_colours, pick_legend_place
from .charts_topic import Topic, make_topic, on_ticks
from .charts_words import POOLS
from .family import Split

LEAST_BAR = 5  # pixels across
SHORTEST_BAR = 3  # pixels


@dataclass(frozen=True)
class Form:
    """What a bar chart is like, apart from its style."""

    horizontal: bool
    stacked: bool
    series: int
    from_zero: bool
    written: str | None  # where values stand: at the "end", "inside" it or in the "middle" of the bar
    hides_axis: bool
    fill: float  # share of a category's place that is covered by its bars
    errors: bool


def lay_out_bars(rng: Random, split: Split) -> DrawnChart:
    """Raises NoRoom where the choices do not fit together."""
    form = _pick_form(rng)
    width, height = pick_size(rng)
    style = pick_chart_style("bar", form.series, (width, height), rng, split)
    most = 7 if form.series > 1 else 12
    topic = make_topic(rng, POOLS, rng.randint(2, most), form.series, 0.6 if not form.from_zero else 0.06)
    peak = max(_sums(topic)) if form.stacked else max(max(row) for row in topic.values)
    smallest = min(min(row) for row in topic.values)
    low, high, step = make_scale(
        smallest, peak, form.from_zero, most_steps(width if form.horizontal else height, rng), rng
    )
    if not form.written and rng.random() < 0.45:
        topic = on_ticks(topic, step, low, rng)
    if high <= low or min(min(row) for row in topic.values) <= low:
        raise NoRoom("a bar would have no length")
    colours, by_category = _colours(form, len(topic.categories), style, rng)
    names = topic.series if form.series > 1 else []
    where = pick_legend_place(rng, split) if names else None
    page = Page(width, height, style, rng)
    title = page.take_title(topic.title, rng) if topic.title else None
    if form.horizontal and where == "inside" and form.stacked:
        raise NoRoom("stacked bars leave no corner free")
    legend = take_legend_outside(page, names, colours, where, rng)
    scale = Scale(low, high, step, topic.numbers, topic.value_title, topic.unit, not form.hides_axis)
    words = Words(topic.categories, topic.category_title)
    frame = make_frame(page, words, scale, rng) if form.horizontal else make_frame(page, scale, words, rng)
    bars = _bars(page, form, topic, frame, scale, colours, by_category, rng)
    if where == "inside":
        taken = [box for bar in bars for box in (bar.box, bar.written.box if bar.written else bar.box)]
        legend = legend_in_plot(page, names, colours, frame, taken, rng)
    swatches = {entry.label.text: entry.label for entry in legend}
    across = (frame.plot[0], frame.plot[2]) if form.horizontal else (frame.plot[3], frame.plot[1])
    value_words, category_words = (frame.bottom, frame.left) if form.horizontal else (frame.left, frame.bottom)
    titles = (frame.bottom_title, frame.left_title) if form.horizontal else (frame.left_title, frame.bottom_title)
    chart = DrawnChart(
        kind="bar", width=width, height=height, title=title, plot=frame.plot, horizontal=form.horizontal,
        stacked=form.stacked, category_title=titles[1], categories=category_words,
        value_axis=make_axis(scale, titles[0], value_words, across), x_axis=None,
        series=tuple(
            Series(name=swatches.get(name), colour=None if by_category else colours[i])
            for i, name in enumerate(topic.series)
        ),
        legend=tuple(legend), marks=tuple(bars), numbers=topic.numbers,
        style=style.model_copy(update={"legend_place": where, "category_angle": frame.angle}),
    )  # fmt: skip
    _require_clear(chart)
    return require_readable(chart)


def _pick_form(rng: Random) -> Form:
    series = 1 if rng.random() < 0.55 else rng.randint(2, 4)
    stacked = series > 1 and rng.random() < 0.4
    written = None
    if rng.random() < (0.5 if series == 1 else 0.35):
        written = rng.choice(("end", "end", "end", "inside", "middle")) if not stacked else "middle"
    return Form(
        horizontal=rng.random() < 0.35, stacked=stacked, series=series, from_zero=stacked or rng.random() < 0.8,
        written=written, hides_axis=written is not None and rng.random() < 0.3, fill=rng.uniform(0.4, 0.95),
        errors=not stacked and not written and rng.random() < 0.12,
    )  # fmt: skip


def _sums(topic: Topic) -> list[float]:
    return [sum(column) for column in zip(*topic.values, strict=True)]


def _colours(form: Form, categories: int, style: ChartStyle, rng: Random) -> tuple[list[Colour], bool]:
    """One for each series, or (True) one for each category; sometimes a single bar stands out."""
    chance = rng.random()
    by_category = form.series == 1 and chance < 0.4
    highlighted = by_category and (chance < 0.06 or categories > 8)
    count = 2 if highlighted else categories if by_category else form.series
    colours = pick_colours(count, style, rng)
    if colours is None:
        raise NoRoom("too few colours")
    if highlighted:
        special = rng.randrange(categories)
        colours = [colours[i == special] for i in range(categories)]
    return colours, by_category


def _bars(
    page: Page, form: Form, topic: Topic, frame: Frame, scale: Scale, colours: list[Colour], by_category: bool,
    rng: Random,
) -> list[Bar]:  # fmt: skip
    left, top, right, bottom = frame.plot
    start, end = (left, right) if form.horizontal else (bottom, top)
    slot = ((bottom - top) if form.horizontal else (right - left)) / len(topic.categories)
    beside = 1 if form.stacked else form.series
    thickness = slot * form.fill / beside
    gap = rng.choice((0, 0, 1, 2)) if beside > 1 else 0
    if thickness - gap < LEAST_BAR:
        raise NoRoom("the bars are too thin")
    bars = []
    for i in range(len(topic.categories)):
        base = scale.low
        for j in range(form.series):
            value = topic.values[j][i]
            low, high = (base, base + value) if form.stacked else (scale.low, value)
            base += value if form.stacked else 0
            near = (top if form.horizontal else left) + slot * (i + 0.5 - form.fill / 2)
            near += 0 if form.stacked else j * thickness
            sides = round(near), round(near + thickness) - gap
            ends = [round(start + (v - scale.low) / (scale.high - scale.low) * (end - start), 2) for v in (low, high)]
            box = (ends[0], sides[0], ends[1], sides[1]) if form.horizontal else (sides[0], ends[1], sides[1], ends[0])
            if abs(ends[1] - ends[0]) < SHORTEST_BAR:
                raise NoRoom("a bar is too short")
            error = round(rng.uniform(0.02, 0.08) * (scale.high - scale.low), 6) if form.errors else None
            colour = colours[i if by_category else j]
            written = _written(page, form, box, topic.numbers.write(value)) if form.written else None
            bars.append(Bar(series=j, category=i, value=value, colour=colour, written=written, box=box, error=error))
    return bars


def _written(page: Page, form: Form, box: tuple[float, float, float, float], text: str) -> Label:
    """The value at its bar."""
    left, top, right, bottom = box
    x, y = (left + right) / 2, (top + bottom) / 2
    if form.written == "end":
        return page.text(text, (right + 4, y), "lm") if form.horizontal else page.text(text, (x, top - 3), "mb")
    if form.written == "inside":
        label = page.text(text, (right - 4, y), "rm") if form.horizontal else page.text(text, (x, top + 4), "mt")
    else:
        label = page.text(text, (x, y), "mm")
    if label.box[0] < left or label.box[2] > right or label.box[1] < top + 1 or label.box[3] > bottom - 1:
        raise NoRoom("the value is larger than its bar")
    return label


def _require_clear(chart: DrawnChart) -> None:
    """No value stands on a bar that is not its own, and none beyond the plot is cut by what stands there."""
    bars = [mark for mark in chart.marks if isinstance(mark, Bar)]
    frame = legend_box(chart.legend) if chart.legend else None
    for bar in bars:
        if bar.written is None:
            continue
        if any(overlap(bar.written.box, other.box) for other in bars if other is not bar):
            raise NoRoom("a value stands on another bar")
        if frame and overlap(bar.written.box, frame):
            raise NoRoom("a value touches the legend")
