"""Charts in words: the values, their order, colours and titles."""

import re
from collections.abc import Iterator

from ..structure import Chart, Colour, Dot, Label, NumberStyle, Slice
from ..structure.chart_facts import Value, highest, lowest, placed_marks, ranked, series_names
from ..structure.colours import colour_name
from ..structure.numbers import write_number

MOST_IN_ORDER = 12
TICK = 1e-6  # of the axis: so near to a tick a value is what the tick says
ZEROS = re.compile(r"\.0+(?!\d)")


class ChartWords:
    """A chart's values under the names that the picture gives them."""

    def __init__(self, chart: Chart):
        self.chart = chart
        self.categories = [label.text for label in chart.categories]
        self.series = list(series_names(chart))
        self.values: dict[tuple[int, int], Value] = {}  # by category and series
        self.written: dict[tuple[str, str], str] = {}  # where a value stands at its mark, by the names of the two
        ticks = [tick.label.text for tick in chart.value_axis.ticks] if chart.value_axis else []
        decimals = max(chart.numbers.decimals, NumberStyle.of(ticks).decimals)
        self.style = chart.numbers.model_copy(update={"decimals": decimals})
        for mark in placed_marks(chart):
            if mark.category is not None:
                name = Value(self.categories[mark.category], self.series[mark.series], mark.value, mark.is_sure)
                self.values[mark.category, mark.series] = name
                if mark.written:
                    self.written[name.category, name.series] = mark.written.text

    def write(self, value: float) -> str:
        """As the picture writes it, at a tick in so many words; a pie's in per cent."""
        if self.chart.value_axis:
            near = TICK * abs(self.chart.value_axis.high - self.chart.value_axis.low)
            for tick in self.chart.value_axis.ticks:
                if abs(tick.value - value) < near:
                    return tick.label.text
        if self.chart.kind == "pie":
            return f"{write_number(round(value, 1))}%"
        written = self.style.write(self.style.rounded(value))
        return ZEROS.sub("", written) if self.style.divisor != 1 else written  # "50M" rather than "50.0M"

    def write_result(self, value: float) -> str:
        """A sum or a difference, with as many decimals as it has."""
        if self.chart.kind == "pie":
            return self.write(value)
        shown = round(self.style.rounded(value) / self.style.divisor, 6)
        decimals = next(count for count in range(7) if round(shown, count) == shown)
        return self.style.model_copy(update={"decimals": decimals}).write(value)

    def said(self, value: Value) -> str:
        written = self.written.get((value.category, value.series))
        return f"{written or self.write(value.value)}{'' if value.is_sure else '?'}"

    def of_series(self, series: int) -> list[Value]:
        return [value for (_, s), value in sorted(self.values.items()) if s == series]

    def of_category(self, category: int) -> list[Value]:
        return [value for (c, _), value in sorted(self.values.items()) if c == category]


def describe(chart: Chart) -> Iterator[str]:
    """What is seen, in the order in which it is wanted."""
    words = ChartWords(chart)
    title = f' "{chart.title.text}"' if chart.title else ""
    stacked, level = "stacked " if chart.stacked else "", "horizontal " if chart.horizontal else ""
    yield f"{level if chart.kind == 'bar' else ''}{stacked}{kind_of(chart)}{title}"
    if chart.kind == "scatter":
        yield from _points(chart)
    elif len(chart.series) > 1:
        for number, name in enumerate(words.series):
            yield f"{name}: {', '.join(f'{v.category} {words.said(v)}' for v in words.of_series(number))}"
    else:
        yield ", ".join(f"{value.category} {words.said(value)}" for value in words.of_series(0))
    found = list(words.values.values())
    if len(chart.series) == 1 and 1 < len(found) <= MOST_IN_ORDER:
        yield f"high to low: {', '.join(value.category for value in ranked(found))}"
    elif len(found) > 1:
        yield f"highest {highest(found)[0].name}, lowest {lowest(found)[0].name}"
    yield from colours_said(chart)
    yield from _titles(chart)
    if chart.categories:
        yield f"{len(chart.categories)} categories" + (f", {len(words.series)} series" if len(words.series) > 1 else "")


def _points(chart: Chart) -> Iterator[str]:
    dots = [mark for mark in chart.marks if isinstance(mark, Dot) and mark.x is not None]
    yield f"{len(dots)} points"
    if len(chart.series) > 1:
        for number, name in enumerate(series_names(chart)):
            yield f"{name}: {sum(dot.series == number for dot in dots)} points"
    if dots:
        high, right = max(dots, key=lambda dot: dot.value), max(dots, key=lambda dot: dot.x or 0.0)
        yield f"highest at {write_number(high.x or 0.0)}, rightmost at {write_number(right.value)}"


def colours_said(chart: Chart) -> Iterator[str]:
    names = [
        f"{name or 'all'} {colour_of(one.colour)}"
        for name, one in zip(series_names(chart), chart.series, strict=True)
        if one.colour
    ]
    if len(chart.series) == 1 and not names:
        names = [
            f"{chart.categories[mark.category].text} {colour_of(mark.colour)}"
            for mark in chart.marks
            if mark.category is not None
        ]
        if len({name.rpartition(" ")[2] for name in names}) == 1:
            names = [f"all {names[0].rpartition(' ')[2]}"]
    if names:
        yield f"colors: {', '.join(names)}"


def colour_of(colour: Colour) -> str:
    return colour.name or colour_name(colour.rgb)


def kind_of(chart: Chart) -> str:
    """What charts like this are called."""
    if any(isinstance(mark, Slice) and mark.hole > 0 for mark in chart.marks):
        return "donut chart"
    return "scatter plot" if chart.kind == "scatter" else f"{chart.kind} chart"


def axis_titles(chart: Chart) -> tuple[Label | None, Label | None]:
    """What is written along the horizontal axis, and along the vertical one."""
    value_title = chart.value_axis.title if chart.value_axis else None
    other = chart.category_title or (chart.x_axis.title if chart.x_axis else None)
    return (value_title, other) if chart.horizontal else (other, value_title)


def _titles(chart: Chart) -> Iterator[str]:
    for name, label in zip(("x axis", "y axis"), axis_titles(chart), strict=True):
        if label:
            yield f'{name} "{label.text}"'
