"""A contact sheet: pictures side by side, with what was read drawn onto them."""

from PIL import Image, ImageDraw

from vlm.structure import Reading
from vlm.structure.overlay import draw_overlay

TILE, COLUMNS, CAPTION = 400, 4, 16


def contact_sheet(readings: list[tuple[Image.Image, Reading, str]]) -> Image.Image:
    rows = max(1, -(-len(readings) // COLUMNS))
    sheet = Image.new("RGB", (TILE * COLUMNS, (TILE + CAPTION) * rows), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (image, reading, caption) in enumerate(readings):
        x, y = number % COLUMNS * TILE, number // COLUMNS * (TILE + CAPTION)
        drawn = draw_overlay(image, reading)
        drawn.thumbnail((TILE - 4, TILE - 4))
        sheet.paste(drawn, (x, y + CAPTION))
        pen.text((x + 2, y + 2), caption, fill="black")
    return sheet
