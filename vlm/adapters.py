"""Adapters in peft's format: `adapter_config.json` and `adapter_model.safetensors`, as `vlm train` writes them.

They load with plain peft too, `PeftModel.from_pretrained(model, folder)`. Peft then applies a LoRA to every token; only
after `vlm.lora.silence_unseeing_(adapted)` is it silent where no picture is seen, as in training and in here.
"""

import copy
import hashlib
import json
import warnings
from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from .lora import add_update_, is_in_text, lora_ranks
from .modeling_vlm import VlmForConditionalGeneration

ADAPTER_WEIGHTS = "adapter_model.safetensors"


def is_plain_lora(folder: Path) -> bool:
    """Whether an adapter's updates can run beside the layers that they change, and these be quantized (not DoRA's)."""
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    unknown = ("use_dora", "rank_pattern", "alpha_pattern", "bias_pattern", "layer_replication")
    return config["peft_type"] == "LORA" and not any(map(config.get, unknown))


def merge_adapter(model: VlmForConditionalGeneration, folder: Path) -> VlmForConditionalGeneration:
    """`model` with what a peft folder holds made part of it: projector, cross-attention, LoRA.

    A plain LoRA stays beside the weights that it changes (see vlm/lora.py); other kinds become part of them, which then
    must not be quantized. Raises ValueError for an adapter of another model.
    """
    if is_plain_lora(folder):
        return _lay_over(model, folder)
    from peft import PeftModel  # it takes a second to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 asks transformers for a property of an older name
        return PeftModel.from_pretrained(model, folder).merge_and_unload().eval()


def lay_beside(model: VlmForConditionalGeneration, folder: Path) -> VlmForConditionalGeneration:
    """A second model, with the adapter made part of it, that shares with `model` every weight it leaves as it is.

    Raises ValueError for an adapter of another model, or one that is no plain LoRA and changes the weights themselves.
    """
    if not is_plain_lora(folder):
        raise ValueError(
            f"the adapter {folder} changes the weights themselves (DoRA, or a LoRA of several forms), so it cannot"
            " stand beside others: make it part of a model with vlm merge"
        )
    twin = _share(model)
    twin.config = copy.deepcopy(model.config)
    return _lay_over(twin, folder, in_place=False)


def _share(module: nn.Module) -> nn.Module:
    """Another module tree of the very same weights, in which they can be replaced."""
    twin = module.__new__(type(module))
    twin.__dict__ = {
        **module.__dict__,
        "_parameters": dict(module._parameters),
        "_buffers": dict(module._buffers),
        "_modules": {name: child if child is None else _share(child) for name, child in module._modules.items()},
    }
    return twin


def fingerprint(folder: Path) -> bytes:
    """A hash of what an adapter holds."""
    digest = hashlib.blake2b(digest_size=32)
    for name in ("adapter_config.json", ADAPTER_WEIGHTS):
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.digest()


def _lay_over(model: VlmForConditionalGeneration, folder: Path, in_place: bool = True) -> VlmForConditionalGeneration:
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    scale = config["lora_alpha"] / (config["r"] ** 0.5 if config.get("use_rslora") else config["r"])
    state = {name.removeprefix("base_model.model."): t for name, t in load_file(folder / ADAPTER_WEIGHTS).items()}
    whole = {name: tensor for name, tensor in state.items() if ".lora_" not in name}
    try:
        for name in [name for name in state if name.endswith(".lora_A.weight")]:
            layer = name.removesuffix(".lora_A.weight")
            down, up = state[name].float(), state[f"{layer}.lora_B.weight"].float() * scale
            if not is_in_text(layer):  # never quantized, and never to be silent
                whole[f"{layer}.weight"] = model.get_submodule(layer).weight.detach() + up @ down
                continue
            layer = layer.removeprefix("language_model.").removesuffix(".base_layer")
            add_update_(model.language_model, layer, down, up)
        own = model.state_dict()
        fitting = {name: tensor.to(own[name]) if name in own else tensor for name, tensor in whole.items()}
        unknown = model.load_state_dict(fitting, strict=False, assign=not in_place).unexpected_keys
    except (AttributeError, RuntimeError) as error:
        raise ValueError(f"the adapter {folder} does not fit this model: {error}") from error
    if unknown:
        raise ValueError(f"the adapter {folder} does not fit this model, which has no {', '.join(unknown[:3])}")
    model.config.lora_ranks = lora_ranks(model.language_model) or None
    return model.eval()
