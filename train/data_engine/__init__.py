"""Pictures drawn from a known truth, with questions and answers computed from it: what the default model learns from.

    sample = draw("shapes", seed=7)
    sample.image, sample.truth, sample.questions

A new kind of pictures is one module with one `Family`, and one entry in `FAMILIES`.
"""

from random import Random
from typing import Any, get_args

from .charts import Charts
from .family import Family, Question, Sample, Split
from .graphs import Graphs
from .parts import LabelledParts
from .shapes import Shapes
from .signs import Signs
from .tables import Tables
from .things import Things

__all__ = ["FAMILIES", "Family", "Question", "Sample", "Split", "draw"]

FAMILIES: dict[str, Family[Any]] = {
    family.name: family for family in (Shapes(), Charts(), Signs(), Tables(), Graphs(), Things(), LabelledParts())
}


def draw(family: str, seed: int, split: Split = "train") -> Sample:
    """The sample number `seed` of a family: the same on every machine, and another one in every split.

    Truth, picture and questions have random numbers of their own: new wordings leave the pictures as they were.

    Raises:
        ValueError: if there is no such family or split.
    """
    if family not in FAMILIES:
        raise ValueError(f"there is no family of pictures {family!r}; there are: {', '.join(FAMILIES)}")
    if split not in get_args(Split):
        raise ValueError(f"there is no split {split!r}; there are: {', '.join(get_args(Split))}")
    chosen = FAMILIES[family]
    truth = chosen.sample(Random(f"{family}/{split}/{seed}/truth"), split)
    return Sample(
        image=chosen.render(truth, Random(f"{family}/{split}/{seed}/picture")),
        truth=truth,
        questions=tuple(chosen.ask(truth, Random(f"{family}/{split}/{seed}/questions"))),
    )
