"""Stacked bars: the column of pixels through a bar, cut into paper, one segment for each series, and paper again.

Every pixel has a score for each series' colour and for paper, every boundary one of its own, the higher the surer the
network saw a mark end or begin there. The best cut is found by dynamic programming (optimal partitioning,
https://arxiv.org/abs/math/0309285), under what all bars share: where they stand, and in which order series lie on each
other.

Shape letters: Q series, K categories, W lines of pixels through a bar, N pixels along the value axis, from the far end
of the bars to where they stand.
"""

from collections.abc import Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..scene_heads import SeriesPlaces
from ..structure import Colour, Label, LegendEntry
from .legend import match_colours
from .seen import Seen

LINES, REACH = 9, 0.16  # how many lines of pixels through a bar, and how far from its middle, in widths of a category
BLUR = 20.0  # of 255: colours nearer to each other than this are easily taken for each other
WORST = 4.0  # no pixel speaks louder against a colour: letters, edges and grids have others
COVERED, BARE = 0.3, 0.7  # share of the lines that show a series' colour beside its hatching, and that paper must have
LEAST_SURE = -8.0  # log-chance of a boundary, where the network saw none
OWN = 0.5  # weight of whose boundary the network says it is, beside that there is one
MOST_ORDERED = 4  # series whose every order is tried; of more, that of the legend and its reverse
RIM = 0.03  # share of the picture at its edges that is page
PLOT = 0.2  # share of what is between bars that has another colour than the page, if the plot has
COARSE = 16  # of 255: colours in one such step count as one
LEAST_SHARE = 0.015  # of what is coloured: what there is less of is no series
WASHED_OUT = 200.0  # of 255: a swatch and its bars differ less than this
NAMELESS = Label(text="", box=(0, 0, 0, 0))

Array = NDArray[np.float64]


class Segments(NamedTuple):
    """Where every segment ends and starts [Q, K], in pixels of the input, and how well the pixels fit."""

    end: Tensor
    start: Tensor
    sure: Tensor


def find_segments(
    seen: Seen, places: SeriesPlaces, anchors: Tensor, band: float, upright: bool, colours: Sequence[Colour]
) -> Segments:
    pixels, along = straightened(seen, upright)
    offsets = np.linspace(-REACH, REACH, LINES) * band
    lines = ((anchors.double().numpy()[:, None] + offsets) / seen.scale).astype(int).clip(0, len(pixels) - 1)
    strips = pixels[lines]
    rgb = np.array([colour.rgb for colour in colours], float)
    paper = paper_colours(pixels, anchors.double().numpy() / seen.scale, band / seen.scale, rgb)
    scores = pixel_scores(strips, own_colours(strips, rgb, paper), paper)
    bonus = [boundary_scores(logits, places.along, along * seen.scale) for logits in (places.end, places.start)]
    ends, starts = best_cut(scores, *bonus)
    fit = segment_fit(scores, ends, starts)
    end, start = (torch.from_numpy(along[cut] * seen.scale).float() for cut in (ends, starts))
    return Segments(end, start, torch.from_numpy(fit).float())


def straightened(seen: Seen, upright: bool) -> tuple[Array, Array]:
    """The pixels [across, N, 3] of a picture, and the places [N + 1] along the axis, in its pixels, between them."""
    pixels = np.asarray(seen.image, np.float64)
    edges = np.arange((seen.image.height if upright else seen.image.width) + 1.0)
    return (pixels.swapaxes(0, 1), edges) if upright else (pixels[:, ::-1], edges[::-1])


def paper_colours(pixels: Array, anchors: Array, band: float, series: Array) -> Array:
    """The commonest colours [., 3] of the rim of a picture [across, along, 3], and between its bars: page and plot."""
    rim = max(1, round(RIM * min(pixels.shape[:2])))
    page = [pixels[:rim], pixels[-rim:], pixels[:, :rim].swapaxes(0, 1), pixels[:, -rim:].swapaxes(0, 1)]
    colour, _ = commonest(np.concatenate([part.reshape(-1, 3) for part in page]))
    between = np.concatenate([anchors - band / 2, anchors + band / 2]).astype(int).clip(0, len(pixels) - 1)
    inner = pixels[between].reshape(-1, 3)
    other = inner[np.linalg.norm(inner - colour, axis=-1) > BLUR]
    if len(other) < PLOT * len(inner):
        return colour[None]
    plot, _ = commonest(other)
    is_bar = np.linalg.norm(series - plot, axis=-1).min() < 2 * BLUR  # where bars nearly touch
    return colour[None] if is_bar else np.array([colour, plot])


