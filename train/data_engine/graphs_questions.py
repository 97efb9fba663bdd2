"""Questions about a node-link picture, computed from its truth; only such as have one answer.

The box that is asked about is drawn first, then a coin decides between yes and no; numbers that many pictures share
are asked for less often. So nothing can be guessed without the picture.
"""

from collections.abc import Callable, Iterator
from random import Random

from vlm.structure.wording import with_article

from . import graphs_wording as words
from .family import Question
from .graphs_facts import Facts
from .graphs_looks import by_colour, colour, position, shape
from .graphs_style import DrawnGraph
from .shapes_wording import say, sentence
from .tables_questions import CANNOT_TELL, QUESTIONS, listing, yes_no

# How often the number of arrows and of decisions is asked for: rarely where it is frequent, not at all where rare.
LINES_CHANCE = {
    "arrows": {3: 1.0, 4: 0.47, 5: 0.48, 6: 0.4, 7: 0.42, 8: 0.45, 9: 0.47, 10: 0.59},
    "lines": {3: 0.85, 4: 0.68, 5: 0.68, 6: 0.8, 7: 0.63, 8: 0.8, 9: 0.53, 10: 1.0},
}
DECISIONS_CHANCE = {1: 0.18, 2: 0.35, 3: 1.0}


def ask(graph: DrawnGraph, rng: Random) -> list[Question]:
    """Up to a dozen questions that this picture can answer, in random order, no text twice."""
    facts = Facts(graph, rng)
    asked: dict[str, Question] = {}
    for make in rng.sample(MAKERS, len(MAKERS)):
        for question in make(facts, rng):
            asked.setdefault(question.text, question)
    return rng.sample(list(asked.values()), min(len(asked), QUESTIONS))


def _say(facts: Facts, rng: Random, templates: tuple[str, ...], **fields: str) -> str:
    return say(rng, templates, box=facts.noun, boxes=facts.nouns, **fields)


def _title(facts: Facts, rng: Random) -> Iterator[Question]:
    if facts.title:
        fact = f'the title is "{facts.title}"'
        yield Question("title", say(rng, words.TITLE), facts.title, sentence(fact))


def _follows(facts: Facts, rng: Random) -> Iterator[Question]:
    """What comes after or before a box that only one arrow leaves or reaches."""
    for type, templates, step in (("follows", words.FOLLOWS, facts.graph.following),
                                  ("precedes", words.PRECEDES, facts.graph.preceding)):  # fmt: skip
        single = [box for box in facts.askable if len(step(box)) == 1 and facts.askable_among(step(box))]
        if facts.is_directed and single:
            box = rng.choice(single)
            (found,) = step(box)
            one, other = (box, found) if type == "follows" else (found, box)
            fact = f"{facts.quoted(one)} leads to {facts.quoted(other)}"
            asked = _say(facts, rng, templates, it=facts.quoted(box))
            yield Question(type, asked, facts.texts[found], sentence(fact))


def _neighbours(facts: Facts, rng: Random) -> Iterator[Question]:
    """All boxes next to one, in reading order."""
    ways: list[tuple[str, tuple[str, ...], Callable[[int], tuple[int, ...]], str]]
    ways = [("leads_to", words.ALL_BEFORE, facts.graph.preceding, "{others} lead{s} to {it}"),
            ("led_to", words.ALL_AFTER, facts.graph.following, "{it} leads to {others}")]  # fmt: skip
    if not facts.is_directed:
        ways = [("neighbours", words.NEIGHBOURS, facts.graph.following, "{it} is connected to {others}")]
    for type, templates, step, fact in ways:
        fitting = [box for box in facts.askable if step(box) and set(step(box)) <= set(facts.askable)]
        if fitting:
            box = rng.choice(fitting)
            found = facts.in_reading_order(step(box))
            others = listing([facts.quoted(other) for other in found])
            fact = fact.format(it=facts.quoted(box), others=others, s="s" if len(found) == 1 else "")
            answer = listing([facts.texts[other] for other in found])
            yield Question(type, _say(facts, rng, templates, it=facts.quoted(box)), answer, sentence(fact))


