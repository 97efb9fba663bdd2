"""Labelled drawings: parts of familiar things and of machines, with words, letters or numbers that point to them."""

from random import Random

from PIL import Image

from .family import Question, Split
from .parts_layout import DrawnParts, lay_out
from .parts_picture import paint
from .parts_questions import ask


class LabelledParts:
    """The family `parts`."""

    name = "parts"

    def sample(self, rng: Random, split: Split) -> DrawnParts:
        return lay_out(rng, split)

    def render(self, truth: DrawnParts, rng: Random) -> Image.Image:
        return paint(truth, rng)

    def ask(self, truth: DrawnParts, rng: Random) -> list[Question]:
        return ask(truth, rng)
