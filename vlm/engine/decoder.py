"""The language model of a Regard model as one lean forward pass over slots, with the weights that it has.

    embeddings [B, T, D]
      -> layers      x += cross-attention to the slot's pictures, before some of them
                     x += attention to what the slot has read
                     x += gated MLP
      -> logits [B*T, V]

One query a sequence (T = 1) for the slots of a batch, or a part of one sequence's prompt (B = 1). The result for a
token is the same bits in both, and whatever the other slots do: see products.py; keys are read in whole multiples of
`PLACES`, values are summed up in parts of that many, and query rows are filled up to a multiple of four. Query, key and
value are one product, as are gate and up; query and key have their features in pairs, which makes the rotation
one complex product. Sequences may be read with different adapters: see variants.py.

Shape letters: B sequences, T tokens of each, R = B*T rows (filled up where a product wants it), D width, N key/value
heads, G query heads for each of them, M = T*G query rows (filled up), L places, H head dim, V vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

from ..cross_attention import FusionDecoderLayer
from ..lora import LoraLinear
from ..modeling_vlm import VlmForConditionalGeneration
from .looking import Look, Looking
from .products import can_be_fused, fill_rows, is_fp32, product, row_block
from .slots import PLACES, Slots, SlotShape, whole_places
from .variants import Share, Variant, linears_of, make_variant, plan_looks, plan_shares, products_of

QUERY_ROWS = 4  # attention's products have a multiple of this many rows
ROTATIONS = ("default", "linear", "llama3", "yarn")  # those that do not depend on the length of the sequence


def why_not(model: VlmForConditionalGeneration) -> str | None:
    """Why this model's language model cannot be run by `Decoder`, or None where it can."""
    decoder = model.language_model.get_decoder()
    layers = [getattr(layer, "decoder_layer", layer) for layer in decoder.layers]
    if not all(type(layer) is LlamaDecoderLayer for layer in layers):
        return f"its layers are {type(layers[0]).__name__}, not LlamaDecoderLayer"
    if model.config.text_config.rope_parameters["rope_type"] not in ROTATIONS:
        return "its rotary positions depend on the length of the text"
    linears = [*linears_of(layers[0]), model.get_output_embeddings()]
    if model.device.type != "cpu" or not all(map(can_be_fused, linears)):
        return "it runs elsewhere than on the CPU, or in other weights than fp32, int8 and int4"
    if isinstance(model.get_output_embeddings(), LoraLinear):
        return "its output head has a low-rank update"
    return None


@dataclass
class Step:
    """What the layers of one forward pass share."""

    first: int  # slot of the first sequence
    sequences: int
    tokens: int  # of each
    places: int
    starts: list[int]  # tokens that each slot has read before
    rotation: Tensor  # complex [R, (G + 1) * N, H/2]: of queries, scaled, and of keys
    mask: Tensor  # [B*N, M, L]
    queries: Tensor  # [B*N, M, H], zeros
    query_rows: Tensor  # [B, T, N, G, H], those of them that are queries
    looks: list[tuple[Looking, Look, int]]  # none: nobody in this step sees a picture
    shares: list[Share]


class Layer:
    """The weights of one decoder layer, as `Decoder` multiplies them."""

    def __init__(self, layer: nn.Module, number: int, head_size: int):
        self.number = number
        self.products = {name: product(*linears) for name, linears in products_of(layer, head_size).items()}
        self.act = layer.mlp.act_fn
        self.attn_norm, self.mlp_norm = layer.input_layernorm.weight, layer.post_attention_layernorm.weight
        self.eps = layer.input_layernorm.variance_epsilon

    def multiply(self, name: str, x: Tensor, shares: list[Share]) -> Tensor:
        """x [R, K] -> its product with the weights `name`, fp32 or bf16 [R, N], and what adapters add."""
        y = self.products[name](x)
        for share in shares:
            if (update := share.updates[self.number].get(name)) is not None:
                y = update.add(y, x, share.sees, share.rows)
        return y


