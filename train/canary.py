"""The canary: is what was never trained on answered better with its own picture than with another one?

If it is not, the model answers from the words alone. The loss of such a run falls like that of any other, and nothing
else tells.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .collator import PackedRow
from .config import TrainConfig
from .data import Rows

SURE = 2.0  # standard errors that the mean difference between wrong and right picture has to be away from 0
MARGIN = 0.005  # of the loss: a smaller difference is one of rounding, however steady
ENOUGH = 5  # rows, to be sure of anything


@dataclass(frozen=True)
class Pair:
    """A held-out row, and the same with another row's pictures; None where no other has as many, and others."""

    row: PackedRow
    wrong: PackedRow | None

    @property
    def weight(self) -> float:
        return sum(self.row.weights)


def pair_up(rows: Rows, count: int) -> list[Pair]:
    """The first `count` different rows, each with the pictures of another."""
    different: dict[Any, PackedRow] = {}
    for index in range(count):
        for row in rows[index]:
            different.setdefault((tuple(row.input_ids), tuple(row.labels), _shown(row)), row)
    found = list(different.values())
    shown = [_shown(row) for row in found]
    pairs = []
    for place, row in enumerate(found):
        others = [*range(place + 1, len(found)), *range(place)]
        fits = (i for i in others if len(shown[i]) == len(shown[place]) and not set(shown[i]) & set(shown[place]))
        other = next(fits, None) if row.images else None
        pairs.append(Pair(row, None if other is None else replace(row, images=found[other].images)))
    return pairs


def _shown(row: PackedRow) -> tuple[Any, ...]:
    return tuple((image.size, image.tobytes()) for image in row.images)


def measure(pairs: Sequence[Pair], loss_of: Callable[[PackedRow, bool], float]) -> dict[str, float]:
    """The mean losses with right, wrong and grey pictures, and how sure it is that right is better than wrong.

    `loss_of` takes a row and whether its pictures are to be grey.
    """
    total = sum(pair.weight for pair in pairs)
    right = [loss_of(pair.row, False) for pair in pairs]
    measured = {"eval_loss": _mean(pairs, right, total)}
    if any(pair.row.images for pair in pairs):
        measured["eval_loss_blind"] = _mean(pairs, [loss_of(pair.row, True) for pair in pairs], total)
    if both := [(pair, seen) for pair, seen in zip(pairs, right, strict=True) if pair.wrong is not None]:
        wrong = [loss_of(pair.wrong, False) for pair, _ in both if pair.wrong is not None]
        differences = [other - seen for other, (_, seen) in zip(wrong, both, strict=True)]
        chosen, weight = [pair for pair, _ in both], sum(pair.weight for pair, _ in both)
        # The difference on the rows that have a wrong picture, so that the rest does not blur it.
        measured["eval_loss_wrong"] = measured["eval_loss"] + _mean(chosen, differences, weight)
        measured["canary_rows"] = len(both)
        measured["canary"] = sureness(differences)
    return measured


def _mean(pairs: Sequence[Pair], values: Sequence[float], total: float) -> float:
    return sum(pair.weight * value for pair, value in zip(pairs, values, strict=True)) / total


def sureness(differences: Sequence[float]) -> float:
    """How many standard errors the mean of paired differences is above 0, within -99 to 99."""
    count = len(differences)
    mean = sum(differences) / count
    variance = sum((value - mean) ** 2 for value in differences) / max(1, count - 1)
    if not variance:
        return math.copysign(99.0, mean) if mean else 0.0
    return max(-99.0, min(99.0, mean / math.sqrt(variance / count)))


def looks(record: dict[str, float]) -> bool:
    """Whether a measurement shows that pictures matter."""
    if record.get("canary_rows", 0) < ENOUGH:
        return False
    gap = record["eval_loss_wrong"] - record["eval_loss"]
    return record["canary"] >= SURE and gap > MARGIN * record["eval_loss"]


def verdict(records: Sequence[dict[str, float]], config: TrainConfig) -> tuple[str, str]:
    """What all measurements of a run say: one of looks, blind, early, unknown; and that in a person's words."""
    measured = [record for record in records if "eval_loss" in record]
    last = next((record for record in reversed(measured) if "canary" in record), None)
    if last is None or last["canary_rows"] < ENOUGH:
        found = int(last["canary_rows"]) if last else 0
        return "unknown", (
            f"Whether the model learns from the pictures cannot be told: {found} held-out rows have a picture that can"
            f" be exchanged for another row's, and it takes {ENOUGH}. More rows, or a larger held_out, or eval_rows."
        )
    losses = (
        f"held-out rows have a loss of {last['eval_loss']:.3g} with their own picture, {last['eval_loss_wrong']:.3g}"
        " with another row's"
    )
    if "eval_loss_blind" in last:
        losses += f" and {last['eval_loss_blind']:.3g} with a grey one"
    late = [record for record in measured if record["step"] >= config.canary_steps]
    if any(map(looks, late or [last])):
        return "looks", f"The model uses the pictures: after {last['step']} steps {losses}."
    if not late:
        return "early", f"It is early to tell whether the model uses the pictures: after {last['step']} steps {losses}."
    return "blind", (
        f"Nothing shows that the model learns from the pictures: after {last['step']} steps {losses}; on"
        f" {last['canary_rows']:.0f} rows chance alone would bring as much.\n"
        "Likely causes, and what to do:\n"
        "- The questions can be answered without a look. `vlm data check PATH` tells how many of them.\n"
        "- The pictures are not those of their rows (a shifted column, a wrong folder). `vlm data check PATH --html"
        " page.html` shows rows with their pictures.\n"
        "- It needs longer, or more pictures: canary_steps=..., or higher learning_rate and gate_learning_rate; with"
        " gates that start at zero, initial_attn_gate=0.3.\n"
        "- With `hints`, what is read in the pictures stands in the text already, and the model takes it from there.\n"
        "- What the answers ask for is too small in a picture to be seen by this model.\n"
        "To go on all the same from where it stands: canary=warn"
    )
