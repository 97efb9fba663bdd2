"""The scene encoder: a picture and the words that were read in it -> what the heads of `vlm/scene_heads.py` look at.

    pixels [3, H, W] ── stem, stages ──> maps of stride 4, 8, 16 and 32 (EfficientNet-Lite0, trained further)
    stride-32 cells ─┐
    words (text, box)┴─> tokens [1 + cells + N, D] ── transformer layers ──> summary [D], cells, words [N, D]
    maps of stride 4, 8, 16 and the cells ──> one fine map [C, H/4, W/4]

Global attention tells what kind of picture it is and what each word is there for (as in LayoutLM,
https://arxiv.org/abs/1912.13318); places come from looking at the fine map where the evidence lies.
One picture at a time, in its own shape: there is no padding that a result could depend on.

Shape letters: H, W height and width of the input in pixels (multiples of 32), N words, D token width, C channels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from .efficientnet_layers import SameConv2d, build_stages
from .structure import Label
from .word_features import FLAGS, NGRAMS, word_features

STEM, STAGE_CHANNELS, STAGE_DEPTHS = 32, (16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1)  # Lite0
STRIDE_4, STRIDE_8, STRIDE_16, STRIDE_32 = 1, 2, 4, 6  # the last stage of each stride
WIDTH, HEADS, LAYERS, FEED_FORWARD = 256, 8, 3, 768
CHANNELS = 48  # of the fine map
MOST_PIXELS, LONGEST, SMALLEST = 480 * 360, 640, 224  # of the input: area, longer side, and what small ones grow to
MOST_GROWTH = 2.0
MOST_WORDS = 160
MEAN, STD = 127 / 255, 128 / 255  # as the published weights were trained


@dataclass(frozen=True)
class SceneInput:
    """What the encoder gets: everything in pixels of the input, which are `scale` times those of the picture."""

    pixels: Tensor  # [1, 3, H, W], normalised
    boxes: Tensor  # [N, 4] left, top, right, bottom of each word
    ngrams: Tensor  # [N, G] hashed pieces of its text, 0 for none
    flags: Tensor  # [N, FLAGS] what kind of text it is
    scale: float


class Scene(NamedTuple):
    """What the heads look at."""

    summary: Tensor  # [D]
    words: Tensor  # [N, D]
    boxes: Tensor  # [N, 4]
    fine: Tensor  # [1, C, H/4, W/4]
    coarse: Tensor  # [1, C, H/16, W/16]
    colours: Tensor  # [1, 3, H/4, W/4]


def input_scale(width: int, height: int) -> float:
    """How much a picture is scaled before it is looked at: small ones up to twice, large ones down, none squashed."""
    shrunk = min(1.0, math.sqrt(MOST_PIXELS / (width * height)), LONGEST / max(width, height))
    grown = min(MOST_GROWTH, SMALLEST / max(width, height))
    return max(shrunk, grown) if shrunk == 1.0 else shrunk


def prepare(image: Image.Image, words: Sequence[Label], scale: float | None = None) -> SceneInput:
    """A picture and its words, ready for the encoder; the picture is filled up to multiples of 32 with the mean."""
    scale = input_scale(*image.size) if scale is None else scale
    width, height = (max(1, round(side * scale)) for side in image.size)
    resized = image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3) if scale != 1 else image
    pixels = np.zeros((3, -(-height // 32) * 32, -(-width // 32) * 32), np.float32)
    pixels[:, :height, :width] = ((np.asarray(resized, np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1)
    kept = words[:MOST_WORDS]
    boxes = torch.tensor([word.box for word in kept], dtype=torch.float32).reshape(-1, 4) * scale
    ngrams, flags = word_features([word.text for word in kept])
    return SceneInput(torch.from_numpy(pixels)[None], boxes, ngrams, flags, scale)


def position_code(points: Tensor, width: int = WIDTH) -> Tensor:
    """Points [..., 2] in pixels -> sines and cosines [..., width] of waves 8 to 2048 pixels long."""
    waves = torch.logspace(math.log10(2 * math.pi / 8), math.log10(2 * math.pi / 2048), width // 4).to(points)
    angles = (points[..., None] * waves).flatten(-2)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def sample(features: Tensor, points: Tensor, shape: tuple[int, int]) -> Tensor:
    """A map [1, C, h, w] over a picture of `shape` (H, W) at points [..., 2] in its pixels -> [..., C], bilinear."""
    height, width = shape
    grid = points.flatten(0, -2)[None, None] * points.new_tensor([2 / width, 2 / height]) - 1
    values = F.grid_sample(features, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return values[0, :, 0].T.unflatten(0, points.shape[:-1])


class Refine(nn.Module):
    """A depthwise and a pointwise convolution, added to what came in."""

    def __init__(self, channels: int):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.pointwise = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.pointwise(F.gelu(self.depthwise(x)))


class SceneEncoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv2d(3, STEM, 3, stride=2)
        self.stages = build_stages(STEM, STAGE_CHANNELS, STAGE_DEPTHS)
        self.cell = nn.Linear(STAGE_CHANNELS[STRIDE_32], WIDTH)
        self.text = nn.EmbeddingBag(NGRAMS, 64, mode="mean", padding_idx=0)
        self.word = nn.Linear(64 + FLAGS + 6, WIDTH)
        self.word_look = nn.Linear(STAGE_CHANNELS[STRIDE_16] + 3 * CHANNELS, WIDTH)
        self.kind = nn.Parameter(torch.zeros(3, WIDTH))  # of token: summary, cell, word
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, FEED_FORWARD, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.lateral_4 = nn.Conv2d(STAGE_CHANNELS[STRIDE_4] + 4, CHANNELS, 1)  # and the colours, and where words are
        self.lateral_8 = nn.Conv2d(STAGE_CHANNELS[STRIDE_8], CHANNELS, 1)
        self.lateral_16 = nn.Conv2d(STAGE_CHANNELS[STRIDE_16], CHANNELS, 1)
        self.lateral_32 = nn.Conv2d(WIDTH, CHANNELS, 1)
        self.refine_16, self.refine_8, self.refine_4 = Refine(CHANNELS), Refine(CHANNELS), Refine(CHANNELS)

    def maps(self, pixels: Tensor) -> list[Tensor]:
        """Feature maps of stride 4, 8, 16 and 32. What is near the pixels (to stride 4) stays as it was published."""
        x = pixels.contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            x = F.relu6(self.stem(x))
            for stage in self.stages[: STRIDE_4 + 1]:
                x = stage(x)
        found = [x]
        for number, stage in enumerate(self.stages[STRIDE_4 + 1 :], STRIDE_4 + 1):
            x = stage(x)
            if number in (STRIDE_8, STRIDE_16, STRIDE_32):
                found.append(x)
        return found

    def forward(self, given: SceneInput) -> Scene:
        shape = (given.pixels.shape[2], given.pixels.shape[3])
        stride_4, stride_8, stride_16, stride_32 = self.maps(given.pixels)
        colours = F.avg_pool2d(given.pixels, 4)
        lateral_8 = self.lateral_8(stride_8)
        words = self.word_tokens(given, (stride_16, lateral_8), shape)
        height, width = stride_32.shape[2:]
        ys, xs = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        centres = (torch.stack([xs, ys], dim=-1).flatten(0, 1).to(stride_32) + 0.5) * 32
        cells = self.cell(stride_32[0].flatten(1).T) + position_code(centres) + self.kind[1]
        tokens = self.layers(torch.cat([self.kind[:1], cells, words])[None])[0]
        summary, cells, words = tokens.split([1, len(cells), len(words)])
        around = self.lateral_32(cells.T.unflatten(1, (height, width))[None])
        coarse = self.refine_16(self.lateral_16(stride_16) + F.interpolate(around, scale_factor=2.0))
        middle = self.refine_8(lateral_8 + F.interpolate(coarse, scale_factor=2.0))
        seen = torch.cat([stride_4, colours, word_mask(given.boxes, shape)], dim=1)
        fine = self.refine_4(self.lateral_4(seen) + F.interpolate(middle, scale_factor=2.0))
        return Scene(summary[0], words, given.boxes, fine, coarse, colours)

    def word_tokens(self, given: SceneInput, maps: tuple[Tensor, Tensor], shape: tuple[int, int]) -> Tensor:
        """The tokens [N, D] of the words: what they say, how large and where they are, what is seen at them."""
        left, top, right, bottom = given.boxes.unbind(-1)
        centres = torch.stack([left + right, top + bottom], dim=-1) / 2
        size = torch.stack([right - left, bottom - top], dim=-1).clamp(min=1)
        edges = centres.new_tensor([shape[1], shape[0]])
        geometry = torch.cat([size / 64, size.log() / 4, centres / edges], dim=-1)
        ends = torch.stack(
            [torch.stack([left, centres[:, 1]], -1), centres, torch.stack([right, centres[:, 1]], -1)], 1
        )
        looks = torch.cat([sample(maps[0], centres, shape), sample(maps[1], ends, shape).flatten(1)], dim=-1)
        said = self.word(torch.cat([self.text(given.ngrams), given.flags, geometry], dim=-1))
        return said + self.word_look(looks) + position_code(centres) + self.kind[2]


def word_mask(boxes: Tensor, shape: tuple[int, int]) -> Tensor:
    """1 in the stride-4 cells that a word covers: [1, 1, H/4, W/4]."""
    mask = torch.zeros(1, 1, shape[0] // 4, shape[1] // 4, device=boxes.device)
    for left, top, right, bottom in (boxes / 4).round().int().tolist():
        mask[..., max(top, 0) : bottom, max(left, 0) : right] = 1
    return mask
