"""The trained scene reader as a folder: `model.safetensors` and `config.json`; small heads as one file each."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers.initialization import no_init_weights

from ..scene_heads import SceneReader


@dataclass(frozen=True)
class Vocabulary:
    """What a thing can be, and which colours there are, in the order of the heads; and what confidences are worth."""

    kinds: Sequence[str]
    colours: Sequence[str]
    # What is read -> (scale, shift) of the log-odds (Platt 1999), so that of what is 80 % sure 80 % is right.
    calibration: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def calibrated(self, what: str, raw: float) -> float:
        """How likely something is right of which the heads are `raw` sure."""
        if what not in self.calibration:
            return raw
        scale, shift = self.calibration[what]
        return 1 / (1 + math.exp(-(scale * log_odds(raw) + shift)))


def log_odds(chance: float) -> float:
    """Of a chance that is kept away from 0 and 1."""
    chance = min(max(chance, 1e-4), 1 - 1e-4)
    return math.log(chance / (1 - chance))


def save_weights(reader: SceneReader, vocabulary: Vocabulary, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(dict(reader.state_dict()), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(asdict(vocabulary)), encoding="utf-8")


def load_weights(folder: Path) -> tuple[SceneReader, Vocabulary]:
    vocabulary = Vocabulary(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
    # On "meta" torch would import its compiler, 70 MB of it, to draw the first weights of an EmbeddingBag.
    with torch.device("meta"), no_init_weights():
        reader = SceneReader(len(vocabulary.kinds), len(vocabulary.colours))
    weights = {name: weight.float() for name, weight in load_file(folder / "model.safetensors").items()}
    reader.load_state_dict(weights, assign=True)
    return reader.eval(), vocabulary


def save_head(head: nn.Module, path: Path, **told: object) -> None:
    """In half precision, with what is to be `told` about it: names in the order of its outputs."""
    weights = {name: weight.half().contiguous() for name, weight in head.state_dict().items()}
    save_file(weights, path, {name: json.dumps(value) for name, value in told.items()})


def load_head(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights in full precision, and what is told about the head."""
    with safe_open(path, "pt") as file:
        told = {name: json.loads(value) for name, value in file.metadata().items()}
        return {name: file.get_tensor(name).float() for name in file.keys()}, told  # no dictionary: it has no items
