"""Whoever answers without the picture, from the question alone, is hardly ever right: every family, every type.

A guesser learns from every other picture what is answered most, and is tested on those between: he stays under 55 % on
yes and no, and under 1.2 times the uniform chance over the answers that a question admits elsewhere.
"""

import re
from collections import Counter, defaultdict
from random import Random

import pytest

from train.data_engine import FAMILIES, Question
from train.data_engine.colours import NAMES

PICTURES = 1200
LEAST = 40  # questions that tell something
ANY = 24  # answers where any text or number may stand: one that is so often right would be known by heart
COLOURS = dict.fromkeys(("color", "color_of", "color_at", "extreme_color", "background", "text_color"), len(NAMES))
PLACES = {"where": 9, "side": 4}
ADMITTED = {  # family -> type -> how many answers
    "shapes": {"shape": 11, "extreme_shape": 11, "count": 7},
    "charts": {
        "kind": 5, "count bars": 11, "count slices": 7, "count points": 13, "count categories": 11, "count lines": 4,
        "count series": 3, "count groups": 3, "count legend entries": 3,
    },
    "signs": {"kind": 11, "count_items": 6},
    "tables": {"count_rows": 8, "count_columns": 6},
    "graphs": {"shape": 6, "count_boxes": 7, "count_lines": 8, "count_decisions": 3, "exit": 12},
    "things": {"category": 10, "count": 6},
    "parts": {"count": 5, "subject": 26, "extreme": 19, "label_of_part": 19},
}  # fmt: skip
SAME = ("describe", "cannot_tell")  # what has no other answer: that it fits is tested with each family


def group_of(family: str, question: Question) -> str:
    """What the guesser goes by: what is counted in a chart tells how many there can be."""
    if (family, question.type) != ("charts", "count"):
        return question.type
    (them,) = re.findall("bars|slices|points|categories|lines|series|groups|legend entries", question.text)
    return f"count {them}"


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_can_be_guessed_without_the_picture(family):
    halves: dict[str, tuple[Counter[str], Counter[str]]] = defaultdict(lambda: (Counter(), Counter()))
    for seed in range(PICTURES):
        truth = FAMILIES[family].sample(Random(f"{family}/train/{seed}/truth"), "train")
        for question in FAMILIES[family].ask(truth, Random(f"{family}/train/{seed}/questions")):
            halves[group_of(family, question)][seed % 2][question.answer] += 1
    admitted = COLOURS | PLACES | ADMITTED[family]
    for type, (seen, unseen) in halves.items():
        if type in SAME or min(seen.total(), unseen.total()) < LEAST:
            continue
        limit = 0.55 if seen.keys() <= {"yes", "no"} else 1.2 / admitted.get(type, ANY)
        assert type not in admitted or len(seen) <= admitted[type]
        guessed = unseen[max(seen, key=lambda answer: seen[answer])] / unseen.total()
        chance = (limit * (1 - limit) / unseen.total()) ** 0.5  # of a guesser at the limit
        assert guessed < limit + 2 * chance, (type, seen.most_common(3), unseen.most_common(3))
