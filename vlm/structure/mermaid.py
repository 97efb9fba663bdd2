"""Graphs as Mermaid flowcharts (https://mermaid.js.org/syntax/flowchart.html)."""

from .graph import Graph, NodeShape

SHAPES: dict[NodeShape, tuple[str, str]] = {
    "rectangle": ("[", "]"),
    "rounded rectangle": ("(", ")"),
    "oval": ("([", "])"),
    "circle": ("((", "))"),
    "diamond": ("{", "}"),
    "hexagon": ("{{", "}}"),
    "parallelogram": ("[/", "/]"),
}


def to_mermaid(graph: Graph) -> str:
    """Boxes with their shapes, then arrows and lines with their labels. Runs down or across, as the picture does."""
    lines = [f"flowchart {_direction(graph)}"]
    for number, node in enumerate(graph.nodes):
        left, right = SHAPES[node.shape]
        lines.append(f"    n{number}{left}{_quoted(node.text)}{right}")
    for edge in graph.edges:
        line = "-->" if edge.directed else "---"
        label = f"|{_quoted(edge.label.text)}|" if edge.label and edge.label.text.strip() else ""
        lines.append(f"    n{edge.source} {line}{label} n{edge.target}")
    return "".join(f"{line}\n" for line in lines)


def _direction(graph: Graph) -> str:
    """Where most arrows run."""
    across = down = 0.0
    for edge in graph.edges:
        (x, y), (u, v) = graph.nodes[edge.source].centre, graph.nodes[edge.target].centre
        across, down = across + abs(u - x), down + abs(v - y)
    return "LR" if across > down else "TD"


def _quoted(text: str) -> str:
    """Everything but letters, digits and harmless signs as the entity code that Mermaid understands."""
    plain = " ".join(text.split())
    codes = (c if c.isalnum() or c in " .,:!?+-='%/_" else f"#{ord(c)};" for c in plain)
    return f'"{"".join(codes) or " "}"'
