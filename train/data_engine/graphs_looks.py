"""Questions about how the boxes of a graph look and where they stand."""

from collections.abc import Iterator
from random import Random

from vlm.structure import NodeShape
from vlm.structure.wording import with_article

from . import graphs_wording as words
from .family import Question
from .graphs_facts import Facts
from .shapes_facts import OPPOSITE, clear_relations
from .shapes_questions import BESIDE, FURTHER
from .shapes_wording import WHICH, say, sentence
from .tables_questions import yes_no

# How often a shape is asked for: rarely where it finds room easily.
SHAPE_CHANCE: dict[NodeShape, float] = {
    "rectangle": 0.53, "rounded rectangle": 0.57, "oval": 0.65, "circle": 0.85, "hexagon": 0.59, "parallelogram": 0.6,
}  # fmt: skip


def shape(facts: Facts, rng: Random) -> Iterator[Question]:
    """Not of decisions, which are always diamonds."""
    box = rng.choice(facts.steps)
    name = facts.graph.nodes[box].shape
    if rng.random() < SHAPE_CHANCE[name]:
        fact = f"{facts.quoted(box)} is {with_article(name)}"
        yield Question("shape", say(rng, words.SHAPE, it=facts.quoted(box)), name, sentence(fact))


def colour(facts: Facts, rng: Random) -> Iterator[Question]:
    box = rng.choice(facts.askable)
    if name := facts.graph.nodes[box].colour.name:
        fact = f"{facts.quoted(box)} is {name}"
        yield Question("color", say(rng, words.COLOUR, it=facts.quoted(box)), name, sentence(fact))


def by_colour(facts: Facts, rng: Random) -> Iterator[Question]:
    names = [node.colour.name for node in facts.graph.nodes]
    single = [box for box in facts.steps if names[box] and names.count(names[box]) == 1]
    if single:
        box = rng.choice(single)
        asked = say(rng, words.BY_COLOUR, box=facts.noun, hue=str(names[box]))
        fact = f"the {names[box]} {facts.noun} is {facts.quoted(box)}"
        yield Question("by_color", asked, facts.texts[box], sentence(fact))


def position(facts: Facts, rng: Random) -> Iterator[Question]:
    """Whether one box is beside another, and which of two is further to a side."""
    for is_choice in (False, True):
        box, other = rng.sample(facts.askable, 2)
        sides = clear_relations(facts.graph.nodes[box], facts.graph.nodes[other], facts.graph)
        if not sides:
            continue
        side, it, them = rng.choice(sides), facts.quoted(box), facts.quoted(other)
        if is_choice:
            first, second = rng.sample((it, them), 2)
            asked = say(rng, WHICH, more=FURTHER[side], it=first, other=second)
            yield Question("position_choice", asked, facts.texts[box], sentence(f"{it} is {FURTHER[side]}"))
        else:
            answer = rng.random() < 0.5
            beside = BESIDE[side if answer else OPPOSITE[side]]
            asked = say(rng, words.BESIDE, it=it, beside=beside, other=them)
            yield yes_no("position", asked, answer, f"{it} is {BESIDE[side]} {them}")
