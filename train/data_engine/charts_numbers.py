"""Numbers of charts: values that look measured, round steps for scales, and the ways in which numbers are written."""

from math import ceil, floor, log10, sin
from random import Random

from vlm.structure import NumberStyle

from .charts_words import Measure

MONEY = frozenset("$€£")


def usual_peak(measure: Measure, rng: Random) -> float:
    """About the largest value of a chart."""
    return measure.least * (measure.most / measure.least) ** rng.random()


def pick_style(measure: Measure, peak: float, rng: Random) -> NumberStyle:
    """How values of this size are written: to two or three digits, large ones often in thousands or millions."""
    prefix = measure.unit if measure.unit in MONEY and rng.random() < 0.7 else ""
    suffix = "%" if measure.unit == "%" and rng.random() < 0.6 else ""
    if measure.unit not in ("", "%", *MONEY) and rng.random() < 0.12:
        suffix = f" {measure.unit}"
    divisor = 1.0
    for size, letter in ((1e6, "M"), (1e3, rng.choice("kK"))):
        if peak >= 2 * size and not suffix and rng.random() < 0.55:
            divisor, suffix = size, letter
            break
    shown = peak / divisor
    digits = rng.choice((2, 2, 3))
    decimals = min(2, max(0, digits - 1 - floor(log10(shown))))
    if divisor == 1 and measure.whole:
        decimals = 0
    separator = rng.choice((",", ",", ",", " ", "")) if shown >= 1000 else ""
    return NumberStyle(prefix=prefix, suffix=suffix, decimals=decimals, divisor=divisor, separator=separator)


def round_step(span: float, about: int) -> float:
    """A step of 1, 2, 2.5 or 5 times a power of ten that divides `span` into about so many parts."""
    power = 10.0 ** floor(log10(span / about))
    return min((factor * power for factor in (1, 2, 2.5, 5, 10)), key=lambda step: abs(span / step - about))


def multiples(step: float, low: float, high: float) -> list[float]:
    """The multiples of a step from low to high, both included."""
    first, last = ceil(low / step - 1e-6), floor(high / step + 1e-6)
    return [round(i * step, 10) for i in range(first, last + 1)]


def with_decimals_for(style: NumberStyle, step: float) -> NumberStyle:
    """The style with as many decimals as the multiples of a step need."""
    shown = step / style.divisor
    decimals = next(count for count in range(8) if abs(shown - round(shown, count)) < 1e-6 * shown)
    return style.model_copy(update={"decimals": decimals})


def make_values(count: int, peak: float, least: float, in_order: bool, rng: Random) -> list[float]:
    """Values from `least` (a share of the peak) up to the peak: at random, rising, falling, in waves or wandering."""
    shape = rng.choice(("random", "random", "trend", "wave", "walk")) if in_order else "random"
    if shape == "trend":
        raw = [i / max(1, count - 1) + rng.gauss(0, 0.13) for i in range(count)]
    elif shape == "wave":
        pace, phase = rng.uniform(0.4, 1.1), rng.uniform(0, 6)
        raw = [sin(pace * i + phase) + rng.gauss(0, 0.15) for i in range(count)]
    elif shape == "walk":
        raw = [rng.gauss(0, 1)]
        while len(raw) < count:
            raw.append(raw[-1] + rng.gauss(0, 1))
    else:
        raw = [rng.random() for _ in range(count)]
    if rng.random() < 0.5:
        raw = [-value for value in raw]
    low, high = min(raw), max(raw)
    floor_share = least + (1 - least) * rng.uniform(0.0, 0.5)
    spread = [(value - low) / (high - low) if high > low else 1.0 for value in raw]
    values = [peak * (floor_share + (1 - floor_share) * share) for share in spread]
    if not in_order and rng.random() < 0.2:
        values.sort(reverse=rng.random() < 0.7)
    return values


def most_steps(length: int, rng: Random) -> int:
    """About how many steps a scale in a picture of this length may have."""
    return rng.randint(3, max(3, min(8, length // 40)))


def make_scale(
    low_value: float, high_value: float, from_zero: bool, steps: int, rng: Random
) -> tuple[float, float, float]:
    """(low, high, step) of a scale around values; it may begin and end between two multiples of its step."""
    from_zero = from_zero or high_value == low_value  # of values that are all the same no other scale shows anything
    span = high_value if from_zero else high_value - low_value
    low = 0.0 if from_zero else max(0.0, low_value - span * rng.uniform(0.1, 0.6))
    step = round_step((high_value - low) * 1.1, steps)
    if not from_zero and rng.random() < 0.6:
        low = floor(low / step) * step
    high = high_value + (high_value - low) * rng.uniform(0.03, 0.22)
    if rng.random() < 0.5:
        high = ceil(high_value / step + 0.1) * step
    return low, high, step
