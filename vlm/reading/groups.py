"""Grouped bars: every series stands at one place in all categories, where its colour reaches from the axis to its ends.

And whether bars stand side by side at all, or on each other: the network may be unsure of it, the pixels are not.

Shape letters as in `vlm/reading/stacks.py`; S slots across a category.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..scene_heads import SeriesPlaces
from ..structure import Colour
from .seen import Seen
from .stacks import Array, boundary_scores, own_colours, paper_colours, pixel_scores, single_cuts, straightened

SLOTS = 41  # places across a category where the middle of a bar may be
LINES, REACH = 3, 0.1  # lines of pixels through a bar, and how far from its middle, in widths of a bar's slot
LIKE = -2.0  # score from which on a pixel has a colour
SIDE_BY_SIDE = 0.25  # share of the places along the axis with one colour that have several beside each other


def find_bars(
    seen: Seen, places: SeriesPlaces, anchors: Tensor, band: float, upright: bool, colours: Sequence[Colour]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Where bars end, start and stand across, in pixels of the input, and how well the pixels fit, all [Q, K]."""
    pixels, along = straightened(seen, upright)
    slots = np.linspace(-0.5, 0.5, SLOTS)
    middles = anchors.double().numpy() / seen.scale
    scores = _slot_scores(pixels, middles, band / seen.scale, slots, colours)  # [Q + 1, S, K, N]
    end, start = (boundary_scores(logits, places.along, along * seen.scale) for logits in (places.end, places.start))
    best = []
    for q in range(len(colours)):
        cuts = [single_cuts(scores[q, s], scores[-1, s], end[q], start[q]) for s in range(SLOTS)]
        totals = np.array([total.sum(axis=0) for total, _ in cuts])  # [S, N + 1] of the slot and where bars stand
        best.append((totals, cuts))
    base = int(np.sum([totals.max(axis=0) for totals, _ in best], axis=0).argmax())
    found = []
    for q, (totals, cuts) in enumerate(best):
        slot = _middle_of_best(totals[:, base])
        ends = cuts[slot][1][:, base]
        chances = np.exp(scores[:, slot] - scores[:, slot].max(axis=0))
        chances /= chances.sum(axis=0)
        fit = [chances[q, k, ends[k] : base].mean() for k in range(len(ends))]
        across = (middles + slots[slot] * band / seen.scale) * seen.scale
        found.append((along[ends] * seen.scale, np.full(len(ends), along[base] * seen.scale), across, fit))
    ends, starts, across, fit = (torch.tensor(np.array(part)).float() for part in zip(*found, strict=True))
    return ends, starts, across, fit


def _middle_of_best(totals: Array) -> int:
    """Of the slots that fit about as well as the best, next to it, the middle one."""
    best = int(totals.argmax())
    good = totals > totals[best] - 0.15 * abs(totals[best] - np.median(totals))
    low, high = best, best
    while low > 0 and good[low - 1]:
        low -= 1
    while high < len(totals) - 1 and good[high + 1]:
        high += 1
    return (low + high) // 2


def _slot_scores(pixels: Array, middles: Array, band: float, slots: Array, colours: Sequence[Colour]) -> Array:
    """How well the pixels at slots fit every series and, last, paper: [Q + 1, S, K, N]."""
    legend = np.array([colour.rgb for colour in colours], float)
    offsets = np.linspace(-REACH, REACH, LINES) / len(colours)
    lines = middles[None, :, None] + (slots[:, None, None] + offsets) * band  # [S, K, W]
    strips = pixels[lines.astype(int).clip(0, len(pixels) - 1)]  # [S, K, W, N, 3]
    paper = paper_colours(pixels, middles, band, legend)
    own = own_colours(strips, legend, paper)
    scores = pixel_scores(strips.reshape(-1, *strips.shape[2:]), own, paper)
    return scores.reshape(len(scores), *strips.shape[:2], -1)


def stand_side_by_side(seen: Seen, anchors: Tensor, band: float, upright: bool, colours: Sequence[Colour]) -> bool:
    """Whether at one height several colours are beside each other, as in groups, or one above the other, in stacks."""
    pixels, _ = straightened(seen, upright)
    slots = np.linspace(-0.5, 0.5, SLOTS)
    scores = _slot_scores(pixels, anchors.double().numpy() / seen.scale, band / seen.scale, slots, colours)
    which = np.where(scores.max(axis=0) > LIKE, scores.argmax(axis=0), len(colours))  # [S, K, N]
    least = max(2, SLOTS // (6 * len(colours)))
    present = np.array([(which == q).sum(axis=0) >= least for q in range(len(colours))]).sum(axis=0)  # [K, N]
    return bool((present > 1).sum() > SIDE_BY_SIDE * max(1, (present > 0).sum()))
