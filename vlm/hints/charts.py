"""Charts in words: the values, their order, and what a question about some of them turns on."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ..structure import Chart, Colour, Dot, NumberStyle, Slice
from ..structure.chart_facts import Value, highest, is_equal, lowest, placed_marks, ranked, series_names, total
from ..structure.colours import SHADES, colour_name
from ..structure.numbers import parse_number, write_number
from .comparing import compare, place, wants
from .mentions import find_mentions, missing_names, place_mentions

MOST_IN_ORDER = 12
MOST_PAIRS = 3
TICK = 1e-6  # of the axis: so near to a tick a value is what the tick says
ZEROS = re.compile(r"\.0+(?!\d)")
ORDER = re.compile(r"\b(?:next|after|before|follow\w*|preced\w*|prior|left|right|above|below|between)\b", re.IGNORECASE)
SUM = re.compile(r"\b(?:sum|total|together|add\w*|combined?|plus|altogether)\b", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w.,:])[$€£¥]?-?(?:\d{1,3}(?: \d{3})+(?!\d)|\d[\d.,]*)\s?(?:%|[kKMB](?!\w))?(?![\d:])")
COUNT = re.compile(r"\b(?:how many|number of|count)\b", re.IGNORECASE)
EXTREME = re.compile(
    r"\b(?:right|left|top|bottom|high|larg|great|bigg|low|small|few|least|most|max|min)(?:est|most|imum|imal)\b|\b(?:least|most|max|min)\b",
    re.IGNORECASE,
)
COLOUR = re.compile(r"\b(?:colou?rs?|hues?)\b", re.IGNORECASE)


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
    kind = {"scatter": "scatter plot"}.get(chart.kind, f"{'stacked ' if chart.stacked else ''}{chart.kind} chart")
    if any(isinstance(mark, Slice) and mark.hole > 0 for mark in chart.marks):
        kind = "donut chart"
    title = f' "{chart.title.text}"' if chart.title else ""
    yield f"{'horizontal ' if chart.horizontal and chart.kind == 'bar' else ''}{kind}{title}"
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
    yield from _colours(chart)
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


def _colours(chart: Chart) -> Iterator[str]:
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


def _titles(chart: Chart) -> Iterator[str]:
    value_title = chart.value_axis.title if chart.value_axis else None
    other = chart.category_title or (chart.x_axis.title if chart.x_axis else None)
    across, up = (value_title, other) if chart.horizontal else (other, value_title)
    for name, label in (("x axis", across), ("y axis", up)):
        if label:
            yield f'{name} "{label.text}"'


def about(chart: Chart, question: str) -> Iterator[str]:
    """What follows from the values that a question names."""
    words = ChartWords(chart)
    places = place_mentions(words.categories, question)
    named = place_mentions(words.series, question) if len(words.series) > 1 else []
    categories, series = [number for _, number in places], [number for _, number in named]
    chosen = _chosen(words, places, named)
    for value in chosen:
        yield f"{_name(words, value)} {words.said(value)}"
    for one, other in list(pairwise(chosen))[:MOST_PAIRS]:
        yield from _compared(words, question, one, other)
    if len(chosen) > 1 and SUM.search(question):
        yield f"together {words.write_result(total(chosen))}"
    if ORDER.search(question) and len(categories) == 2:
        yield from _placed(words, question, categories)
    elif ORDER.search(question) and len(categories) == 1 and not series:
        yield from _neighbours(words, categories[0])
    yield from missing_names((label.text for label in chart.labels), question)
    yield from _colours_of(chart, words, question, categories, series)
    yield from _groups(words, categories, series)
    yield from _numbers(words, question, categories)
    yield from _by_colour(chart, words, question)
    if COUNT.search(question):
        yield from _counts(chart)
    if EXTREME.search(question) and not categories and not series:
        yield from _outermost(chart) if chart.kind == "scatter" else _extreme(words, question)


def _name(words: ChartWords, value: Value) -> str:
    return value.name if len(words.series) > 1 else value.category


def _chosen(words: ChartWords, places: Sequence[tuple[int, int]], named: Sequence[tuple[int, int]]) -> list[Value]:
    """The values where the named categories and series meet; without a series only where there is but one.

    Both come with their places in the question: "North for May or South for June" are two values, not four.
    """
    categories, series = [number for _, number in places], [number for _, number in named]
    order = [is_series for _, is_series in sorted([(at, False) for at, _ in places] + [(at, True) for at, _ in named])]
    if len(categories) == len(series) > 1 and all(a != b for a, b in pairwise(order)):
        pairs = list(zip(categories, series, strict=True))
    else:
        which = series or ([0] if len(words.series) == 1 else [])
        pairs = [(c, s) for c in categories for s in which]
    return [words.values[pair] for pair in pairs if pair in words.values]


def _compared(words: ChartWords, question: str, one: Value, other: Value) -> Iterator[str]:
    first, second = _name(words, one), _name(words, other)
    if is_equal(one.value, other.value):
        yield f"{first} and {second} are equal"
        return
    difference = words.write_result(abs(one.value - other.value))
    yield f"{compare(question, first, second, one.value > other.value)} by {difference}"


def _placed(words: ChartWords, question: str, categories: Sequence[int]) -> Iterator[str]:
    one, other = (words.categories[i] for i in categories)
    before = categories[0] < categories[1]
    if words.chart.horizontal:
        yield place(question, one, other, None, before)
    elif words.chart.kind != "pie":
        yield place(question, one, other, before, None)


def _neighbours(words: ChartWords, category: int) -> Iterator[str]:
    names = words.categories
    if category + 1 < len(names):
        yield f"after it {names[category + 1]}"
    if category:
        yield f"before it {names[category - 1]}"


def _groups(words: ChartWords, categories: Sequence[int], series: Sequence[int]) -> Iterator[str]:
    """Of a series alone its extremes over the categories; of a category alone those over the series."""
    if len(words.series) < 2:
        return
    if series and not categories:
        for number in series:
            yield from _extremes(words, words.series[number], words.of_series(number), by_category=True)
    if categories and not series:
        for number in categories:
            yield from _extremes(words, words.categories[number], words.of_category(number), by_category=False)


def _extremes(words: ChartWords, name: str, found: list[Value], by_category: bool) -> Iterator[str]:
    if found:
        listed = ", ".join(f"{v.category if by_category else v.series} {words.said(v)}" for v in ranked(found))
        yield f"{name} from high to low: {listed}; sum {words.write_result(total(found))}"


def _numbers(words: ChartWords, question: str, categories: Sequence[int]) -> Iterator[str]:
    """Which value is the nearest to a number in the question, and which of the named ones are above it."""
    for name in (*words.categories, *filter(None, words.series)):  # "2015" may be one
        question = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", question)
    found = list(words.values.values())
    for text in NUMBER.findall(question)[:1]:
        number = parse_number(text.strip(" .,"))
        if number is None or not found:
            continue
        nearest = min(found, key=lambda value: abs(value.value - number))
        yield f"closest to {text.strip(' .,')}: {_name(words, nearest)}"
        for value in (words.values[c, 0] for c in categories if (c, 0) in words.values):
            yield f"{_name(words, value)} is {'above' if value.value > number else 'below'} {text.strip(' .,')}"
        above, below = sum(value.value > number for value in found), sum(value.value < number for value in found)
        yield f"{above} above, {below} below"


def _by_colour(chart: Chart, words: ChartWords, question: str) -> Iterator[str]:
    shades = list(SHADES)
    for number in find_mentions(shades, question.replace("grey", "gray")):
        same = [mark for mark in chart.marks if colour_of(mark.colour) == shades[number]]
        if len(words.series) > 1:
            names = {words.series[mark.series] for mark in same}
        else:
            names = {words.categories[mark.category] for mark in same if mark.category is not None}
        if names:
            yield f"{shades[number]}: {', '.join(sorted(names))}"


def _colours_of(
    chart: Chart, words: ChartWords, question: str, categories: Sequence[int], series: Sequence[int]
) -> Iterator[str]:
    """The colours of what a question names, or of all, where it asks for colours or names one."""
    if not (COLOUR.search(question) or find_mentions(list(SHADES), question.replace("grey", "gray"))):
        return
    if len(words.series) > 1:
        found = [(words.series[i], one.colour) for i, one in enumerate(chart.series) if one.colour and i in series]
    else:
        found = [(words.categories[m.category], m.colour) for m in chart.marks if m.category in (*categories,)]
    if found:
        yield f"colors: {', '.join(f'{name} {colour_of(colour)}' for name, colour in found)}"
    else:
        yield from _colours(chart)


def _counts(chart: Chart) -> Iterator[str]:
    """Of marks, categories and series."""
    what = {"bar": "bars", "pie": "slices", "line": "lines", "scatter": "points"}[chart.kind]
    number = len(chart.series) if chart.kind == "line" else len(placed_marks(chart))
    yield f"{number} {what}"
    if chart.categories:
        yield f"{len(chart.categories)} categories, {len(chart.series)} series"
    elif len(chart.series) > 1:
        yield f"{len(chart.series)} series"


def _extreme(words: ChartWords, question: str) -> Iterator[str]:
    found = list(words.values.values())
    if len(found) > 1:
        ends = {"highest": highest(found)[0], "lowest": lowest(found)[0]}
        yield ", ".join(f"{word} {ends[word].name} {words.said(ends[word])}" for word in wants(question))


def _outermost(chart: Chart) -> Iterator[str]:
    """The groups of a scatter plot's outermost points, and how the highest lies to the lowest."""
    dots = [mark for mark in chart.marks if isinstance(mark, Dot)]
    names = series_names(chart)
    high, low = max(dots, key=lambda dot: dot.value), min(dots, key=lambda dot: dot.value)
    left, right = min(dots, key=lambda dot: dot.centre[0]), max(dots, key=lambda dot: dot.centre[0])
    if len(chart.series) > 1:
        ends = (("highest", high), ("lowest", low), ("rightmost", right), ("leftmost", left))
        yield ", ".join(f"{word} {names[dot.series]}" for word, dot in ends)
    yield f"highest is {'left' if high.centre[0] < low.centre[0] else 'right'} of lowest"
