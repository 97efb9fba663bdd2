"""Charts: bars, lines, pies and scatter plots in many styles."""

from random import Random

from PIL import Image

from .charts_bar import lay_out_bars
from .charts_line import lay_out_lines
from .charts_page import NoRoom
from .charts_picture import paint
from .charts_pie import lay_out_pie
from .charts_questions import ask
from .charts_scatter import lay_out_scatter
from .charts_style import DrawnChart
from .family import Question, Split

KINDS = {lay_out_bars: 9, lay_out_lines: 5, lay_out_pie: 4, lay_out_scatter: 2}  # with how often each comes


class Charts:
    """The family `charts`."""

    name = "charts"

    def sample(self, rng: Random, split: Split) -> DrawnChart:
        (lay_out,) = rng.choices(list(KINDS), list(KINDS.values()))
        while True:
            try:
                return lay_out(rng, split)
            except NoRoom:
                continue

    def render(self, truth: DrawnChart, rng: Random) -> Image.Image:
        return paint(truth, rng)

    def ask(self, truth: DrawnChart, rng: Random) -> list[Question]:
        return ask(truth, rng)
