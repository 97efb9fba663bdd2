"""How charts look: paper, palettes, grids, frames, lines, letters. Some of it only the test split shows."""

from random import Random
from typing import Literal

from vlm.structure import Chart, ChartKind, Colour, Structure

from .colours import NAMES, distance, from_hsv, mixed, pick
from .family import Split, pick_for
from .held_out import HELD_OUT
from .lettering import pick_font

# name -> (saturation, value) in %, each as (from, to), of the paper, and whether it has any hue
THEMES = {
    "white": ((0, 0), (100, 100)),
    "light": ((0, 6), (94, 100)),
    "tinted": ((5, 16), (88, 98)),
    "gray": ((0, 2), (84, 93)),
    "dark": ((0, 35), (9, 20)),
    "sepia": ((17, 26), (86, 94)),
    "slate": ((20, 45), (22, 30)),
}
THEME_WEIGHTS = {"white": 8, "light": 3, "tinted": 2, "gray": 1, "dark": 3, "sepia": 1, "slate": 1}
PALETTES = ("names", "names", "names", "names", "ramp", "pastel", "muted", "neon")  # only "names" can be asked for
LEGEND_PLACES = ("top", "right", "right", "bottom", "inside", "inside", "below title", "left")
MARKERS = ("circle", "square", "triangle", "diamond", "ring", "cross")
PAPER_CONTRAST, COLOUR_CONTRAST = 120, 105  # least `distance` of colours from the paper and from each other


class ChartStyle(Structure):
    """What only drawing needs."""

    font: str
    heading_font: str
    size: int  # of the text, in pixels per em
    heading_size: int
    theme: str
    palette: str
    legend_place: str | None
    legend_frame: bool
    paper: tuple[int, int, int]
    plot_paper: tuple[int, int, int]
    ink: tuple[int, int, int]
    grid_colour: tuple[int, int, int]
    grid: Literal["none", "values", "both"]
    dashed_grid: bool
    frame: Literal["none", "axes", "box", "base"]
    tick_length: int
    minor_ticks: bool
    edge: tuple[int, int, int] | None
    edge_width: int
    hatches: tuple[str, ...]  # of each series: "", "/", "\\", "x", "-"
    round_bars: bool
    dashes: tuple[int, ...]  # of each line: length in pixels, 0 for a solid one
    markers: tuple[str, ...]  # of each series: "", "circle", "square", "triangle", "diamond", "ring", "cross"
    marker_size: float
    line_width: float
    area: bool  # whether the area under lines is tinted
    category_angle: int  # of the text at the category axis, in degrees
    upright_title: bool  # whether the title beside the plot is turned by 90 degrees


class DrawnChart(Chart):
    """A chart, and how it is drawn."""

    style: ChartStyle


def pick_legend_place(rng: Random, split: Split) -> str:
    return pick_for(split, LEGEND_PLACES, HELD_OUT.chart_legend_places, rng)


