"""What a question about a chart turns on, said in the words that an answer would have."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ..structure import Chart, Dot
from ..structure.chart_facts import Value, highest, is_equal, lowest, placed_marks, ranked, series_names, total
from ..structure.colours import SHADES
from ..structure.numbers import parse_number
from ..structure.wording import join_names
from .asked import COLOUR, COUNT, DESCRIBE, TITLE
from .charts import ChartWords, axis_titles, colour_of, colours_said, kind_of
from .comparing import compare, place, wants
from .mentions import find_mentions, missing_names, place_mentions

MOST_PAIRS = 3
ORDER = re.compile(r"(?i)\b(?:next|after|before|follow\w*|preced\w*|prior|left|right)\b")
LEVEL = re.compile(r"(?i)\b(?:above|below|under|over)\b")
SUM = re.compile(r"\b(?:sum|total|together|add\w*|combined?|plus|altogether)\b", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w.,:])[$€£¥]?-?(?:\d{1,3}(?: \d{3})+(?!\d)|\d[\d.,]*)\s?(?:%|[kKMB](?!\w))?(?![\d:])")
EXTREME = re.compile(
    r"\b(?:right|left|top|bottom|high|larg|great|bigg|low|small|few|least|most|max|min)(?:est|most|imum|imal)\b|\b(?:least|most|max|min)\b",
    re.IGNORECASE,
)
KIND = re.compile(r"(?i)\b(?:kind|type|sort) of (?:chart|graph|plot|diagram|figure)\b|\btype of this\b")
AXIS = re.compile(r"(?i)\b(?:x|y|horizontal|vertical)[- ]?axis\b")
MOVE = re.compile(r"(?i)\b(?:rise|fall|increase|decrease|grow|shrink|climb|drop|decline|sink|go (?:up|down))s?\b")
BEFORE = re.compile(r"(?i)\b(?:before|preced\w*|prior|left|above)\b")
AFTER = re.compile(r"(?i)\b(?:after|follow\w*|next|right|below)\b")
COUNTED = {
    "bars": "bar", "slices": "slice|piece|segment", "lines": "line", "points": "point|dot",
    "categories": "categor", "series": "series|group|legend",
}  # fmt: skip


def about(chart: Chart, question: str) -> Iterator[str]:
    """What a question turns on: its chart's words, colours or counts, or what follows from the values that it names."""
    words = ChartWords(chart)
    if (found := [*_of_words(chart, question)]) or (found := [*_of_colours(chart, words, question)]):
        yield from found
    elif (found := [*_of_values(chart, words, question)]) or not DESCRIBE.search(question):
        yield from found
    elif words.values and chart.kind != "pie":  # of a pie all stands in its block, and "values" are no slices
        yield f"values for {join_names(words.categories)}"
        yield _what_stands_out(words)


def _what_stands_out(words: ChartWords) -> str:
    """What a description says beside the categories."""
    if len(words.series) > 1:
        return f"{len(words.series)} series: {join_names(words.series)}"
    top = highest(list(words.values.values()))[0]
    return f"{top.category} is the highest with {words.said(top)}"


def _of_words(chart: Chart, question: str) -> Iterator[str]:
    """What kind of chart it is, its title, what its axes say."""
    if KIND.search(question):
        yield f"it is a {kind_of(chart)}"
    elif match := AXIS.search(question):
        across, up = axis_titles(chart)
        name = "x axis" if match[0].lower()[0] in "xh" else "y axis"
        title = across if name[0] == "x" else up
        yield f'the {name} says "{title.text}"' if title else f"the {name} has no label"
    elif TITLE.search(question):
        yield f'the title is "{chart.title.text}"' if chart.title else "there is no title"


def _of_colours(chart: Chart, words: ChartWords, question: str) -> Iterator[str]:
    """Which colour what a question names has, or what has the colour that it names; or all colours."""
    shades = list(SHADES)
    asked = [shades[number] for number in find_mentions(shades, question.replace("grey", "gray"))]
    if not (COLOUR.search(question) or asked):
        return
    names = words.series if len(words.series) > 1 else words.categories
    colours = _colours_by_name(chart, words)
    named = [names[number] for number in find_mentions(names, question) if names[number] in colours]
    if named:
        yield from (f"{name} is {colours[name]}" for name in named)
    elif asked and len(names) > 1:
        for shade in asked:
            found = [name for name in colours if colours[name] == shade]
            yield f"{join_names(found) or 'nothing'} {'are' if len(found) > 1 else 'is'} {shade}"
    else:
        yield from colours_said(chart)


def _colours_by_name(chart: Chart, words: ChartWords) -> dict[str, str]:
    if len(words.series) > 1:
        return {words.series[i]: colour_of(one.colour) for i, one in enumerate(chart.series) if one.colour}
    marks = [mark for mark in chart.marks if mark.category is not None]
    return {words.categories[mark.category]: colour_of(mark.colour) for mark in marks if mark.category is not None}