class SlotDecoder:
    """What runs a model's language model over slots: `Decoder`, and `GraphDecoder` for those that it can run."""

    def __init__(self, model: VlmForConditionalGeneration, base: Variant):
        self.model, self.config, self.base = model, model.config.text_config, base

    @property
    def looking(self) -> Looking | None:
        return self.base.looking

    def slots(self, max_slots: int, max_bytes: int) -> Slots:
        """Empty slots of the shape that this model needs."""
        config, looking = self.config, self.looking
        pictures = (
            (0, 0, 0, 0) if looking is None else (looking.count, looking.heads, looking.head_size, looking.places)
        )
        shape = SlotShape(config.num_hidden_layers, config.num_key_value_heads, size_of_heads(config), *pictures)
        return Slots(shape, max_slots, max_bytes)


class Decoder(SlotDecoder):
    """`forward` over `Slots`. Made of a model for which `why_not` says None; keeps no state between calls."""

    @torch.no_grad()
    def __init__(self, model: VlmForConditionalGeneration):
        super().__init__(model, make_variant(model))
        config = self.config
        decoder = model.language_model.get_decoder()
        plain = [getattr(layer, "decoder_layer", layer) for layer in decoder.layers]
        attention = plain[0].self_attn
        self.heads = config.num_key_value_heads
        self.groups = attention.num_key_value_groups
        self.head_size = attention.head_dim
        self.layers = [Layer(layer, i, self.head_size) for i, layer in enumerate(plain)]
        self.blocks = {
            i: layer.block for i, layer in enumerate(decoder.layers) if isinstance(layer, FusionDecoderLayer)
        }
        self.norm, self.eps = decoder.norm.weight, decoder.norm.variance_epsilon
        head = model.get_output_embeddings()
        self.head = product([head])
        self.block = row_block() if is_fp32(linears_of(plain[0])[0]) else 1
        self.head_block = row_block() if is_fp32(head) else 1
        places = torch.arange(config.max_position_embeddings)[None]
        cos, sin = decoder.rotary_emb(torch.empty(0), position_ids=places)  # [1, L, H], both halves the same
        half = self.head_size // 2
        self.rotation = torch.complex(cos[0, :, :half].contiguous(), sin[0, :, :half].contiguous())  # [L, H/2]
        scale = torch.ones(self.heads * (self.groups + 1), 1)
        scale[: self.heads * self.groups] = attention.scaling
        self.scale = scale

    def prepare(self, variant: Variant) -> None:
        """Nothing: `forward` needs no more than the variant itself."""

    @torch.inference_mode()
    def forward(
        self, embeddings: Tensor, slots: Slots, first: int, starts: list[int], visible: Tensor, keep: int,
        variants: Sequence[Variant] = (),
    ) -> Tensor:  # fmt: skip
        """One step for slots `first`, `first + 1`, ... of which each has read `starts` tokens -> logits [B*keep, V].

        `visible` int [B, T]: how many of its slot's pictures a token sees. Logits are those of the last `keep` tokens
        of each sequence (0 or 1; the rest of a prompt needs none). `variants` says what each one is read with; without
        them all are read with the model itself.
        """
        batch, tokens = embeddings.shape[:2]
        step = self._plan(first, starts, tokens, visible, variants or [self.base] * batch)
        x = fill_rows(embeddings.reshape(batch * tokens, -1), self.block).clone()  # [R, D]
        for i, layer in enumerate(self.layers):
            for looking, look, row in step.looks if i in self.blocks else ():
                block = self.blocks[i]
                looking.look_(x[row:], block, slots.images[block], look)
            attended = self._attend(layer, rms_norm(x, layer.attn_norm, layer.eps), slots.text[i], step)
            x += layer.multiply("out", fill_rows(attended, self.block), step.shares)
            gate_up = layer.multiply("gate_up", rms_norm(x, layer.mlp_norm, layer.eps), step.shares)
            gate, up = gate_up.float().chunk(2, dim=-1)
            x += layer.multiply("down", layer.act(gate) * up, step.shares)
        if keep == 0:
            return x[:0]
        x = x[tokens - 1 : batch * tokens : tokens]
        return self.head(fill_rows(rms_norm(x, self.norm, self.eps), self.head_block))[:batch].float()

    def _plan(self, first: int, starts: list[int], tokens: int, visible: Tensor, variants: Sequence[Variant]) -> Step:
        batch, groups = len(starts), self.groups
        places = whole_places(max(starts) + tokens)
        positions = torch.tensor(starts)[:, None] + torch.arange(tokens)  # [B, T]
        rotation = self.rotation[positions.flatten(), None] * self.scale  # [R, heads, H/2]
        rows = -(-tokens * groups // QUERY_ROWS) * QUERY_ROWS
        mask = torch.zeros(batch, rows, places)
        hidden = torch.arange(places) > positions[:, :, None]  # [B, T, L]
        mask[:, : tokens * groups].masked_fill_(hidden.repeat_interleave(groups, dim=1), float("-inf"))
        mask = mask[:, None].expand(-1, self.heads, -1, -1).reshape(batch * self.heads, rows, places)
        queries = torch.zeros(batch, self.heads, rows, self.head_size)
        query_rows = queries[:, :, : tokens * groups].view(batch, self.heads, tokens, groups, -1).permute(0, 2, 1, 3, 4)
        looks, shares = plan_looks(variants, first, visible), plan_shares(variants, visible, self.block)
        return Step(
            first, batch, tokens, places, starts, rotation, mask, queries.flatten(0, 1), query_rows, looks, shares
        )  # fmt: skip

    def _attend(self, layer: Layer, x: Tensor, key_values: Tensor, step: Step) -> Tensor:
        """Normalised x [R, D], a layer's slots [2, S, N, L, H] -> what its heads found [B*T, G*N*H]."""
        batch, tokens, heads, groups = step.sequences, step.tokens, self.heads, self.groups
        rows, size = batch * tokens, self.head_size  # `view`, not `unflatten`: a step has hundreds of them
        x = layer.multiply("query_key_value", x, step.shares)[:rows].float().view(rows, -1, size)
        turned = torch.view_as_complex(x[:, : heads * (groups + 1)].view(rows, -1, size // 2, 2))
        turned *= step.rotation
        new = x[:, heads * groups :].view(rows, 2, heads, size)
        if batch == 1:
            start = step.starts[0]
            key_values[:, step.first, :, start : start + tokens] = new.permute(1, 2, 0, 3)
        else:
            slots = key_values[:, step.first : step.first + batch].permute(1, 3, 0, 2, 4)  # [B, L, 2, N, H]
            slots[torch.arange(batch), step.starts] = new
        step.query_rows.copy_(x[:, : heads * groups].view(batch, tokens, heads, groups, size))
        keys, values = key_values[:, step.first : step.first + batch, :, : step.places].flatten(1, 2)
        weights = torch.baddbmm(step.mask, step.queries, keys.transpose(1, 2)).softmax(dim=-1)
        y = torch.bmm(weights[..., :PLACES], values[:, :PLACES])  # [B*N, M, H]
        for place in range(PLACES, step.places, PLACES):
            y = torch.baddbmm(y, weights[..., place : place + PLACES], values[:, place : place + PLACES])
        y = y.view(batch, heads, -1, size)[:, :, : tokens * groups].view(batch, heads, tokens, groups, size)
        return y.permute(0, 2, 1, 3, 4).reshape(rows, -1)


def size_of_heads(config: LlamaConfig) -> int:
    return config.head_dim or config.hidden_size // config.num_attention_heads


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return F.rms_norm(x, weight.shape, weight, eps)
