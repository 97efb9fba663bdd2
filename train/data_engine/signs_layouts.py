"""Where the texts of a notice go, with which letters and in which colours."""

from random import Random
from typing import Literal

from vlm.structure import Entry, Label, Notice, Structure

from .colours import NAMES, RGB, distance, from_hsv, mixed, pick
from .family import Split, pick_for
from .held_out import HELD_OUT
from .lettering import bold, pick_font, ruler
from .signs_contents import Row

LARGEST = (640, 480)
SMALLEST = (200, 150)
CONTRAST, LIGHTNESS = 300, 70  # least `distance`, and difference in lightness, between letters and what is behind them
Frame = Literal["none", "line", "inset", "rounded", "rounded line", "double", "cut corners"]
FRAMES: tuple[Frame, ...] = ("none", "line", "inset", "rounded", "rounded line", "double", "cut corners")
EMPHASIS = {  # role -> size, in parts of the plain text's
    "heading": 1.6, "title": 1.8, "shop": 1.4, "name": 1.3, "total": 1.1, "caption": 1.1,
}  # fmt: skip
PRICE_ON_TAG = 2.2
TINTS = (((0, 360), (0, 22), (86, 100)), ((0, 360), (10, 60), (10, 26)))  # hue, saturation, value without a name


class Pen(Structure):
    """How one piece of text is written."""

    font: str
    size: int  # pixels per em
    ink: RGB


class SignStyle(Structure):
    """What drawing needs beyond the places in the truth."""

    surface: RGB  # behind the sign
    fill: RGB
    frame: Frame
    line: RGB
    pens: tuple[Pen, ...]  # one for every entry


class DrawnNotice(Notice):
    """A notice with its looks."""

    style: SignStyle


def pick_colours(rng: Random, split: Split) -> tuple[str | None, str, RGB, RGB]:
    """Names and values of a sign's colour and its ink; a third of the signs are of no colour with a name."""
    while True:
        background = rng.choice(NAMES) if rng.random() < 0.65 else None
        tint = (rng.uniform(*limits) for limits in rng.choice(TINTS))
        fill = pick(background, rng) if background else from_hsv(*tint)
        ink_name = rng.choice(("black", "white")) if rng.random() < 0.3 else rng.choice(NAMES)
        ink = pick(ink_name, rng)
        allowed = split == "test" or f"{ink_name} on {background}" not in HELD_OUT.sign_colours
        if allowed and distance(fill, ink) > CONTRAST and abs(_lightness(fill) - _lightness(ink)) > LIGHTNESS:
            return background, ink_name, fill, ink


def _lightness(colour: RGB) -> float:
    red, green, blue = colour
    return 0.3 * red + 0.59 * green + 0.11 * blue


