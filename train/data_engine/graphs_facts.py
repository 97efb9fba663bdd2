"""What can be asked about a graph: which boxes may be the answer, and how things are called."""

from random import Random

from vlm.structure import Edge

from .graphs_style import DrawnGraph
from .graphs_words import ENDS, STARTS, TOPICS, Kind

NAMES: dict[Kind, str] = {
    "flow": "flowchart", "layers": "flowchart", "tree": "tree diagram", "cycle": "cycle diagram", "ring": "network",
    "grid": "network",
}  # fmt: skip


class Facts:
    """A graph with its labels in quotation marks. Boxes called "Start" or "End" are no answers: nobody has to look."""

    def __init__(self, graph: DrawnGraph, rng: Random):
        self.graph = graph
        self.topic = TOPICS[graph.topic]
        self.name = NAMES[graph.kind]
        self.texts = [node.text for node in graph.nodes]
        self.title = graph.title.text if graph.title else None
        self.is_directed = graph.edges[0].directed
        self.noun = rng.choice(("box", "node", self.topic.noun))
        self.askable = [i for i, text in enumerate(self.texts) if text not in (*STARTS, *ENDS)]
        self.decisions = [i for i, node in enumerate(graph.nodes) if node.shape == "diamond"]
        self.steps = [i for i in self.askable if i not in self.decisions]

    @property
    def nouns(self) -> str:
        return f"{self.noun}es" if self.noun.endswith("x") else "people" if self.noun == "person" else f"{self.noun}s"

    def quoted(self, box: int) -> str:
        return f'"{self.texts[box]}"'

    def askable_among(self, boxes: tuple[int, ...]) -> list[int]:
        return [box for box in boxes if box in self.askable]

    def edge(self, one: int, other: int) -> Edge | None:
        """The line that leads from one to the other."""
        for edge in self.graph.edges:
            if (edge.source, edge.target) == (one, other):
                return edge
            if not edge.directed and (edge.target, edge.source) == (one, other):
                return edge
        return None

    def in_reading_order(self, boxes: tuple[int, ...]) -> list[int]:
        """From top to bottom, and from left to right in a row."""
        return sorted(
            boxes, key=lambda box: (round(self.graph.nodes[box].centre[1] / 12), self.graph.nodes[box].centre)
        )

    def absent(self) -> list[str]:
        """Labels of the same kind that are not in this picture."""
        return [text for text in self.topic.texts if text not in self.texts]
