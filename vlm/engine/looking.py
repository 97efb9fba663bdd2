"""Cross-attention to the pictures of many slots at once: `vlm.cross_attention`, without what a batch does not need.

A slot's keys and values are those of its pictures in order, with what tells the ordinal added, so that a picture's
place in the conversation costs nothing per token. Each picture has the same number of places, the first of which is
empty; at the first picture's, the mask brings the score of the sink. What is left over at the end is hidden: with a
whole multiple of PICTURE_PLACES for each picture, sums come out the same whatever stands behind them for others.

Shape letters: B sequences, T tokens, R = B*T rows, I pictures, P places of each, N heads, H head dim, M = T filled up,
D width.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..cross_attention import GatedCrossAttention, ImageKeyValue
from ..modeling_vlm import VlmForConditionalGeneration
from .products import fill_rows, row_block

QUERY_ROWS = 4
PICTURE_PLACES = 64


@dataclass
class Look:
    """What the blocks of one forward pass share."""

    first: int
    sequences: int
    tokens: int
    pictures: int  # the most that a sequence of this step sees
    mask: Tensor  # [B, N, M, I*P]: 0 or -inf; at place 0 the block's sink
    queries: Tensor  # [B, N, M, H], zeros
    sees: Tensor  # [R, 1]: 1 where a token sees a picture, else 0


class Looking:
    """The cross-attention blocks of a model."""

    def __init__(self, model: VlmForConditionalGeneration):
        blocks = model.cross_attention_blocks()
        self.blocks = blocks
        self.count = len(blocks)
        self.heads = blocks[0].num_heads
        self.head_size = blocks[0].query.out_features // self.heads
        self.features = model.config.num_image_features
        self.places = -(-(1 + self.features) // PICTURE_PLACES) * PICTURE_PLACES  # of one picture
        self.max_pictures = model.config.max_images
        self.gates = [(float(block.attn_gate.tanh()), float(block.mlp_gate.tanh())) for block in blocks]
        self.queries = [block.query.weight * self.head_size**-0.5 for block in blocks]
        self.sinks = [block.sink.detach()[:, None] for block in blocks]  # [N, 1]
        self.row_block = row_block()

    def show(self, slots: list[Tensor], slot: int, number: int, picture: tuple[ImageKeyValue, ...]) -> None:
        """Put a picture's keys and values [1, N, 1, features, H] into a slot, as its picture `number` (from 0)."""
        place = 1 + number * self.places
        for tensor, block, (key, value) in zip(slots, self.blocks, picture, strict=True):
            ordinals = torch.stack([block.ordinal_key[number], block.ordinal_value[number]])
            ordinals = ordinals.view(2, self.heads, 1, -1)
            shown = torch.stack([key[0, :, 0], value[0, :, 0]]) + ordinals  # [2, N, P, H]
            tensor[:, slot, :, place : place + self.features] = shown

    def plan(self, first: int, visible: Tensor) -> Look | None:
        """visible int [B, T]: how many pictures a token sees; None where none sees any."""
        batch, tokens = visible.shape
        pictures = int(visible.max())
        if pictures == 0:
            return None
        rows = -(-tokens // QUERY_ROWS) * QUERY_ROWS
        mask = torch.zeros(batch, self.heads, rows, pictures * self.places)
        mask[:, :, :tokens] = self.mask(visible, pictures).unsqueeze(1)
        queries = torch.zeros(batch, self.heads, rows, self.head_size)
        sees = (visible > 0).float().view(-1, 1)
        return Look(first, batch, tokens, pictures, mask, queries, sees)

    def mask(self, visible: Tensor, pictures: int) -> Tensor:
        """visible int [B, T] -> [B, T, I*P] for so many pictures: 0 where a token looks and at the sink, else -inf."""
        picture = torch.arange(pictures).repeat_interleave(self.places)
        place = torch.arange(self.places).repeat(pictures)
        hidden = (picture >= visible.unsqueeze(-1)) | (place == 0) | (place > self.features)
        hidden[..., 0] = False
        return torch.zeros(hidden.shape).masked_fill_(hidden, float("-inf"))

    def look_(self, x: Tensor, block: int, slots: Tensor, look: Look) -> None:
        """Add to x [R, D] what its tokens find in the pictures: one block, with its slots [2, S, N, I*P, H]."""
        weights: GatedCrossAttention = self.blocks[block]
        attn_gate, mlp_gate = self.gates[block]
        rows = look.sequences * look.tokens
        seen = x[:rows]
        normed = fill_rows(F.rms_norm(seen, seen.shape[-1:], weights.attn_norm.weight, 1e-5), self.row_block)
        found = self._attend(F.linear(normed, self.queries[block])[:rows], block, slots, look)
        found = F.linear(fill_rows(found, self.row_block), weights.out.weight)[:rows]
        size = seen.square().mean(dim=-1, keepdim=True).sqrt_().mul_(look.sees)  # in units of what it is added to
        seen.addcmul_(found, size, value=attn_gate)
        normed = fill_rows(F.rms_norm(seen, seen.shape[-1:], weights.mlp_norm.weight, 1e-5), self.row_block)
        inner = F.gelu(F.linear(normed, weights.mlp[0].weight))
        seen.addcmul_(F.linear(inner, weights.mlp[2].weight)[:rows], look.sees, value=mlp_gate)

    def _attend(self, queries: Tensor, block: int, slots: Tensor, look: Look) -> Tensor:
        """Queries [R, N*H] -> what was found [R, N*H]."""
        batch, tokens, places = look.sequences, look.tokens, self.places
        end = look.pictures * places
        look.queries[:, :, :tokens] = queries.view(batch, tokens, self.heads, -1).transpose(1, 2)
        keys, values = slots[:, look.first : look.first + batch, :, :end].flatten(1, 2)  # [B*N, I*P, H]
        look.mask[..., 0] = self.sinks[block]
        weights = torch.baddbmm(look.mask.flatten(0, 1), look.queries.flatten(0, 1), keys.transpose(1, 2)).softmax(
            dim=-1
        )
        y = torch.bmm(weights[..., :places], values[:, :places])  # [B*N, M, H]
        for place in range(places, end, places):
            y = torch.baddbmm(y, weights[..., place : place + places], values[:, place : place + places])
        y = y.view(batch, self.heads, -1, self.head_size)
        return y[:, :, :tokens].transpose(1, 2).reshape(batch * tokens, -1)
