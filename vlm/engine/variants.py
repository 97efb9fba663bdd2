"""What sequences of one batch are read with: the model as it is, or with an adapter.

The products of the language model's own weights are the same for all of them, and so are done for all at once. A
variant adds its low-rank updates to its own rows; where it has its own image encoder, projector or cross-attention,
pictures are encoded and looked at with those.

Shape letters: B sequences, T tokens of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn

from ..lora import LoraLinear
from ..modeling_vlm import VlmForConditionalGeneration
from .looking import Look, Looking
from .products import Update, fill_rows

OWN_PARTS = ("vision_tower.", "multi_modal_projector.")  # what an adapter may have whole, beside cross-attention


def linears_of(layer: nn.Module) -> list[nn.Module]:
    """The linear layers of a decoder layer."""
    attention, mlp = layer.self_attn, layer.mlp
    return [
        attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj,
        mlp.gate_proj, mlp.up_proj, mlp.down_proj,
    ]  # fmt: skip


def products_of(layer: nn.Module, head_size: int) -> dict[str, tuple[list[nn.Module], Tensor | None]]:
    """Which linear layers of a decoder layer are multiplied as one, and in which order their outputs then stand."""
    q, k, v, out, gate, up, down = linears_of(layer)
    half = head_size // 2
    pairs = torch.arange(head_size).view(2, half).t().flatten()  # 0, half, 1, half + 1, ...
    turned = q.out_features + k.out_features
    order = torch.arange(turned + v.out_features)
    order[:turned] = (order[:turned:head_size, None] + pairs).flatten()
    return {"query_key_value": ([q, k, v], order), "out": ([out], None), "gate_up": ([gate, up], None),
            "down": ([down], None)}  # fmt: skip


@dataclass(eq=False)
class Variant:
    """The model, or the model with an adapter (see `vlm.adapters.lay_beside`)."""

    model: VlmForConditionalGeneration  # shares with the others what it does not change
    looking: Looking | None
    updates: list[dict[str, Update]]  # of each decoder layer, by product
    key: bytes = b""  # of what the adapter holds; in the keys of what was read with it
    pictures_key: bytes = b""  # the same where it encodes pictures itself; in the keys of encoded ones
    graph: Any = None  # what `GraphDecoder` runs it with


@torch.no_grad()
def make_variant(model: VlmForConditionalGeneration, key: bytes = b"", base: Variant | None = None) -> Variant:
    """`base` is the model that `model` was laid beside. Raises ValueError for what cannot differ from row to row."""
    layers = [getattr(layer, "decoder_layer", layer) for layer in model.language_model.get_decoder().layers]
    updates = [_updates(layer) for layer in layers]
    blocks = model.cross_attention_blocks()
    if base is None:
        return Variant(model, Looking(model) if blocks else None, updates, key)
    own = _own_weights(model, base.model)
    looking = Looking(model) if any(".cross_attention." in name for name in own) else base.looking
    return Variant(model, looking, updates, key, key if own else base.pictures_key)


def _updates(layer: nn.Module) -> dict[str, Update]:
    products = products_of(layer, layer.self_attn.head_dim).items()
    return {
        name: Update(linears, order)
        for name, (linears, order) in products
        if any(isinstance(linear, LoraLinear) for linear in linears)
    }


def _own_weights(model: nn.Module, base: nn.Module) -> list[str]:
    """The names of the weights that a model does not share with its base, low-rank updates left out."""
    shared = {id(tensor) for tensor in (*base.parameters(), *base.buffers())}
    updates = {id(tensor) for m in model.modules() if isinstance(m, LoraLinear) for tensor in (m.down, m.up)}
    tensors = [*model.named_parameters(), *model.named_buffers()]
    own = [name for name, tensor in tensors if id(tensor) not in shared | updates]
    if other := [name for name in own if not name.startswith(OWN_PARTS) and ".cross_attention." not in name]:
        raise ValueError(
            f"the adapter changes {other[0]}: beside other adapters only a LoRA, the projector, the cross-attention and"
            " the image encoder can be its own. Make it part of a model with vlm merge"
        )
    if isinstance(model.get_output_embeddings(), LoraLinear):
        raise ValueError("the adapter has an update of the output head: make it part of a model with vlm merge")
    return own


@dataclass
class Share:
    """The rows of a step that belong to one variant, as its updates take them."""

    updates: list[dict[str, Update]]
    rows: Tensor | None  # their numbers; None: all
    sees: Tensor  # [rows, 1]: 1 where a token sees a picture, else 0


def plan_shares(variants: Sequence[Variant], visible: Tensor, block: int) -> list[Share]:
    """visible int [B, T]: how many pictures a token sees. Where none is seen there is nothing to add.

    `block` is what the number of all rows is a multiple of.
    """
    shares: list[Share] = []
    tokens = visible.shape[1]
    for variant in dict.fromkeys(variants):
        if not any(variant.updates):
            continue
        own = torch.tensor([i for i, other in enumerate(variants) if other is variant])
        sees = (visible[own] > 0).float().view(-1, 1)
        if not sees.any():
            continue
        if len(own) == len(variants):
            shares.append(Share(variant.updates, None, fill_rows(sees, block)))
        else:
            rows = (own[:, None] * tokens + torch.arange(tokens)).flatten()
            shares.append(Share(variant.updates, rows, sees))
    return shares


def plan_looks(variants: Sequence[Variant], first: int, visible: Tensor) -> list[tuple[Looking, Look, int]]:
    """How each run of neighbouring sequences with the same cross-attention looks at its pictures, and its first row."""
    looks: list[tuple[Looking, Look, int]] = []
    start = 0
    for looking, run in groupby(variants, key=lambda variant: variant.looking):
        end = start + len(list(run))
        if looking is not None and (look := looking.plan(first + start, visible[start:end])) is not None:
            looks.append((looking, look, start * visible.shape[1]))
        start = end
    return looks
