"""Puts the parts of a chart with axes together and refuses what could not be read."""

from collections.abc import Sequence
from random import Random

from vlm.structure import Box, Colour, LegendEntry

from .charts_axes import Frame
from .charts_page import NoRoom, Page
from .charts_style import DrawnChart
from .lettering import apart

SIZES = ((320, 256), (320, 240), (400, 300), (256, 256), (300, 200), (200, 150), (480, 360), (640, 480))


def pick_size(rng: Random) -> tuple[int, int]:
    """Width and height, from 200x150 to 640x480 and mostly around 320x256."""
    if rng.random() < 0.4:
        width, height = rng.choice(SIZES)
    else:
        width = round(rng.triangular(200, 640, 320))
        height = round(min(480, max(150, width * rng.uniform(0.55, 1.1))))
    return width, height


def overlap(one: Box, other: Box, gap: float = 0.0) -> bool:
    return one[0] < other[2] + gap and other[0] < one[2] + gap and one[1] < other[3] + gap and other[1] < one[3] + gap


def take_legend_outside(
    page: Page, names: Sequence[str], colours: Sequence[Colour], where: str | None, rng: Random
) -> list[LegendEntry]:
    """The legend where it stands outside the plot; nothing for one inside, which comes last."""
    if where is None or where == "inside":
        return []
    return page.take_legend(names, colours, where, rng)


def legend_in_plot(
    page: Page, names: Sequence[str], colours: Sequence[Colour], frame: Frame, taken: Sequence[Box], rng: Random
) -> list[LegendEntry]:
    """The legend in a corner of the plot where it hides nothing."""
    for entries in page.legend_inside(names, colours, frame.plot, rng):
        if not any(overlap(legend_box(entries), box, 2) for box in taken):
            return entries
    raise NoRoom("the legend would hide marks")


def legend_box(entries: Sequence[LegendEntry], margin: int = 3) -> Box:
    boxes = [box for entry in entries for box in (entry.box, entry.label.box)]
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts) - margin, min(tops) - margin, max(rights) + margin, max(bottoms) + margin


def require_readable(chart: DrawnChart) -> DrawnChart:
    """The chart itself, if no two of its labels touch.

    Slanted words stand side by side although their upright boxes overlap, so they are only held against the others.
    """
    slanted = chart.categories if chart.style.category_angle in (30, 45) else ()
    upright = [label.box for label in chart.labels if label not in slanted]
    if not apart(upright) or any(overlap(one.box, other, 1) for one in slanted for other in upright):
        raise NoRoom("two texts touch")
    return chart
