"""Boxes without labels and the links between them: which shapes a flow, a tree or a network may take."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import cos, pi, sin
from random import Random
from typing import Literal

from vlm.structure import Point

from .graphs_words import Kind

Role = Literal["step", "decision", "start", "end"]
Lane = Literal["left", "right"]


@dataclass(frozen=True)
class Link:
    source: int
    target: int
    lane: Lane | None = None  # the side of the boxes past which it runs; None for the direct way
    text: str | None = None


@dataclass
class Skeleton:
    """Boxes without labels; what stands in a row is on one level of the flow."""

    roles: list[Role] = field(default_factory=list)
    cells: list[Point] = field(default_factory=list)  # (row, column)
    links: list[Link] = field(default_factory=list)

    def add(self, row: float, column: float, role: Role = "step") -> int:
        self.roles.append(role)
        self.cells.append((row, column))
        return len(self.cells) - 1


def _flow(number: int, rng: Random) -> Skeleton:
    """A column of steps; every decision's second exit leads to boxes beside it, past some steps, or back."""
    while True:
        decisions = rng.randint(1, min(3, (number - 1) // 2))
        asides = [rng.choice((0, 1, 1, 2)) for _ in range(decisions)]
        length = number - sum(asides)
        if decisions + 2 <= length <= 7:
            skeleton = Skeleton()
            rows = rng.sample(range(1, length - 1), decisions)
            for row in range(length):
                skeleton.add(row, 0, "decision" if row in rows else "step")
            skeleton.links += [Link(row, row + 1) for row in range(length - 1)]
            taken: dict[Lane, set[int]] = {"left": set(), "right": set()}
            if all(_branch(skeleton, row, aside, length, taken, rng) for row, aside in zip(rows, asides, strict=True)):
                return skeleton


def _branch(skeleton: Skeleton, row: int, aside: int, length: int, taken: dict[Lane, set[int]], rng: Random) -> bool:
    """The second exit of the decision in this row; False where there is no room for one beside the column."""
    onwards = list(range(row + max(aside, 2), length))
    targets: list[int | None] = [*onwards, *(range(row) if aside < 2 else ())]
    if aside:
        targets += [None] * 2 if row + aside <= length else []
    if not targets:
        return False
    target, side = rng.choice(targets), rng.choice(tuple(taken))
    ends = (row, row + aside - 1) if target is None else (row, target, row + max(aside - 1, 0))
    rows = set(range(min(ends), max(ends) + 1))
    if rows & taken[side]:
        return False
    taken[side] |= rows
    before = row
    for i in range(aside):
        box = skeleton.add(row + i, -1 if side == "left" else 1)
        skeleton.links.append(Link(before, box))
        before = box
    if target is not None:
        skeleton.links.append(Link(before, target, lane=None if aside else side))
    return True


def _layers(number: int, rng: Random) -> Skeleton:
    """Rows of one to three boxes; links lead from row to row, and none has to cross another."""
    sizes: list[int] = []
    while not 3 <= len(sizes) <= 6:
        sizes = []
        while sum(sizes) < number:
            sizes.append(rng.randint(1, min(3, number - sum(sizes))))
    skeleton = Skeleton()
    above: list[int] = []
    for row, size in enumerate(sizes):
        boxes = [skeleton.add(row, column - (size - 1) / 2) for column in range(size)]
        i = j = 0
        while above:
            skeleton.links.append(Link(above[i], boxes[j]))
            steps = [(a, b) for a, b in ((1, 0), (0, 1), (1, 1)) if i + a < len(above) and j + b < size]
            if not steps:
                break
            a, b = rng.choice(steps)
            i, j = i + a, j + b
        above = boxes
    return skeleton


def _tree(number: int, rng: Random) -> Skeleton:
    """At most four levels and six ends; parents stand in the middle of their children."""
    while True:
        parents = [-1]
        depths = [0]
        for i in range(1, number):
            parent = rng.choice([j for j in range(i) if depths[j] < 3 and parents.count(j) < 3])
            parents.append(parent)
            depths.append(depths[parent] + 1)
        ends = sum(i not in parents for i in range(number))
        if ends <= 6 and max(depths) > 1:
            break
    columns: dict[int, float] = {}

    def place(box: int) -> None:
        below = [i for i in range(number) if parents[i] == box]
        for child in below:
            place(child)
        placed = sum(i not in parents for i in columns)
        columns[box] = (columns[below[0]] + columns[below[-1]]) / 2 if below else placed

    place(0)
    skeleton = Skeleton()
    for i in range(number):
        skeleton.add(depths[i], columns[i])
    skeleton.links = [Link(parents[i], i) for i in range(1, number)]
    return skeleton


def _cycle(number: int, rng: Random) -> Skeleton:
    skeleton = Skeleton()
    for i in range(number):
        skeleton.add(i, 0)
    skeleton.links = [Link(i, (i + 1) % number) for i in range(number)]
    return skeleton


def _ring(number: int, rng: Random) -> Skeleton:
    """Neighbours on the ring, and a few across it."""
    around = _cycle(number, rng)
    least = 3 if number > 7 else 2  # closer ones of many run into the box between them
    across = [(i, j) for j in range(number) for i in range(j) if least <= j - i <= number - least]
    while True:
        links = [link for link in around.links if rng.random() < 0.75]
        links += [Link(i, j) for i, j in rng.sample(across, rng.randint(1, min(len(across), 4)))]
        places = [(cos(2 * pi * i / number), sin(2 * pi * i / number)) for i in range(number)]
        if _all_linked(links, number) and _crossings(links, places) < 2:
            return Skeleton(around.roles, around.cells, links)


def _grid(number: int, rng: Random) -> Skeleton:
    """Boxes in some places of a grid, linked to what is next to them."""
    while True:
        rows = rng.choice([rows for rows in (2, 3) if rows * 5 >= number])
        columns = max(-(-number // rows), rng.randint(2, 5))
        cells: list[Point] = rng.sample(
            [(float(row), float(column)) for row in range(rows) for column in range(columns)], number
        )
        pairs = [
            (i, j) for j in range(number) for i in range(j)
            if max(abs(cells[i][0] - cells[j][0]), abs(cells[i][1] - cells[j][1])) == 1
        ]  # fmt: skip
        links = [Link(i, j) for i, j in rng.sample(pairs, min(len(pairs), rng.randint(number - 1, number + 2)))]
        if _all_linked(links, number) and _crossings(links, cells) < 2:
            return Skeleton(["step"] * number, [*cells], links)


def _all_linked(links: list[Link], number: int) -> bool:
    """Every box, but none so often that its lines would not be apart."""
    counts = Counter(box for link in links for box in (link.source, link.target))
    return len(counts) == number and max(counts.values()) < 5


def _crossings(links: list[Link], places: Sequence[Point]) -> int:
    """How many pairs of straight links would cross."""
    found = 0
    for one, other in combinations(links, 2):
        if len({one.source, one.target, other.source, other.target}) == 4:
            a, b, c, d = (places[box] for box in (one.source, one.target, other.source, other.target))
            found += _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0
    return found


def _side(start: Point, end: Point, point: Point) -> float:
    """Above zero on one side of the line, below on the other."""
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])


BUILDERS: dict[Kind, Callable[[int, Random], Skeleton]] = {
    "flow": _flow, "layers": _layers, "tree": _tree, "cycle": _cycle, "ring": _ring, "grid": _grid,
}  # fmt: skip
OFTEN = (4, 2, 2, 1, 1, 2)  # how often each of them is drawn
