"""Lines of several series: of the places where a line could pass a category, those that its own colour joins.

The network says at which places lines pass a category; whose each is shows in the picture between two categories. The
likeliest way through all categories is found as in a hidden Markov model (Viterbi 1967), and how sure each of its
places is by the sums over all ways (forward-backward).

Shape letters: Q series, K categories, M candidates at each, T points between two of them.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..structure import Colour
from .seen import Seen

MOST = 8  # candidates at a category
WINDOW = 2  # places beside the likeliest one that belong to it
POINTS = 24  # that are looked at between two categories
NEAR = 1  # pixels beside a way that belong to it
BLUR = 20.0  # of 255: colours nearer to each other than this are easily taken for each other
WORST = 4.0  # no pixel speaks louder against a colour: dashes have gaps, and lines cross
JOINED = 4.0  # weight of the colour between two categories, beside the places at them


def trace_lines(
    seen: Seen, logits: Tensor, along: Tensor, anchors: Tensor, colours: Sequence[Colour]
) -> tuple[Tensor, Tensor]:
    """Logits [Q, K, L, P] -> place along the axis, in pixels of the input, and how sure it is, both [Q, K]."""
    places, chances = candidates(logits, along)
    x, y = anchors / seen.scale, places / seen.scale
    far = distances(seen, colours)
    found = []
    for q in range(len(places)):
        joins = [joined_by(far[q], (x[k], x[k + 1]), y[q, k], y[q, k + 1]) for k in range(len(x) - 1)]
        found.append(best_way(chances[q], joins))
    which, every = (torch.stack(part) for part in zip(*found, strict=True))
    place = places.gather(2, which[..., None])
    near = (places - place).abs() <= WINDOW * (along[1] - along[0])  # a place between two cells is two candidates
    return place[..., 0], (every * near).sum(dim=-1)


def candidates(logits: Tensor, along: Tensor) -> tuple[Tensor, Tensor]:
    """The likeliest places [Q, K, M], each the middle of what is around a peak, and the log-chances of those."""
    chances = logits.flatten(2).softmax(dim=-1).unflatten(-1, logits.shape[2:]).sum(dim=2)  # [Q, K, P]
    highest = F.max_pool1d(chances, 2 * WINDOW + 1, stride=1, padding=WINDOW)
    peaks = torch.where(chances >= highest, chances, 0.0).topk(MOST, dim=-1).indices  # [Q, K, M]
    near = (torch.arange(len(along)) - peaks[..., None]).abs() <= WINDOW  # [Q, K, M, P]
    parts = chances[:, :, None] * near
    mass = parts.sum(dim=-1)
    return (parts * along).sum(dim=-1) / mass.clamp(min=1e-9), mass.clamp(min=1e-6).log()


def distances(seen: Seen, colours: Sequence[Colour]) -> Tensor:
    """How far every pixel [Q, H, W] is from the colours of the series."""
    pixels = torch.from_numpy(np.asarray(seen.image, np.float32).transpose(2, 0, 1).copy())
    wanted = torch.tensor([colour.rgb for colour in colours], dtype=torch.float32)
    far = (pixels[None] - wanted[:, :, None, None]).norm(dim=1)
    return -F.max_pool2d(-far[:, None], 2 * NEAR + 1, stride=1, padding=NEAR)[:, 0]


def joined_by(far: Tensor, ends: tuple[Tensor, Tensor], one: Tensor, two: Tensor) -> Tensor:
    """How well straight ways [M, M] between candidates at two categories have the colour: 0 at best."""
    share = (torch.arange(POINTS) + 0.5) / POINTS
    x = ends[0] + (ends[1] - ends[0]) * share
    y = one[:, None, None] + (two[None, :, None] - one[:, None, None]) * share  # [M, M, T]
    columns = x.long().clamp(0, far.shape[1] - 1).expand(y.shape)
    return -(far[y.long().clamp(0, far.shape[0] - 1), columns] / BLUR).clamp(max=WORST).mean(dim=-1)


def best_way(chances: Tensor, joins: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Which candidates [K] the likeliest way takes, from log-chances [K, M] and how well neighbours are joined [M, M].

    With it the chance of every candidate [K, M], over all ways.
    """
    best, back = chances[0], []
    forward, backward = [chances[0]], [torch.zeros_like(chances[0])]
    for own, join in zip(chances[1:], joins, strict=True):
        ways = best[:, None] + JOINED * join
        back.append(ways.argmax(dim=0))
        best = ways.amax(dim=0) + own
        forward.append((forward[-1][:, None] + JOINED * join).logsumexp(dim=0) + own)
    for own, join in zip(chances[1:].flip(0), reversed(joins), strict=True):
        backward.append((JOINED * join + (own + backward[-1])[None]).logsumexp(dim=1))
    which = [int(best.argmax())]
    for step in reversed(back):
        which.append(int(step[which[-1]]))
    every = (torch.stack(forward) + torch.stack(backward[::-1])).softmax(dim=-1)
    return torch.tensor(which[::-1]), every
