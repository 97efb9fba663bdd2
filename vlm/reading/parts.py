"""What a labelled drawing is of, and what the parts are called that its labels point to.

The drawing alone, without its labels, is stretched to a square: then each part lies where it always lies in drawings of
this subject, or mirrored. On the patch tokens of the published tower (`vlm/objects.py`) a small head says first what is
drawn, and then which part of that it is that a place belongs to.

Shape letters: B drawings, P = CELLS x CELLS patch tokens row by row, C channels, M places.
"""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from ..structure import Box, Label, Point
from ..structure.parts import PART
from .patches import STRIDE, patch_tokens
from .traces import find_ink
from .weights import load_head

WEIGHTS = Path(__file__).parent / "weights" / "parts.safetensors"
SIDE = 256  # pixels of the square that a drawing is stretched to
CELLS = SIDE // STRIDE  # along a side
UNKNOWN = "unknown"  # what a drawing shows that is of none of the subjects
LEAST_SUBJECT = 0.5  # chance from which a drawing has a name: drawings of other kinds hardly reach it
LEAST_NAME = 0.5  # chance from which a part has one
THIN = 7  # pixels: lines and strokes of letters are thinner, parts are not
NEVER = -1e9  # logit of the name of a part that other subjects have
COARSE = 4  # cells along a side for what is drawn
WAVES = 4  # by which a place is told: of one period along a side, of two, four and eight


class PartNamer(nn.Module):
    """Patch tokens [B, P, C] of drawings, stretched to a square, to their subjects and the names of their parts."""

    def __init__(self, channels: int, parts: Mapping[str, Sequence[str]], width: int = 64, hidden: int = 192):
        super().__init__()
        self.parts = {subject: tuple(names) for subject, names in parts.items()}
        self.subjects = tuple(self.parts)
        self.names = tuple(sorted({name for names in self.parts.values() for name in names}))
        belongs = [[name in names for name in self.names] for names in self.parts.values()]
        self.register_buffer("belongs", torch.tensor(belongs), persistent=False)  # bool [subjects, names]
        self.norm, self.enter = nn.LayerNorm(channels), nn.Linear(channels, width)
        self.whole, self.drop = nn.Linear(width * COARSE**2, hidden), nn.Dropout(0.2)
        self.subject = nn.Linear(hidden, len(self.subjects))
        self.place = nn.Linear(hidden + 2 * width + 4 * WAVES + 2, hidden)
        self.name = nn.Linear(hidden, len(self.names))

    def look(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [B, subjects]; and for `names_at` the whole drawing [B, hidden] and every cell of it [B, P, width]."""
        cells = F.gelu(self.enter(self.norm(tokens)))
        grid = cells.transpose(1, 2).unflatten(2, (CELLS, CELLS))
        whole = self.drop(F.gelu(self.whole(F.adaptive_avg_pool2d(grid, COARSE).flatten(1))))
        return self.subject(whole), whole, cells

    def names_at(self, places: Tensor, subjects: Tensor, whole: Tensor, cells: Tensor) -> Tensor:
        """Logits [B, M, names] of what is at places [B, M, 2] (0 to 1 across and down) in drawings of subjects [B]."""
        grid = cells.transpose(1, 2).unflatten(2, (CELLS, CELLS))
        local = [
            F.grid_sample(level, 2 * places[:, None] - 1, padding_mode="border", align_corners=False)[:, :, 0].mT
            for level in (grid, F.avg_pool2d(grid, 3, stride=1, padding=1, count_include_pad=False))
        ]
        turns = torch.pi * places[..., None] * 2.0 ** torch.arange(WAVES, device=places.device)  # [B, M, 2, WAVES]
        waves = torch.cat([turns.sin(), turns.cos()], dim=-1).flatten(2)
        around = whole[:, None].expand(-1, places.shape[1], -1)
        logits = self.name(self.drop(F.gelu(self.place(torch.cat([around, *local, waves, places], dim=-1)))))
        return logits.masked_fill(~self.belongs[subjects][:, None], NEVER)


@torch.inference_mode()
def name_parts(image: Image.Image, words: Sequence[Label], tips: Sequence[Point]) -> tuple[str | None, list[str]]:
    """What a drawing is of, if that is known, and what its lines point to, "part" where that has no known name."""
    namer, box = load_namer(), drawing_box(image, words, tips)
    places = torch.tensor([within(tip, box) for tip in tips])
    subjects, whole, cells = namer.look(drawing_tokens(image, box)[None])
    chance, which = subjects[0].softmax(dim=-1).max(dim=-1)
    subject = namer.subjects[int(which)]
    if subject == UNKNOWN or chance < LEAST_SUBJECT:
        return None, [PART] * len(tips)
    if not namer.parts[subject]:
        return subject, [PART] * len(tips)
    sure, best = namer.names_at(places[None], which[None], whole, cells)[0].softmax(dim=-1).max(dim=-1)
    return subject, [
        namer.names[number] if chance >= LEAST_NAME else PART
        for chance, number in zip(sure.tolist(), best.tolist(), strict=True)
    ]


def drawing_tokens(image: Image.Image, box: Box) -> Tensor:
    """Tokens [P, C] of what is in a box, stretched to a square."""
    return patch_tokens(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box), SIDE)[0]


def drawing_box(image: Image.Image, words: Sequence[Label], tips: Sequence[Point]) -> Box:
    """Around tips of lines and all that is solid or enclosed by ink, but not around words and what they stand on."""
    import cv2

    inverted = np.pad(1 - find_ink(image).astype(np.uint8), 1, constant_values=1)
    cv2.floodFill(inverted, None, (0, 0), 2)
    solid = (inverted[1:-1, 1:-1] != 2).astype(np.uint8)
    solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((THIN, THIN), np.uint8))
    _, _, bounds, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    boxes = [(left, top, left + width, top + height) for left, top, width, height, _ in bounds[1:].tolist()]
    boxes = [box for box in boxes if not any(_is_badge(box, word.box) for word in words)]
    lefts, tops, rights, bottoms = zip(*boxes, *((x - 1, y - 1, x + 1, y + 1) for x, y in tips), strict=True)
    left, top, right, bottom = map(float, (min(lefts), min(tops), max(rights), max(bottoms)))
    return max(0.0, left), max(0.0, top), min(float(image.width), right), min(float(image.height), bottom)


def _is_badge(box: Box, word: Box) -> bool:
    """Whether it is no larger than what a word may stand on."""
    room = word[3] - word[1]
    return all((box[side] - word[side]) * sign >= -room for side, sign in enumerate((1, 1, -1, -1)))


def within(place: Point, box: Box) -> Point:
    """A place in a picture, from 0 to 1 across and down a box."""
    return (place[0] - box[0]) / (box[2] - box[0]), (place[1] - box[1]) / (box[3] - box[1])


@functools.cache
def load_namer() -> PartNamer:
    """With the weights that come with the package."""
    weights, told = load_head(WEIGHTS)
    namer = PartNamer(len(weights["norm.weight"]), told["parts"])
    namer.load_state_dict(weights)
    return namer.eval()
