"""What a question about a node-link picture turns on.

It is said in the words that an answer would have, and in the direction that is asked for: a small language model
copies, but does not turn "A leads to B" round to tell what comes before B.
"""

import re
from collections.abc import Iterator, Sequence

from ..structure import Edge, Graph
from ..structure.colours import SHADES
from ..structure.graph_facts import decisions, end_nodes, find_path, is_directed, start_nodes
from ..structure.wording import count_of
from .asked import COUNT, TITLE
from .charts import colour_of
from .comparing import asks_place, place
from .graphs import in_reading_order, name_of, names_of, next_to, successors
from .mentions import find_mentions, missing, missing_names, place_mentions

DECISION = re.compile(r"(?i)\b(?:decision|diamond|condition)s?\b|\bbranch")
LINES = re.compile(r"(?i)\b(?:arrow|line|edge|connection|link)s?\b")
STEPS = re.compile(r"(?i)\bhow many|\bsteps between\b|\bshortest\b|\bhow does one get\b")
PATH = re.compile(r"(?i)\b(?:path|reach\w*|route|way|following the arrows|along|get from|get to|indirectly)\b")
LOOKS = re.compile(r"(?i)\b(?:colou?r\w*|shapes?|filled|drawn)\b")
YES_NO = re.compile(r"(?i)^\W*(?:[^,]*, ?)?(?:is|are|do|does|can|could|was|has|have)\b")
FIRST = re.compile(r"(?i)\b(?:first|begin\w*|start\w*)\b|\bno arrow\w* (?:lead\w* |point\w* |going )?(?:in)?to\b")
LAST = re.compile(
    r"(?i)\b(?:last|end|ends|final\w*|finish\w*)\b|\bno arrow\w* (?:lead\w* |point\w* |going )?(?:away|out|from)\b"
)
# What stands right before the name of a box where its predecessors are asked for, and where its successors are; and
# what stands right after it.
_BOX = r"(?: the)?(?: (?:box|node|step|\w+) called| box| node| step)?[ \"\u201c]*$"
TO_IT = re.compile(r"(?i)\b(?:to|into|before|precedes?|reach\w*)" + _BOX)
FROM_IT = re.compile(r"(?i)\b(?:after|from|follow\w*|leav\w+|out of|behind)" + _BOX)
IT_LEADS = re.compile(r"(?i)^[\"\u201d ]*(?:directly |right )?(?:leads?|points?|goes?|go|branch\w*|precedes?)\b")
IT_FOLLOWS = re.compile(r"(?i)^[\"\u201d ]*(?:directly |right )?(?:follows?|comes? after|depends?)\b")
VERB = re.compile(r"(?:start|end|stop|finish|begin)\b")  # written so it is no box called "Start"
TURNED = re.compile(r"(?i)\b(?:after|from|follows?|behind)\b")  # between two names: the second comes first


def about(graph: Graph, question: str) -> Iterator[str]:
    """What is so of the boxes that a question names, or of the picture where it names none."""
    texts = [node.text for node in graph.nodes]
    found = [(at, node) for at, node in place_mentions(texts, question) if not VERB.match(question[at:])]
    if len(found) >= 2:
        yield from _about_pair(graph, question, found)
    for _, node in found if len(found) == 1 else ():
        yield from _about_node(graph, question, found[0][0], node)
    said = texts + [edge.label.text for edge in graph.edges if edge.label] + ([graph.title.text] if graph.title else [])
    absent = [*missing(said, question), *(missing_names(said, question) if not found and '"' not in question else ())]
    yield from absent
    if not found and not absent:
        yield from _about_all(graph, question)


def _about_all(graph: Graph, question: str) -> Iterator[str]:
    """Where it starts and ends, how many of what there are, which box has a colour; else what boxes there are."""
    facts = []
    if TITLE.search(question):
        facts.append(f'the title is "{graph.title.text}"' if graph.title else "no title")
    elif COUNT.search(question) or DECISION.search(question):
        facts.append(_count(graph, question))
    elif is_directed(graph):
        for pattern, word, nodes in ((FIRST, "first", start_nodes(graph)), (LAST, "last", end_nodes(graph))):
            if pattern.search(question) and nodes:
                facts.append(f"the {word} box is {names_of(graph, nodes)}")
    shades = list(SHADES)
    for number in find_mentions(shades, question.replace("grey", "gray")):
        named = [i for i, node in enumerate(graph.nodes) if colour_of(node.colour) == shades[number]]
        facts.append(
            f"the {shades[number]} box is {names_of(graph, named)}" if named else f"no box is {shades[number]}"
        )
    yield from facts or [f"boxes: {names_of(graph, in_reading_order(graph))}"]


