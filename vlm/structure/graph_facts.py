"""What follows from the arrows of a graph: steps, ways, decisions, loops, where it starts and ends."""

from collections.abc import Sequence

from .graph import Edge, Graph
from .wording import count_of, find_name, join_names

MOST_LOOPS = 5  # that a description lists


def find_node(graph: Graph, text: str) -> int | None:
    """The node with this text; None where there is none, or more than one."""
    return find_name([node.text for node in graph.nodes], text)


def successors(graph: Graph, node: int) -> tuple[int, ...]:
    return graph.following(node)


def predecessors(graph: Graph, node: int) -> tuple[int, ...]:
    return graph.preceding(node)


def find_path(graph: Graph, source: int, target: int) -> tuple[int, ...] | None:
    """A shortest way of one step or more, both ends named; None where there is none. From a node to itself: a loop."""
    ways: dict[int, tuple[int, ...]] = {}
    waiting: list[tuple[int, ...]] = [(source,)]
    while waiting:
        way = waiting.pop(0)
        for node in graph.following(way[-1]):
            if node == target:
                return (*way, node)
            if node not in ways:
                ways[node] = (*way, node)
                waiting.append(ways[node])
    return None


def start_nodes(graph: Graph) -> tuple[int, ...]:
    """Where arrows only leave."""
    return tuple(i for i in range(len(graph.nodes)) if graph.following(i) and not graph.preceding(i))


def end_nodes(graph: Graph) -> tuple[int, ...]:
    """Where arrows only arrive."""
    return tuple(i for i in range(len(graph.nodes)) if graph.preceding(i) and not graph.following(i))


def lone_nodes(graph: Graph) -> tuple[int, ...]:
    """What nothing joins to the rest."""
    joined = {end for edge in graph.edges for end in (edge.source, edge.target)}
    return tuple(i for i in range(len(graph.nodes)) if i not in joined)


def decisions(graph: Graph) -> dict[int, tuple[Edge, ...]]:
    """The nodes that more than one labelled arrow leaves, each with these arrows."""
    found = {}
    for node in range(len(graph.nodes)):
        leaving = tuple(edge for edge in graph.edges if edge.source == node and edge.directed and edge.label)
        if len(leaving) > 1:
            found[node] = leaving
    return found


def loops(graph: Graph) -> tuple[tuple[int, ...], ...]:
    """A shortest loop for every knot of nodes that lead back to themselves; the first node stands at both ends.

    Only arrows count: a line without a head leads back at once.
    """
    arrows = graph.model_copy(update={"edges": tuple(edge for edge in graph.edges if edge.directed)})
    reachable = [arrows.reachable(node) for node in range(len(graph.nodes))]
    found, seen = [], set[int]()
    for node, reached in enumerate(reachable):
        if node in reached and node not in seen:
            seen |= {other for other in reached if node in reachable[other]}
            if way := find_path(arrows, node, node):
                found.append(way)
    return tuple(found)


def is_directed(graph: Graph) -> bool:
    return any(edge.directed for edge in graph.edges)


def describe_graph(graph: Graph) -> list[str]:
    title = f' "{graph.title.text}"' if graph.title else ""
    links = count_of(len(graph.edges), "arrow" if is_directed(graph) else "line")
    facts = [f"node-link picture{title}: {count_of(len(graph.nodes), 'box', 'boxes')}, {links}"]
    if is_directed(graph):
        for word, nodes in (("starts at", start_nodes(graph)), ("ends at", end_nodes(graph))):
            if nodes:
                facts.append(f"{word}: {_names(graph, nodes)}")
        for node, leaving in decisions(graph).items():
            ways = (f"{edge.label.text} -> {_name(graph, edge.target)}" for edge in leaving if edge.label)
            facts.append(f"decision at {_name(graph, node)}: {', '.join(ways)}")
        facts += [f"loop: {' -> '.join(_name(graph, i) for i in way)}" for way in loops(graph)[:MOST_LOOPS]]
    elif graph.edges:
        degrees = [len(graph.following(node)) for node in range(len(graph.nodes))]
        most = [node for node, degree in enumerate(degrees) if degree == max(degrees)]
        if len(most) < len(degrees):
            facts.append(f"joined to most others ({max(degrees)}): {_names(graph, most)}")
    if lone := lone_nodes(graph):
        facts.append(f"joined to nothing: {_names(graph, lone)}")
    return facts


def _name(graph: Graph, node: int) -> str:
    return graph.nodes[node].text or f"box {node + 1}"


def _names(graph: Graph, nodes: Sequence[int]) -> str:
    return join_names(_name(graph, node) for node in nodes)
