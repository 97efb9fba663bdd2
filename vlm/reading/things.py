"""Everyday things in a drawing: where they are and what they are, by what a network for photographs sees in them.

The tower of the classifier for photographs stays as it was published (`vlm/objects.py`). On its patch tokens a small
head marks the middles of things, as CenterNet does (Zhou et al. 2019, https://arxiv.org/abs/1904.07850), and another
names what lies in each box: an icon of a cat looks enough like a cat to be known by the same features.
"""

import functools
import math
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..structure import Scene, Thing
from .colours import background, shares
from .patches import STRIDE, patch_tokens
from .scenes import size_for
from .seen import Seen
from .weights import load_head

WEIGHTS = Path(__file__).parent / "weights" / "things.safetensors"
SIDE = 384  # pixels of the square that a picture is letterboxed to
CELLS = SIDE // STRIDE  # along a side
UNIT = 64.0  # pixels: sizes are told as logarithms of their ratio to this
LEAST = 0.3  # chance from which there is a thing ...
UNSEEN = 0.05  # what a colour counts that no pixel of a thing has: lines and shades hide it
KNOWN = 0.3  # ... if it is of a kind that is known: blobs and details of photographs are not
NEAR = 1  # cells around the middle of a thing that are looked at by themselves


class ThingFinder(nn.Module):
    """Patch tokens [B, P, C] of letterboxed pictures, P = CELLS x CELLS row by row, to things of known kinds."""

    def __init__(self, channels: int, kinds: Sequence[str], colours: Sequence[str], width: int = 96, hidden: int = 384):
        super().__init__()
        self.kinds, self.colours = tuple(kinds), tuple(colours)
        self.norm, self.enter = nn.LayerNorm(channels), nn.Linear(channels, width)
        self.around, self.mix = nn.Conv2d(width, width, 3, padding=1, groups=width), nn.Linear(width, width)
        self.middle, self.box = nn.Linear(width, 1), nn.Linear(width, 4)
        self.crop_norm, self.crop = nn.LayerNorm(2 * channels), nn.Linear(2 * channels, hidden)
        self.drop = nn.Dropout(0.3)
        self.kind, self.colour = nn.Linear(hidden, len(kinds)), nn.Linear(hidden, len(colours))
        nn.init.constant_(self.middle.bias, -4.0)  # things are few

    def look(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [B, P] of a thing's middle; and [B, P, 4]: from the cell's middle to the thing's, in cells, and the
        logarithms of width and height in UNITs.
        """
        x = F.gelu(self.enter(self.norm(tokens)))
        cells = x.transpose(1, 2).unflatten(2, (CELLS, CELLS))
        x = F.gelu(self.mix(x + self.around(cells).flatten(2).transpose(1, 2)))
        return self.middle(x).squeeze(-1), self.box(x)

    def name(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of kind [M, kinds] and colour [M, colours] of what `pooled` took from boxes [M, 2C]."""
        x = self.drop(F.gelu(self.crop(self.crop_norm(seen))))
        return self.kind(x), self.colour(x)


def pooled(tokens: Tensor, box: tuple[float, float, float, float]) -> Tensor:
    """Of a picture's tokens [P, C] the means over a box (centre, width, height in pixels) and over its middle [2C]."""
    cells, (x, y, width, height) = tokens.unflatten(0, (CELLS, CELLS)), box
    (left, right), (top, bottom) = _cells(x, width), _cells(y, height)
    column, row = (min(CELLS - 1, max(0, round(at / STRIDE - 0.5))) for at in (x, y))
    middle = cells[max(0, row - NEAR) : row + NEAR + 1, max(0, column - NEAR) : column + NEAR + 1]
    return torch.cat([cells[top:bottom, left:right].mean((0, 1)), middle.mean((0, 1))])


def _cells(centre: float, length: float) -> tuple[int, int]:
    """First and last cell (not included) whose middles lie in a stretch; at least one."""
    first = min(CELLS - 1, max(0, round((centre - length / 2) / STRIDE)))
    return first, min(CELLS, max(first + 1, round((centre + length / 2) / STRIDE)))


@torch.inference_mode()
def read_things(seen: Seen) -> Scene | None:
    """Every thing with its kind, colour, size and place; None where there is nothing that is known."""
    tokens, scale, corner = patch_tokens(seen.image, SIDE)
    finder = load_finder()
    things = []
    for (x, y, width, height), chance in find(finder, tokens):
        kinds, colours = (logits[0].softmax(-1) for logits in finder.name(pooled(tokens, (x, y, width, height))[None]))
        if float(kinds.max()) < KNOWN:
            continue
        left, right = _within((x - width / 2, x + width / 2), corner[0], scale, seen.image.width)
        top, bottom = _within((y - height / 2, y + height / 2), corner[1], scale, seen.image.height)
        seen_colours = shares(seen.image, (left, top, right, bottom))
        likely = colours * torch.tensor([UNSEEN + seen_colours.get(name, 0.0) for name in finder.colours])
        things.append(
            Thing(
                kind=finder.kinds[int(kinds.argmax())], colour=finder.colours[int(likely.argmax())],
                size=size_for((right - left) * (bottom - top) / (seen.image.width * seen.image.height)),
                outline=((left, top), (right, top), (right, bottom), (left, bottom)),
                confidence=seen.vocabulary.calibrated("object", min(1.0, chance * float(kinds.max() * colours.max()))),
            )
        )  # fmt: skip
    if not things:
        return None
    return Scene(
        width=seen.image.width, height=seen.image.height, background=background(seen.image), things=tuple(things)
    )  # fmt: skip


def find(finder: ThingFinder, tokens: Tensor) -> list[tuple[tuple[float, float, float, float], float]]:
    """Boxes (centre, width and height, in pixels of the square) of a picture's things, each with its chance."""
    logits, boxes = finder.look(tokens[None])
    chances = logits[0].sigmoid()
    grid = chances.reshape(1, 1, CELLS, CELLS)
    is_peak = (F.max_pool2d(grid, 3, stride=1, padding=1) == grid).flatten() & (chances > LEAST)
    found = []
    for cell in is_peak.nonzero()[:, 0].tolist():
        row, column = divmod(cell, CELLS)
        right, down, width, height = boxes[0, cell].tolist()
        centre = (STRIDE * (column + right + 0.5), STRIDE * (row + down + 0.5))
        found.append(((*centre, UNIT * math.exp(width), UNIT * math.exp(height)), float(chances[cell])))
    return found


def _within(ends: tuple[float, float], corner: float, scale: float, side: int) -> tuple[float, float]:
    """A stretch of the square in pixels of the picture, as far as it is inside."""
    low, high = ((end - corner) / scale for end in ends)
    return min(max(low, 0.0), side - 1.0), max(min(high, float(side)), 1.0)


@functools.cache
def load_finder() -> ThingFinder:
    """With the weights that come with the package."""
    weights, told = load_head(WEIGHTS)
    finder = ThingFinder(len(weights["norm.weight"]), told["kinds"], told["colours"])
    finder.load_state_dict(weights)
    return finder.eval()
