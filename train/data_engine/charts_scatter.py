"""Scatter plots: points of one to three groups between two scales."""

from random import Random

from vlm.structure import Dot, Series

from .charts_assembly import legend_in_plot, pick_size, require_readable, take_legend_outside
from .charts_axes import Scale, make_axis, make_frame
from .charts_numbers import make_scale, most_steps, multiples, pick_style, usual_peak
from .charts_page import NoRoom, Page
from .charts_style import DrawnChart, pick_chart_style, pick_colours, pick_legend_place
from .charts_topic import series_names, value_title
from .charts_words import MEASURES
from .family import Split


def lay_out_scatter(rng: Random, split: Split) -> DrawnChart:
    """Raises NoRoom where the choices do not fit together."""
    series = rng.choice((1, 1, 2, 3))
    width, height = pick_size(rng)
    style = pick_chart_style("scatter", series, (width, height), rng, split)
    colours = pick_colours(series, style, rng)
    if colours is None:
        raise NoRoom("too few colours")
    names = series_names(series, [], rng) if series > 1 else []
    where = pick_legend_place(rng, split) if names else None
    across, upright = rng.sample(list(MEASURES.values()), 2)
    scales = []
    for measure, steps in ((across, most_steps(width * 2 // 3, rng)), (upright, most_steps(height, rng))):
        peak = usual_peak(measure, rng)
        low, high, step = make_scale(peak * rng.uniform(0.1, 0.5), peak, rng.random() < 0.5, steps, rng)
        numbers = pick_style(measure, peak, rng)
        axis_title = value_title(measure, numbers, rng) if rng.random() < 0.9 else None
        scales.append(Scale(low, high, step, numbers, axis_title, measure.unit))
    x_scale, y_scale = scales
    page = Page(width, height, style, rng)
    heading = rng.choice((f"{upright.name} and {across.name.lower()}", f"{upright.name} vs {across.name}"))
    title = page.take_title(heading, rng) if rng.random() < 0.7 else None
    legend = take_legend_outside(page, names, colours, where, rng)
    frame = make_frame(page, y_scale, x_scale, rng)
    left, top, right, bottom = frame.plot
    x_axis = make_axis(x_scale, frame.bottom_title, frame.bottom, (left, right))
    y_axis = make_axis(y_scale, frame.left_title, frame.left, (bottom, top))
    dots: list[Dot] = []
    for j in range(series):
        for x, y in _cloud(rng.randint(4, 24 // series), rng):
            value_x, value_y = _value(x, x_scale, rng), _value(y, y_scale, rng)
            centre = round(x_axis.place(value_x), 2), round(y_axis.place(value_y), 2)
            clear = all(
                abs(centre[0] - d.centre[0]) + abs(centre[1] - d.centre[1]) > 3 * style.marker_size for d in dots
            )
            if clear and left + 4 < centre[0] < right - 4 and top + 4 < centre[1] < bottom - 4:
                dots.append(
                    Dot(
                        series=j,
                        category=None,
                        value=value_y,
                        colour=colours[j],
                        written=None,
                        centre=centre,
                        x=value_x,
                    )
                )
    if {dot.series for dot in dots} != set(range(series)):
        raise NoRoom("a group without points")
    if where == "inside":
        taken = [(d.centre[0] - 5, d.centre[1] - 5, d.centre[0] + 5, d.centre[1] + 5) for d in dots]
        legend = legend_in_plot(page, names, colours, frame, taken, rng)
    chart = DrawnChart(
        kind="scatter", width=width, height=height, title=title, plot=frame.plot, horizontal=False, stacked=False,
        category_title=None, categories=(), value_axis=y_axis, x_axis=x_axis,
        series=tuple(Series(name=legend[j].label if legend else None, colour=colours[j]) for j in range(series)),
        legend=tuple(legend), marks=tuple(dots), numbers=y_scale.numbers,
        style=style.model_copy(update={"legend_place": where}),
    )  # fmt: skip
    return require_readable(chart)


def _cloud(count: int, rng: Random) -> list[tuple[float, float]]:
    """Points as shares of the plot: along a slope, or around a centre."""
    if rng.random() < 0.5:
        slope, noise = rng.choice((-0.8, -0.5, 0.5, 0.8)), rng.uniform(0.02, 0.2)
        xs = [rng.uniform(0.05, 0.95) for _ in range(count)]
        return [(x, 0.5 + slope * (x - 0.5) + rng.gauss(0, noise)) for x in xs]
    x, y, spread = rng.uniform(0.25, 0.75), rng.uniform(0.25, 0.75), rng.uniform(0.08, 0.3)
    return [(rng.gauss(x, spread), rng.gauss(y, spread)) for _ in range(count)]


def _value(share: float, scale: Scale, rng: Random) -> float:
    """The value at a share of the scale, now and then moved to the nearest tick; as exact as it can be written."""
    value = scale.low + share * (scale.high - scale.low)
    if rng.random() < 0.15:
        return min(multiples(scale.step, scale.low, scale.high), key=lambda tick: abs(tick - value))
    return scale.numbers.rounded(value)
