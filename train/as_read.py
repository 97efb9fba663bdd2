"""The truth of a drawn picture as reading it would give it: without what cannot be read, and sometimes with mistakes.

The language model learns from such hints (`vlm/hints`), so that it uses what was read and yet looks for itself.
"""

from random import Random
from typing import Any, cast

from vlm.reading.notices import kind_of
from vlm.structure import Chart, Graph, Label, Notice, Parts, Reading, Scene, Structure, Table
from vlm.structure.kinds import KINDS
from vlm.structure.parts import PART, is_name
from vlm.structure.reading import Family

from .seeing.words import misread, roles_as_read

UNNAMED = 0.4  # how often the reader does not know what is drawn, and what its parts are
UNSEEN = 0.15  # how often nothing is made of shapes, which can be seen all the same
WRONG = 0.06  # how often an element of a spoilt structure is missing or misread


def as_read(truth: Structure, family: str, rng: Random, spoilt: bool) -> Reading:
    """A reading of a drawn picture; `spoilt` with mistakes in it."""
    structure: Structure | None = _readable(truth, rng)
    if spoilt and structure:
        structure = None if family == "shapes" and rng.random() < UNSEEN else _spoilt(structure, rng)
    return Reading(family=cast(Family, family), confidence=1.0, structure=cast(Any, structure), words=())


def _readable(truth: Structure, rng: Random) -> Structure:
    if isinstance(truth, Notice):
        entries = roles_as_read(truth)
        return truth.model_copy(update={"kind": kind_of(entries), "entries": entries})
    if isinstance(truth, Parts):
        if is_name(truth.call_outs[0].label.text) or rng.random() < UNNAMED:
            things = tuple(thing.model_copy(update={"kind": PART}) for thing in truth.things)
            truth = truth.model_copy(update={"things": things})
        return truth.model_copy(update={"subject": truth.subject if rng.random() >= UNNAMED else None})
    return truth


def _spoilt(structure: Structure, rng: Random) -> Structure:
    def right() -> bool:
        return rng.random() >= WRONG

    def read(label: Label | None) -> Label | None:
        return label if label is None or right() else label.model_copy(update={"text": misread(label.text, rng)})

    match structure:
        case Chart():
            marks = tuple(mark for mark in structure.marks if right()) or structure.marks[:1]
            return structure.model_copy(update={"marks": marks, "categories": tuple(map(read, structure.categories))})
        case Graph():
            return structure.model_copy(update={"edges": tuple(edge for edge in structure.edges if right())})
        case Table():
            rows = tuple(
                tuple(cell.model_copy(update={"label": read(cell.label)}) for cell in row) for row in structure.rows
            )
            return structure.model_copy(update={"rows": rows})
        case Notice():
            entries = tuple(one.model_copy(update={"label": read(one.label)}) for one in structure.entries if right())
            return structure.model_copy(update={"entries": entries})
        case Parts():
            parts = range(len(structure.things))
            call_outs = tuple(
                one if right() else one.model_copy(update={"part": rng.choice(parts)}) for one in structure.call_outs
            )
            return structure.model_copy(update={"call_outs": call_outs})
        case Scene():
            things = tuple(
                one if right() else one.model_copy(update={"kind": rng.choice(KINDS)})
                for one in structure.things
                if right()
            )
            return structure.model_copy(update={"things": things or structure.things})
    return structure
