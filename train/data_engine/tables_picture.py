"""Draws a table whose layout is known."""

from random import Random

from PIL import Image, ImageDraw

from .lettering import Lettering
from .spoiling import spoil
from .tables_layout import DrawnTable, is_heading


def paint(table: DrawnTable, rng: Random) -> Image.Image:
    """An RGB picture of the table, `table.width` x `table.height`."""
    canvas = Image.new("RGB", (table.width, table.height), table.style.page)
    draw = ImageDraw.Draw(canvas)
    _fill(table, draw)
    _rule(table, draw)
    _letter(table, draw)
    return spoil(canvas, rng)


def _fill(table: DrawnTable, draw: ImageDraw.ImageDraw) -> None:
    style = table.style
    for number, row in enumerate((table.header, *table.rows)):
        for column, cell in enumerate(row):
            heading = number == 0 or (column == 0 and table.header_column)
            fill = style.heading_fill if heading else style.stripe if number % 2 == 0 else style.page
            if fill != style.page:
                left, top, right, bottom = cell.box
                draw.rectangle((left, top, right - 1, bottom - 1), fill)


def _rule(table: DrawnTable, draw: ImageDraw.ImageDraw) -> None:
    """The lines: between all cells, between rows, between columns, around the table, or just the few of a book."""
    style = table.style
    xs = [cell.box[0] for cell in table.header] + [table.header[-1].box[2]]
    ys = [table.header[0].box[1], table.header[0].box[3], *(row[0].box[3] for row in table.rows)]
    across, down = ys, xs
    if style.rules == "rows":
        down = []
    elif style.rules == "booktabs":
        across, down = [ys[0], ys[1], ys[-1]] + [ys[-2]] * table.total_row, []
    elif style.rules == "none":
        across, down = [], []
    elif style.rules == "columns":
        across, down = ys[1:2], xs[1:-1]
    elif style.rules == "frame":
        across, down = [ys[0], ys[1], ys[-1]], [xs[0], xs[-1]]
    for y in across:
        draw.line((xs[0], y, xs[-1], y), style.line, style.thickness)
    for x in down:
        draw.line((x, ys[0], x, ys[-1]), style.line, style.thickness)


def _letter(table: DrawnTable, draw: ImageDraw.ImageDraw) -> None:
    style = table.style
    if table.title:
        Lettering(draw, style.title_font, style.title_size).trace(table.title, style.title_ink)
    plain, heading = Lettering(draw, style.font, style.size), Lettering(draw, style.heading_font, style.size)
    rows = (table.header, *table.rows)
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell.label:
                pen = heading if is_heading(number, column, len(rows), table.header_column, table.total_row) else plain
                filled = number == 0 or (column == 0 and table.header_column)
                pen.trace(cell.label, style.heading_ink if filled else style.ink)
