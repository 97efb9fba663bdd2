"""Questions about the graphs of the transfer set, computed from the truth; the wordings are those of training."""

from collections.abc import Callable, Iterator
from random import Random

from train.data_engine import graphs_wording as words
from train.data_engine.family import Question
from train.data_engine.shapes_wording import say, sentence
from train.data_engine.tables_questions import listing, yes_no

from .balance import Balance
from .truth import GraphTruth

QUESTIONS = 7  # at most so many for one picture
NOUNS = {"box": "boxes", "node": "nodes"}
ENDS = ("Start", "End")  # are no answers: nobody has to look


def ask(truth: GraphTruth, balance: Balance, rng: Random) -> tuple[Question, ...]:
    """About six questions, no text twice, in random order."""
    asked: dict[str, Question] = {}
    for make in rng.sample(MAKERS, len(MAKERS)):
        for question in make(truth, balance, rng):
            if len(asked) < QUESTIONS and question.text not in asked:
                asked[question.text] = balance.note(question)
    return tuple(asked.values())


def _say(rng: Random, templates: tuple[str, ...], **fields: str) -> str:
    noun = rng.choice(list(NOUNS))
    return say(rng, templates, box=noun, boxes=NOUNS[noun], **fields)


def quoted(truth: GraphTruth, node: int) -> str:
    return f'"{truth.nodes[node]}"'


def askable(truth: GraphTruth) -> list[int]:
    return [node for node, text in enumerate(truth.nodes) if text not in ENDS]


def _title(truth: GraphTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    if truth.title:
        fact = f'the title is "{truth.title}"'
        yield Question("title", say(rng, words.TITLE), truth.title.lower(), sentence(fact))


def _follows(truth: GraphTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    """What comes after or before a box that only one arrow leaves or reaches."""
    for type, templates, step in (("follows", words.FOLLOWS, truth.following),
                                  ("precedes", words.PRECEDES, truth.preceding)):  # fmt: skip
        single = [node for node in askable(truth) if len(step(node)) == 1 and step(node) <= set(askable(truth))]
        if truth.directed and single:
            node = rng.choice(single)
            (found,) = step(node)
            one, other = (node, found) if type == "follows" else (found, node)
            fact = f"{quoted(truth, one)} leads to {quoted(truth, other)}"
            asked = _say(rng, templates, it=quoted(truth, node))
            yield Question(type, asked, truth.nodes[found].lower(), sentence(fact))


def _neighbours(truth: GraphTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    if not truth.directed:
        node = rng.choice(askable(truth))
        found = sorted(truth.following(node))
        answer = listing([truth.nodes[other] for other in found]).lower()
        fact = f"{quoted(truth, node)} is connected to {listing([quoted(truth, other) for other in found])}"
        yield Question("neighbours", _say(rng, words.NEIGHBOURS, it=quoted(truth, node)), answer, sentence(fact))


def _pair(truth: GraphTruth, step: Callable[[int], frozenset[int]], there: bool, rng: Random) -> tuple[int, int] | None:
    """A box, and another to which it leads or not."""
    nodes = askable(truth)
    pairs = [(one, other) for one in nodes for other in nodes if one != other and (other in step(one)) == there]
    return rng.choice(pairs) if pairs else None


def _edge(truth: GraphTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    there = balance.due("edge", rng)
    if pair := _pair(truth, truth.following, there, rng):
        one, two = (quoted(truth, node) for node in pair)
        asked = _say(rng, words.ARROW if truth.directed else words.LINE, it=one, other=two)
        line = f"arrow leads from {one} to {two}" if truth.directed else f"line joins {one} and {two}"
        yield yes_no("edge", asked, there, f"{'no' if not there else 'an' if truth.directed else 'a'} {line}")


def _path(truth: GraphTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    there = balance.due("path", rng)
    pair = _pair(truth, truth.reachable, there, rng) if truth.directed else None
    if pair:
        one, two = (quoted(truth, node) for node in pair)
        fact = f"{'a' if there else 'no'} path leads from {one} to {two}"
        yield yes_no("path", _say(rng, words.PATH, it=one, other=two), there, fact)


def _branch(truth: GraphTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    """Where an exit of a decision leads."""
    written = zip(truth.edges, truth.edge_labels, strict=True)
    exits = [(*edge, label) for edge, label in written if label and edge[1] in askable(truth)]
    if exits:
        one, other, label = rng.choice(exits)
        asked = _say(rng, words.BRANCH, it=quoted(truth, one), answer=label.lower())
        fact = f'after "{label.lower()}" at {quoted(truth, one)} comes {quoted(truth, other)}'
        yield Question("branch", asked, truth.nodes[other].lower(), sentence(fact))


def _count(truth: GraphTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    boxes, lines, noun = len(truth.nodes), len(truth.edges), "arrows" if truth.directed else "lines"
    asked = _say(rng, words.COUNT_BOXES)
    yield Question("count_boxes", asked, str(boxes), sentence(f"there are {boxes} boxes"))
    asked = _say(rng, words.COUNT_LINES, lines=noun)
    yield Question("count_lines", asked, str(lines), sentence(f"there are {lines} {noun}"))


def _ends(truth: GraphTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    """The only box without an arrow to it, or away from it, where its text does not say so."""
    for type, templates, step in (("first", words.FIRST, truth.preceding), ("last", words.LAST, truth.following)):
        ends = [node for node in range(len(truth.nodes)) if not step(node)]
        if truth.directed and len(ends) == 1 and ends[0] in askable(truth):
            fact = f"the {type} box is {quoted(truth, ends[0])}"
            yield Question(type, _say(rng, templates), truth.nodes[ends[0]].lower(), sentence(fact))


Maker = Callable[[GraphTruth, Balance, Random], Iterator[Question]]
MAKERS: tuple[Maker, ...] = (_title, _follows, _neighbours, _edge, _path, _branch, _count, _ends)
