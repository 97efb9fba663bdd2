"""Legends: the exact colour of every entry, and which series a mark belongs to by its colour.

The network says where a legend's colours are and where marks are; what colour is there is looked up in the picture.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..scene_encoder import sample
from ..structure import Colour, LegendEntry
from .seen import Seen, SeenWord

REACH = 0.75  # text heights around a swatch's place within which its colour is looked for
CLEAR = 0.8  # of the largest difference from the paper: from there on a pixel shows the swatch's own colour
BLUR = 20.0  # of 255: colours nearer to each other than this are easily taken for each other
NEAR = 2  # pixels of the picture beside a place that belong to it


def legend_entries(seen: Seen, words: list[SeenWord]) -> list[LegendEntry]:
    return [legend_entry(seen, word) for word in words]


def legend_entry(seen: Seen, word: SeenWord) -> LegendEntry:
    x, y = (seen.to_picture(v) for v in seen.swatch_px(word).tolist())
    left, top, right, bottom = word.label.box
    reach = max(3.0, REACH * min(bottom - top, right - left))
    box = (x - reach, y - reach, x + reach, y + reach)
    return LegendEntry(label=word.label, colour=swatch_colour(seen, box, word), box=box)


def swatch_colour(seen: Seen, box: tuple[float, float, float, float], word: SeenWord) -> Colour:
    """The colour in a box that stands out the most from its surroundings; a thin line has few pixels of it."""
    width, height = seen.image.size
    left, top = max(0, int(box[0])), max(0, int(box[1]))
    right, bottom = min(width, int(box[2]) + 1), min(height, int(box[3]) + 1)
    right = min(right, int(word.label.box[0])) if box[0] < word.label.box[0] < right else right  # letters are no swatch
    pixels = np.asarray(seen.image, np.float32)[top : max(bottom, top + 1), left : max(right, left + 1)].reshape(-1, 3)
    around = np.asarray(seen.image, np.float32)[max(0, top - 2) : bottom + 2, max(0, left - 3) : right + 1]
    if not len(pixels) or not around.size:
        return seen.colour_at((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    edge = np.concatenate([around[0], around[-1], around[:, 0]])
    away = np.linalg.norm(pixels - np.median(edge, axis=0), axis=1)
    clear = pixels[away >= CLEAR * away.max()]
    red, green, blue = (int(value) for value in np.median(clear, axis=0))
    return Colour(name=None, rgb=(red, green, blue))


def colour_evidence(seen: Seen, colours: Sequence[Colour], points: Tensor) -> Tensor:
    """Log-chances [Q, ...] that what is near points [..., 2] (pixels of the picture) has each of the colours."""
    pixels = torch.from_numpy(np.asarray(seen.image, np.float32).transpose(2, 0, 1).copy())  # [3, H, W]
    wanted = torch.tensor([colour.rgb for colour in colours], dtype=torch.float32)  # [Q, 3]
    far = (pixels[None] - wanted[:, :, None, None]).norm(dim=1)[:, None]  # [Q, 1, H, W]
    far = -F.max_pool2d(-far, 2 * NEAR + 1, stride=1, padding=NEAR)
    shape = (seen.image.height, seen.image.width)
    at = torch.stack([sample(one[None], points, shape)[..., 0] for one in far])
    return (-at / BLUR).log_softmax(dim=0)


def match_colours(colours: Sequence[Colour], entries: Sequence[LegendEntry]) -> dict[int, tuple[int, float]]:
    """Which of the colours belongs to which entry, each to one at most, the nearest pairs first; and how near."""
    pairs = sorted(
        (float(np.linalg.norm(np.subtract(one.rgb, entry.colour.rgb))), i, j)
        for i, one in enumerate(colours)
        for j, entry in enumerate(entries)
    )
    found: dict[int, tuple[int, float]] = {}
    for distance, i, j in pairs:
        if i not in found and j not in {taken for taken, _ in found.values()}:
            found[i] = j, distance
    return found