def commonest(colours: Array) -> tuple[Array, NDArray[np.bool_]]:
    """The commonest of colours [M, 3], and which of them are nearly so."""
    keys, count = np.unique(colours // COARSE, axis=0, return_counts=True)
    about = (keys[count.argmax()] + 0.5) * COARSE
    near = np.linalg.norm(colours - about, axis=-1) < 1.5 * COARSE
    colour = np.median(colours[near], axis=0)
    return colour, np.linalg.norm(colours - colour, axis=-1) < 2 * BLUR


def own_colours(strips: Array, legend: Array, paper: Array) -> Array:
    """The colours [Q, 3] of the legend as they are in the bars: swatches are small, and blur washes them out."""
    left = strips.reshape(-1, 3)
    left = left[np.min([np.linalg.norm(left - colour, axis=-1) for colour in paper], axis=0) > 2 * BLUR]
    least = max(1.0, LEAST_SHARE * len(left))
    found: list[Array] = []
    while len(left) and len(found) < len(legend):
        colour, near = commonest(left)
        if near.sum() < least:
            break
        found.append(colour)
        left = left[~near]
    wanted = [LegendEntry(label=NAMELESS, colour=_colour(one), box=NAMELESS.box) for one in legend]
    own = legend.copy()
    for i, (q, far) in match_colours([_colour(one) for one in found], wanted).items():
        nearest = min(np.linalg.norm(one - legend[q]) for one in found)
        if far < WASHED_OUT and (far == nearest or nearest > 2 * BLUR):  # else two series have nearly one colour
            own[q] = found[i]
    return own


def _colour(rgb: Array) -> Colour:
    red, green, blue = (round(float(value)) for value in rgb)
    return Colour(name=None, rgb=(red, green, blue))


def pixel_scores(strips: Array, series: Array, paper: Array) -> Array:
    """How well pixels [K, W, N, 3] fit every series and, last, paper: [Q + 1, K, N], 0 at best."""
    scores = []
    for colour in series:
        far = np.sort(np.linalg.norm(strips - colour, axis=-1), axis=1)
        scores.append(far[:, int(COVERED * (far.shape[1] - 1))])
    bare = np.min([np.linalg.norm(strips - colour, axis=-1) for colour in paper], axis=0)
    scores.append(np.sort(bare, axis=1)[:, int(BARE * (bare.shape[1] - 1))])
    return -np.minimum(np.array(scores) / BLUR, WORST)


def boundary_scores(logits: Tensor, along: Tensor, edges: Array) -> Array:
    """What the network says of a boundary of each series at places [N + 1] along the axis: [Q, K, N + 1]."""
    chances = logits.flatten(2).log_softmax(dim=-1).unflatten(-1, logits.shape[2:]).logsumexp(dim=2)  # [Q, K, P]
    said = (chances.logsumexp(dim=0) + OWN * chances).clamp(min=LEAST_SURE).double().numpy()
    places = along.double().numpy()
    return np.array([[np.interp(edges, places, row) for row in rows] for rows in said])


def best_cut(scores: Array, end: Array, start: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places [Q, K] where segments end and start under the best order of series; all bars stand at one place.

    Takes scores of pixels [Q + 1, K, N] and of boundaries [Q, K, N + 1].
    """
    number = len(end)
    upwards = tuple(range(number))
    orders = permutations(upwards) if number <= MOST_ORDERED else iter((upwards, upwards[::-1]))
    sums = np.concatenate([np.zeros((*scores.shape[:2], 1)), scores.cumsum(axis=-1)], axis=-1)
    best: tuple[float, tuple[int, ...], int, list[NDArray[np.int64]]] | None = None
    for order in orders:
        total, tracks = _cut_in_order(sums, end, start, order)
        shared = total.sum(axis=0)  # of where all bars stand
        base = int(shared.argmax())
        if best is None or shared[base] > best[0]:
            best = (float(shared[base]), order, base, tracks)
    assert best is not None
    _, order, base, tracks = best
    ends, starts = (np.zeros(end.shape[:2], np.int64) for _ in range(2))
    place = np.full(end.shape[1], base)
    for q, track in zip(reversed(order), reversed(tracks), strict=True):
        starts[q], place = place, track[np.arange(len(place)), place]
        ends[q] = place
    return ends, starts


def single_cuts(own: Array, paper: Array, end: Array, start: Array) -> tuple[Array, NDArray[np.int64]]:
    """The best score [K, N + 1] of one bar that starts at a place, and where it ends, of pixels' scores [K, N]."""
    sums = np.concatenate([np.zeros((2, len(own), 1)), np.stack([own, paper]).cumsum(axis=-1)], axis=-1)
    total, (track,) = _cut_in_order(sums, end[None], start[None], (0,))
    return total, track


def _cut_in_order(sums: Array, end: Array, start: Array, order: Sequence[int]) -> tuple[Array, list[NDArray[np.int64]]]:
    """How much better than paper [K, N + 1] the best cut is whose last series, from the far end, starts at a place.

    With it, for every series, where it then ends [K, N + 1].
    """
    paper = sums[-1]
    best, tracks = paper, []
    numbers = np.arange(paper.shape[1])
    for q in order:
        opened = best + end[q] - sums[q]
        opened = np.concatenate([np.full((len(opened), 1), -np.inf), opened[:, :-1]], axis=1)  # at least one pixel long
        highest = np.maximum.accumulate(opened, axis=1)
        tracks.append(np.maximum.accumulate(np.where(opened >= highest, numbers - 1, 0), axis=1))
        best = highest + sums[q] + start[q]
    return best - paper, tracks


def segment_fit(scores: Array, ends: NDArray[np.int64], starts: NDArray[np.int64]) -> Array:
    """The mean chance [Q, K] that the pixels of a segment are of its series and of no other, nor paper."""
    chances = np.exp(scores - scores.max(axis=0))
    chances /= chances.sum(axis=0)
    return np.array(
        [[chances[q, k, ends[q, k] : starts[q, k]].mean() for k in range(ends.shape[1])] for q in range(len(ends))]
    )
