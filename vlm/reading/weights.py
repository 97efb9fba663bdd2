"""The trained scene reader as a folder: `model.safetensors` and `config.json`."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
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