def lay_out(kind: str, rows: list[Row], rng: Random, split: Split) -> DrawnNotice | None:
    """The notice in its picture, or None where it would get too large."""
    background, ink_name, fill, ink = pick_colours(rng, split)
    size = rng.choice((11, 12, 13, 14, 16, 18, 20, 22)) if len(rows) > 4 else rng.randint(13, 30)
    pens = _pens(kind, rows, size, ink, rng, split)
    padding, gap = rng.uniform(0.8, 1.8) * size, rng.uniform(1.2, 3.0) * size
    columns = _columns(rows, pens, gap)
    lines = [sum(_widths(row, its)) + gap * (len(row) - 1) for row, its in zip(rows, pens, strict=True)]
    inner_width = round(max(*lines, sum(columns) + gap * (len(columns) - 1)))
    spacing = rng.uniform(1.3, 1.9)
    heights = [round(spacing * max(pen.size for pen in its)) for its in pens]
    sign_width, sign_height = inner_width + 2 * round(padding), sum(heights) + 2 * round(padding)
    if kind == "book cover":  # taller than its text
        sign_height = max(sign_height, round(sign_width * rng.uniform(1.1, 1.5)))
    margin = rng.randint(4, 40)
    width = max(SMALLEST[0], sign_width + 2 * margin)
    height = max(SMALLEST[1], sign_height + 2 * margin)
    if width > LARGEST[0] or height > LARGEST[1]:
        return None
    left, top = ((width - sign_width) // 2, (height - sign_height) // 2)
    if rng.random() < 0.4:
        left, top = rng.randint(3, width - sign_width - 3), rng.randint(3, height - sign_height - 3)
    anchor = "l" if kind in ("receipt", "timetable", "opening hours") and rng.random() < 0.5 else rng.choice("mml")
    slack = sign_height - sum(heights) - 2 * round(padding)
    corner = left + round(padding), top + round(padding)
    entries = _entries(rows, pens, heights, slack, corner, inner_width, columns, gap, anchor)
    surface = from_hsv(rng.uniform(0, 360), rng.uniform(0, 30), rng.uniform(15, 100))
    return DrawnNotice(
        width=width, height=height, kind=kind, background=background, ink=ink_name, entries=entries,
        box=(left, top, left + sign_width, top + sign_height),
        style=SignStyle(
            surface=surface if distance(surface, fill) > 90 else mixed(fill, ink, 0.3),
            fill=fill,
            frame=pick_for(split, FRAMES, HELD_OUT.sign_frames, rng),
            line=rng.choice((ink, mixed(fill, ink, 0.6))),
            pens=tuple(pen for its in pens for pen in its),
        ),
    )  # fmt: skip


def _pens(kind: str, rows: list[Row], size: int, ink: RGB, rng: Random, split: Split) -> list[list[Pen]]:
    """Headings larger, often in a font of their own; totals bold."""
    font = pick_font(rng, split)
    heading_font = rng.choice((bold(font), bold(font), pick_font(rng, split)))
    pens = []
    for row in rows:
        its = []
        for role, _ in row:
            factor = PRICE_ON_TAG if (kind, role) == ("price tag", "price") else EMPHASIS.get(role, 1.0)
            heavy = factor > 1
            its.append(Pen(font=heading_font if heavy else font, size=round(size * factor), ink=ink))
        pens.append(its)
    return pens


def _widths(row: Row, pens: list[Pen]) -> list[float]:
    return [ruler(pen.font, pen.size).extent(text)[0] + 2 for (_, text), pen in zip(row, pens, strict=True)]


def _columns(rows: list[Row], pens: list[list[Pen]], gap: float) -> list[float]:
    """The widths of the columns that rows of several texts share."""
    widths = [_widths(row, its) for row, its in zip(rows, pens, strict=True) if len(row) > 1]
    number = max((len(row) for row in widths), default=0)
    return [max(row[i] for row in widths if len(row) == number) for i in range(number)]


def _entries(
    rows: list[Row],
    pens: list[list[Pen]],
    heights: list[int],
    slack: int,
    corner: tuple[int, int],
    inner_width: int,
    columns: list[float],
    gap: float,
    anchor: str,
) -> tuple[Entry, ...]:
    """Single texts are centred or on the left; of several in a row the last stands on the right."""
    left, y = corner
    right = left + inner_width
    entries = []
    for number, (row, its, height) in enumerate(zip(rows, pens, heights, strict=True)):
        baseline = y + round(0.72 * height)
        for place, ((role, text), pen) in enumerate(zip(row, its, strict=True)):
            if len(row) == 1:
                x, side = ((left + right) / 2, "m") if anchor == "m" else (left, "l")
            elif place == len(row) - 1:
                x, side = right, "r"
            else:
                x, side = left + sum(columns[:place]) + gap * place, "l"
            box = ruler(pen.font, pen.size).box((round(x), baseline), text, f"{side}s")
            entries.append(Entry(role=role, row=number, label=Label(text=text, box=box)))
        y += height + (slack // max(1, len(rows) - 1) if number == len(rows) - 2 else 0)
    return tuple(entries)
