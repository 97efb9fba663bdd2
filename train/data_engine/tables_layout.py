"""Where a table's texts, cells and lines go, and in which colours: everything about its looks but the spoiling."""

from random import Random
from typing import Literal, NamedTuple

from vlm.structure import Box, Cell, Label, Structure, Table

from .colours import RGB, distance, mixed, readable
from .family import Split, pick_for
from .held_out import HELD_OUT
from .lettering import Lettering, bold, pick_font, ruler
from .tables_contents import Contents

LARGEST = (640, 480)
SMALLEST = (200, 150)

Rules = Literal["grid", "rows", "booktabs", "none", "columns", "frame"]
RULES: tuple[Rules, ...] = ("grid", "grid", "rows", "rows", "booktabs", "none", "columns", "frame")


class Palette(NamedTuple):
    page: RGB
    ink: RGB
    accent: RGB


PALETTES = {
    "paper": Palette((255, 255, 255), (20, 20, 20), (90, 90, 90)),
    "office": Palette((255, 255, 255), (30, 35, 45), (47, 84, 150)),
    "leaf": Palette((252, 254, 250), (25, 40, 25), (66, 128, 60)),
    "rust": Palette((255, 252, 248), (50, 30, 20), (176, 74, 36)),
    "gold": Palette((255, 253, 244), (45, 40, 20), (214, 164, 32)),
    "rose": Palette((255, 250, 252), (60, 20, 35), (190, 60, 100)),
    "sea": Palette((240, 247, 250), (15, 40, 60), (20, 120, 140)),
    "newsprint": Palette((238, 234, 224), (35, 32, 30), (96, 84, 70)),
    "night": Palette((24, 26, 31), (225, 228, 235), (80, 140, 220)),
    "charcoal": Palette((48, 48, 50), (240, 240, 235), (230, 150, 60)),
    "terminal": Palette((8, 14, 10), (170, 240, 180), (40, 160, 80)),
    "violet": Palette((252, 250, 255), (40, 25, 60), (112, 60, 170)),
    "sand": Palette((246, 236, 214), (70, 50, 25), (150, 100, 40)),
    "midnight": Palette((16, 22, 52), (230, 232, 250), (170, 110, 230)),
}


class TableStyle(Structure):
    """What drawing needs beyond the places in the truth."""

    font: str
    size: int  # pixels per em
    heading_font: str  # of the headings, of a column of headings and of the sums
    title_font: str
    title_size: int
    palette: str
    rules: Rules
    line: RGB
    thickness: int
    page: RGB
    ink: RGB
    title_ink: RGB
    heading_fill: RGB
    heading_ink: RGB
    stripe: RGB  # behind every other row; the page's own colour where there are no stripes


class DrawnTable(Table):
    """A table with its looks."""

    style: TableStyle


def pick_style(rng: Random, split: Split) -> TableStyle:
    font, size = pick_font(rng, split), rng.choice((10, 11, 11, 12, 12, 13, 14, 15, 16, 18, 20))
    palette = pick_for(split, PALETTES, HELD_OUT.palettes, rng)
    page, ink, accent = PALETTES[palette]
    rules = pick_for(split, RULES, HELD_OUT.table_rules, rng)
    heading_fill, heading_ink = rng.choice(((accent, readable(accent)), (mixed(page, accent, 0.2), ink), (page, ink)))
    if heading_fill == page and distance(page, accent) > 300:
        heading_ink = rng.choice((ink, accent))
    striped = rng.random() < (0.7 if rules == "none" else 0.25)
    return TableStyle(
        font=font,
        size=size,
        heading_font=bold(font) if rng.random() < 0.7 else font,
        title_font=rng.choice((bold(font), font, pick_font(rng, split))),
        title_size=min(24, round(size * rng.uniform(1.0, 1.6))),
        palette=palette,
        rules=rules,
        line=mixed(page, rng.choice((ink, accent)), rng.uniform(0.25, 1.0)),
        thickness=rng.choice((1, 1, 1, 2)),
        page=page,
        ink=ink,
        title_ink=rng.choice((ink, ink, accent)) if distance(page, accent) > 300 else ink,
        heading_fill=heading_fill,
        heading_ink=heading_ink,
        stripe=mixed(page, rng.choice((ink, accent)), rng.uniform(0.06, 0.16)) if striped else page,
    )


