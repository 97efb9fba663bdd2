"""What was read, drawn onto the picture: green where it is sure, orange where it is not, legible on any background."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .base import Box, Element, Point
from .chart import Bar, Chart, Dot, Slice
from .graph import Graph
from .notice import Notice
from .numbers import write_number
from .parts import Parts
from .reading import Reading
from .scene import Scene
from .scene_facts import name_of
from .table import Table

if TYPE_CHECKING:
    from PIL.Image import Image

SURE_COLOUR, UNSURE_COLOUR = (0, 140, 60), (225, 95, 0)
PAPER = (255, 255, 255)
SMALLEST_LETTERS, LETTERS_PER_SIDE = 10, 45  # pixels; sides of a picture that are this many letters high


def draw_overlay(image: "Image", reading: Reading) -> "Image":
    """A copy of the picture with what was recognised; without a structure, with the words that were read.

    What was tilted is turned as it was to be read.
    """
    from ..images import turn

    image = turn(image.convert("RGB"), reading.turned)
    structure = reading.structure
    if structure is not None and (structure.width, structure.height) != image.size:
        raise ValueError(
            f"the picture has {image.width}x{image.height} pixels,"
            f" but what was read is of one with {structure.width}x{structure.height}"
        )
    pen = Pen(image)
    match structure:
        case Chart():
            _draw_chart(pen, structure)
        case Graph():
            _draw_graph(pen, structure)
        case Table():
            for row in (structure.header, *structure.rows):
                for cell in row:
                    pen.box(cell.box, cell)
        case Notice():
            for entry in structure.entries:
                pen.box(_around(entry.label.box), entry)
        case Scene():
            _draw_scene(pen, structure)
        case None:
            for word in reading.words:
                pen.box(_around(word.box), word)
    return pen.finish()


class Pen:
    """Draws lines with a light edge, and words on light paper; words come last, on top of every line."""

    def __init__(self, image: "Image"):
        from PIL import ImageDraw, ImageFont

        self.image = image.copy()
        self._draw = ImageDraw.Draw(self.image)
        side = math.sqrt(image.width * image.height)
        self.letters = max(SMALLEST_LETTERS, round(side / LETTERS_PER_SIDE))
        self.width = max(2, round(side / 300))
        self._font = ImageFont.load_default(self.letters)
        self._words: list[tuple[Point, str, tuple[int, int, int]]] = []

    def line(self, points: Sequence[Point], element: Element) -> None:
        self._draw.line(points, fill=PAPER, width=self.width + 2)
        self._draw.line(points, fill=_colour(element), width=self.width)

    def box(self, box: Box, element: Element) -> None:
        left, top, right, bottom = box
        self.line(((left, top), (right, top), (right, bottom), (left, bottom), (left, top)), element)

    def spot(self, centre: Point, element: Element) -> None:
        (x, y), radius = centre, self.width + 1
        self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(element), outline=PAPER)

    def arrow(self, route: Sequence[Point], element: Element, has_head: bool = True) -> None:
        self.line(route, element)
        (x, y), (u, v) = route[-2:]
        length = math.hypot(u - x, v - y)
        if has_head and length:
            along = ((u - x) / length, (v - y) / length)
            size = 4.0 * self.width
            foot = (u - size * along[0], v - size * along[1])
            side = (-along[1] * size / 2, along[0] * size / 2)
            corners = [(u, v), (foot[0] + side[0], foot[1] + side[1]), (foot[0] - side[0], foot[1] - side[1])]
            self._draw.polygon(corners, fill=_colour(element), outline=PAPER)

    def word(self, place: Point, text: str, element: Element) -> None:
        """A text around a place, moved to where the picture shows it."""
        self._words.append((place, text, _colour(element)))

    def finish(self) -> "Image":
        for (x, y), text, colour in self._words:
            shown = "".join(c if c.isprintable() else " " for c in text)
            left, top, right, bottom = self._draw.textbbox((x, y), shown, font=self._font, anchor="mm")
            right_limit, bottom_limit = self.image.width - 2, self.image.height - 2
            move_x = max(2 - left, 0) if left < 2 else min(right_limit - right, 0)
            move_y = max(2 - top, 0) if top < 2 else min(bottom_limit - bottom, 0)
            paper = (left + move_x - 2, top + move_y - 2, right + move_x + 2, bottom + move_y + 2)
            self._draw.rectangle(paper, fill=PAPER, outline=colour)
            self._draw.text((x + move_x, y + move_y), shown, fill=colour, font=self._font, anchor="mm")
        return self.image


def _colour(element: Element) -> tuple[int, int, int]:
    return SURE_COLOUR if element.is_sure else UNSURE_COLOUR


def _around(box: Box) -> Box:
    """So that the frame does not cover what is written."""
    left, top, right, bottom = box
    return left - 3, top - 3, right + 3, bottom + 3


def _draw_chart(pen: Pen, chart: Chart) -> None:
    for mark in chart.marks:
        match mark:
            case Bar():
                _draw_bar(pen, chart, mark)
            case Dot():
                pen.spot(mark.centre, mark)
                if chart.kind != "scatter":
                    pen.word((mark.centre[0], mark.centre[1] - pen.letters), write_number(mark.value), mark)
            case Slice():
                _draw_slice(pen, mark)


def _draw_bar(pen: Pen, chart: Chart, bar: Bar) -> None:
    """The end of the bar that says its value."""
    left, top, right, bottom = bar.box
    is_below = bar.value < 0
    if chart.horizontal:
        x, y = left if is_below else right, (top + bottom) / 2
        pen.line(((x, top), (x, bottom)), bar)
        place = (
            ((left + right) / 2, y) if chart.stacked else (x - 2 * pen.letters if is_below else x + 2 * pen.letters, y)
        )
    else:
        x, y = (left + right) / 2, bottom if is_below else top
        pen.line(((left, y), (right, y)), bar)
        place = (x, (top + bottom) / 2) if chart.stacked else (x, y + pen.letters if is_below else y - pen.letters)
    pen.word(place, write_number(bar.value), bar)


def _draw_slice(pen: Pen, part: Slice) -> None:
    for degrees in (part.start, part.end):
        pen.line((_on_circle(part, degrees, part.hole), _on_circle(part, degrees, part.radius)), part)
    middle = _on_circle(part, (part.start + part.end) / 2, (part.hole + part.radius * 1.3) / 2)
    pen.word(middle, f"{write_number(round(part.value, 1))} %", part)


def _on_circle(part: Slice, degrees: float, radius: float) -> Point:
    angle = math.radians(degrees)
    return part.centre[0] + radius * math.sin(angle), part.centre[1] - radius * math.cos(angle)


def _draw_graph(pen: Pen, graph: Graph) -> None:
    for node in graph.nodes:
        pen.box(node.box, node)
    for edge in graph.edges:
        pen.arrow(edge.route, edge, has_head=edge.directed)


def _draw_scene(pen: Pen, scene: Scene) -> None:
    for thing in scene.things:
        pen.line((*thing.outline, thing.outline[0]), thing)
        pen.word((thing.centre[0], thing.box[1]), name_of(thing), thing)
    if isinstance(scene, Parts):
        for one in scene.call_outs:
            pen.line(one.route, one)
            pen.spot(one.target, one)
            pen.box(_around(one.label.box), one)
