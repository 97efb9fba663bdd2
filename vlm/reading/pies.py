"""Pies: where the slices meet, and which name belongs to which."""

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..scene_heads import ANGLES
from ..structure import Chart, Label, NumberStyle, Series, Slice
from .legend import legend_entries, match_colours
from .seen import Seen, SeenWord, middle
from .spelling import nearest_reading

LEAST_EDGE = 0.3  # chance that slices meet at an angle
CLEAR_EDGE = 0.7  # chance from which on they do, whatever else there is
NEAR_WRITTEN = 6.0  # per cent: a share written in a slice is so near what the slice says
SMALLEST = 0.012  # share of a slice
RAYS = 72  # directions in which the rim of a pie is looked for
LEAST_HOLE = 0.2  # of the radius
PAPER = 40.0  # of 255: how far from the paper's colour is still paper


def read_pie(seen: Seen) -> Chart | None:
    where = seen.network.pie.where(seen.scene)
    row, column = divmod(int(where.argmax()), where.shape[1])
    circle = seen.network.pie.circle(seen.scene, (row, column))
    legend = seen.of_role("legend")
    named = legend if len(legend) > 1 else seen.of_role("category", "legend")
    if not named:
        return None
    pixels = np.asarray(seen.image, np.float32)
    circle = refined_circle(pixels, circle / seen.scale) * seen.scale
    edges = slice_edges(seen.network.pie.edges(seen.scene, circle).sigmoid().tolist())
    if len(edges) < 2:
        return None
    if len(edges) > len(named) > 1:  # no more slices than names, but for those that are clear: a name can be missed
        surest = sorted(edges, key=lambda edge: -edge[1])
        edges = sorted(edge for i, edge in enumerate(surest) if i < len(named) or edge[1] > CLEAR_EDGE)
    x, y, radius = (seen.to_picture(float(value)) for value in circle)
    hole = hole_of(pixels, (x, y, radius))
    sure = float(where.flatten().softmax(dim=0).max())
    names, entries = [word.label for word in named], legend_entries(seen, legend)
    spans = list(pairwise([*edges, (edges[0][0] + 2 * math.pi, edges[0][1])]))
    halves = [(start + end) / 2 for (start, _), (end, _) in spans]
    colours = [seen.colour_at(x + 0.8 * radius * math.sin(a), y - 0.8 * radius * math.cos(a)) for a in halves]
    if len(legend) > 1:
        matched = {i: (j, math.exp(-far / 120)) for i, (j, far) in match_colours(colours, entries).items()}
    else:
        matched = match_angles(named, (x, y), [(start, end) for (start, _), (end, _) in spans])
    slices: list[Slice] = []
    for i, ((start, chance), (end, chance_end)) in enumerate(spans):
        if i not in matched:
            continue
        number, fit = matched[i]
        written = _written(seen, (x, y), (start, end), radius)
        value = 100 * (end - start) / (2 * math.pi)
        said = nearest_reading(written.text, value, NEAR_WRITTEN) if written else None
        slices.append(
            Slice(
                series=0, category=number, value=round(value, 1) if said is None else said,
                colour=colours[i], written=written, centre=(x, y), radius=radius, hole=hole,
                start=math.degrees(start), end=math.degrees(end),
                confidence=seen.vocabulary.calibrated(
                    "slice", min(1.0, sure * min(chance, chance_end) ** 0.5 * fit * names[number].confidence)
                ),
            )
        )  # fmt: skip
    if not slices:
        return None
    return Chart(
        kind="pie", width=seen.image.width, height=seen.image.height, title=seen.title(),
        plot=(x - radius, y - radius, x + radius, y + radius), horizontal=False, stacked=False, category_title=None,
        categories=tuple(names), value_axis=None, x_axis=None, series=(Series(name=None, colour=None),),
        legend=tuple(entries), marks=tuple(slices), numbers=NumberStyle(suffix="%"),
    )  # fmt: skip


def refined_circle(pixels: npt.NDArray[np.float32], circle: Tensor) -> Tensor:
    """The circle [3] (x, y, radius) through the places where, seen from inside, the colours turn into the paper's."""
    for _ in range(2):
        x, y, radius = circle.tolist()
        angles = np.linspace(0, 2 * np.pi, RAYS, endpoint=False)
        reach = np.linspace(0.5, 1.5, 4 * RAYS) * radius
        is_paper, inside = _along_rays(pixels, (x, y), reach)
        left = is_paper & inside & np.roll(is_paper, -1, axis=1) & np.roll(is_paper, -2, axis=1)
        first = left[:, :-2].argmax(axis=1)
        found = (first > 0) & left[:, :-2].any(axis=1)
        ends = np.stack([x + np.sin(angles) * reach[first], y - np.cos(angles) * reach[first]], axis=1)[found]
        if len(ends) < RAYS / 2:
            return circle
        fitted = _fit_circle(ends)
        away = np.abs(np.linalg.norm(ends - fitted[:2], axis=1) - fitted[2])
        fitted = _fit_circle(ends[away <= np.median(away) * 2 + 0.5])
        if not 0.7 < fitted[2] / radius < 1.4:
            return circle
        circle = torch.tensor(fitted, dtype=torch.float32)
    return circle


