"""Checkpoints of a run: `output_dir/step-000100/` holds what is trained (an adapter in peft's format, or the weights of
the scene encoder) and the optimizer's state.

A checkpoint is written beside its place and renamed into it, so one that exists is complete. Together with the config
and the step it is all that a run needs to go on exactly as if it had not been interrupted.
"""

import json
import shutil
from pathlib import Path
from typing import Protocol

import torch
from peft import PeftModel, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .trainable import trainable_parameters

KEPT = 2  # checkpoints that stay; older ones are removed


class Saved(Protocol):
    """A model that writes what is trained of it."""

    def save_pretrained(self, folder: Path) -> None: ...


def save_checkpoint(output_dir: Path, step: int, model: Saved, optimizer: torch.optim.Optimizer) -> Path:
    """Write the state after `step` steps; returns its folder."""
    final = output_dir / f"step-{step:06d}"
    partial = output_dir / f"partial-{step:06d}"
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    names = {id(p): name for name, p in trainable_parameters(model)}
    state: dict[str, Tensor] = {}
    for parameter, values in optimizer.state.items():
        for key, value in values.items():
            state[f"{names[id(parameter)]}/{key}"] = torch.as_tensor(value).detach().cpu()
    save_file(state, partial / "optimizer.safetensors")
    (partial / "state.json").write_text(json.dumps({"step": step}))
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    for old in checkpoints(output_dir)[:-KEPT]:
        shutil.rmtree(old)
    return final


def checkpoints(output_dir: Path) -> list[Path]:
    """Complete checkpoints of a run, oldest first."""
    return sorted(output_dir.glob("step-[0-9]*"))


def resume(folder: Path, model: PeftModel, optimizer: torch.optim.Optimizer) -> int:
    """Bring adapters and optimizer to the state in `folder`; returns the number of steps that lie behind it."""
    set_peft_model_state_dict(model, load_file(folder / "adapter_model.safetensors"))
    return resume_optimizer(folder, model, optimizer)


def resume_optimizer(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Bring the optimizer to the state in `folder`; returns the number of steps that lie behind it."""
    state = load_file(folder / "optimizer.safetensors")
    for name, parameter in trainable_parameters(model):
        values = {key.rpartition("/")[2]: value for key, value in state.items() if key.rpartition("/")[0] == name}
        optimizer.state[parameter] = {
            key: value.to(parameter.device) if value.ndim else value for key, value in values.items()
        }
    return int(json.loads((folder / "state.json").read_text())["step"])
