"""Pies: where the slices meet, and which name belongs to which."""

import math
from itertools import pairwise

from ..scene_heads import ANGLES
from ..structure import Chart, Label, LegendEntry, NumberStyle, Series, Slice
from ..structure.numbers import parse_number
from .seen import Seen, SeenWord, middle

LEAST_EDGE = 0.3  # chance that slices meet at an angle
NEAR_WRITTEN = 6.0  # per cent: a share written in a slice is so near what the slice says
SMALLEST = 0.012  # share of a slice


def read_pie(seen: Seen) -> Chart | None:
    where = seen.network.pie.where(seen.scene)
    row, column = divmod(int(where.argmax()), where.shape[1])
    circle = seen.network.pie.circle(seen.scene, (row, column))
    edges = slice_edges(seen, seen.network.pie.edges(seen.scene, circle).sigmoid().tolist())
    legend = seen.of_role("legend")
    named = legend if len(legend) > 1 else seen.of_role("category", "legend")
    if len(edges) < 2 or not named:
        return None
    x, y, radius = (seen.to_picture(float(value)) for value in circle)
    sure = float(where.flatten().softmax(dim=0).max())
    names, entries = [word.label for word in named], [_entry(seen, word) for word in legend]
    slices: list[Slice] = []
    for (start, chance), (end, chance_end) in pairwise([*edges, (edges[0][0] + 2 * math.pi, edges[0][1])]):
        half = (start + end) / 2
        colour = seen.colour_at(x + 0.8 * radius * math.sin(half), y - 0.8 * radius * math.cos(half))
        number, closeness = _name(named, entries, colour.rgb, (x, y), (start, end), len(legend) > 1)
        if number is None:
            continue
        written = _written(seen, (x, y), (start, end), radius)
        value, said = 100 * (end - start) / (2 * math.pi), parse_number(written.text) if written else None
        settled = said is not None and abs(said - value) < NEAR_WRITTEN
        slices.append(
            Slice(
                series=0, category=number, value=said if settled and said is not None else round(value, 1),
                colour=colour, written=written, centre=(x, y), radius=radius, hole=0.0,
                start=math.degrees(start), end=math.degrees(end),
                confidence=seen.vocabulary.calibrated(
                    "slice", min(1.0, sure * min(chance, chance_end) ** 0.5 * closeness * names[number].confidence)
                ),
            )
        )  # fmt: skip
    if not slices:
        return None
    return Chart(
        kind="pie", width=seen.image.width, height=seen.image.height, title=seen.title(),
        plot=(x - radius, y - radius, x + radius, y + radius), horizontal=False, stacked=False, category_title=None,
        categories=tuple(names), value_axis=None, x_axis=None, series=(Series(name=None, colour=None),),
        legend=tuple(entries), marks=tuple(_best_of_each(slices)), numbers=NumberStyle(suffix="%"),
    )  # fmt: skip


def slice_edges(seen: Seen, chances: list[float]) -> list[tuple[float, float]]:
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


def _entry(seen: Seen, word: SeenWord) -> LegendEntry:
    x, y = (seen.to_picture(v) for v in seen.swatch_px(word).tolist())
    return LegendEntry(label=word.label, colour=seen.colour_at(x, y), box=(x - 4, y - 4, x + 4, y + 4))


def _name(
    named: list[SeenWord], entries: list[LegendEntry], rgb: tuple[int, int, int], centre: tuple[float, float],
    angles: tuple[float, float], by_colour: bool,
) -> tuple[int | None, float]:  # fmt: skip
    """Which name is that of a slice, and how well it fits: by its colour in the legend, else by where it stands."""
    if by_colour:
        far = [sum((a - b) ** 2 for a, b in zip(rgb, one.colour.rgb, strict=True)) ** 0.5 for one in entries]
        best = min(range(len(far)), key=far.__getitem__)
        return (best, math.exp(-far[best] / 120)) if far[best] < 130 else (None, 0.0)
    half, width = (angles[0] + angles[1]) / 2, angles[1] - angles[0]
    away = []
    for word in named:
        x, y = middle(word.label.box)
        angle = math.atan2(x - centre[0], centre[1] - y)
        away.append(abs((angle - half + math.pi) % (2 * math.pi) - math.pi))
    best = min(range(len(away)), key=away.__getitem__)
    return (best, 1.0 if away[best] < width / 2 else 0.7) if away[best] < max(width / 2 + 0.1, 0.2) else (None, 0.0)


def _written(seen: Seen, centre: tuple[float, float], angles: tuple[float, float], radius: float) -> Label | None:
    """The share that is written in a slice."""
    for word in seen.of_role("written"):
        x, y = middle(word.label.box)
        angle = math.atan2(x - centre[0], centre[1] - y) % (2 * math.pi)
        inside = any(angles[0] < angle + turn < angles[1] for turn in (0, 2 * math.pi))
        if inside and math.hypot(x - centre[0], y - centre[1]) < 1.25 * radius:
            return word.label
    return None


def _best_of_each(slices: list[Slice]) -> list[Slice]:
    """One slice for every name, the surest; in their order."""
    best: dict[int | None, Slice] = {}
    for one in slices:
        if one.category not in best or best[one.category].confidence < one.confidence:
            best[one.category] = one
    return list(best.values())
