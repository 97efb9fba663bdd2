"""Pictures of things that have everyday names: one alone, or up to six in a scene."""

from random import Random

from PIL import Image

from .family import Question, Split
from .things_layout import IconScene, lay_out
from .things_picture import paint
from .things_questions import ask


class Things:
    """The family `things`."""

    name = "things"

    def sample(self, rng: Random, split: Split) -> IconScene:
        return lay_out(rng, split)

    def render(self, truth: IconScene, rng: Random) -> Image.Image:
        return paint(truth, rng)

    def ask(self, truth: IconScene, rng: Random) -> list[Question]:
        return ask(truth, rng)
