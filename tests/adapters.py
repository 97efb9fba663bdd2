"""Adapters of tiny models as `vlm train` makes them, changed far enough to be seen."""

from pathlib import Path

import torch

from train.config import TrainConfig
from train.trainable import add_adapters, trainable_parameters

WHOLE = ("multi_modal_projector", "cross_attention")


def save_adapter(model, folder: Path, *, seed: int = 1, trainable=(), targets: str | None = None) -> Path:
    """Lay an adapter over `model`, which is of no use then, and write it: whole parts, and a LoRA on `targets`."""
    torch.manual_seed(seed)
    lora = {"rank": 3, "alpha": 9.0, "target_modules": targets} if targets else None
    parts = [part for part in trainable if part in WHOLE[: 1 if model.config.fusion == "prefix" else 2]]
    config = TrainConfig(
        model="", data=[{"family": "shapes"}], output_dir=folder, max_steps=1, trainable=parts, lora=lora
    )
    adapted = add_adapters(model, config)
    with torch.no_grad():
        for _, parameter in trainable_parameters(adapted):
            parameter.add_(0.3 * torch.randn_like(parameter))
    adapted.save_pretrained(folder)
    return folder