def lay_out(contents: Contents, style: TableStyle, rng: Random) -> DrawnTable | None:
    """The table on its page, or None where it would get too large."""
    header_column = rng.random() < 0.3
    pens = _pens(contents, style, header_column)
    padding = rng.uniform(0.35, 1.1) * style.size
    widths = _column_widths(contents, pens, padding, rng)
    row_height = round(style.size * rng.uniform(1.5, 2.4))
    heights = [round(row_height * rng.choice((1.0, 1.15, 1.4))), *[row_height] * len(contents.rows)]
    title_pen = ruler(style.title_font, style.title_size)
    title_height = round(style.title_size * rng.uniform(1.6, 2.4)) if contents.title else 0
    title_width = round(title_pen.extent(contents.title)[0]) + 4 if contents.title else 0
    margin = rng.randint(3, 28)
    inner_width, inner_height = max(sum(widths), title_width), sum(heights) + title_height
    width = max(SMALLEST[0], inner_width + 2 * margin + rng.choice((0, 0, rng.randint(0, 60))))
    height = max(SMALLEST[1], inner_height + 2 * margin + rng.choice((0, 0, rng.randint(0, 60))))
    if width > LARGEST[0] or height > LARGEST[1]:
        return None
    title_below = rng.random() < 0.2
    left = margin + round(rng.choice((0, 0.5)) * (width - 2 * margin - sum(widths)))
    top = margin + round(rng.random() * (height - 2 * margin - inner_height))
    cells = _cells(contents, pens, widths, heights, (left, top if title_below else top + title_height), padding, rng)
    title = None
    if contents.title:
        y = top + (sum(heights) if title_below else 0) + title_height // 2
        x = rng.choice((min(left, width - margin - title_width), (width - title_width) // 2))
        title = Label(text=contents.title, box=title_pen.box((x, y), contents.title, "lm"))
    return DrawnTable(
        width=width, height=height, title=title, header=cells[0], rows=cells[1:],
        header_column=header_column, total_row=contents.total_row, style=style,
    )  # fmt: skip


def is_heading(row: int, column: int, rows: int, header_column: bool, total_row: bool) -> bool:
    """Whether a cell, counted from the headings' row on, is written in the font of headings."""
    return row == 0 or (column == 0 and header_column) or (row == rows - 1 and total_row)


def _pens(contents: Contents, style: TableStyle, header_column: bool) -> list[list[Lettering]]:
    plain, heading = ruler(style.font, style.size), ruler(style.heading_font, style.size)
    rows, columns = 1 + len(contents.rows), len(contents.header)
    return [
        [heading if is_heading(row, column, rows, header_column, contents.total_row) else plain
         for column in range(columns)]
        for row in range(rows)
    ]  # fmt: skip


def _column_widths(contents: Contents, pens: list[list[Lettering]], padding: float, rng: Random) -> list[int]:
    """Wide enough for every text; now and then a little wider, or all but the first alike."""
    rows = (contents.header, *contents.rows)
    widths = [
        round(max(pens[row][column].extent(rows[row][column])[0] for row in range(len(rows))) + 2 * padding) + 2
        for column in range(len(contents.header))
    ]
    if rng.random() < 0.3:
        widths[1:] = [max(widths[1:])] * len(widths[1:])
    extra = rng.choice((0, 0, 10, 25))
    return [width + rng.randint(0, extra) for width in widths]


def _cells(
    contents: Contents,
    pens: list[list[Lettering]],
    widths: list[int],
    heights: list[int],
    corner: tuple[int, int],
    padding: float,
    rng: Random,
) -> tuple[tuple[Cell, ...], ...]:
    """Row by row from the headings on; all texts of a row stand on one line."""
    anchors = _anchors(contents, rng)
    rows = []
    y = corner[1]
    for row, (texts, height) in enumerate(zip((contents.header, *contents.rows), heights, strict=True)):
        x, cells = corner[0], []
        for column, (text, width) in enumerate(zip(texts, widths, strict=True)):
            pen, anchor = pens[row][column], anchors[row > 0][column]
            label = None
            if text:
                place = {"l": x + padding, "m": x + width / 2, "r": x + width - padding}[anchor]
                baseline = y + round((height + pen.extent("H")[1]) / 2)
                label = Label(text=text, box=pen.box((round(place), baseline), text, f"{anchor}s"))
            box: Box = (x, y, x + width, y + height)
            cells.append(Cell(label=label, box=box))
            x += width
        rows.append(tuple(cells))
        y += height
    return tuple(rows)


def _anchors(contents: Contents, rng: Random) -> tuple[list[str], list[str]]:
    """How the headings and the cells of every column are aligned: "l", "m" or "r"."""
    words, numbers = rng.choice(("l", "l", "m")), rng.choice(("r", "r", "m", "l"))
    below = [numbers if numeric else words for numeric in contents.numeric]
    if rng.random() < 0.15:
        below = [rng.choice("lmr") for _ in below]
    return rng.choice((below, ["m"] * len(below), ["l"] * len(below))), below
