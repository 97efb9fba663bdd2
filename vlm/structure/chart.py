"""Charts: bars, lines, pies and scatter plots with their words, scales and marks, each with its exact place."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, model_validator

from .base import Box, Colour, Element, Label, Point, Structure
from .numbers import MULTIPLIERS

# a sign, a currency, digits in groups, a multiplier, a unit
WRITTEN = re.compile(
    r"^[-+\u2212(]?(?P<prefix>[$€£¥]?)-?(?P<digits>\d(?:[\d.,']| (?=\d{3}))*)"
    r"(?P<times>\s?(?:bn|thousand|million|billion|trillion|[kKMBGT])(?![A-Za-z]))?(?P<suffix>[^\d)]*)\)?$"
)
ChartKind = Literal["bar", "line", "pie", "scatter"]
Cell = str | float | None


class NumberStyle(Structure):
    """How numbers are written: "$1,200", "1.2k", "45%"."""

    prefix: str = ""
    suffix: str = ""
    decimals: int = Field(default=0, ge=0)
    divisor: float = Field(default=1.0, gt=0)  # 1000 for "k"
    separator: str = ""  # between groups of three digits

    @classmethod
    def of(cls, texts: Sequence[str]) -> "NumberStyle":
        """The style that most of these numbers are written in, with as many decimals as any of them."""
        found = [match for text in texts if (match := WRITTEN.match(text.strip()))]
        if not found:
            return cls()
        prefix, times, suffix = Counter((m["prefix"], m["times"] or "", m["suffix"]) for m in found).most_common(1)[0][
            0
        ]
        groups = [match["digits"] for match in found]
        separators = [match[0] for digits in groups if (match := re.search(r"[,' ](?=\d{3}(?!\d))", digits))]
        tails = [re.search(r"\.(\d+)$|,(\d{1,2})$", digits) for digits in groups]
        return cls(
            prefix=prefix, suffix=f"{times}{suffix}", divisor=MULTIPLIERS.get(times.strip(), 1.0),
            decimals=max(len(tail[1] or tail[2]) if tail else 0 for tail in tails),
            separator=separators[0] if separators else "",
        )  # fmt: skip

    def write(self, value: float) -> str:
        digits = f"{abs(value) / self.divisor:,.{self.decimals}f}".replace(",", self.separator)
        return f"{'-' if value < 0 else ''}{self.prefix}{digits}{self.suffix}"

    def rounded(self, value: float) -> float:
        """The value as this style can write it."""
        return round(value / self.divisor, self.decimals) * self.divisor


class Tick(Structure):
    """A written place on a scale."""

    value: float
    label: Label


class Axis(Structure):
    """A linear or logarithmic scale; places are x for an axis that runs across and y for one that runs up."""

    title: Label | None
    unit: str  # "kg"; empty where there is none
    ticks: tuple[Tick, ...]
    low: float  # the values at its two ends
    high: float
    low_place: float
    high_place: float
    is_log: bool = False  # equal steps multiply

    def place(self, value: float) -> float:
        low, high, at = (math.log10(one) if self.is_log else one for one in (self.low, self.high, value))
        return self.low_place + (at - low) / (high - low) * (self.high_place - self.low_place)


class LegendEntry(Element):
    label: Label
    colour: Colour
    box: Box  # of the swatch


class Series(Structure):
    """Values that belong together; the only series of a chart needs no name."""

    name: Label | None
    colour: Colour | None  # None where every category has its own


class Mark(Element):
    """A drawn value."""

    series: int = Field(ge=0)  # which of the chart's series
    category: int | None  # which of the chart's categories; None where a scale takes their place
    value: float  # in the units of the value axis; of slices in per cent of the whole
    colour: Colour
    written: Label | None  # the value where it stands at the mark


class Bar(Mark):
    box: Box
    error: float | None  # half the length of the error bar, in the units of the value axis


class Dot(Mark):
    """A point of a line or of a scatter plot."""

    centre: Point
    x: float | None  # in the units of the x axis; None where there are categories


class Slice(Mark):
    """A part of a pie; angles in degrees, clockwise from the top."""

    centre: Point
    radius: float
    hole: float  # radius of the donut's hole, 0 for a pie
    start: float
    end: float


class Chart(Structure):
    """A chart with everything that can be read from it."""

    kind: ChartKind
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    title: Label | None
    plot: Box  # the area of the marks
    horizontal: bool  # whether bars run across
    stacked: bool
    category_title: Label | None
    categories: tuple[Label, ...]  # in the order of drawing: left to right, top to bottom, clockwise
    value_axis: Axis | None  # None for pies
    x_axis: Axis | None  # where x is a number: scatter plots and some lines
    series: tuple[Series, ...] = Field(min_length=1)
    legend: tuple[LegendEntry, ...]
    marks: tuple[Bar | Dot | Slice, ...] = Field(min_length=1)
    numbers: NumberStyle  # how values are written

    @property
    def labels(self) -> tuple[Label, ...]:
        """All text in the picture, each piece once."""
        return tuple(self._labels())

    def _labels(self) -> Iterator[Label]:
        optional = [self.title, self.category_title]
        for axis in (self.value_axis, self.x_axis):
            if axis:
                optional += [axis.title, *(tick.label for tick in axis.ticks)]
        explained = [entry.label for entry in self.legend]  # which are the names of series, or the categories of a pie
        named = [*self.categories, *(one.name for one in self.series)]
        optional += [*explained, *(label for label in named if label not in explained)]
        optional += [mark.written for mark in self.marks]
        yield from (label for label in optional if label)

    @property
    def table(self) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]:
        """Header and rows: a row for every category with a value for every series, or for every point."""
        value_title = self.value_axis.title if self.value_axis else None
        value_name = value_title.text if value_title else "value"
        names = [one.name.text if one.name else value_name for one in self.series]
        if not self.categories:
            x_title = self.x_axis.title if self.x_axis else None
            points = [(names[m.series], m.x, m.value) for m in self.marks if isinstance(m, Dot)]
            return ("series", x_title.text if x_title else "x", value_name), tuple(points)
        values = {(mark.category, mark.series): mark.value for mark in self.marks}
        header = (self.category_title.text if self.category_title else "", *names)
        return header, tuple(
            (label.text, *(values.get((i, j)) for j in range(len(names)))) for i, label in enumerate(self.categories)
        )

    @model_validator(mode="after")
    def _labels_are_inside(self) -> "Chart":
        for label in self.labels:
            left, top, right, bottom = label.box
            if left < 0 or top < 0 or right > self.width or bottom > self.height:
                raise ValueError(f"the text {label.text!r} reaches outside its picture: {label.box}")
        return self