def _of_values(chart: Chart, words: ChartWords, question: str) -> Iterator[str]:
    """What follows from the values that a question names, or from all of them."""
    places = place_mentions(words.categories, question)
    named = place_mentions(words.series, question) if len(words.series) > 1 else []
    categories, series = [number for _, number in places], [number for _, number in named]
    absent = [*missing_names((label.text for label in chart.labels), question)]
    yield from absent
    if categories and not series and _asks_order(chart, words, question):
        pair = len(categories) > 1
        yield from _placed(words, question, categories) if pair else _next(words, question, categories[0])
        return
    chosen = _chosen(words, places, named)
    if COUNT.search(question) and not chosen:
        yield from _counts(chart, words, question)
        return
    for value in chosen:
        yield f"{_name(words, value)} is {words.said(value)}"
    if len(chosen) == 2 and MOVE.search(question):
        yield _moved(words, *chosen)
    else:
        for one, other in list(pairwise(chosen))[:MOST_PAIRS]:
            yield from _compared(words, question, one, other)
    if len(chosen) > 1 and SUM.search(question):
        yield f"together {words.write_result(total(chosen))}"
    numbers = [] if absent else [*_numbers(words, question, chosen, categories, series)]
    yield from numbers
    if not numbers and not absent:
        yield from _groups(words, question, categories, series)
    if EXTREME.search(question) and not categories and not series:
        yield from _outermost(chart) if chart.kind == "scatter" else _extreme(words, question)


def _asks_order(chart: Chart, words: ChartWords, question: str) -> bool:
    """Whether a question is about where its categories stand; "above" speaks of values where bars stand upright."""
    is_order = ORDER.search(question) or (chart.horizontal and LEVEL.search(question))
    return bool(is_order) and not _limit(words, question)


def _limit(words: ChartWords, question: str) -> str:
    """The number that a question compares values with, as it is written there; "2015" may be a category."""
    for name in (*words.categories, *filter(None, words.series)):
        question = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", question)
    return next((text.strip(" .,") for text in NUMBER.findall(question)), "")


def _moved(words: ChartWords, one: Value, other: Value) -> str:
    """How a line runs from one value to another."""
    way = "stays" if is_equal(one.value, other.value) else "goes up" if other.value > one.value else "goes down"
    return f"{one.series or 'it'} {way} from {one.category} to {other.category}"


def _name(words: ChartWords, value: Value) -> str:
    """As questions call it: "North for May"."""
    return f"{value.series} for {value.category}" if len(words.series) > 1 and value.category else value.category


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


def _next(words: ChartWords, question: str, category: int) -> Iterator[str]:
    """What stands beside a category, on the side that is asked for."""
    names, before, after = words.categories, BEFORE.search(question), AFTER.search(question)
    if category + 1 < len(names) and (after or not before):
        yield f"{names[category + 1]} comes right after {names[category]}"
    if category and (before or not after):
        yield f"{names[category - 1]} comes right before {names[category]}"


def _groups(words: ChartWords, question: str, categories: Sequence[int], series: Sequence[int]) -> Iterator[str]:
    """Of a series alone its extremes over the categories; of a category alone those over the series."""
    if len(words.series) < 2 or (categories and series):
        return
    for number in series:
        yield from _extremes(words, question, words.series[number], words.of_series(number), by_category=True)
    for number in categories:
        yield from _extremes(words, question, words.categories[number], words.of_category(number), by_category=False)


def _extremes(words: ChartWords, question: str, name: str, found: list[Value], by_category: bool) -> Iterator[str]:
    if not found:
        return
    if EXTREME.search(question):
        ends = {"highest": highest(found)[0], "lowest": lowest(found)[0]}
        for word in wants(question):
            one = ends[word]
            yield f"{word} for {name}: {one.category if by_category else one.series} {words.said(one)}"
    else:
        listed = ", ".join(f"{v.category if by_category else v.series} {words.said(v)}" for v in ranked(found))
        yield f"{name} from high to low: {listed}; sum {words.write_result(total(found))}"


def _numbers(
    words: ChartWords, question: str, chosen: Sequence[Value], categories: Sequence[int], series: Sequence[int]
) -> Iterator[str]:
    """Whether the named values are above a number in the question; without them which value is the nearest to it."""
    text = _limit(words, question)
    number = parse_number(text)
    if number is None:
        return
    for value in chosen:
        yield f"{_name(words, value)} is {'above' if value.value > number else 'below'} {text}"
    found = [
        value
        for (category, one), value in words.values.items()
        if (not categories or category in categories) and (not series or one in series)
    ]
    if not chosen and found:
        nearest = min(found, key=lambda value: abs(value.value - number))
        name = nearest.category if series else nearest.series if categories else _name(words, nearest)
        yield f"closest to {text} is {name}"


def _counts(chart: Chart, words: ChartWords, question: str) -> Iterator[str]:
    """Of marks, categories and series; of values above or below a number."""
    what = {"bar": "bars", "pie": "slices", "line": "lines", "scatter": "points"}[chart.kind]
    number = len(chart.series) if chart.kind == "line" else len(placed_marks(chart))
    counts = {what: number}
    if chart.categories:
        counts["categories"] = len(chart.categories)
    counts["series"] = len(chart.series)
    limit = parse_number(_limit(words, question))
    if limit is not None:
        found = list(words.values.values())
        yield f"{sum(v.value > limit for v in found)} above, {sum(v.value < limit for v in found)} below"
    asked = [
        noun for noun, pattern in COUNTED.items() if noun in counts and re.search(pattern, question, re.IGNORECASE)
    ]
    yield ", ".join(f"{counts[noun]} {noun}" for noun in asked or counts)


def _extreme(words: ChartWords, question: str) -> Iterator[str]:
    found = list(words.values.values())
    if len(found) > 1:
        ends = {"highest": highest(found)[0], "lowest": lowest(found)[0]}
        yield from (
            f"the {word} is {_name(words, ends[word])} with {words.said(ends[word])}" for word in wants(question)
        )


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
