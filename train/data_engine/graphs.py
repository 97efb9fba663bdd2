"""Flowcharts, trees, cycles and networks: boxes with labels, joined by arrows or lines."""

from random import Random

from PIL import Image

from .family import Question, Split
from .graphs_contents import compose
from .graphs_layout import lay_out
from .graphs_picture import paint
from .graphs_questions import ask
from .graphs_style import DrawnGraph, pick_style
from .lettering import apart

TRIES = 40  # before something else is said: a few graphs in a thousand find no room


class Graphs:
    """The family `graphs`."""

    name = "graphs"

    def sample(self, rng: Random, split: Split) -> DrawnGraph:
        """What it says comes first and stays while layouts are tried, or small graphs would be the more frequent."""
        while True:
            contents = compose(rng)
            for tries in range(TRIES):
                graph = lay_out(contents, pick_style(contents, rng, split, tries), rng)
                if graph and apart(label.box for label in graph.labels):
                    return graph

    def render(self, truth: DrawnGraph, rng: Random) -> Image.Image:
        return paint(truth, rng)

    def ask(self, truth: DrawnGraph, rng: Random) -> list[Question]:
        return ask(truth, rng)
