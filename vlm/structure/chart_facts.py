"""What follows from the values of a chart: order, extremes, sums, differences, by series or over all."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .chart import Bar, Chart, Dot, Slice
from .numbers import write_number
from .wording import count_of, join_names

CURRENCIES = ("$", "€", "£", "¥")
MOST_IN_ORDER = 12  # values that a line of text lists
PARTS_OF_WHOLE = 1.0  # per cent that the slices of a pie may miss of 100, by rounding


@dataclass(frozen=True)
class Value:
    """A value and what it belongs to."""

    category: str  # the number on the x axis where a scale takes the place of categories
    series: str  # "" where the only series has no name
    value: float
    is_sure: bool = True

    @property
    def name(self) -> str:
        return f"{self.category} ({self.series})" if self.category and self.series else self.category or self.series


def series_names(chart: Chart) -> tuple[str, ...]:
    return tuple(one.name.text if one.name else "" for one in chart.series)


def placed_marks(chart: Chart) -> tuple[Bar | Dot | Slice, ...]:
    """The marks, of two that stand for the same category and series the surer one, in the order of drawing."""
    found: dict[tuple[int, int], Bar | Dot | Slice] = {}
    for number, mark in enumerate(chart.marks):
        place = (mark.series, -1 - number if mark.category is None else mark.category)
        if place not in found or found[place].confidence < mark.confidence:
            found[place] = mark
    return tuple(found.values())


def values(chart: Chart, series: int | None = None) -> tuple[Value, ...]:
    """The values of one series or of all."""
    names = series_names(chart) if len(chart.series) > 1 else ("",)
    found = []
    for mark in placed_marks(chart):
        if series is None or mark.series == series:
            label = None if mark.category is None else chart.categories[mark.category]
            x = mark.x if isinstance(mark, Dot) else None
            category = label.text if label else "" if x is None else write_number(x)
            is_sure = mark.is_sure and (label is None or label.is_sure)
            found.append(Value(category, names[mark.series], mark.value, is_sure))
    return tuple(found)


def ranked(found: Sequence[Value]) -> tuple[Value, ...]:
    """From high to low; equal ones in their order."""
    return tuple(sorted(found, key=lambda one: -one.value))


def is_equal(one: float, other: float) -> bool:
    """Whether two values are the same but for how a float holds them."""
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


def highest(found: Sequence[Value]) -> tuple[Value, ...]:
    """The largest value, with all that share it."""
    top = max((one.value for one in found), default=0.0)
    return tuple(one for one in found if is_equal(one.value, top))


def lowest(found: Sequence[Value]) -> tuple[Value, ...]:
    """The smallest value, with all that share it."""
    bottom = min((one.value for one in found), default=0.0)
    return tuple(one for one in found if is_equal(one.value, bottom))


def total(found: Sequence[Value]) -> float:
    return math.fsum(one.value for one in found)


def difference(one: Value, other: Value) -> float:
    """How much the first is above the second; negative where it is below."""
    return one.value - other.value


def compare(one: Value, other: Value) -> str:
    """ "higher", "lower" or "equal": the first beside the second."""
    if is_equal(one.value, other.value):
        return "equal"
    return "higher" if one.value > other.value else "lower"


def describe_chart(chart: Chart) -> list[str]:
    name = {"scatter": "scatter plot"}.get(chart.kind, f"{chart.kind} chart")
    title = f' "{chart.title.text}"' if chart.title else ""
    names = [one for one in series_names(chart) if one]
    series = f"; {len(chart.series)} series: {join_names(names)}" if len(chart.series) > 1 else ""
    found = values(chart)
    if chart.kind == "scatter":
        return [f"{name}{title}: {count_of(len(found), 'point')}{series}", *_describe_points(chart)]
    places = count_of(len(chart.categories), "category", "categories") if chart.categories else ""
    what = places or count_of(len(found), "point")
    return [f"{name}{title}: {what}{series}", *_describe_values(chart, found)]


def _describe_values(chart: Chart, found: tuple[Value, ...]) -> list[str]:
    facts = []
    if len(found) > 1:
        facts += [_extreme(chart, "highest", highest(found)), _extreme(chart, "lowest", lowest(found))]
    many = len(chart.series) > 1
    if 2 < len(found) <= MOST_IN_ORDER and not many:
        facts.append(f"from high to low: {', '.join(f'{v.name} {_write(chart, v.value)}' for v in ranked(found))}")
    if chart.kind == "pie":
        whole = total(found)
        if abs(whole - 100) > PARTS_OF_WHOLE:
            facts.append(f"the slices make up {write_number(whole)} % instead of 100 %: some are misread or missing")
    elif many:
        for number, name in enumerate(series_names(chart)):
            if len(own := values(chart, number)) > 1:
                facts.append(f"sum of {name or f'series {number + 1}'}: {_write(chart, total(own))}")
    elif len(found) > 1:
        facts.append(f"sum: {_write(chart, total(found))}")
    return facts


def _describe_points(chart: Chart) -> list[str]:
    dots = [mark for mark in chart.marks if isinstance(mark, Dot) and mark.x is not None]
    if len(dots) < 2:
        return []
    facts = []
    for axis, numbers, name in (
        (chart.x_axis, [dot.x for dot in dots if dot.x is not None], "x"),
        (chart.value_axis, [dot.value for dot in dots], "y"),
    ):
        name = axis.title.text if axis and axis.title else name
        facts.append(f"{name}: from {write_number(min(numbers))} to {write_number(max(numbers))}")
    if len(chart.series) > 1:
        counts = (f"{name} {len(values(chart, number))}" for number, name in enumerate(series_names(chart)))
        facts.append(f"points of each series: {', '.join(counts)}")
    return facts


def _extreme(chart: Chart, word: str, found: tuple[Value, ...]) -> str:
    return (
        f"{word}: {join_names(one.name or 'a value without a name' for one in found)}, {_write(chart, found[0].value)}"
    )


def _write(chart: Chart, value: float) -> str:
    unit = "%" if chart.kind == "pie" else chart.value_axis.unit if chart.value_axis else ""
    number = write_number(value)
    return f"{unit}{number}" if unit in CURRENCIES else f"{number} {unit}".rstrip()
