"""Checkpoints of a run: `output_dir/step-000100/` holds what is trained (an adapter in peft's format, or the weights of
the scene encoder) and the optimizer's state.

A checkpoint is written beside its place and renamed into it, and renamed before it is removed, so one that has its name
is complete. Together with the config and the step it is all that a run needs to go on exactly as if it had not been
interrupted.
"""

import json
import shutil
from pathlib import Path
from typing import Any, Protocol

import torch
from peft import PeftModel, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from .devices import like, whole
from .trainable import trainable_parameters


class Saved(Protocol):
    """A model that writes what is trained of it."""

    def save_pretrained(self, folder: Path, **options: Any) -> None: ...


def save_checkpoint(
    output_dir: Path,
    step: int,
    model: Saved,
    optimizer: torch.optim.Optimizer,
    keep: int,
    is_main: bool = True,
    **noted: Any,
) -> Path:
    """Write the state after `step` steps, with what is `noted` of the run, and remove all but the last `keep` ones.

    Returns its folder. Every process of a run must call this; the main one writes.
    """
    final = output_dir / f"step-{step:06d}"
    partial = output_dir / f"partial-{step:06d}"
    state = optimizer_state(model, optimizer)
    options = {"state_dict": adapter_weights(model)} if is_in_parts(model) else {}
    if not is_main:
        return final
    clear_partial(output_dir)
    model.save_pretrained(partial, **options)
    save_file(state, partial / "optimizer.safetensors")
    (partial / "state.json").write_text(json.dumps({"step": step, **noted}))
    _remove(final)
    partial.rename(final)
    for old in checkpoints(output_dir)[:-keep]:
        _remove(old)
    return final


def optimizer_state(model: Any, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    names = {id(p): name for name, p in trainable_parameters(model)}
    return {
        f"{names[id(parameter)]}/{key}": whole(torch.as_tensor(value)).detach().cpu()
        for parameter, values in optimizer.state.items()
        for key, value in values.items()
    }


def is_in_parts(model: Any) -> bool:
    """Whether its weights are spread over several devices (FSDP)."""
    return any(isinstance(p, DTensor) for _, p in model.named_parameters())


def adapter_weights(model: Any) -> dict[str, Tensor]:
    """What peft saves of a model, put together where it lies in parts."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    kept = ((name, value) for name, value in tensors if "lora_" in name or ".modules_to_save." in name)
    return {name: whole(value).detach().cpu() for name, value in kept}


def clear_partial(output_dir: Path) -> None:
    """Remove what a killed run has left half-written or half-removed."""
    for folder in output_dir.glob("partial-[0-9]*"):
        shutil.rmtree(folder)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder.rename(folder.with_name(f"partial-{folder.name.removeprefix('step-')}-old")))


def note_of(folder: Path) -> dict[str, Any]:
    """The step of a checkpoint, and what was noted in it."""
    return json.loads((folder / "state.json").read_text())


def checkpoints(output_dir: Path) -> list[Path]:
    """Complete checkpoints of a run, oldest first."""
    return sorted(output_dir.glob("step-[0-9]*"))


def resume_weights(folder: Path, model: PeftModel) -> None:
    """Bring the adapters to the state in `folder`."""
    set_peft_model_state_dict(model, load_file(folder / "adapter_model.safetensors"))


def resume_optimizer(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Bring the optimizer to the state in `folder`; returns the number of steps that lie behind it."""
    state = load_file(folder / "optimizer.safetensors")
    for name, parameter in trainable_parameters(model):
        values = {key.rpartition("/")[2]: value for key, value in state.items() if key.rpartition("/")[0] == name}
        optimizer.state[parameter] = {key: like(value, parameter) for key, value in values.items()}
    return int(note_of(folder)["step"])
