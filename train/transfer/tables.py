"""Real tables in the small: the part of one that a chart of a certain form can show."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from vlm.structure import ChartKind
from vlm.structure import Point as XY

MIN_SLICE = 3.0  # per cent: thinner slices are hard to see
APART = 0.035  # of both axes together: points that are closer would run into each other


@dataclass(frozen=True)
class Form:
    """A way to draw a chart."""

    name: str
    kind: ChartKind
    series: tuple[int, int] = (1, 1)  # at least, at most
    categories: tuple[int, int] = (3, 10)
    horizontal: bool = False
    stacked: bool = False
    hole: bool = False  # pies: a donut


FORMS = (
    Form("bar", "bar"),
    Form("line", "line", categories=(4, 12)),
    Form("pie", "pie", categories=(2, 7)),
    Form("grouped", "bar", series=(2, 4), categories=(2, 6)),
    Form("bar across", "bar", horizontal=True),
    Form("lines", "line", series=(2, 4), categories=(4, 12)),
    Form("scatter", "scatter"),
    Form("stacked", "bar", series=(2, 4), categories=(2, 8), stacked=True),
    Form("bar", "bar"),
    Form("donut", "pie", categories=(2, 7), hole=True),
    Form("grouped across", "bar", series=(2, 3), categories=(2, 5), horizontal=True),
    Form("grouped scatter", "scatter", series=(2, 3)),
    Form("stacked across", "bar", series=(2, 4), categories=(2, 7), horizontal=True, stacked=True),
)


@dataclass(frozen=True)
class Table:
    """Values by category and series."""

    source: str  # "vega-datasets cars"
    title: str
    category_title: str
    value_title: str
    categories: tuple[str, ...]
    series: tuple[str | None, ...]  # None: the only one, and without a name
    values: tuple[tuple[float, ...], ...]  # [series][category], rounded
    decimals: int
    ordered: bool = False  # whether the categories have an order in time or size
    additive: bool = False  # whether the values are parts of a whole

    def suits(self, form: Form) -> bool:
        if form.kind == "pie" or form.stacked:
            return self.additive and len(self.series) >= form.series[0] and len(self.categories) >= form.categories[0]
        enough = len(self.series) >= form.series[0] and len(self.categories) >= form.categories[0]
        return enough and (self.ordered or form.kind != "line")

    def part(self, form: Form, rng: Random) -> "Table":
        """As many series and categories as the form can show."""
        count = rng.randint(form.series[0], min(form.series[1], len(self.series)))
        series = sorted(rng.sample(range(len(self.series)), count))
        least, most = form.categories[0], min(form.categories[1], len(self.categories))
        count = rng.randint(max(least, min(most, 3)), most)
        if self.ordered:
            first = rng.randrange(len(self.categories) - count + 1)
            categories = list(range(first, first + count))
        else:
            categories = rng.sample(range(len(self.categories)), count)
            if rng.random() < 0.4 and len(series) == 1:
                categories.sort(key=lambda i: -self.values[series[0]][i])
            elif rng.random() < 0.5:
                categories.sort()
        names, title = [self.series[i] for i in series], self.title
        if len(names) == 1 and names[0]:
            names, title = [None], f"{title}: {names[0]}"
        return replace(
            self,
            title=title,
            categories=tuple(self.categories[i] for i in categories),
            series=tuple(names),
            values=tuple(tuple(self.values[s][c] for c in categories) for s in series),
        )

    @property
    def shares(self) -> tuple[float, ...]:
        """The first series in per cent of its sum."""
        return tuple(100 * value / sum(self.values[0]) for value in self.values[0])

    def can_be_seen(self, form: Form) -> bool:
        """Whether no mark would be too thin to be seen, or all but equal to every other."""
        flat = [value for row in self.values for value in row]
        if form.kind == "pie":
            return min(self.shares) >= MIN_SLICE
        if form.stacked:
            highest = max(map(sum, zip(*self.values, strict=True)))
            return min(flat) >= 0.02 * highest
        return min(flat) >= 0.01 * max(flat) and max(flat) > min(flat)


@dataclass(frozen=True)
class Points:
    """Points of one or more groups."""

    source: str
    title: str
    x_title: str
    y_title: str
    series: tuple[str | None, ...]
    points: tuple[tuple[XY, ...], ...]  # [series]

    def suits(self, form: Form) -> bool:
        return len(self.series) >= form.series[0]

    def part(self, form: Form, rng: Random) -> "Points":
        """Eight to forty points that do not run into each other; a single group keeps no name."""
        count = rng.randint(form.series[0], min(form.series[1], len(self.series)))
        chosen = sorted(rng.sample(range(len(self.series)), count))
        pool = [(number, point) for number in chosen for point in sorted(set(self.points[number]))]
        most = min(rng.randint(8, 40), 14 * count + 12)
        kept = _apart(rng.sample(pool, len(pool)), most)
        groups = tuple(tuple(point for number, point in kept if number == i) for i in chosen)
        names, title = [self.series[i] for i in chosen], self.title
        if count == 1 and names[0]:
            names, title = [None], f"{title}: {names[0]}"
        return replace(self, title=title, series=tuple(names), points=groups)

    def can_be_seen(self, form: Form) -> bool:
        return all(len(group) >= 3 for group in self.points)


def _apart(pool: Sequence[tuple[int, XY]], most: int) -> list[tuple[int, XY]]:
    """The first points of the pool that keep their distance from those before them."""
    xs, ys = zip(*(point for _, point in pool), strict=True)
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    kept: list[tuple[int, XY]] = []
    for number, (x, y) in pool:
        near = any(((x - u) / width) ** 2 + ((y - v) / height) ** 2 < APART**2 for _, (u, v) in kept)
        if not near and len(kept) < most:
            kept.append((number, (x, y)))
    return kept


def choose(form: Form, tables: Sequence[Table], points: Sequence[Points], rng: Random) -> Table | Points:
    """Something real that this form can show; every table is as likely as any other that suits."""
    pool: Sequence[Table | Points] = points if form.kind == "scatter" else tables
    suiting = [table for table in pool if table.suits(form)]
    while True:
        part = rng.choice(suiting).part(form, rng)
        if part.can_be_seen(form):
            return part
