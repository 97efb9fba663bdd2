"""Trains the head that finds and names everyday things (`vlm/reading/things.py`): python -m train.seeing.things OUT

The tower stays as it is, so its tokens are computed once for every picture; then both parts of the head are trained on
them, the one that names on the true boxes, moved a little. 3,000 pictures take 15 minutes on two cores.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from vlm.reading.patches import STRIDE, patch_tokens
from vlm.reading.things import CELLS, SIDE, UNIT, ThingFinder, pooled
from vlm.reading.weights import Vocabulary, save_head
from vlm.structure import Scene

from ..data_engine import Split, draw

FAMILY = "things"
BATCH, LOOKS, NAMINGS = 16, 8, 30  # pictures of a step; passes over all of them for the one part and for the other
COPIES = 2  # of every box, each moved differently
RATES = (2e-3, 1e-3)  # highest learning rates
SPREAD, LEAST_SPREAD = (
    6.0,
    0.6,
)  # the mark of a middle: its deviation is this part of the smaller side, at least so many cells

Box = tuple[float, float, float, float]  # centre, width and height, in pixels of the square


@dataclass(frozen=True)
class Examples:
    """Pictures as tokens [N, P, C] (half precision), and what is in each: boxes, kinds and colours by number."""

    tokens: Tensor
    things: list[list[tuple[Box, int, int]]]


def make_examples(vocabulary: Vocabulary, indices: range, split: Split) -> Examples:
    """Drawn and looked at; the same for the same numbers."""
    tokens, things = [], []
    for index in tqdm(indices, f"{split} pictures", unit="picture", dynamic_ncols=True):
        sample = draw(FAMILY, index, split)
        assert isinstance(sample.truth, Scene)
        seen, scale, (right, down) = patch_tokens(sample.image, SIDE)
        tokens.append(seen.half())
        here = []
        for thing in sample.truth.things:
            (x, y), (left, top, to_right, bottom) = thing.centre, thing.box
            box = (x * scale + right, y * scale + down, (to_right - left) * scale, (bottom - top) * scale)
            here.append((box, vocabulary.kinds.index(thing.kind), vocabulary.colours.index(thing.colour)))
        things.append(here)
    return Examples(torch.stack(tokens), things)


def train_finder(vocabulary: Vocabulary, examples: Examples, seed: int = 0) -> ThingFinder:
    torch.manual_seed(seed)
    finder = ThingFinder(examples.tokens.shape[-1], vocabulary.kinds, vocabulary.colours)
    _train_naming(finder, examples, Random(seed))
    _train_looking(finder, examples)
    return finder.eval()


def _train_naming(finder: ThingFinder, examples: Examples, rng: Random) -> None:
    """On what lies in the true boxes, each moved and scaled a little: found ones are never quite right."""
    seen, kinds, colours = [], [], []
    for tokens, things in zip(examples.tokens, examples.things, strict=True):
        for box, kind, colour in things:
            for _ in range(COPIES):
                seen.append(pooled(tokens.float(), _moved(box, rng)))
                kinds.append(kind)
                colours.append(colour)
    inputs, kind, colour = torch.stack(seen), torch.tensor(kinds), torch.tensor(colours)
    for chosen in steps(finder, len(inputs), 4 * BATCH, NAMINGS, RATES[1], "naming"):
        of_kind, of_colour = finder.name(inputs[chosen])
        loss = F.cross_entropy(of_kind, kind[chosen], label_smoothing=0.05) + F.cross_entropy(of_colour, colour[chosen])
        loss.backward()


def _moved(box: Box, rng: Random) -> Box:
    x, y, width, height = box
    return (
        x + width * rng.uniform(-0.12, 0.12), y + height * rng.uniform(-0.12, 0.12),
        width * rng.uniform(0.85, 1.2), height * rng.uniform(0.85, 1.2),
    )  # fmt: skip


def _train_looking(finder: ThingFinder, examples: Examples) -> None:
    """Where middles are (focal loss of CenterNet), and how far the thing reaches from there."""
    for chosen in steps(finder, len(examples.tokens), BATCH, LOOKS, RATES[0], "looking"):
        logits, boxes = finder.look(examples.tokens[chosen].float())
        marks, cells, wanted = targets([examples.things[number] for number in chosen.tolist()])
        chance = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
        hit, miss = (1 - chance) ** 2 * chance.log(), (1 - marks) ** 4 * chance**2 * (1 - chance).log()
        focal = -torch.where(marks >= 1, hit, miss).sum() / max(1, len(cells))
        loss = focal + 4 * F.smooth_l1_loss(boxes.flatten(0, 1)[cells], wanted)
        loss.backward()


def targets(things: list[list[tuple[Box, int, int]]]) -> tuple[Tensor, Tensor, Tensor]:
    """Marks [B, P], 1 at the cell of each middle and less around it; these cells [M] of all; their boxes [M, 4]."""
    marks = torch.zeros(len(things), CELLS, CELLS)
    rows, columns = torch.meshgrid(torch.arange(CELLS), torch.arange(CELLS), indexing="ij")
    cells, boxes = [], []
    for number, here in enumerate(things):
        for (x, y, width, height), _, _ in here:
            across, down = x / STRIDE - 0.5, y / STRIDE - 0.5
            column, row = (min(CELLS - 1, max(0, round(at))) for at in (across, down))
            spread = max(LEAST_SPREAD, min(width, height) / STRIDE / SPREAD)
            near = torch.exp(-((columns - column) ** 2 + (rows - row) ** 2) / (2 * spread**2))
            marks[number] = torch.maximum(marks[number], near)
            cells.append((number * CELLS + row) * CELLS + column)
            sizes = (math.log(max(side, 4.0) / UNIT) for side in (width, height))
            boxes.append((across - column, down - row, *sizes))
    return marks.flatten(1), torch.tensor(cells, dtype=torch.long), torch.tensor(boxes).reshape(-1, 4)


def steps(head: nn.Module, count: int, batch: int, passes: int, rate: float, name: str) -> Iterator[Tensor]:
    """Which examples are next; what was put into the gradients meanwhile is applied."""
    total = passes * (count // batch)
    optimizer = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=total + 1, pct_start=0.1)
    head.train()
    with tqdm(total=total, desc=name, unit="step", dynamic_ncols=True) as bar:
        for _ in range(passes):
            for chosen in torch.randperm(count)[: count // batch * batch].split(batch):
                yield chosen
                nn.utils.clip_grad_norm_(head.parameters(), 5.0)
                optimizer.step()
                optimizer.zero_grad()
                schedule.step()
                bar.update()


def main() -> None:
    from vlm.reading.reader import WEIGHTS
    from vlm.reading.weights import load_weights

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the file that is written, things.safetensors")
    parser.add_argument("--pictures", type=int, default=3000)
    arguments = parser.parse_args()
    _, vocabulary = load_weights(WEIGHTS)
    finder = train_finder(vocabulary, make_examples(vocabulary, range(50_000, 50_000 + arguments.pictures), "train"))
    save_head(finder, arguments.out, kinds=finder.kinds, colours=finder.colours)


if __name__ == "__main__":
    main()
