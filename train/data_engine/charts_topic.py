"""What one chart is about: its categories, series, values and words, before it has a form."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor
from random import Random

from vlm.structure import NumberStyle

from .charts_numbers import MONEY, make_values, pick_style, usual_peak
from .charts_words import MEASURES, SERIES, Measure, Pool, make_title, pick_items


@dataclass(frozen=True)
class Topic:
    title: str | None
    value_title: str | None
    category_title: str | None
    unit: str
    numbers: NumberStyle
    categories: list[str]
    series: list[str]
    values: list[list[float]]  # of each series, for each category


def make_topic(rng: Random, pools: Sequence[Pool], count: int, series: int, least: float) -> Topic:
    """At most `count` categories; the values of a series are at least the share `least` of its largest."""
    pool = rng.choice(pools)
    count = min(count, len(pool.items))
    items = pick_items(pool, count, rng)
    measure = MEASURES[rng.choice(pool.measures)]
    peak = usual_peak(measure, rng)
    numbers = pick_style(measure, peak, rng)
    sizes = [peak * rng.uniform(0.45, 1) for _ in range(series)]
    values = [make_values(count, size, least, pool.in_order, rng) for size in sizes]
    values = [[max(numbers.rounded(value), _smallest(numbers)) for value in row] for row in values]
    capped = 100.0 if measure.unit == "%" else max(max(row) for row in values)
    values = [[min(value, capped) for value in row] for row in values]
    return Topic(
        title=make_title(measure.name, pool.noun, rng) if rng.random() < 0.85 else None,
        value_title=value_title(measure, numbers, rng) if rng.random() < 0.7 else None,
        category_title=pool.noun.capitalize() if rng.random() < 0.4 else None,
        unit=measure.unit, numbers=numbers, categories=items, series=series_names(series, items, rng), values=values,
    )  # fmt: skip


def on_ticks(topic: Topic, step: float, low: float, rng: Random) -> Topic:
    """Many values moved to a tick above `low`, so that they can be read where no numbers stand at the marks."""
    share = rng.choice((0.4, 0.7, 1.0))
    first = floor(low / step + 1e-6) + 1

    def moved(value: float) -> float:
        return round(max(round(value / step), first) * step, 10) if rng.random() < share else value

    return replace(topic, values=[[moved(value) for value in row] for row in topic.values])


def _smallest(numbers: NumberStyle) -> float:
    return float(10**-numbers.decimals * numbers.divisor)


def value_title(measure: Measure, numbers: NumberStyle, rng: Random) -> str:
    """The name of a measure, mostly with its unit where the numbers do not show it."""
    shown = bool(numbers.prefix) or (measure.unit not in ("", *MONEY) and measure.unit in numbers.suffix)
    if not measure.unit or shown or rng.random() < 0.15:
        return measure.name
    return rng.choice(("{} ({})", "{} ({})", "{} in {}", "{} [{}]")).format(measure.name, measure.unit)


def series_names(count: int, taken: list[str], rng: Random) -> list[str]:
    """Names of series that fit together and are no categories."""
    groups = [names for names in SERIES if len(names) >= count and not set(names) & set(taken)]
    names = rng.choice(groups)
    if names[0].isdigit():
        start = rng.randrange(len(names) - count + 1)
        return list(names[start : start + count])
    return list(names[:count])
