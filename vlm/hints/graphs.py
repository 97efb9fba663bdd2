"""Node-link pictures in words: who points to whom, and what a question about some boxes turns on."""

import re
from collections.abc import Iterator, Sequence

from ..structure import Graph
from ..structure.colours import SHADES
from ..structure.graph_facts import decisions, end_nodes, find_path, is_directed, start_nodes
from .charts import colour_of
from .comparing import place
from .mentions import find_mentions, missing, missing_names

DECISION = re.compile(r"\b(?:decision|diamond|condition)s?\b", re.IGNORECASE)
STEPS = re.compile(r"\b(?:how many|steps|shortest|between|way|route)\b", re.IGNORECASE)


def describe(graph: Graph) -> Iterator[str]:
    """What is seen, in the order in which it is wanted."""
    directed = is_directed(graph)
    title = f' "{graph.title.text}"' if graph.title else ""
    count = f"{len(graph.nodes)} boxes, {len(graph.edges)} {'arrows' if directed else 'lines'}"
    yield f"{'flowchart' if decisions(graph) else 'graph'}{title} with {count}"
    if directed:
        for word, nodes in (("starts at", start_nodes(graph)), ("ends at", end_nodes(graph))):
            if nodes:
                yield f"{word} {_names(graph, nodes)}"
        if found := decisions(graph):
            yield f"{len(found)} decisions: {_names(graph, list(found))}"
    for node in range(len(graph.nodes)):
        if leaving := _leaving(graph, node):
            yield leaving
    shapes = {node.shape for node in graph.nodes}
    if len(shapes) == 1:
        yield f"all boxes are {shapes.pop()}s"
    yield f"boxes: {_names(graph, range(len(graph.nodes)))}"


def _leaving(graph: Graph, node: int) -> str:
    """ "A" to "B" (yes), "C" """
    labels = {edge.target: edge.label.text for edge in graph.edges if edge.source == node and edge.label}
    labels |= {e.source: e.label.text for e in graph.edges if e.target == node and e.label and not e.directed}
    following = [
        f"{_name(graph, other)}{f' ({labels[other]})' if other in labels else ''}" for other in _after(graph, node)
    ]
    return f"{_name(graph, node)} to {', '.join(following)}" if following else ""


def _after(graph: Graph, node: int) -> Sequence[int]:
    """The boxes one step on, in the order of the arrows."""
    found = [edge.target for edge in graph.edges if edge.source == node]
    found += [e.source for e in graph.edges if e.target == node and not e.directed]
    return list(dict.fromkeys(found))


def _name(graph: Graph, node: int) -> str:
    return f'"{graph.nodes[node].text}"'


def _names(graph: Graph, nodes: Sequence[int]) -> str:
    return ", ".join(_name(graph, node) for node in nodes)


def about(graph: Graph, question: str) -> Iterator[str]:
    """What is so of the boxes that a question names."""
    texts = [node.text for node in graph.nodes]
    found = find_mentions(texts, question)
    if len(found) >= 2:
        yield from _about_pair(graph, question, found[0], found[1])
    else:
        yield from (fact for node in found for fact in _about_node(graph, node))
    said = texts + [edge.label.text for edge in graph.edges if edge.label] + ([graph.title.text] if graph.title else [])
    yield from missing(said, question)
    if not found and '"' not in question:
        yield from missing_names(said, question)
    if DECISION.search(question):
        yield f"{len(decisions(graph))} decisions"
    if len(found) == 2 and STEPS.search(question):
        yield from _ways(graph, found[0], found[1])
    shades = list(SHADES)
    for number in find_mentions(shades, question.replace("grey", "gray")):
        named = [i for i, node in enumerate(graph.nodes) if colour_of(node.colour) == shades[number]]
        yield f"{shades[number]}: {_names(graph, named) if named else 'none'}"


def _about_node(graph: Graph, node: int) -> Iterator[str]:
    name, one = _name(graph, node), graph.nodes[node]
    after, before = _after(graph, node), graph.preceding(node)
    if is_directed(graph):
        yield _leaving(graph, node) or f"{name} leads nowhere"
        yield f"to {name} from {_names(graph, before)}" if before else f"nothing leads to {name}"
    else:
        yield f"{name} is joined to {_names(graph, after)}" if after else f"{name} is joined to nothing"
    yield f"{colour_of(one.colour)} {one.shape}"


def _about_pair(graph: Graph, question: str, one: int, other: int) -> Iterator[str]:
    """Arrows and paths both ways, then where the one lies."""
    if is_directed(graph):
        yield from _led(graph, one, other)
        yield from _led(graph, other, one)
    else:
        edges = [e for e in graph.edges if {e.source, e.target} == {one, other}]
        yield f"{_name(graph, one)} and {_name(graph, other)} are {'' if edges else 'not '}joined"
        yield from (f"the line says {edge.label.text}" for edge in edges if edge.label)
    yield _placed(graph, question, one, other)


def _led(graph: Graph, one: int, other: int) -> Iterator[str]:
    first, second = _name(graph, one), _name(graph, other)
    edge = next((e for e in graph.edges if e.source == one and e.target == other), None)
    label = f" ({edge.label.text})" if edge and edge.label else ""
    way = "" if edge else f", {'but a' if find_path(graph, one, other) else 'no'} path"
    yield f"{'an' if edge else 'no'} arrow{way} {first} to {second}{label}"


def _ways(graph: Graph, one: int, other: int) -> Iterator[str]:
    """How many arrows lead from one to the other, and past what."""
    for start, end in ((one, other), (other, one)):
        if way := find_path(graph, start, end):
            via = f" via {_names(graph, way[1:-1])}" if way[1:-1] else ""
            yield f"{len(way) - 1} steps {_name(graph, start)} to {_name(graph, end)}{via}"


def _placed(graph: Graph, question: str, one: int, other: int) -> str:
    (x, y), (u, v) = graph.nodes[one].centre, graph.nodes[other].centre
    return place(question, _name(graph, one), _name(graph, other), x < u, y < v)