def _count(graph: Graph, question: str) -> str:
    if DECISION.search(question):
        return f"{count_of(len(decisions(graph)), 'decision')}"
    if LINES.search(question):
        return count_of(len(graph.edges), "arrow" if is_directed(graph) else "line")
    return count_of(len(graph.nodes), "box", "boxes")


def _about_node(graph: Graph, question: str, at: int, node: int) -> Iterator[str]:
    """What a box leads to, what leads to it, or both where the question does not say; what it looks like if asked."""
    name, one = name_of(graph, node), graph.nodes[node]
    if LOOKS.search(question):
        yield f"{name} is a {colour_of(one.colour)} {one.shape}"
        return
    if YES_NO.search(question):
        yield f"there is a box {name}"
    if not is_directed(graph):
        yield f"{name} is connected to {next_to(graph, node) or 'nothing'}"
        return
    written = [edge for edge in graph.edges if edge.source == node and edge.label]
    exits = find_mentions(
        [edge.label.text for edge in written if edge.label], question[:at] + question[at + len(one.text) :]
    )
    for number in exits:
        yield _exit(graph, written[number])
    if exits:
        return
    before, after = _asked(question, at, one.text)
    if after:
        yield f"{name} leads {f'to {next_to(graph, node)}' if successors(graph, node) else 'nowhere'}"
    if before:
        leading = graph.preceding(node)
        verb = "leads" if len(leading) == 1 else "lead"
        yield f"{names_of(graph, leading)} {verb} to {name}" if leading else f"nothing leads to {name}"


def _asked(question: str, at: int, text: str) -> tuple[bool, bool]:
    """Whether what comes before the box that stands at `at` is wanted, and what comes after it."""
    ahead, behind = question[:at], question[at + len(text) :]
    if IT_FOLLOWS.search(behind) or (TO_IT.search(ahead) and not IT_LEADS.search(behind)):
        return True, False
    if IT_LEADS.search(behind) or FROM_IT.search(ahead):
        return False, True
    return True, True


def _exit(graph: Graph, edge: Edge) -> str:
    assert edge.label
    return f'after "{edge.label.text}" at {name_of(graph, edge.source)} comes {name_of(graph, edge.target)}'


def _about_pair(graph: Graph, question: str, found: Sequence[tuple[int, int]]) -> Iterator[str]:
    """What joins two boxes, in the direction that the question has, or where the one lies."""
    (at, one), (then, other) = found[:2]
    if asks_place(question):
        (x, y), (u, v) = graph.nodes[one].centre, graph.nodes[other].centre
        yield place(question, name_of(graph, one), name_of(graph, other), x < u, y < v)
        return
    if TURNED.search(question[at + len(graph.nodes[one].text) : then]):
        one, other = other, one
    if is_directed(graph):
        yield from _led(graph, question, one, other)
    else:
        edges = [e for e in graph.edges if {e.source, e.target} == {one, other}]
        yield f"{'a' if edges else 'no'} line joins {name_of(graph, one)} and {name_of(graph, other)}"
        if not YES_NO.search(question):
            yield from (f'at the line stands "{edge.label.text}"' for edge in edges if edge.label)


def _led(graph: Graph, question: str, one: int, other: int) -> Iterator[str]:
    first, second = name_of(graph, one), name_of(graph, other)
    edge = next((e for e in graph.edges if e.source == one and e.target == other), None)
    way = find_path(graph, one, other)
    if STEPS.search(question) and way:
        via = f" via {names_of(graph, way[1:-1])}" if way[1:-1] else ""
        yield f"{count_of(len(way) - 1, 'step')} from {first} to {second}{via}"
    elif PATH.search(question):
        yield f"{'a' if way else 'no'} path leads from {first} to {second}"
    elif edge and edge.label and not YES_NO.search(question):
        yield _exit(graph, edge)
    else:
        yield f"{'an' if edge else 'no'} arrow leads from {first} to {second}"
        if not edge and not YES_NO.search(question) and other in graph.preceding(one):
            yield f"an arrow leads from {second} to {first}"
