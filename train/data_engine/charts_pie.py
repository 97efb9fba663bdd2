"""Pies and donuts: slices in per cent, named beside them or in a legend."""

from math import cos, radians, sin
from random import Random

from vlm.structure import Colour, Label, NumberStyle, Point, Series, Slice

from .charts_assembly import pick_size, require_readable, take_legend_outside
from .charts_page import NoRoom, Page
from .charts_style import DrawnChart, pick_chart_style, pick_colours, pick_legend_place
from .charts_topic import make_topic
from .charts_words import SHARE_POOLS
from .family import Split

LEAST_RADIUS = 38  # pixels
LEAST_SHARE = 4.0  # per cent


def lay_out_pie(rng: Random, split: Split) -> DrawnChart:
    """Raises NoRoom where the choices do not fit together."""
    width, height = pick_size(rng)
    style = pick_chart_style("pie", 1, (width, height), rng, split)
    topic = make_topic(rng, SHARE_POOLS, rng.randint(2, 8), 1, 0.1)
    shares, numbers = _shares(len(topic.categories), rng)
    colours = pick_colours(len(shares), style, rng)
    if colours is None:
        raise NoRoom("too few colours")
    where = rng.choice((None, pick_legend_place(rng, split)))
    where = "right" if where == "inside" else where
    written = rng.choice((None, "inside", "inside", "beside"))
    if written == "beside" and where is None:
        written = "inside"
    page = Page(width, height, style, rng)
    title = page.take_title(topic.title, rng) if topic.title else None
    legend = take_legend_outside(page, topic.categories, colours, where, rng)
    outside = [] if legend and written != "beside" else topic.categories if not legend else ["100.0%"]
    room = max((page.extent(word)[0] for word in outside), default=0) + 8 * bool(outside)
    across, down = page.right - page.left, page.bottom - page.top
    radius = min(across / 2 - room, down / 2 - (1.6 * style.size if outside else 0)) * rng.uniform(0.9, 1)
    if radius < LEAST_RADIUS:
        raise NoRoom("the pie is too small")
    centre = round((page.left + page.right) / 2, 1), round((page.top + page.bottom) / 2, 1)
    hole = rng.uniform(0.4, 0.65) * radius if rng.random() < 0.4 else 0.0
    slices = _slices(page, shares, colours, centre, (radius, hole), written, numbers, rng)
    categories = [entry.label for entry in legend]
    if not categories:
        categories = [_beside(page, word, one) for word, one in zip(topic.categories, slices, strict=True)]
    chart = DrawnChart(
        kind="pie", width=width, height=height, title=title,
        plot=(centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius),
        horizontal=False, stacked=False, category_title=None, categories=tuple(categories), value_axis=None,
        x_axis=None,
        series=(Series(name=None, colour=None),), legend=tuple(legend), marks=tuple(slices), numbers=numbers,
        style=style.model_copy(update={"legend_place": where}),
    )  # fmt: skip
    return require_readable(chart)


def _shares(count: int, rng: Random) -> tuple[list[float], NumberStyle]:
    """Shares of 100 as they are written, so that what is written adds up."""
    numbers = NumberStyle(suffix="%", decimals=rng.choice((0, 0, 1)))
    unit = 10**numbers.decimals
    weights = [rng.uniform(0.15, 1) ** 1.5 for _ in range(count)]
    free = 100 - count * LEAST_SHARE
    parts = [round((LEAST_SHARE + free * weight / sum(weights)) * unit) for weight in weights]
    parts[-1] += 100 * unit - sum(parts)
    if rng.random() < 0.35:
        parts.sort(reverse=True)
    return [part / unit for part in parts], numbers


def _slices(
    page: Page, shares: list[float], colours: list[Colour], centre: Point, radii: tuple[float, float],
    written: str | None, numbers: NumberStyle, rng: Random,
) -> list[Slice]:  # fmt: skip
    """Clockwise, from the top or from anywhere."""
    radius, hole = radii
    start = rng.choice((0.0, 0.0, 90.0, float(rng.randrange(360))))
    slices: list[Slice] = []
    for share, colour in zip(shares, colours, strict=True):
        end = start + 3.6 * share
        one = Slice(
            series=0, category=len(slices), value=share, colour=colour, written=None,
            centre=centre, radius=round(radius, 2), hole=round(hole, 2), start=round(start, 3), end=round(end, 3),
        )  # fmt: skip
        text = numbers.write(share)
        label = None
        if written == "inside":
            label = page.text(text, middle(one), "mm")
            _require_inside(label, one)
        elif written == "beside":
            label = _beside(page, text, one)
        slices.append(one.model_copy(update={"written": label}))
        start = end
    return slices


def middle(one: Slice) -> Point:
    """The point in the middle of a slice, somewhat outside the middle of its radius, where there is more room."""
    distance = (one.hole + one.radius) / 2 if one.hole else 0.64 * one.radius
    return around(one, distance)


def around(one: Slice, distance: float) -> Point:
    """The point so far from the centre, in the middle between the two sides of a slice."""
    angle = radians((one.start + one.end) / 2)
    return one.centre[0] + distance * sin(angle), one.centre[1] - distance * cos(angle)


def _beside(page: Page, text: str, one: Slice) -> Label:
    x, y = around(one, one.radius + 6)
    across = (x - one.centre[0]) / one.radius
    return page.text(
        text, (x, y), "lm" if across > 0.25 else "rm" if across < -0.25 else "mb" if y < one.centre[1] else "mt"
    )


def _require_inside(label: Label, one: Slice) -> None:
    """Every corner of what is written in a slice lies in it."""
    left, top, right, bottom = label.box
    for x, y in ((left, top), (right, top), (left, bottom), (right, bottom)):
        dx, dy = x - one.centre[0], one.centre[1] - y
        distance = (dx * dx + dy * dy) ** 0.5
        mid = radians((one.start + one.end) / 2)
        along, aside = dx * sin(mid) + dy * cos(mid), abs(dx * cos(mid) - dy * sin(mid))
        half = radians((one.end - one.start) / 2)
        fits = half >= 1.57 or (along > 0 and aside < along * sin(half) / max(cos(half), 1e-6))
        if distance > one.radius - 1 or distance < one.hole + 1 or not fits:
            raise NoRoom("a value is larger than its slice")
