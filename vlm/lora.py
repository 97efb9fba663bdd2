"""Low-rank updates (LoRA, https://arxiv.org/abs/2106.09685) that say nothing where no picture is seen.

An update runs beside the layer that it changes, so the layer may be quantized; and it is silent for tokens that see no
picture, so that a conversation without pictures is the language model's own, to the last bit. Which tokens those are is
told by `image_attention_mask`, which every decoder layer is given as an argument: a hook hands it on to the linear
layers inside. It is set anew for each layer call, also when gradient checkpointing calls a layer again.

Shape letters: B batch, T text tokens, K input features, N output features, r rank.
"""

from contextvars import ContextVar
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_sees_image: ContextVar[Tensor | None] = ContextVar("sees_image", default=None)  # bool [B, T, 1]; None: nobody does


def tell_what_is_seen_(decoder_layer: nn.Module) -> None:
    """Let the linear layers inside know which of the layer's tokens see a picture."""
    decoder_layer.register_forward_pre_hook(_tell, with_kwargs=True)


def _tell(layer: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
    mask: Tensor | None = kwargs.get("image_attention_mask")
    _sees_image.set(None if mask is None else mask.any(dim=-1, keepdim=True))


class LoraLinear(nn.Module):
    """A frozen linear layer, quantized or not, and its update: W x + up (down x) where a picture is seen.

    The scale that training multiplies an update with is part of `up`.
    """

    def __init__(self, base_layer: nn.Module, rank: int):
        super().__init__()
        self.base_layer = base_layer
        self.in_features, self.out_features = base_layer.in_features, base_layer.out_features
        self.down = nn.Parameter(torch.zeros(rank, self.in_features))  # [r, K]
        self.up = nn.Parameter(torch.zeros(self.out_features, rank))  # [N, r]

    def forward(self, x: Tensor) -> Tensor:
        y, sees = self.base_layer(x), _sees_image.get()
        return y if sees is None else y + F.linear(F.linear(x, self.down), self.up) * sees


def is_in_text(name: str) -> bool:
    """Whether a module of that name works on the text itself, so that an update of it has to be silent at times."""
    parts = name.split(".")
    return "language_model" in parts and "cross_attention" not in parts


def insert_lora_(language_model: nn.Module, ranks: dict[str, int]) -> None:
    """Lay empty updates over the linear layers of those names."""
    for name, rank in ranks.items():
        language_model.set_submodule(name, LoraLinear(language_model.get_submodule(name), rank))


@torch.no_grad()
def add_update_(language_model: nn.Module, name: str, down: Tensor, up: Tensor) -> None:
    """Add an update to the linear layer `name`; one that it has already stays (their ranks add up)."""
    layer = language_model.get_submodule(name)
    if isinstance(layer, LoraLinear):
        base_layer, down, up = layer.base_layer, torch.cat([layer.down, down]), torch.cat([layer.up, up], dim=1)
    else:
        base_layer = layer
    updated = LoraLinear(base_layer, len(down)).to(down.device)
    updated.down.copy_(down)
    updated.up.copy_(up)
    language_model.set_submodule(name, updated)


def lora_ranks(language_model: nn.Module) -> dict[str, int]:
    """Which linear layers have an update, and of what rank: what `insert_lora_` takes."""
    return {name: len(m.down) for name, m in language_model.named_modules() if isinstance(m, LoraLinear)}


def silence_unseeing_(model: nn.Module) -> None:
    """Keep the LoRA layers of a peft model silent for tokens that see no picture, as `LoraLinear` is.

    Not those of DoRA, which rescales the layer's own weights: these are changed for every token. Nor those of the
    image encoder and of cross-attention, which speak only where a picture is seen.
    """
    for path, module in model.named_modules():
        if not is_in_text(path):
            continue
        for name, up in getattr(module, "lora_B", nn.ModuleDict()).items():
            if not module.use_dora[name]:
                up.register_forward_hook(_silence)


def _silence(up: nn.Module, args: Any, update: Tensor) -> Tensor:
    sees = _sees_image.get()
    return update * (0 if sees is None else sees)
