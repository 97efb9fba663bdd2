"""What reading a picture returns."""

from typing import Literal

from pydantic import Field, SerializeAsAny

from .base import Label, Structure
from .chart import Chart
from .graph import Graph
from .notice import Notice
from .parts import Parts
from .scene import Scene
from .table import Table

Family = Literal["shapes", "charts", "signs", "tables", "graphs", "things", "parts", "none"]


class Reading(Structure):
    """What a picture shows; every element of the structure has a confidence of its own."""

    family: Family  # "none": none that could be told
    confidence: float = Field(ge=0, le=1)  # that it is this family
    structure: (
        SerializeAsAny[Chart | Graph | Table | Notice | Parts | Scene] | None
    )  # None: nothing in it could be read
    words: tuple[Label, ...]  # everything that OCR read, in reading order
    turned: int = 0  # degrees counter-clockwise by which a tilted picture was turned to be read; places are in that
