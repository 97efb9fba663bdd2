"""Node-link pictures in words: the boxes, and who points to whom."""

from collections.abc import Iterator, Sequence

from ..structure import Graph
from ..structure.graph_facts import decisions, end_nodes, is_directed, start_nodes
from ..structure.wording import count_of, join_names


def describe(graph: Graph) -> Iterator[str]:
    """What is seen, in the order in which it is wanted."""
    directed = is_directed(graph)
    title = f' "{graph.title.text}"' if graph.title else ""
    count = f"{len(graph.nodes)} boxes, {len(graph.edges)} {'arrows' if directed else 'lines'}"
    yield f"{'flowchart' if decisions(graph) else 'graph'}{title} with {count}"
    if directed:
        for word, nodes in (("starts at", start_nodes(graph)), ("ends at", end_nodes(graph))):
            if nodes:
                yield f"{word} {names_of(graph, nodes)}"
        if found := decisions(graph):
            yield f"{count_of(len(found), 'decision')}: {names_of(graph, list(found))}"
    for node in range(len(graph.nodes)):
        if successors(graph, node):
            yield f"{name_of(graph, node)} {'->' if directed else '-'} {next_to(graph, node)}"
    shapes = {node.shape for node in graph.nodes}
    if len(shapes) == 1:
        yield f"all boxes are {shapes.pop()}s"


def successors(graph: Graph, node: int) -> Sequence[int]:
    """The boxes one step on, in the order of the arrows."""
    found = [edge.target for edge in graph.edges if edge.source == node]
    found += [e.source for e in graph.edges if e.target == node and not e.directed]
    return list(dict.fromkeys(found))


def next_to(graph: Graph, node: int) -> str:
    """ "B" (yes) and "C" (no)"""
    labels = {edge.target: edge.label.text for edge in graph.edges if edge.source == node and edge.label}
    labels |= {e.source: e.label.text for e in graph.edges if e.target == node and e.label and not e.directed}
    return join_names(
        f"{name_of(graph, n)} ({labels[n]})" if n in labels else name_of(graph, n) for n in successors(graph, node)
    )


def in_reading_order(graph: Graph) -> Sequence[int]:
    """Row by row: boxes whose middles lie less than half a box apart stand in one row."""
    rows: list[list[int]] = []
    for node in sorted(range(len(graph.nodes)), key=lambda i: graph.nodes[i].centre[1]):
        top, bottom = graph.nodes[node].box[1], graph.nodes[node].box[3]
        if rows and graph.nodes[node].centre[1] - graph.nodes[rows[-1][0]].centre[1] < (bottom - top) / 2:
            rows[-1].append(node)
        else:
            rows.append([node])
    return [node for row in rows for node in sorted(row, key=lambda i: graph.nodes[i].centre[0])]


def name_of(graph: Graph, node: int) -> str:
    return f'"{graph.nodes[node].text}"'


def names_of(graph: Graph, nodes: Sequence[int]) -> str:
    return join_names(name_of(graph, node) for node in nodes)
