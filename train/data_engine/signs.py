"""Text on signs, labels, cards, tickets and receipts."""

from random import Random

from PIL import Image

from .family import Question, Split
from .lettering import apart
from .signs_contents import KINDS, compose
from .signs_layouts import DrawnNotice, lay_out
from .signs_picture import paint
from .signs_questions import ask


class Signs:
    """The family `signs`."""

    name = "signs"

    def sample(self, rng: Random, split: Split) -> DrawnNotice:
        """What is written comes first and stays while layouts are tried, or short texts would be more frequent."""
        kind = rng.choice(list(KINDS))
        rows = compose(kind, rng)
        while True:
            notice = lay_out(kind, rows, rng, split)
            if notice and apart(entry.label.box for entry in notice.entries):
                return notice

    def render(self, truth: DrawnNotice, rng: Random) -> Image.Image:
        return paint(truth, rng)

    def ask(self, truth: DrawnNotice, rng: Random) -> list[Question]:
        return ask(truth, rng)
