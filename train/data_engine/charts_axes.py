"""Axes: how much room their words need around the plot, and where each word stands."""

from dataclasses import dataclass
from random import Random

from vlm.structure import Axis, Box, Label, NumberStyle, Tick

from .charts_numbers import multiples, with_decimals_for
from .charts_page import NoRoom, Page

LEAST_PLOT = (80, 60)  # pixels


@dataclass(frozen=True)
class Scale:
    """A numeric axis before it has a place."""

    low: float
    high: float
    step: float
    numbers: NumberStyle
    title: str | None
    unit: str
    is_written: bool = True

    @property
    def values(self) -> list[float]:
        return multiples(self.step, self.low, self.high)

    def write(self, value: float) -> str:
        return with_decimals_for(self.numbers, self.step).write(value)

    @property
    def words(self) -> list[str]:
        return [self.write(value) for value in self.values] if self.is_written else []


@dataclass(frozen=True)
class Words:
    """A categorical axis before it has a place."""

    words: list[str]
    title: str | None


@dataclass(frozen=True)
class Frame:
    """The plot with the words around it."""

    plot: Box
    left_title: Label | None
    bottom_title: Label | None
    left: tuple[Label, ...]
    bottom: tuple[Label, ...]
    angle: int  # of the words below the plot


def make_frame(page: Page, left: Scale | Words, bottom: Scale | Words, rng: Random) -> Frame:
    """Takes the rest of the page for a plot and its words.

    Raises:
        NoRoom: if the plot would be too small or words below it would touch each other.
    """
    style = page.style
    tick = max(style.tick_length, 0) + rng.randint(3, 5)
    x, top = _room_for_left_title(page, left, rng)
    widest = max((page.extent(word)[0] for word in left.words), default=0)
    x0 = x + widest + (tick if left.words else 2)
    x1 = page.right - (page.extent(bottom.words[-1])[0] / 2 if isinstance(bottom, Scale) and bottom.words else 0)
    y0 = top + (page.style.size / 2 if isinstance(left, Scale) else 0)
    slot = (x1 - x0) / max(1, len(bottom.words))
    angle, wrap = _turn(page, bottom, slot, rng)
    title_height = page.extent(bottom.title, page.right - x0)[1] if bottom.title else 0
    words_height = max((page.extent(word, wrap, angle)[1] for word in bottom.words), default=0)
    y1 = page.bottom - (title_height + rng.randint(4, 7) if bottom.title else 0) - words_height - tick
    plot = (round(x0), round(y0), round(x1), round(y1))
    if plot[2] - plot[0] < LEAST_PLOT[0] or plot[3] - plot[1] < LEAST_PLOT[1]:
        raise NoRoom("the plot is too small")
    ups = _places(left, plot[3], plot[1]) if isinstance(left, Scale) else _places(left, plot[1], plot[3])
    lefts = tuple(page.text(word, (plot[0] - tick, y), "rm") for word, y in zip(left.words, ups, strict=False))
    bottoms = tuple(
        page.text(word, (x, plot[3] + tick), "mt", wrap, angle)
        for word, x in zip(bottom.words, _places(bottom, plot[0], plot[2]), strict=False)
    )
    left_title = _left_title(page, left, plot)
    bottom_title = None
    if bottom.title:
        bottom_title = page.text(bottom.title, ((plot[0] + plot[2]) / 2, page.bottom), "mb", page.right - x0)
    return Frame(plot, left_title, bottom_title, lefts, bottoms, angle)


def _room_for_left_title(page: Page, left: Scale | Words, rng: Random) -> tuple[float, float]:
    """Where words at the left may begin, and where the plot may."""
    if not left.title:
        return page.left, page.top
    width, height = page.extent(left.title, angle=90 if page.style.upright_title else 0)
    if page.style.upright_title:
        return page.left + width + rng.randint(4, 8), page.top
    if width > page.right - page.left:
        raise NoRoom("the title of the axis is too long")
    return page.left, page.top + height + rng.randint(4, 8)


def _left_title(page: Page, left: Scale | Words, plot: Box) -> Label | None:
    if not left.title:
        return None
    if page.style.upright_title:
        return page.text(left.title, (page.left, (plot[1] + plot[3]) / 2), "lm", angle=90)
    return page.text(left.title, (page.left, page.top), "lt")


def _turn(page: Page, bottom: Scale | Words, slot: float, rng: Random) -> tuple[int, float | None]:
    """The angle at which words fit side by side below the plot, and the width at which they are wrapped."""
    widest = max((page.extent(word)[0] for word in bottom.words), default=0)
    gap, height = 4, page.style.size
    options: list[tuple[int, float | None]] = []
    if widest + gap < slot:
        options += [(0, None)] * 12
    elif isinstance(bottom, Words) and max(page.extent(word, slot - gap)[0] for word in bottom.words) + gap < slot:
        options += [(0, slot - gap)] * 6
    if isinstance(bottom, Words):
        options += [(angle, None) for angle in (90, 90, 45, 30) if slot * {90: 1, 45: 0.7, 30: 0.5}[angle] > height + 1]
    if not options:
        raise NoRoom("the words below the plot are too long")
    return rng.choice(options)


def _places(axis: Scale | Words, start: float, end: float) -> list[float]:
    """Where the words stand along an axis between two places."""
    if isinstance(axis, Scale):
        return [start + (value - axis.low) / (axis.high - axis.low) * (end - start) for value in axis.values]
    slot = (end - start) / len(axis.words)
    return [start + (i + 0.5) * slot for i in range(len(axis.words))]


def make_axis(scale: Scale, title: Label | None, labels: tuple[Label, ...], ends: tuple[float, float]) -> Axis:
    """The axis of a scale that has found its place; without labels nothing is written at its ticks."""
    ticks = tuple(Tick(value=value, label=label) for value, label in zip(scale.values, labels, strict=False))
    return Axis(
        title=title, unit=scale.unit, ticks=ticks, low=scale.low, high=scale.high, low_place=ends[0], high_place=ends[1]
    )
