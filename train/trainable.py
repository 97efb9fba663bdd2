"""What is trained: everything is frozen but the adapters, which peft keeps apart from the model from the start.

The projector, the cross-attention blocks and, where asked for, the vision tower are `modules_to_save`, trained whole; a
LoRA (https://arxiv.org/abs/2106.09685) may be laid over linear layers of the language model or the vision tower.
"""

import re
import warnings
from collections.abc import Iterator
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import Linear as LoraLinear
from peft.utils.constants import DUMMY_TARGET_MODULES
from torch import nn
from transformers.modeling_layers import GradientCheckpointingLayer

from vlm.lora import silence_unseeing_
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.quantization import QuantizedLinear
from vlm.run_config import ConfigError

from .config import TrainConfig

# What train/alignment.py and train/looking.py teach before the first step, and the gates that let it through: left to
# the pace of the rest they close again (the first thing learnt is that what is let through disturbs), and for good.
ALIGNED = re.compile(r"multi_modal_projector|\.(query|key|attn_norm|image_norm)\.|\.(sink|attn_gate)$")


def add_adapters(model: VlmForConditionalGeneration, config: TrainConfig) -> PeftModel:
    """Freeze `model` and lay the adapters of `config` over it. Raises ConfigError for a LoRA that has no place."""
    lora = config.lora
    if lora is not None:
        _check_targets(model, lora.target_modules, (*config.trainable, *config.kept))
    peft_config = LoraConfig(
        r=lora.rank if lora else 1,
        lora_alpha=lora.alpha if lora else 1,
        lora_dropout=lora.dropout if lora else 0.0,
        use_rslora=lora is not None and lora.use_rslora,
        use_dora=lora is not None and lora.use_dora,
        target_modules=_targets(model, lora.target_modules) if lora else DUMMY_TARGET_MODULES,  # no layer is named so
        modules_to_save=[*config.trainable, *config.kept],
    )
    if config.initial_attn_gate is not None:
        for block in model.cross_attention_blocks():
            block.start_looking_(config.initial_attn_gate)
    if config.quantization != "none":  # peft does not know our quantized layers; what it needs of one, they have
        peft_config._register_custom_module({QuantizedLinear: LoraLinear})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Unsupported layer type")
        adapted = get_peft_model(model, peft_config)
    silence_unseeing_(adapted)
    for name, parameter in list(trainable_parameters(adapted)):
        if any(f".{part}." in name for part in config.kept) or (name.endswith("_gate") and not config.train_gates):
            parameter.requires_grad_(False)
    return adapted


def _check_targets(model: nn.Module, pattern: str, whole: tuple[str, ...]) -> None:
    """A LoRA lies over frozen layers: there has to be one, and none in a part that is trained or kept whole."""
    try:
        names = [name for name, _ in model.named_modules() if re.fullmatch(pattern, name)]
    except re.error as error:
        raise ConfigError(f"lora.target_modules ({pattern}) is no regular expression: {error}") from None
    if not names:
        raise ConfigError(f"lora.target_modules ({pattern}) is the whole name of no layer of this model")
    for part in whole:
        if inside := [name for name in names if part in name.split(".")]:
            raise ConfigError(
                f"lora.target_modules ({pattern}) names {inside[0]}, and all of {part} is trained or kept whole: take"
                f" {part} out of `trainable` (or `kept`), or name other layers in `lora.target_modules`"
            )


def _targets(model: VlmForConditionalGeneration, pattern: str) -> str | list[str]:
    """What peft lays a LoRA over: layers named like `pattern`, and where one has an update, the layer below that."""
    if not model.config.lora_ranks:
        return pattern
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | QuantizedLinear) and re.fullmatch(pattern, name.removesuffix(".base_layer"))
    ]


def trainable_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, p) for name, p in model.named_parameters() if p.requires_grad)


def parameter_groups(model: nn.Module, config: TrainConfig) -> list[dict[str, Any]]:
    """Optimizer groups, each with its learning rate: gates, LoRA, vision tower, what is aligned, the rest.

    Vectors do not decay.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in trainable_parameters(model):
        rate = config.lora_learning_rate if "lora_" in name else config.learning_rate
        if "vision_tower" in name and "lora_" not in name:
            rate = config.encoder_learning_rate
        if config.aligned_learning_rate is not None and ALIGNED.search(name):
            rate = config.aligned_learning_rate
        elif name.endswith("_gate"):
            rate = config.gate_learning_rate
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": params, "lr": rate, "weight_decay": decay} for (rate, decay), params in groups.items()]


def checkpoint_gradients_(model: PeftModel) -> None:
    """Keep of every layer what goes into it, and compute the rest again when the gradients are (arXiv 1604.06174)."""
    model.get_base_model().activation_checkpointing_enable()


def dropouts(model: nn.Module) -> list[nn.Module]:
    """Those of the LoRA."""
    return [module for name, module in model.named_modules() if ".lora_dropout." in name]


def set_training(model: nn.Module, is_training: bool) -> None:
    """Tell it to what knows training from evaluation: the LoRA's dropouts, and layers whose gradients are checkpointed.

    Those layers are the library's, and in training drop the cache that answering needs. It changes nothing else in
    them: a language model's dropout is 0, and the layers inside stay in eval mode.
    """
    checkpointed = [m for m in model.modules() if isinstance(m, GradientCheckpointingLayer)]
    for module in [*dropouts(model), *checkpointed]:
        module.training = is_training


def trainable_set(model: nn.Module) -> dict[str, list[int]]:
    """The name of every weight that is trained, with its shape."""
    return {name: list(p.shape) for name, p in trainable_parameters(model)}


def describe(model: nn.Module) -> str:
    """One line: what is trained, and how much of the model that is."""
    counts: dict[str, int] = {}
    for name, parameter in trainable_parameters(model):
        part = next(
            (p for p in ("lora", "cross_attention", "multi_modal_projector", "vision_tower") if p in name), name
        )
        counts[part] = counts.get(part, 0) + parameter.numel()
    total = sum(p.numel() for p in model.parameters())
    parts = ", ".join(f"{part} {count / 1e6:.2f}M" for part, count in counts.items())
    return f"training {sum(counts.values()) / 1e6:.2f}M of {total / 1e6:.1f}M weights ({parts})"
