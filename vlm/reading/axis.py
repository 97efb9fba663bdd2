"""Tick labels to a scale: which value stands at which place, even where one of them was misread."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from ..structure import Axis, Label, NumberStyle, Tick
from .seen import SeenWord, middle
from .spelling import number_readings

CLOSE = 0.02  # of the axis' length: a tick label stands so near its place
LARGEST = 1e18  # number at a tick, and one over it the smallest
MOST_LOG = 300.0  # what a float holds
APART = 5.0  # pixels between two ticks
STEPS, ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7.5, 8, 10), 0.02  # mantissas of steps, and how exactly
FEW = 0.6  # how sure a scale is that rests on two labels


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic scale: value at a place, and how sure that is."""

    slope: float
    offset: float
    is_log: bool
    ticks: tuple[tuple[float, Label], ...]  # value and label of those that agree
    confidence: float

    def value(self, place: float) -> float:
        value = self.slope * place + self.offset
        return 10 ** max(-MOST_LOG, min(value, MOST_LOG)) if self.is_log else value

    def place(self, value: float) -> float:
        return ((math.log10(value) if self.is_log else value) - self.offset) / self.slope

    def axis(self, title: Label | None, places: tuple[float, float]) -> Axis:
        """As a structure; `places` are its lower and its upper end."""
        return Axis(
            title=title, unit="", ticks=tuple(Tick(value=value, label=label) for value, label in self.ticks),
            low=self.value(places[0]), high=self.value(places[1]), low_place=places[0], high_place=places[1],
            is_log=self.is_log,
        )  # fmt: skip

    def rounded(self, value: float) -> float:
        """Without digits that nobody could read off: a hundredth of a step between ticks."""
        if len(self.ticks) < 2 or self.is_log:
            return float(f"{value:.4g}")
        values = sorted(value for value, _ in self.ticks)
        step = min((b - a for a, b in pairwise(values) if b > a), default=1.0)
        digits = 2 - math.floor(math.log10(step))
        return round(value, digits) + 0.0


def number_style(axis: Axis | None) -> NumberStyle:
    """As the labels at the ticks are written, with the decimals of a tenth of the step between two of them."""
    if axis is None or len(axis.ticks) < 2:
        return NumberStyle(decimals=2)
    style = NumberStyle.of([tick.label.text for tick in axis.ticks])
    values = sorted(tick.value for tick in axis.ticks)
    step = min((b - a for a, b in pairwise(values) if b > a), default=style.divisor) / style.divisor
    decimals = min(6, max(style.decimals, math.ceil(-math.log10(step / 10))))
    return style.model_copy(update={"decimals": decimals})


def tick_values(text: str) -> list[float]:
    """What the number at a tick can be, as it was read or meant ("1O"); none that no axis shows."""
    return [value for value in number_readings(text) if value == 0 or 1 / LARGEST <= abs(value) <= LARGEST]


def fit_scale(words: Sequence[SeenWord], upright: bool) -> Scale | None:
    """The scale that most tick labels agree on; None where fewer than two do."""
    read = [(tick_values(word.label.text), middle(word.label.box)[1 if upright else 0], word.label) for word in words]
    points = [(value, place, label) for values, place, label in read for value in values]
    number = sum(bool(values) for values, _, _ in read)
    linear = _fit(points, number, is_log=False)
    if number < 3 or any(value <= 0 for value, _, _ in points):
        return linear
    logarithmic = _fit([(math.log10(v), p, label) for v, p, label in points], number, is_log=True)
    agreeing = len(linear.ticks) if linear else 0
    if logarithmic and len(logarithmic.ticks) > (agreeing if agreeing <= 2 else agreeing + 1):  # two always agree
        return logarithmic
    return linear


def _fit(points: list[tuple[float, float, Label]], number: int, is_log: bool) -> Scale | None:
    """The straight line through the most points, by least squares among those; they belong to `number` labels."""
    places = [place for _, place, _ in points]
    best: list[tuple[float, float, Label]] = []
    for (value_a, place_a, _), (value_b, place_b, _) in combinations(points, 2):
        if abs(place_b - place_a) < 4 or value_a == value_b:
            continue
        slope = (value_b - value_a) / (place_b - place_a)
        tolerance = abs(slope) * max(1.5, CLOSE * (max(places) - min(places)))
        agreeing = [one for one in points if abs(value_a + slope * (one[1] - place_a) - one[0]) <= tolerance]
        agreeing = _apart(agreeing)
        if (len(agreeing), _is_round(agreeing)) > (len(best), _is_round(best)):
            best = agreeing
    if len(best) < 2:
        return None
    mean_value = sum(value for value, _, _ in best) / len(best)
    mean_place = sum(place for _, place, _ in best) / len(best)
    spread = sum((place - mean_place) ** 2 for _, place, _ in best)
    slope = sum((value - mean_value) * (place - mean_place) for value, place, _ in best) / spread
    confidence = FEW if len(best) == 2 else len(best) / number
    by_value = {value: label for value, _, label in best}
    ticks = tuple((10**value if is_log else value, by_value[value]) for value in sorted(by_value))
    return Scale(slope, mean_value - slope * mean_place, is_log, ticks, confidence)


def _is_round(points: list[tuple[float, float, Label]]) -> bool:
    """Whether values are multiples of a plain step, as ticks are: 0 and 1 rather than 096 and 196."""
    values = sorted({value for value, _, _ in points})
    step = min((b - a for a, b in pairwise(values)), default=0.0)
    if step <= 0 or not any(abs(step / 10 ** math.floor(math.log10(step)) - plain) < ROUND for plain in STEPS):
        return False
    return all(abs(value / step - round(value / step)) < ROUND for value in values)


def _apart(points: list[tuple[float, float, Label]]) -> list[tuple[float, float, Label]]:
    """Only such as stand at places of their own: the labels of the other axis all stand at one."""
    kept: list[tuple[float, float, Label]] = []
    for point in sorted(points, key=lambda one: one[1]):
        if not kept or point[1] - kept[-1][1] >= APART:
            kept.append(point)
    return kept
