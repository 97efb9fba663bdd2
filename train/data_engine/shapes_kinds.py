"""The kinds of shapes: how often they come, and the edge of each as points whose size is up to the caller.

`square` is not a kind of its own: whoever is asked for rectangles counts squares too, and where one ends and the other
begins is nobody's business in a drawing. So `rectangle` covers every ratio of sides from 1 on.
"""

from collections.abc import Callable
from math import cos, hypot, pi, radians, sin
from random import Random

from vlm.structure import Point

from .held_out import HELD_OUT

Outline = list[Point]


def _around(count: int, *radii: float) -> Outline:
    """`count` points evenly around the origin, starting at the top; the radii take turns."""
    angles = [2 * pi * i / count - pi / 2 for i in range(count)]
    return [(radii[i % len(radii)] * cos(angle), radii[i % len(radii)] * sin(angle)) for i, angle in enumerate(angles)]


def _turned(outline: Outline, degrees: float) -> Outline:
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return [(c * x - s * y, s * x + c * y) for x, y in outline]


def _stretched(outline: Outline, ratio: float) -> Outline:
    return [(ratio * x, y) for x, y in outline]


def _circle(rng: Random) -> Outline:
    return _around(72, 1.0)


def _ring(rng: Random) -> Outline:
    """Out around the edge, over to the hole, and back around it: a single line with a hole inside."""
    inner = rng.uniform(0.5, 0.72)
    edge, hole = _around(72, 1.0), _around(72, inner)
    return [*edge, edge[0], hole[0], *reversed(hole)]


def _oval(rng: Random) -> Outline:
    tilt = rng.choice((0, 90)) if rng.random() < 0.6 else rng.uniform(0, 180)
    return _turned(_stretched(_around(72, 1.0), rng.uniform(1.45, 2.3)), tilt)


def _rectangle(rng: Random) -> Outline:
    ratio = 1.0 if rng.random() < 0.12 else 3.2 ** rng.random()
    tilt = 0.0 if rng.random() < 0.6 else rng.uniform(-45, 45)
    if ratio < 1.35:
        tilt *= 0.4  # further over, it would be called a diamond
    return _turned([(-ratio, -1), (ratio, -1), (ratio, 1), (-ratio, 1)], tilt + rng.choice((0, 90)))


def _triangle(rng: Random) -> Outline:
    form = rng.random()
    if form < 0.3:  # isosceles, standing on its base
        return [(0, -1), (rng.uniform(0.45, 1.1), 1), (-rng.uniform(0.45, 1.1), 1)]
    if form < 0.45:
        outline = _stretched([(-1, -1), (1, 1), (-1, 1)], rng.uniform(0.6, 1.7))
        return _turned(outline, 90 * rng.randrange(4))
    if form < 0.6:
        return _turned(_around(3, 1.0), rng.uniform(0, 360))
    while True:
        outline = [(rng.uniform(-1, 1), rng.uniform(-1, 1)) for _ in range(3)]
        if _narrowest(outline) > 0.62:
            return outline


def _narrowest(triangle: Outline) -> float:
    """Its lowest height over its longest side: 0.87 for an equilateral triangle, 0 for a line."""
    (ax, ay), (bx, by), (cx, cy) = triangle
    longest = max(hypot(ax - bx, ay - by), hypot(bx - cx, by - cy), hypot(cx - ax, cy - ay))
    return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / longest**2


def _star(rng: Random) -> Outline:
    tips = 5 if rng.random() < 0.85 else 6
    inner = rng.uniform(0.36, 0.5) if tips == 5 else rng.uniform(0.45, 0.58)
    return _turned(_around(2 * tips, 1.0, inner), 0 if rng.random() < 0.5 else rng.uniform(-36, 36))


def _pentagon(rng: Random) -> Outline:
    return _turned(_around(5, 1.0), 0 if rng.random() < 0.5 else rng.uniform(-36, 36))


def _hexagon(rng: Random) -> Outline:
    return _turned(_around(6, 1.0), rng.choice((0, 30)) if rng.random() < 0.6 else rng.uniform(-30, 30))


def _diamond(rng: Random) -> Outline:
    outline = _stretched(_around(4, 1.0), rng.choice((rng.uniform(0.55, 1.0), rng.uniform(1.0, 1.7))))
    return _turned(outline, 0 if rng.random() < 0.6 else rng.uniform(-6, 6))


def _cross(rng: Random) -> Outline:
    a = rng.uniform(0.22, 0.42)
    arm = [(-a, -1), (a, -1), (a, -a), (1, -a), (1, a), (a, a), (a, 1), (-a, 1), (-a, a), (-1, a), (-1, -a), (-a, -a)]
    return _turned(arm, 0 if rng.random() < 0.7 else rng.uniform(-15, 15))


def _heart(rng: Random) -> Outline:
    outline = []
    for i in range(60):
        t = 2 * pi * i / 60
        outline.append((16 * sin(t) ** 3, -13 * cos(t) + 5 * cos(2 * t) + 2 * cos(3 * t) + cos(4 * t)))
    return _turned(_stretched(outline, rng.uniform(0.9, 1.15)), 0 if rng.random() < 0.6 else rng.uniform(-20, 20))


KINDS: dict[str, Callable[[Random], Outline]] = {
    "circle": _circle,
    "rectangle": _rectangle,
    "triangle": _triangle,
    "star": _star,
    "pentagon": _pentagon,
    "hexagon": _hexagon,
    "oval": _oval,
    "diamond": _diamond,
    "cross": _cross,
    "heart": _heart,
    "ring": _ring,
}


COMMON = ("circle", "rectangle", "triangle")  # what people ask about most: half of all things
WEIGHTS = {kind: (len(KINDS) - 3) / 3 if kind in COMMON else 1.0 for kind in KINDS}
# The fewest pixels across, and the least share of the picture's shorter side, in which a kind can be told from others.
SMALLEST_PIXELS = {kind: 9 if kind in COMMON else 20 if kind in ("pentagon", "hexagon") else 16 for kind in KINDS}
SMALLEST_SHARE = {kind: 0.1 if kind in COMMON else 0.16 for kind in KINDS}
# Combinations that no training picture shows, so that the test split asks for more than memory.
HELD_OUT_SHAPES = frozenset(tuple(shape.split()[::-1]) for shape in HELD_OUT.shapes)  # (kind, colour)


def outline(kind: str, longer_side: float, rng: Random) -> Outline:
    """The edge of a `kind` with a random form and turn; its box begins at (0, 0) and has this longer side."""
    points = KINDS[kind](rng)
    left, top = min(x for x, _ in points), min(y for _, y in points)
    scale = longer_side / max(max(x for x, _ in points) - left, max(y for _, y in points) - top)
    return [((x - left) * scale, (y - top) * scale) for x, y in points]
