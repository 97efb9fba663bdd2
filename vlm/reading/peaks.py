"""Peaks of the map of points, things and tips."""

import torch.nn.functional as F
from torch import Tensor

from ..scene_heads import PEAKS
from .seen import Seen

LEAST = 0.3  # chance of a peak
MOST = 120  # peaks of a kind


def find_peaks(seen: Seen, kind: str, least: float = LEAST) -> tuple[Tensor, Tensor]:
    """Places [M, 2] in pixels of the encoder's input, the surest first, and their chances [M]."""
    logits, offsets = seen.network.peaks.maps(seen.scene)
    chances = logits[PEAKS.index(kind)].sigmoid()
    highest = F.max_pool2d(chances[None, None], 3, stride=1, padding=1)[0, 0]
    rows, columns = ((chances == highest) & (chances >= least)).nonzero().unbind(-1)
    sure, order = chances[rows, columns].sort(descending=True)
    rows, columns = rows[order[:MOST]], columns[order[:MOST]]
    cells = columns.new_zeros(len(rows), 2).float()
    cells[:, 0], cells[:, 1] = columns, rows
    return 4 * (cells + offsets[:, rows, columns].T.clamp(0, 1)), sure[:MOST]
