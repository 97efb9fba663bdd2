"""Fits what confidences are worth: how often things that the reader is so sure of are right, on pictures of its own.

python -m train.seeing.calibrate runs/scene/step-000900 vlm/reading/weights

Reads pictures of the training split that were never drawn in training, with real OCR, fits a scale and a shift of the
log-odds for every kind of thing (Platt 1999), and writes the weights with them, in half precision, where `vlm read`
finds them.
"""

import argparse
import logging
from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import torch
import torch.nn.functional as F
from tqdm import tqdm

from vlm.reading import Reader
from vlm.reading.weights import Vocabulary, load_weights, log_odds, save_weights

from ..data_engine import Sample, draw
from .evaluate import judge, row_of
from .scores import Judgement

UNSEEN = 4_000_000_000  # pictures from here on are those of the calibration
KINDS = {
    "bar": "bar", "grouped": "grouped", "stacked": "stacked", "line": "line", "pie": "slice", "scatter": "dot",
    "edges": "edge", "tables": "cell", "parts": "call-out", "shapes": "thing", "things": "object", "signs": "entry",
}  # fmt: skip
FAMILY = {row: "charts" for row in ("bar", "grouped", "stacked", "line", "pie", "scatter")} | {"edges": "graphs"}
PICTURES = {row: 24 for row in KINDS} | {"scatter": 32, "line": 32, "edges": 64, "parts": 32, "things": 32}
PICTURES |= {"grouped": 20, "stacked": 16, "tables": 12}  # of these each has many values
LEAST = 30  # judgements that a fit needs
PRIOR = 0.03  # how strongly the scale is held to 1: where next to all was right, doubt must still show

logger = logging.getLogger(__name__)


def fit(judged: list[Judgement]) -> tuple[float, float]:
    """The scale and shift of the log-odds under which the judgements are likeliest."""
    sure = [one for one in judged if one.confidence is not None]
    x = torch.tensor([log_odds(one.confidence or 0.0) for one in sure])
    y = torch.tensor([float(one.right) for one in sure])
    y = y * 0.99 + 0.005  # nothing is certain
    weights = torch.tensor([1.0, 0.0], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=50)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = F.binary_cross_entropy_with_logits(weights[0] * x + weights[1], y) + PRIOR * (weights[0] - 1) ** 2
        value.backward()
        return value

    optimizer.step(loss)
    scale, shift = weights.tolist()
    return scale, shift


def unseen(pictures: dict[str, int]) -> Iterator[tuple[str, Sample]]:
    """So many pictures of each row of the table, with their families."""
    left = dict(pictures)
    for family in dict.fromkeys(FAMILY.get(row, row) for row in pictures):
        rows = [row for row in left if FAMILY.get(row, row) == family]
        for seed in count(UNSEEN):
            if not any(left[row] for row in rows):
                break
            sample = draw(family, seed)
            row = row_of(family, sample.truth)
            if left.get(row):
                left[row] -= 1
                yield family, sample


def calibrate(reader: Reader, pictures: dict[str, int]) -> dict[str, tuple[float, float]]:
    found: dict[str, list[Judgement]] = defaultdict(list)
    for family, sample in tqdm(unseen(pictures), "reading", sum(pictures.values()), unit="picture", dynamic_ncols=True):
        item = judge("calibration", family, family, sample.image, sample.truth, reader)
        found[KINDS[item.row]] += item.judged
        found["family"].append(item.named)
    read = {kind: sum(one.confidence is not None for one in judged) for kind, judged in found.items()}
    return {kind: fit(judged) for kind, judged in found.items() if read[kind] >= LEAST}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    network, vocabulary = load_weights(args.checkpoint)
    plain = Vocabulary(vocabulary.kinds, vocabulary.colours)
    fitted = calibrate(Reader(network, plain), PICTURES)
    logger.info("calibration: %s", fitted)
    save_weights(network.half(), Vocabulary(plain.kinds, plain.colours, fitted), args.folder)


if __name__ == "__main__":
    main()