def _edge(facts: Facts, rng: Random) -> Iterator[Question]:
    """Whether a line leads from one box to another, asked either way round."""
    for negated in (False, True) if rng.random() < 0.5 else (False,):
        pair = _pair(facts, {box: frozenset(facts.graph.following(box)) for box in facts.askable}, rng)
        if pair:
            box, other, there = pair
            one, two = facts.quoted(box), facts.quoted(other)
            templates = (words.NO_ARROW, words.ARROW) if facts.is_directed else (words.NO_LINE, words.LINE)
            asked = _say(facts, rng, templates[not negated], it=one, other=two)
            line = f"arrow leads from {one} to {two}" if facts.is_directed else f"line joins {one} and {two}"
            article = "no" if not there else "an" if facts.is_directed else "a"
            yield yes_no("edge_not" if negated else "edge", asked, there != negated, f"{article} {line}")


def _path(facts: Facts, rng: Random) -> Iterator[Question]:
    pair = _pair(facts, {box: facts.graph.reachable(box) for box in facts.askable}, rng)
    if pair and facts.is_directed:
        box, other, there = pair
        asked = _say(facts, rng, words.PATH, it=facts.quoted(box), other=facts.quoted(other))
        fact = f"{'a' if there else 'no'} path leads from {facts.quoted(box)} to {facts.quoted(other)}"
        yield yes_no("path", asked, there, fact)


def _pair(facts: Facts, led_to: dict[int, frozenset[int]], rng: Random) -> tuple[int, int, bool] | None:
    """A box, another, and whether it leads there; only boxes that lead to some but not to all others are drawn."""
    choices = {}
    for box, found in led_to.items():
        others = [other for other in facts.askable if other != box]
        split = [other for other in others if other in found], [other for other in others if other not in found]
        if all(split):
            choices[box] = split
    if not choices:
        return None
    box, there = rng.choice(list(choices)), rng.random() < 0.5
    return box, rng.choice(choices[box][0 if there else 1]), there


def _branch(facts: Facts, rng: Random) -> Iterator[Question]:
    """Where the exits of a decision lead."""
    exits = [edge for edge in facts.graph.edges if edge.source in facts.decisions and edge.target in facts.askable]
    exits = [edge for edge in exits if edge.label]
    for type, edge in zip(("branch", "exit"), rng.sample(exits, min(2, len(exits))), strict=False):
        assert edge.label
        answer, it, other = edge.label.text, facts.quoted(edge.source), facts.quoted(edge.target)
        fact = f'after "{answer}" at {it} comes {other}'
        if type == "branch":
            asked = _say(facts, rng, words.BRANCH, it=it, answer=answer)
            yield Question(type, asked, facts.texts[edge.target], sentence(fact))
        else:
            yield Question(type, _say(facts, rng, words.EXIT, it=it, other=other), answer, sentence(fact))


def _line_text(facts: Facts, rng: Random) -> Iterator[Question]:
    written = [edge for edge in facts.graph.edges if edge.label and not facts.decisions]
    if written:
        edge = rng.choice(written)
        assert edge.label
        it, other = facts.quoted(edge.source), facts.quoted(edge.target)
        between = f"from {it} to {other}" if facts.is_directed else f"between {it} and {other}"
        twofold = facts.is_directed and facts.edge(edge.target, edge.source)
        templates = words.ARROW_TEXT if facts.is_directed else words.LINE_TEXT
        fact = f'at the {"arrow" if facts.is_directed else "line"} {between} stands "{edge.label.text}"'
        if not twofold:
            asked = _say(facts, rng, templates, it=it, other=other)
            yield Question("line_text", asked, edge.label.text, sentence(fact))


