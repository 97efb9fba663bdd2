"""A picture's structure in a few lines of text; what they say follows from the structure by ordinary code."""

from collections.abc import Iterator

from pydantic import BaseModel

from .base import Element, Structure
from .chart import Chart
from .chart_facts import describe_chart
from .graph import Graph
from .graph_facts import describe_graph
from .notice import Notice
from .parts import Parts
from .reading import Reading
from .scene import Scene
from .scene_facts import describe_parts, describe_scene
from .table import Table
from .table_facts import describe_notice, describe_table
from .wording import count_of

NOTHING = "no structure found: this is no chart, table, graph, sign, scene or labelled drawing that can be read"

UNREADABLE = "nothing in it can be read: its labels or its scale are missing or too small"
KINDS = {
    "charts": "a chart", "graphs": "a node-link picture", "tables": "a table", "signs": "a sign or notice",
    "parts": "a labelled drawing", "shapes": "a scene of shapes", "things": "a scene of things",
}  # fmt: skip


def describe(reading: Reading) -> list[str]:
    """What was read, in short lines; how much of it is uncertain comes last."""
    if reading.structure is None:
        kind = KINDS.get(reading.family)
        return [NOTHING if kind is None else f"{kind}, but {UNREADABLE}"]
    facts = _describe(reading.structure)
    unsure = sum(not one.is_sure for one in elements(reading.structure))
    if unsure:
        facts.append(f"{count_of(unsure, 'element')} of it {'is' if unsure == 1 else 'are'} uncertain")
    return facts


def _describe(structure: Structure) -> list[str]:
    match structure:
        case Chart():
            return describe_chart(structure)
        case Graph():
            return describe_graph(structure)
        case Table():
            return describe_table(structure)
        case Notice():
            return describe_notice(structure)
        case Parts():
            return describe_parts(structure)
        case Scene():
            return describe_scene(structure)
    raise TypeError(f"nothing is known about a {type(structure).__name__}")


def elements(structure: Structure) -> Iterator[Element]:
    """Everything in a structure that has a confidence of its own, words too; a word in several places comes once."""
    seen: set[int] = set()
    waiting: list[object] = [structure]
    while waiting:
        one = waiting.pop()
        if isinstance(one, tuple):
            waiting += one
        elif isinstance(one, BaseModel) and id(one) not in seen:
            seen.add(id(one))
            waiting += [getattr(one, name) for name in type(one).model_fields]
            if isinstance(one, Element):
                yield one
