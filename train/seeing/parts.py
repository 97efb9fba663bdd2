"""Trains the head that names drawings and their parts (`vlm/reading/parts.py`): python -m train.seeing.parts OUT

The tower stays as it is, so its tokens are computed once for every picture. Besides the drawings that have a name there
are some of parts thrown together, so that the head learns what it does not know.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm

from vlm.reading.parts import UNKNOWN, PartNamer, drawing_box, drawing_tokens, within
from vlm.reading.weights import save_head
from vlm.structure import Box, Point

from ..data_engine.colours import NAMES
from ..data_engine.parts_drawings import DRAWINGS, MACHINE, parse
from ..data_engine.parts_labels import spot_on
from ..data_engine.parts_layout import Plan, attempt, pick_style, plan
from ..data_engine.parts_picture import paint
from .things import steps

PARTS = {subject: tuple(parts) for subject, parts in DRAWINGS.items()} | {MACHINE: (), UNKNOWN: ()}
STRANGERS = 0.25  # of the plans; fewer of the pictures, since what is thrown together has less room for labels
MOVED = 0.02  # of its size, by which the box of a drawing is wrong, besides how it is found
MISSED = 0.01  # of the box, by which the end of a line is wrong
BATCH, PASSES, RATE = 32, 14, 2e-3
NO_NAME = -100


@dataclass(frozen=True)
class Example:
    """A drawing as tokens [P, C] (half precision), and places in it (0 to 1) with the names of the parts there."""

    tokens: Tensor
    subject: str
    places: tuple[tuple[Point, str], ...]


def make_example(index: int) -> Example:
    """Drawn and looked at; the same for the same number."""
    rng, drawn = Random(f"parts/train/{index}/seeing"), None
    while drawn is None:
        chosen = plan(rng)
        if rng.random() < STRANGERS:
            chosen = strange(chosen, rng)
        colours = rng.sample(NAMES, len(chosen.shapes))
        drawn = attempt(chosen, colours, pick_style(rng, "train", colours), rng)
    image = paint(drawn, rng)
    box = _moved(drawing_box(image, drawn.labels, [one.target for one in drawn.call_outs]), image.size, rng)
    spots = {one.part: one.target for one in drawn.call_outs}
    for number in range(len(drawn.things)):
        if number not in spots and (spot := spot_on(number, drawn.things, rng)):
            spots[number] = spot
    places = tuple((within(spot, box), drawn.things[number].kind) for number, spot in spots.items())
    return Example(drawing_tokens(image, box).half(), chosen.subject, places)


def strange(chosen: Plan, rng: Random) -> Plan:
    """The same labels on parts of many drawings, each somewhere else and of another size."""
    shapes = {}
    for name in chosen.shapes:
        outline = parse(rng.choice(list(rng.choice(list(DRAWINGS.values())).values())))
        xs, ys = zip(*outline, strict=True)
        across, down = (min(rng.uniform(0.5, 1.5), 100 / (max(side) - min(side))) for side in (xs, ys))
        x, y = (rng.uniform(0, 100 - grown * (max(side) - min(side))) for grown, side in ((across, xs), (down, ys)))
        shapes[name] = tuple((x + across * (a - min(xs)), y + down * (b - min(ys))) for a, b in outline)
    return chosen._replace(subject=UNKNOWN, shapes=shapes)


def _moved(box: Box, size: tuple[int, int], rng: Random) -> Box:
    wide, high = box[2] - box[0], box[3] - box[1]
    left, top, right, bottom = (
        edge + side * rng.gauss(0, MOVED) for edge, side in zip(box, (wide, high, wide, high), strict=True)
    )
    return max(0.0, left), max(0.0, top), min(float(size[0]), right), min(float(size[1]), bottom)


def train_namer(examples: Sequence[Example], seed: int = 0, passes: int = PASSES) -> PartNamer:
    """What is drawn and, where its parts have names, what is at the places, each moved a little."""
    torch.manual_seed(seed)
    namer = PartNamer(examples[0].tokens.shape[-1], PARTS)
    for chosen in steps(namer, len(examples), min(BATCH, len(examples)), passes, RATE, "naming"):
        here = [examples[number] for number in chosen.tolist()]
        subjects = torch.tensor([namer.subjects.index(one.subject) for one in here])
        places = pad_sequence([torch.tensor([place for place, _ in one.places]) for one in here], batch_first=True)
        names = pad_sequence([_names(namer, one) for one in here], batch_first=True, padding_value=NO_NAME)
        logits, whole, cells = namer.look(torch.stack([one.tokens for one in here]).float())
        loss = F.cross_entropy(logits, subjects, label_smoothing=0.05)
        if (names != NO_NAME).any():
            moved = places + MISSED * torch.randn_like(places)
            of_part = namer.names_at(moved, subjects, whole, cells)
            loss = loss + F.cross_entropy(of_part.flatten(0, 1), names.flatten(), ignore_index=NO_NAME)
        loss.backward()
    return namer.eval()


def _names(namer: PartNamer, example: Example) -> Tensor:
    """[M] numbers of the names at an example's places."""
    known = namer.parts[example.subject]
    return torch.tensor([namer.names.index(name) if name in known else NO_NAME for _, name in example.places])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the file that is written, parts.safetensors")
    parser.add_argument("--pictures", type=int, default=4000)
    arguments = parser.parse_args()
    numbers = tqdm(range(60_000, 60_000 + arguments.pictures), "pictures", unit="picture", dynamic_ncols=True)
    namer = train_namer([make_example(number) for number in numbers])
    save_head(namer, arguments.out, parts=namer.parts)


if __name__ == "__main__":
    main()
