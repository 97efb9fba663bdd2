"""What a picture shows, as typed data: the truth that a picture was drawn from, and what reading one returns.

Everything is frozen and round-trips through JSON (`model_dump_json`, `model_validate_json`). Lengths are pixels of the
picture, x to the right and y down, with (0, 0) at its upper left corner.
"""

from .base import Box, Colour, Label, Point, Structure
from .chart import Axis, Bar, Chart, ChartKind, ChartStyle, Dot, LegendEntry, NumberStyle, Series, Slice, Tick
from .graph import Edge, Graph, Node, NodeShape
from .notice import Entry, Notice
from .parts import CallOut, Parts
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
    "ChartStyle",
    "Colour",
    "Dot",
    "Edge",
    "Entry",
    "Graph",
    "Label",
    "LegendEntry",
    "Node",
    "NodeShape",
    "Notice",
    "NumberStyle",
    "Parts",
    "Point",
    "Scene",
    "Series",
    "Size",
    "Slice",
    "Structure",
    "Table",
    "Thing",
    "Tick",
]