def hole_of(pixels: npt.NDArray[np.float32], circle: tuple[float, float, float]) -> float:
    """The radius of a donut's hole, 0 for a pie: how far in, from the rim, the paper's colour comes back."""
    x, y, radius = circle
    reach = np.linspace(0.9, 0.0, RAYS) * radius  # inwards
    is_paper, _ = _along_rays(pixels, (x, y), reach)
    back = is_paper & np.roll(is_paper, -1, axis=1)  # more than a line between slices
    inner = np.where(back[:, :-1].any(axis=1), reach[back[:, :-1].argmax(axis=1)], 0.0)
    hole = float(np.median(inner))
    return hole if hole > LEAST_HOLE * radius else 0.0


def _along_rays(
    pixels: npt.NDArray[np.float32], centre: tuple[float, float], reach: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """[RAYS, N]: what, so far from a centre, has the paper's colour, and what is inside the picture."""
    height, width = pixels.shape[:2]
    paper = np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]), axis=0)
    angles = np.linspace(0, 2 * np.pi, RAYS, endpoint=False)[:, None]
    columns = np.rint(centre[0] + np.sin(angles) * reach).astype(int)
    rows = np.rint(centre[1] - np.cos(angles) * reach).astype(int)
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    colours = pixels[rows.clip(0, height - 1), columns.clip(0, width - 1)]
    return np.linalg.norm(colours - paper, axis=-1) < PAPER, inside


def _fit_circle(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Least squares of x^2 + y^2 = 2 a x + 2 b y + c (Kasa 1976)."""
    unknown = np.column_stack([2 * points, np.ones(len(points))])
    a, b, c = np.linalg.lstsq(unknown, (points**2).sum(axis=1), rcond=None)[0]
    return np.array([a, b, math.sqrt(max(1e-6, c + a * a + b * b))])


def slice_edges(chances: list[float]) -> list[tuple[float, float]]:
    """Angles in radians, clockwise from the top, where one slice ends and the next begins, each with its chance."""
    found = []
    for i, chance in enumerate(chances):
        before, after = chances[i - 1], chances[(i + 1) % ANGLES]
        if chance >= LEAST_EDGE and chance > before and chance >= after:
            shift = (after - before) / max(1e-6, before + chance + after)
            found.append(((i + 0.5 + shift) * 2 * math.pi / ANGLES, chance))
    kept: list[tuple[float, float]] = []
    for edge in found:
        if kept and edge[0] - kept[-1][0] < 2 * math.pi * SMALLEST:
            kept[-1] = max(kept[-1], edge, key=lambda one: one[1])
        else:
            kept.append(edge)
    return kept


def match_angles(
    named: list[SeenWord], centre: tuple[float, float], spans: list[tuple[float, float]]
) -> dict[int, tuple[int, float]]:
    """Which name stands at which slice, and how well it fits: each at one at most, the nearest pairs first."""
    pairs = []
    for j, word in enumerate(named):
        x, y = middle(word.label.box)
        angle = math.atan2(x - centre[0], centre[1] - y)
        for i, (start, end) in enumerate(spans):
            away = abs((angle - (start + end) / 2 + math.pi) % (2 * math.pi) - math.pi)
            if away < max((end - start) / 2 + 0.15, 0.3):
                pairs.append((away / (end - start), i, j))
    found: dict[int, tuple[int, float]] = {}
    for away, i, j in sorted(pairs):
        if i not in found and j not in {taken for taken, _ in found.values()}:
            found[i] = j, 1.0 if away < 0.5 else 0.7
    return found


def _written(seen: Seen, centre: tuple[float, float], angles: tuple[float, float], radius: float) -> Label | None:
    """The share that is written in a slice."""
    for word in seen.of_role("written"):
        x, y = middle(word.label.box)
        angle = math.atan2(x - centre[0], centre[1] - y) % (2 * math.pi)
        inside = any(angles[0] < angle + turn < angles[1] for turn in (0, 2 * math.pi))
        if inside and math.hypot(x - centre[0], y - centre[1]) < 1.25 * radius:
            return word.label
    return None
