"""Tables in many styles: with lines, stripes or neither, with units, dates, missing values and sums."""

from random import Random

from PIL import Image

from .family import Question, Split
from .lettering import apart
from .tables_contents import compose
from .tables_layout import DrawnTable, lay_out, pick_style
from .tables_picture import paint
from .tables_questions import ask


class Tables:
    """The family `tables`."""

    name = "tables"

    def sample(self, rng: Random, split: Split) -> DrawnTable:
        """What is written comes first and stays while layouts are tried, or small tables would be the more frequent."""
        contents = compose(rng)
        while True:
            table = lay_out(contents, pick_style(rng, split), rng)
            if table and apart(label.box for label in table.labels):
                return table

    def render(self, truth: DrawnTable, rng: Random) -> Image.Image:
        return paint(truth, rng)

    def ask(self, truth: DrawnTable, rng: Random) -> list[Question]:
        return ask(truth, rng)
