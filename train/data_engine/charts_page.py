"""The layout that all charts share: title and legend take their places at the edges, the plot gets what is left."""

from collections.abc import Sequence
from random import Random

from vlm.structure import Box, Colour, Label, LegendEntry

from .charts_style import ChartStyle
from .charts_text import measure, place


class NoRoom(Exception):
    """What was chosen does not fit into its picture; another choice is made."""


class Page:
    """What is still free of a picture, from its edges inwards."""

    def __init__(self, width: int, height: int, style: ChartStyle, rng: Random):
        self.width, self.height, self.style = width, height, style
        margin = rng.randint(4, 8 + min(width, height) // 30)
        self.left: float = margin  # what is still free
        self.top: float = margin
        self.right: float = width - margin
        self.bottom: float = height - margin

    def text(
        self, text: str, at: tuple[float, float], anchor: str, width: float | None = None, angle: int = 0
    ) -> Label:
        """A label at a point, which must be inside the picture."""
        label = place(text, self.style.font, self.style.size, at, anchor, width, angle)
        left, top, right, bottom = label.box
        if left < 1 or top < 1 or right > self.width - 1 or bottom > self.height - 1:
            raise NoRoom(f"{text!r} leaves the picture")
        return label

    def extent(self, text: str, width: float | None = None, angle: int = 0) -> tuple[int, int]:
        return measure(text, self.style.font, self.style.size, width, angle)

    def take_title(self, text: str, rng: Random) -> Label:
        """A title, mostly at the top, in as many lines as it needs."""
        style, room = self.style, self.right - self.left
        _, height = measure(text, style.heading_font, style.heading_size, room)
        across = rng.choice("mmml")
        x = self.left if across == "l" else (self.left + self.right) / 2
        gap = rng.randint(5, 10)
        if rng.random() < 0.07:
            self.bottom -= height + gap
            at, anchor = (x, self.bottom + gap), f"{across}t"
        else:
            at, anchor = (x, self.top), f"{across}t"
            self.top += height + gap
        label = place(text, style.heading_font, style.heading_size, at, anchor, room)
        if label.box[2] - label.box[0] > room:
            raise NoRoom("the title is too long")
        return label

    def take_legend(
        self, names: Sequence[str], colours: Sequence[Colour], where: str, rng: Random
    ) -> list[LegendEntry]:
        """Entries in a row or several at the top or the bottom, or one below the other at a side."""
        entries, (width, height) = self._entries(names, colours, where in ("left", "right"), rng)
        gap = rng.randint(6, 12)
        free_width, free_height = self.right - self.left, self.bottom - self.top
        if width > free_width or height > free_height:
            raise NoRoom("the legend is too large")
        if where in ("left", "right"):
            x = self.left if where == "left" else self.right - width
            y = self.top + rng.choice((0, 0.5, 0.5)) * (free_height - height)
            if where == "left":
                self.left += width + gap
            else:
                self.right -= width + gap
        else:
            x = self.left + rng.choice((0, 0.5, 0.5, 1)) * (free_width - width)
            y = self.bottom - height if where == "bottom" else self.top
            if where == "bottom":
                self.bottom -= height + gap
            else:
                self.top += height + gap
        return [_moved(entry, x, y) for entry in entries]

    def legend_inside(
        self, names: Sequence[str], colours: Sequence[Colour], plot: Box, rng: Random
    ) -> list[list[LegendEntry]]:
        """The legend in each of the plot's corners, in random order; it is the caller who knows what is in the way."""
        entries, (width, height) = self._entries(names, colours, True, rng)
        left, top, right, bottom = plot
        if width + 12 > right - left or height + 12 > bottom - top:
            return []
        corners = [(x, y) for x in (left + 6, right - width - 6) for y in (top + 6, bottom - height - 6)]
        rng.shuffle(corners)
        return [[_moved(entry, *corner) for entry in entries] for corner in corners]

    def _entries(
        self, names: Sequence[str], colours: Sequence[Colour], in_column: bool, rng: Random
    ) -> tuple[list[LegendEntry], tuple[float, float]]:
        """Entries beginning at (0, 0), and the room that they take."""
        size = self.style.size
        swatch = round(size * rng.uniform(0.6, 0.95)), round(size * rng.choice((0.7, 0.8, 0.35)))
        pitch, gap = round(size * rng.uniform(1.3, 1.7)), round(size * rng.uniform(0.3, 0.6))
        limit = 0.45 * self.width if in_column else self.right - self.left
        x, y, widest = 0.0, 0.0, 0.0
        entries = []
        for name, colour in zip(names, colours, strict=True):
            width = swatch[0] + gap + self.extent(name)[0]
            if x and (in_column or x + width > limit):
                x, y = 0.0, y + pitch
            middle = y + size / 2
            label = place(name, self.style.font, size, (x + swatch[0] + gap, middle), "lm")
            box = (x, round(middle - swatch[1] / 2), x + swatch[0], round(middle - swatch[1] / 2) + swatch[1])
            entries.append(LegendEntry(label=label, colour=colour, box=box))
            widest = max(widest, label.box[2])
            x = label.box[2] + 1.2 * size
        if widest > limit:
            raise NoRoom("the legend is too wide")
        return entries, (widest, max(entry.label.box[3] for entry in entries))


def _moved(entry: LegendEntry, x: float, y: float) -> LegendEntry:
    x, y = round(x), round(y)
    left, top, right, bottom = entry.label.box
    label = Label(text=entry.label.text, box=(left + x, top + y, right + x, bottom + y))
    a, b, c, d = entry.box
    return LegendEntry(label=label, colour=entry.colour, box=(round(a) + x, b + y, round(c) + x, d + y))
