"""What is compared with what, and how it is said: a table, Markdown, JSON.

Everything is measured in rounds, each contender once a round, so that a machine that slows down slows all of them; a
row is the median of the rounds' ratios.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

Measured = dict[str, list[float]]  # what was measured -> one value a round


@dataclass(frozen=True)
class Row:
    """One line of the table: `ours` over `theirs`, or the other way round where less is better; or `ours` as it is."""

    what: str
    unit: str  # of what is divided
    ours: str  # a key of what was measured
    theirs: str | None  # None: not a ratio
    goal: float
    floor: float
    is_less_better: bool = False  # of the result that is shown
    inverted: bool = False  # theirs over ours: how many times sooner we are


@dataclass(frozen=True)
class Result:
    """A row with its numbers. `values` is empty where one side was not measured; `missing` says which."""

    row: Row
    values: tuple[float, ...]
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    missing: str | None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        """goal, floor or below; of the median."""
        if not self.values:
            return "not measured"
        sign = -1 if self.row.is_less_better else 1
        if sign * self.median >= sign * self.row.goal:
            return "goal"
        return "floor" if sign * self.median >= sign * self.row.floor else "below the floor"


def in_rounds(measures: Mapping[str, Callable[[], float]], rounds: int) -> Measured:
    """Each of the measures once a round; the order turns round every time, so that none is always the first."""
    found: Measured = {key: [] for key in measures}
    turns = [key for number in range(rounds) for key in list(measures)[:: 1 if number % 2 == 0 else -1]]
    with tqdm(turns, disable=None, leave=False) as bar:
        for key in bar:
            bar.set_description(key)
            found[key].append(measures[key]())
    return found


def evaluate(rows: Sequence[Row], measured: Measured) -> list[Result]:
    return [_evaluate(row, measured) for row in rows]


def _evaluate(row: Row, measured: Measured) -> Result:
    keys = [row.ours] if row.theirs is None else [row.ours, row.theirs]
    if missing := [key for key in keys if not measured.get(key)]:
        return Result(row, (), (), (), missing[0])
    ours = measured[row.ours]
    if row.theirs is None:
        return Result(row, tuple(ours), tuple(ours), (), None)
    theirs = measured[row.theirs]
    # One that takes minutes is measured fewer times than the others: the last value stands for the rest.
    pairs = [(ours[i], theirs[min(i, len(theirs) - 1)]) for i in range(len(ours))]
    values = tuple(other / own if row.inverted else own / other for own, other in pairs)
    return Result(row, values, tuple(ours), tuple(theirs), None)


def number(value: float) -> str:
    """Three digits, and no exponent."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values: Sequence[float]) -> str:
    """Median and, in brackets, the least and the largest."""
    if not values:
        return "-"
    if len(values) == 1:
        return number(values[0])
    return f"{number(statistics.median(values))} ({number(min(values))} to {number(max(values))})"


def as_cells(result: Result) -> list[str]:
    row = result.row
    times = "" if row.theirs is None else "x"
    limit = "at most " if row.is_less_better else ""
    shown = f"needs {result.missing}" if result.missing else spread(result.values) + times
    return [
        row.what,
        shown,
        f"{limit}{number(row.goal)}{times}",
        f"{limit}{number(row.floor)}{times}",
        result.verdict,
        f"{spread(result.ours)} {row.unit}" if result.ours else "-",
        f"{spread(result.theirs)} {row.unit}" if result.theirs else "-",
    ]


HEAD = ["what", "result", "goal", "floor", "reached", "Regard", "beside"]


def as_text(results: Sequence[Result]) -> str:
    """A table for the terminal."""
    lines = [HEAD, *map(as_cells, results)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def as_markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *lines])


def as_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    return [
        {
            "what": result.row.what, "unit": result.row.unit, "goal": result.row.goal, "floor": result.row.floor,
            "reached": result.verdict, "values": result.values, "ours": result.ours, "theirs": result.theirs,
            "ours_is": result.row.ours, "theirs_is": result.row.theirs,
        }
        for result in results
    ]  # fmt: skip
