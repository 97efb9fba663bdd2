"""What can be read from a chart beyond dispute: names of marks, values as they are written, clear differences."""

from collections.abc import Sequence

from vlm.structure import Bar, Dot, NumberStyle, Slice

from .charts_style import DrawnChart
from .charts_words import POOLS

AnyMark = Bar | Dot | Slice
MARGIN, STACKED_MARGIN = 0.045, 0.09  # of the axis: the least difference that everybody sees


def category_of(chart: DrawnChart, mark: AnyMark) -> str:
    assert mark.category is not None
    return chart.categories[mark.category].text


def series_of(chart: DrawnChart, mark: AnyMark) -> str | None:
    name = chart.series[mark.series].name
    return name.text if name else None


def name_of(chart: DrawnChart, mark: AnyMark) -> str:
    """How a mark is called: by its category, and by its series where there are several."""
    series = series_of(chart, mark)
    return f"{series} for {category_of(chart, mark)}" if series else category_of(chart, mark)


def written_value(chart: DrawnChart, mark: AnyMark) -> str | None:
    """The value as it stands at the mark or, where the mark ends exactly there, at a tick, else None."""
    if mark.written:
        return mark.written.text
    axis = chart.value_axis
    if axis is None or (chart.stacked and mark.series > 0):
        return None
    near = 1e-6 * (axis.high - axis.low)
    return next((tick.label.text for tick in axis.ticks if abs(tick.value - mark.value) < near), None)


def span(chart: DrawnChart) -> float:
    """The length of the scale that values are read from."""
    return chart.value_axis.high - chart.value_axis.low if chart.value_axis else 100.0


def margin(chart: DrawnChart) -> float:
    """Differences above this are clear even where no values are written."""
    return (STACKED_MARGIN if chart.stacked else MARGIN) * span(chart)


def clearly_above(chart: DrawnChart, one: AnyMark, other: AnyMark) -> bool:
    if one.written and other.written:
        return one.value > other.value and one.written.text != other.written.text
    return one.value - other.value > margin(chart)


def standing_out(chart: DrawnChart, marks: Sequence[AnyMark], largest: bool) -> AnyMark | None:
    """The mark that is clearly the largest (or the smallest) of these, or None."""
    if len(marks) < 2:
        return None
    first, second = sorted(marks, key=lambda mark: mark.value, reverse=largest)[:2]
    higher, lower = (first, second) if largest else (second, first)
    return first if clearly_above(chart, higher, lower) else None


def closest(chart: DrawnChart, marks: Sequence[AnyMark], value: float) -> AnyMark | None:
    """The mark that is clearly the closest to a value, or None."""
    if len(marks) < 2:
        return None
    first, second = sorted(marks, key=lambda mark: abs(mark.value - value))[:2]
    return first if abs(second.value - value) - abs(first.value - value) > 1.5 * margin(chart) else None


def of_series(chart: DrawnChart, number: int) -> list[AnyMark]:
    return [mark for mark in chart.marks if mark.series == number]


def of_category(chart: DrawnChart, number: int) -> list[AnyMark]:
    return [mark for mark in chart.marks if mark.category == number]


def exact(numbers: NumberStyle, value: float) -> str:
    """A value with as many decimals as it has."""
    shown = round(value / numbers.divisor, 6)
    decimals = next(count for count in range(7) if round(shown, count) == shown)
    return numbers.model_copy(update={"decimals": decimals}).write(value)


def thresholds(chart: DrawnChart) -> list[tuple[float, str]]:
    """Values to compare with, each as it is written."""
    if chart.value_axis:
        return [(tick.value, tick.label.text) for tick in chart.value_axis.ticks]
    return [(float(value), f"{value}%") for value in (10, 15, 20, 25, 30, 40, 50)]


def absent_categories(chart: DrawnChart) -> list[str]:
    """Categories of the same sort that the chart does not have."""
    shown = {label.text for label in chart.categories}
    said = " ".join(label.text for label in chart.labels)
    fitting = [pool for pool in POOLS if shown and shown <= set(pool.items)]
    return [
        item
        for pool in fitting[:1]
        for item in pool.items
        if item not in said and not any(name in item for name in shown)
    ]


def kind_name(chart: DrawnChart) -> str:
    """What people call such a chart."""
    first = chart.marks[0]
    if isinstance(first, Slice):
        return "donut chart" if first.hole else "pie chart"
    return {"bar": "bar chart", "line": "area chart" if chart.style.area else "line chart", "scatter": "scatter plot"}[
        chart.kind
    ]


def mark_noun(chart: DrawnChart) -> str:
    return {"bar": "bar", "line": "point", "pie": "slice", "scatter": "point"}[chart.kind]
