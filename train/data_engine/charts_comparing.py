"""Questions that compare the values of a chart; where values are not written, only clear differences count."""

from collections.abc import Iterator
from itertools import combinations
from random import Random

from . import charts_wording as words
from .charts_facts import (
    AnyMark,
    category_of,
    clearly_above,
    closest,
    margin,
    name_of,
    of_category,
    of_series,
    series_of,
    standing_out,
    thresholds,
    written_value,
)
from .charts_style import DrawnChart
from .charts_wording import say
from .family import Question
from .shapes_wording import sentence

HIGHER, LOWER = ("higher", "larger", "greater"), ("lower", "smaller")


def _groups(chart: DrawnChart, rng: Random) -> list[tuple[list[AnyMark], str, bool]]:
    """Marks to compare, each with what singles them out (" for Germany") and whether they differ by their series."""
    if len(chart.series) == 1:
        return [(list(chart.marks), "", False)]
    within = [(of_series(chart, i), f" in {one.name.text}", False) for i, one in enumerate(chart.series) if one.name]
    across = [(of_category(chart, i), f" for {label.text}", True) for i, label in enumerate(chart.categories)]
    return [rng.choice(within), rng.choice(across)]


def _named(chart: DrawnChart, mark: AnyMark, by_series: bool) -> str:
    return str(series_of(chart, mark)) if by_series else category_of(chart, mark)


def _noun(by_series: bool, rng: Random) -> str:
    return rng.choice(("series", "group")) if by_series else rng.choice(("category", "label"))


def extremes(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    """The largest and the smallest of all, of a series, or of a category."""
    if not chart.categories:
        return
    for largest in (True, False):
        marks, where, by_series = rng.choice(_groups(chart, rng))
        if mark := standing_out(chart, marks, largest):
            it = _named(chart, mark, by_series)
            most = rng.choice(("highest", "largest", "biggest") if largest else ("lowest", "smallest"))
            text = say(rng, words.EXTREME, noun=_noun(by_series, rng), most=most, where=where)
            value = written_value(chart, mark)
            fact = f"{it} has the {most} value{where}" + (f", {value}" if value else "")
            yield Question("largest" if largest else "smallest", text, it, sentence(fact))


def compare_two(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    """Which of two is larger, and whether one is larger than the other."""
    if not chart.categories:
        return
    pairs = []
    for one, two in combinations(rng.sample(chart.marks, min(8, len(chart.marks))), 2):
        if clearly_above(chart, one, two):
            pairs.append((name_of(chart, one), name_of(chart, two)))
        elif clearly_above(chart, two, one):
            pairs.append((name_of(chart, two), name_of(chart, one)))
    if not pairs:
        return
    (high, low), up = rng.choice(pairs), rng.random() < 0.5
    it, how = (high, rng.choice(HIGHER)) if up else (low, rng.choice(LOWER))
    first, second = rng.sample((high, low), 2)
    text = say(rng, words.WHICH_OF_TWO, more=how, it=first, other=second)
    yield Question("compare_two", text, it, sentence(f"{it} is {how}"))
    high, low = rng.choice(pairs)
    answer, more, less = rng.random() < 0.5, rng.choice(HIGHER), rng.choice(LOWER)
    it, how, other = rng.choice(((high, more, low), (low, less, high)))
    asked = how if answer else less if how == more else more
    word = "yes" if answer else "no"
    text = say(rng, words.IS_MORE, it=it, more=asked, other=other)
    yield Question("is_more", text, word, sentence(f"{word}, {it} is {how} than {other}"))


def nearest(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    """Which is closest to a written value."""
    if not chart.categories:
        return
    marks, where, by_series = rng.choice(_groups(chart, rng))
    found = [(mark, text) for value, text in thresholds(chart) if (mark := closest(chart, marks, value))]
    if found:
        mark, value = rng.choice(found)
        it = _named(chart, mark, by_series)
        text = say(rng, words.CLOSEST, noun=_noun(by_series, rng), value=value, where=where)
        yield Question("closest", text, it, sentence(f"{it} is the closest to {value}{where}"))


def thresholds_crossed(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    """Whether a value is above or below one that is written at the axis."""
    answer, beyond = rng.random() < 0.5, rng.choice(("above", "below"))
    wanted = answer == (beyond == "above")
    if not chart.categories:
        return
    found = [
        (mark, text)
        for mark in chart.marks
        for value, text in thresholds(chart)
        if (mark.value > value) == wanted and abs(mark.value - value) > margin(chart) and value > 0
    ]
    if found:
        mark, value = rng.choice(found)
        it, word = name_of(chart, mark), "yes" if answer else "no"
        text = say(rng, words.IS_BEYOND, it=it, beyond=beyond, value=value)
        side = "above" if wanted else "below"
        yield Question("threshold", text, word, sentence(f"{word}, {it} is {side} {value}"))


def trends(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    """Whether a line goes up or down between two of its points."""
    if chart.kind != "line":
        return
    answer, rises = rng.random() < 0.5, rng.random() < 0.5
    up = answer == rises
    found = [
        (one, two)
        for number in range(len(chart.series))
        for one, two in combinations(of_series(chart, number), 2)
        if (clearly_above(chart, two, one) if up else clearly_above(chart, one, two))
    ]
    if found:
        one, two = rng.choice(found)
        it, word = series_of(chart, one) or "the line", "yes" if answer else "no"
        first, last = category_of(chart, one), category_of(chart, two)
        move = rng.choice(("rise", "go up", "increase") if rises else ("fall", "go down", "decrease"))
        text = say(rng, words.TREND, it=it, move=move, first=first, last=last)
        fact = f"{it} is {'higher' if up else 'lower'} at {last} than at {first}"
        yield Question("trend", text, word, sentence(f"{word}, {fact}"))
