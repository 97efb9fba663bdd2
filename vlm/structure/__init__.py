"""What a picture shows, as typed data: the truth that a picture was drawn from, and what reading one returns.

Everything is frozen and round-trips through JSON (`model_dump_json`, `model_validate_json`). Lengths are pixels of the
picture, x to the right and y down, with (0, 0) at its upper left corner.
"""

from .base import Box, Colour, Element, Label, Point, Structure
from .chart import Axis, Bar, Chart, ChartKind, Dot, LegendEntry, NumberStyle, Series, Slice, Tick
from .graph import Edge, Graph, Node, NodeShape
from .notice import Entry, Notice
from .parts import CallOut, Parts
from .reading import Family, Reading
from .scene import Scene, Size, Thing
from .table import Cell, Table

__all__ = [
    "Axis",
    "Bar",
    "Box",
    "CallOut",
    "Cell",
    "Chart",
    "ChartKind",
    "Colour",
    "Dot",
    "Edge",
    "Element",
    "Entry",
    "Family",
    "Graph",
    "Label",
    "LegendEntry",
    "Node",
    "NodeShape",
    "Notice",
    "NumberStyle",
    "Parts",
    "Point",
    "Reading",
    "Scene",
    "Series",
    "Size",
    "Slice",
    "Structure",
    "Table",
    "Thing",
    "Tick",
]