def pick_chart_style(kind: ChartKind, series: int, size: tuple[int, int], rng: Random, split: Split) -> ChartStyle:
    weighted = tuple(name for name, weight in THEME_WEIGHTS.items() for _ in range(weight))
    theme = pick_for(split, weighted, HELD_OUT.chart_themes, rng)
    saturation, value = THEMES[theme]
    paper = from_hsv(rng.uniform(0, 360), rng.uniform(*saturation), rng.uniform(*value))
    dark = paper[1] < 110
    plot_paper = paper
    if kind != "pie" and rng.random() < 0.2:
        plot_paper = from_hsv(
            rng.uniform(0, 360), rng.uniform(0, 9), rng.uniform(12, 24) if dark else rng.uniform(89, 100)
        )
    ink = from_hsv(rng.uniform(0, 360), rng.uniform(0, 20), rng.uniform(82, 100) if dark else rng.uniform(0, 32))
    text = rng.choice((9, 10, 10, 11, 11, 12, 13)) + (min(size) > 300) * rng.randint(0, 3)
    font = pick_font(rng, split)
    edged = rng.random() < (0.7 if kind == "pie" else 0.3)
    return ChartStyle(
        font=font, heading_font=font if rng.random() < 0.7 else pick_font(rng, split), size=text,
        heading_size=round(text * rng.uniform(1.0, 1.5)), theme=theme,
        palette=pick_for(split, PALETTES, HELD_OUT.chart_palettes, rng),
        legend_place=None, legend_frame=rng.random() < 0.3,
        paper=paper, plot_paper=plot_paper, ink=ink, grid_colour=mixed(plot_paper, ink, rng.uniform(0.1, 0.3)),
        grid=rng.choice(("none", "none", "values", "values", "values", "both")), dashed_grid=rng.random() < 0.3,
        frame=rng.choice(("none", "axes", "axes", "box", "box", "base")), tick_length=rng.choice((0, 0, 3, 4, -3)),
        minor_ticks=rng.random() < 0.15, edge=rng.choice((ink, paper, (0, 0, 0))) if edged else None,
        edge_width=rng.choice((1, 1, 2)), hatches=_hatches(series, rng), round_bars=rng.random() < 0.1,
        dashes=tuple(rng.choice((0, 0, 3, 6)) if rng.random() < 0.5 else 0 for _ in range(series)),
        markers=_markers(kind, series, rng), marker_size=rng.uniform(2.2, 4.5),
        line_width=rng.choice((1, 1.5, 2, 2, 3)), area=series == 1 and rng.random() < 0.15,
        category_angle=0, upright_title=rng.random() < 0.8,
    )  # fmt: skip


def _hatches(series: int, rng: Random) -> tuple[str, ...]:
    if rng.random() > 0.1:
        return ("",) * series
    return tuple(rng.choice(("/", "\\", "x", "-", "")) for _ in range(series))


def _markers(kind: ChartKind, series: int, rng: Random) -> tuple[str, ...]:
    if kind == "line" and rng.random() < 0.35:
        return ("",) * series
    if rng.random() < 0.5:
        return (rng.choice(("circle", "circle", *MARKERS)),) * series
    return tuple(rng.sample(MARKERS, series))


def pick_colours(count: int, style: ChartStyle, rng: Random) -> list[Colour] | None:
    """Colours that differ from the paper and from each other, or None where none were found."""
    for _ in range(12):
        colours = _palette(count, style, rng)
        behind = [style.plot_paper, style.paper]
        contrast = [distance(colour.rgb, paper) for colour in colours for paper in behind]
        between = [distance(a.rgb, b.rgb) for i, a in enumerate(colours) for b in colours[:i]]
        if len(colours) == count and min(contrast) > PAPER_CONTRAST and min(between, default=765) > COLOUR_CONTRAST:
            return colours
    return None


def _palette(count: int, style: ChartStyle, rng: Random) -> list[Colour]:
    if style.palette == "names":
        named = [(name, pick(name, rng)) for name in rng.sample(NAMES, len(NAMES))]
        clear = [(name, rgb) for name, rgb in named if distance(rgb, style.plot_paper) > PAPER_CONTRAST]
        return [Colour(name=name, rgb=rgb) for name, rgb in clear[:count]]
    hue, dark = rng.uniform(0, 360), style.plot_paper[1] < 110
    if style.palette == "ramp":
        levels = [(i + 0.5) / count for i in range(count)]
        if dark:
            found = [from_hsv(hue, 90 - 60 * level, 55 + 45 * level) for level in levels]
        else:
            found = [from_hsv(hue, 45 + 50 * level, 95 - 65 * level) for level in levels]
    else:
        saturation, value = {"pastel": (42, 88), "muted": (52, 68), "neon": (95, 92)}[style.palette]
        jump = rng.choice((360 / count, 137.5))
        found = [from_hsv(hue + i * jump, saturation, value + rng.uniform(-8, 8)) for i in range(count)]
    return [Colour(name=None, rgb=rgb) for rgb in found]
