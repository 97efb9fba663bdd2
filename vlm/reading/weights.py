"""The trained scene reader as a folder: `model.safetensors` and `config.json`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from ..scene_heads import SceneReader


@dataclass(frozen=True)
class Vocabulary:
    """What a thing can be, and which colours there are, in the order of the heads."""

    kinds: Sequence[str]
    colours: Sequence[str]


def save_weights(reader: SceneReader, vocabulary: Vocabulary, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(dict(reader.state_dict()), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(asdict(vocabulary)), encoding="utf-8")


def load_weights(folder: Path) -> tuple[SceneReader, Vocabulary]:
    vocabulary = Vocabulary(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
    with torch.device("meta"):
        reader = SceneReader(len(vocabulary.kinds), len(vocabulary.colours))
    weights = {name: weight.float() for name, weight in load_file(folder / "model.safetensors").items()}
    reader.load_state_dict(weights, assign=True)
    return reader.eval(), vocabulary
