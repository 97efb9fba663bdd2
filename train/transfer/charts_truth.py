"""From a table and a form to the truth of a chart; what both renderers of charts share."""

from dataclasses import dataclass
from random import Random

from PIL import Image

from .tables import Form, Points, Table
from .truth import ChartTruth, Range

TITLED, WRITTEN = 0.8, 0.45  # how often there is a title; how often the values stand at the marks


@dataclass(frozen=True)
class DrawnChart:
    image: Image.Image
    truth: ChartTruth
    style: str


def written_decimals(form: Form, table: Table, rng: Random) -> int | None:
    """With how many decimals the values are written at the marks, or None where they are not."""
    count = len(table.categories) * len(table.series)
    if form.kind == "pie":
        return rng.choice((0, 1)) if rng.random() < 0.7 else None
    if form.stacked:
        highest = max(map(sum, zip(*table.values, strict=True)))
        roomy = min(map(min, table.values)) >= 0.08 * highest and (form.horizontal or count <= 15)
    else:
        roomy = len(table.series) == 1 or (form.kind == "bar" and count <= (12 if form.horizontal else 9))
    return table.decimals if roomy and rng.random() < WRITTEN else None


def write(value: float, decimals: int, kind: str) -> str:
    """As it stands at a mark."""
    return f"{value:.{decimals}f}%" if kind == "pie" else f"{value:,.{decimals}f}"


def chart_truth(
    form: Form, table: Table, titled: bool, axis_titles: bool, decimals: int | None, value_range: Range | None
) -> ChartTruth:
    pie = form.kind == "pie"
    return ChartTruth(
        kind=form.kind,
        horizontal=form.horizontal,
        stacked=form.stacked,
        hole=form.hole,
        title=table.title if titled else None,
        category_title=table.category_title if axis_titles and not pie else None,
        value_title=table.value_title if axis_titles and not pie else None,
        x_title=None,
        categories=table.categories,
        series=table.series,
        values=(table.shares,) if pie else table.values,
        points=(),
        value_range=value_range,
        x_range=None,
        decimals=decimals,
    )


def points_truth(points: Points, titled: bool, value_range: Range, x_range: Range) -> ChartTruth:
    return ChartTruth(
        kind="scatter",
        horizontal=False,
        stacked=False,
        hole=False,
        title=points.title if titled else None,
        category_title=None,
        value_title=points.y_title,
        x_title=points.x_title,
        categories=(),
        series=points.series,
        values=(),
        points=points.points,
        value_range=value_range,
        x_range=x_range,
        decimals=None,
    )
