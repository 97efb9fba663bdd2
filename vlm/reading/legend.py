"""Legends: the exact colour of every entry, and which series a mark belongs to by its colour.

The network says where a legend's colours are and where marks are; what colour is there is looked up in the picture.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..scene_encoder import sample
from ..structure import Colour, LegendEntry
from .matching import best_pairs
from .seen import Seen, SeenWord, middle
from .spelling import without_swatch

REACH = 0.75  # text heights around a swatch's place within which its colour is looked for
CLEAR = 0.8  # of the largest difference from the paper: from there on a pixel shows the swatch's own colour
BLUR = 20.0  # of 255: colours nearer to each other than this are easily taken for each other
NEAR = 2  # pixels of the picture beside a place that belong to it
SWATCH = 4.0  # text heights that a swatch and the gap behind it take at most
ASIDE = 1.0  # text heights from where a name seems to begin to where it does
INK = 60.0  # of 441: what differs so much from the paper is ink


def names_alone(seen: Seen, words: Sequence[SeenWord]) -> list[SeenWord]:
    """Names of series without the swatch that was read with them, or that their box begins with.

    In a column all of them begin at one place.
    """
    found = []
    names = [without_swatch(word.label) for word in words]
    for word, name in zip(words, names, strict=True):
        left, top, right, bottom = word.label.box
        height = bottom - top
        column = [other.box[0] for other in names if abs(middle(other.box)[1] - middle(name.box)[1]) > height / 2]
        inside = [start for start in column if left + height < start < min(left + SWATCH * height, right - height)]
        about = max([name.box[0], *inside])
        if about > left:
            name = name.model_copy(update={"box": (_name_start(seen, word, about), top, right, bottom)})
        found.append(replace(word, label=name))
    return found


def _name_start(seen: Seen, word: SeenWord, about: float) -> float:
    """Where ink begins behind the widest gap about a place in a word's box."""
    left, top, right, bottom = (round(edge) for edge in word.label.box)
    reach = ASIDE * (bottom - top)
    first, last = max(left, int(about - reach)), min(right, int(about + reach) + 1)
    pixels = np.asarray(seen.image, np.float32)
    paper = np.median(_above(pixels, word), axis=0)
    inked = (np.linalg.norm(pixels[top:bottom, first:last] - paper, axis=-1) > INK).any(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate(([True], inked, [True])).astype(int)))
    gaps = [(end - start, first + int(end)) for start, end in edges.reshape(-1, 2)]
    return float(max(gaps)[1]) if gaps else about


def legend_entries(seen: Seen, words: Sequence[SeenWord]) -> list[LegendEntry]:
    """Every name with its colour: swatches stand alike beside all of them, whatever the network says of each."""
    if not words:
        return []
    across, down = np.median(swatch_offsets(seen, words), axis=0).tolist()
    return [_entry(seen, word, (word.label.box[0] + across, middle(word.label.box)[1] + down)) for word in words]


def swatch_offsets(seen: Seen, words: Sequence[SeenWord]) -> list[tuple[float, float]]:
    """From the left edge and the middle of the height of names to their colours, each as the network sees it."""
    places = [[seen.to_picture(v) for v in seen.swatch_px(word).tolist()] for word in words]
    return [(x - word.label.box[0], y - middle(word.label.box)[1]) for word, (x, y) in zip(words, places, strict=True)]


def _entry(seen: Seen, word: SeenWord, place: tuple[float, float]) -> LegendEntry:
    (x, y), (left, top, right, bottom) = place, word.label.box
    reach = max(3.0, REACH * min(bottom - top, right - left))
    return LegendEntry(
        label=word.label,
        colour=clear_colour(seen, place, reach, word),
        box=(x - reach, y - reach, x + reach, y + reach),
    )


def clear_colour(seen: Seen, place: tuple[float, float], reach: float, word: SeenWord | None = None) -> Colour:
    """The colour around a place that stands out the most from its surroundings; a thin line has few pixels of it.

    What is farther from the place counts less: the frame of a legend is none of its colours, nor is the word beside.
    """
    width, height = seen.image.size
    x, y = min(max(place[0], 0), width - 1), min(max(place[1], 0), height - 1)
    left, top = max(0, int(x - reach)), max(0, int(y - reach))
    right, bottom = min(width, int(x + reach) + 1), min(height, int(y + reach) + 1)
    if word is not None and left < word.label.box[0] < right:
        right = int(word.label.box[0])
    all_pixels = np.asarray(seen.image, np.float32)
    pixels = all_pixels[top:bottom, left:right]
    if not pixels.size:
        return seen.colour_at(x, y)
    paper = np.median(
        _beside(all_pixels, (left, top, right, bottom)) if word is None else _above(all_pixels, word), axis=0
    )
    away = np.linalg.norm(pixels - paper, axis=-1)
    rows, columns = np.ogrid[top:bottom, left:right]
    away *= np.exp(-((columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2) / (reach * reach))
    red, green, blue = (int(value) for value in np.median(pixels[away >= CLEAR * away.max()], axis=0))
    return Colour(name=None, rgb=(red, green, blue))


def _beside(pixels: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The rim [M, 3] of a part of the picture: a frame around a legend is thinner than that."""
    left, top, right, bottom = box
    around = pixels[max(0, top - 2) : bottom + 2, max(0, left - 3) : right + 1]
    return np.concatenate([*around[:2], *around[-2:], *around[:, :3].swapaxes(0, 1)])


def _above(pixels: np.ndarray, word: SeenWord) -> np.ndarray:
    """Rows [M, 3] above and below a word, where no swatch is."""
    left, top, right, bottom = (int(value) for value in word.label.box)
    rows = np.clip([top - 2, top - 1, bottom + 1, bottom + 2], 0, len(pixels) - 1)
    return pixels[rows, left : right + 1].reshape(-1, 3)


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
    """Which of the colours belongs to which entry, each to one at most; and how near."""
    far = {
        (i, j): float(np.linalg.norm(np.subtract(one.rgb, entry.colour.rgb)))
        for i, one in enumerate(colours)
        for j, entry in enumerate(entries)
    }
    return {i: (j, far[i, j]) for i, j in best_pairs(far).items()}