def _count(facts: Facts, rng: Random) -> Iterator[Question]:
    boxes, lines = len(facts.graph.nodes), len(facts.graph.edges)
    if rng.random() < 0.6:
        asked = _say(facts, rng, words.COUNT_BOXES)
        yield Question("count_boxes", asked, str(boxes), sentence(f"there are {boxes} {facts.nouns}"))
    noun = "arrows" if facts.is_directed else "lines"
    if rng.random() < LINES_CHANCE[noun].get(lines, 0):
        asked = _say(facts, rng, words.COUNT_LINES, lines=noun)
        yield Question("count_lines", asked, str(lines), sentence(f"there are {lines} {noun}"))
    decisions = len(facts.decisions)
    if rng.random() < DECISIONS_CHANCE.get(decisions, 0):
        fact = f"there {'is' if decisions == 1 else 'are'} {decisions} decision{'s' * (decisions > 1)}"
        yield Question("count_decisions", _say(facts, rng, words.COUNT_DECISIONS), str(decisions), sentence(fact))


def _ends(facts: Facts, rng: Random) -> Iterator[Question]:
    """The first and the last box, where there is one and its label does not say so."""
    for type, templates, step in (("first", words.FIRST, facts.graph.preceding),
                                  ("last", words.LAST, facts.graph.following)):  # fmt: skip
        ends = [box for box in range(len(facts.texts)) if not step(box)]
        if facts.is_directed and len(ends) == 1 and ends[0] in facts.askable:
            fact = f"the {type} {facts.noun} is {facts.quoted(ends[0])}"
            yield Question(type, _say(facts, rng, templates), facts.texts[ends[0]], sentence(fact))


def _exists(facts: Facts, rng: Random) -> Iterator[Question]:
    there = rng.random() < 0.5
    it = rng.choice([facts.texts[box] for box in facts.steps] if there else facts.absent())
    fact = f'there is {"a" if there else "no"} {facts.noun} labelled "{it}"'
    yield yes_no("exists", _say(facts, rng, words.EXISTS, it=f'"{it}"'), there, fact)


def _cannot_tell(facts: Facts, rng: Random) -> Iterator[Question]:
    """What no picture of boxes tells, or what follows a box that is not there."""
    if rng.random() < 0.4:
        absent = rng.choice(facts.absent())
        templates = words.FOLLOWS if facts.is_directed else words.NEIGHBOURS
        why = f'there is no {facts.noun} labelled "{absent}"'
        asked = _say(facts, rng, templates, it=f'"{absent}"')
        yield Question("cannot_tell", asked, CANNOT_TELL, sentence(f"{CANNOT_TELL}: {why}"))
    elif rng.random() < 0.3:
        asked = _say(facts, rng, words.UNKNOWN, it=facts.quoted(rng.choice(facts.steps)))
        yield Question("cannot_tell", asked, CANNOT_TELL, sentence(CANNOT_TELL))


def _describe(facts: Facts, rng: Random) -> Iterator[Question]:
    """The title, every box, and what leads where."""
    order = facts.in_reading_order(tuple(range(len(facts.texts))))
    elements = (*([facts.title] if facts.title else []), *(facts.texts[box] for box in order))
    titled = f' titled "{facts.title}"' if facts.title else ""
    said = f"{with_article(facts.name)}{titled} with the {facts.nouns} {listing([facts.quoted(box) for box in order])}"
    joins = "leads to" if facts.is_directed else "is joined to"
    links = []
    for box in order:
        found = [edge.target for edge in facts.graph.edges if edge.source == box]
        if found:
            links.append(f"{facts.quoted(box)} {joins} {listing([facts.quoted(other) for other in found])}")
    said += f"; {'; '.join(links)}"
    yield Question("describe", say(rng, words.DESCRIBE), ", ".join(elements), sentence(said), elements)


MAKERS = (
    _title, _follows, _neighbours, _edge, _path, _branch, _line_text, _count, _ends, shape, colour, by_colour, position,
    _exists, _cannot_tell, _describe,
)  # fmt: skip
