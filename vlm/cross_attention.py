"""Gated cross-attention: how text reads images ("gated xattn-dense" in https://arxiv.org/abs/2204.14198).

Shape letters: B batch, T text tokens, I pictures, P image features per picture, N heads, H head dim, D text width.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer

from .configuration_vlm import VlmConfig

FIRST_SINK = 5.0  # at first as much of the look goes nowhere as to some hundred image features together


class ImageKeyValue(NamedTuple):
    """What one block reads of the pictures. It depends on each picture alone, so it can be cached by the picture."""

    key: Tensor  # [B, N, I, P, H]
    value: Tensor  # [B, N, I, P, H]


class GatedCrossAttention(GradientCheckpointingLayer):
    """Pre-norm cross-attention and MLP, each behind a tanh gate that starts at zero.

    A zero gate makes the block an identity, so at step 0 the model *is* the language model. Which picture is which
    is told by an ordinal (first, second, ...) that enters the scores and the result, never the keys and values.
    Every head has a sink (as in https://arxiv.org/abs/2309.17453): a token that finds nothing looks at nothing, and
    that nothing was found is what tells that there is none.
    """

    def __init__(self, config: VlmConfig):
        super().__init__()
        width, inner = config.text_config.hidden_size, config.cross_attention_hidden_size
        self.num_heads = config.cross_attention_num_heads
        self.attn_norm = nn.RMSNorm(width, eps=1e-5)
        self.image_norm = nn.RMSNorm(width, eps=1e-5)
        self.query = nn.Linear(width, inner, bias=False)
        self.key = nn.Linear(width, inner, bias=False)
        self.value = nn.Linear(width, inner, bias=False)
        self.ordinal_key = nn.Parameter(torch.zeros(config.max_images, inner))
        self.ordinal_value = nn.Parameter(torch.zeros(config.max_images, inner))
        self.sink = nn.Parameter(torch.zeros(self.num_heads))  # the score of looking at nothing
        self.out = nn.Linear(inner, width, bias=False)
        self.attn_gate = nn.Parameter(torch.zeros(1))
        self.mlp_norm = nn.RMSNorm(width, eps=1e-5)
        self.mlp = nn.Sequential(
            nn.Linear(width, config.cross_attention_mlp_size, bias=False),
            nn.GELU(),
            nn.Linear(config.cross_attention_mlp_size, width, bias=False),
        )
        self.mlp_gate = nn.Parameter(torch.zeros(1))

    @torch.no_grad()
    def start_looking_(self, gate: float) -> None:
        """Start with an open gate, and `out` undoing `value`: a feature arrives as the words that it is made of.

        This takes image features that lie among the word embeddings (see train/alignment.py).
        """
        for projection in (self.query, self.key, self.value):
            nn.init.orthogonal_(projection.weight)
        self.out.weight.copy_(self.value.weight.T)
        self.sink.fill_(FIRST_SINK)
        self.attn_gate.fill_(gate)

    def read(self, image_features: Tensor) -> ImageKeyValue:
        """Image features [B, I, P, D] -> the keys and values of this block."""
        x = self.image_norm(image_features)
        key, value = (t.unflatten(-1, (self.num_heads, -1)).movedim(-2, 1) for t in (self.key(x), self.value(x)))
        return ImageKeyValue(key, value)

    def forward(
        self, hidden_states: Tensor, image_key_value: ImageKeyValue, image_attention_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """hidden_states [B, T, D], image_attention_mask bool [B, T, I] -> hidden states, and weights [B, N, T, I, P].

        A token that sees no picture passes unchanged.
        """
        sees_image = image_attention_mask.any(dim=-1, keepdim=True)  # [B, T, 1]
        x, weights = self._cross_attend(self.attn_norm(hidden_states), image_key_value, image_attention_mask)
        # In units of what it is added to, so that a gate means the same in the first layer and in the last.
        size = hidden_states.detach().square().mean(dim=-1, keepdim=True).sqrt()  # [B, T, 1]
        hidden_states = hidden_states + self.attn_gate.tanh() * size * x * sees_image
        x = self.mlp(self.mlp_norm(hidden_states))
        return hidden_states + self.mlp_gate.tanh() * x * sees_image, weights

    def _cross_attend(self, x: Tensor, image: ImageKeyValue, mask: Tensor) -> tuple[Tensor, Tensor]:
        images, features = image.key.shape[2:4]
        query = self.query(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # [B, N, T, H]
        query = query * query.shape[-1] ** -0.5
        ordinal_key = self.ordinal_key[:images].unflatten(-1, (self.num_heads, -1)).movedim(1, 0)  # [N, I, H]
        ordinal_value = self.ordinal_value[:images].unflatten(-1, (self.num_heads, -1)).movedim(1, 0)
        scores = (query @ image.key.flatten(2, 3).transpose(-1, -2)).unflatten(-1, (images, features))
        scores = scores + (query @ ordinal_key.transpose(-1, -2)).unsqueeze(-1)  # [B, N, T, I, P]
        # A row with no visible picture would be a softmax over nothing: let it look, `sees_image` drops the result.
        hidden = ~(mask | ~mask.any(dim=-1, keepdim=True))  # [B, T, I]
        scores = scores.masked_fill(hidden[:, None, :, :, None], torch.finfo(scores.dtype).min)
        sink = self.sink.to(scores)[:, None, None].expand(*scores.shape[:3], 1)  # [B, N, T, 1]
        weights = torch.cat([scores.flatten(3), sink], dim=-1).softmax(dim=-1)[..., :-1]  # [B, N, T, I*P]
        y = weights @ image.value.flatten(2, 3)  # [B, N, T, H]
        weights = weights.unflatten(-1, (images, features))
        y = y + weights.sum(dim=-1) @ ordinal_value
        return self.out(y.transpose(1, 2).flatten(2)), weights


class FusionDecoderLayer(nn.Module):
    """A decoder layer with gated cross-attention in front of it.

    Pictures arrive as arguments, never as state left on the module: two requests may share the weights. Llama-style
    models hand unknown keyword arguments down to every decoder layer; a test guards this.
    """

    def __init__(self, cross_attention: GatedCrossAttention, decoder_layer: nn.Module, block: int):
        super().__init__()
        self.cross_attention = cross_attention
        self.decoder_layer = decoder_layer
        self.block = block  # which of `image_key_values` is this one's

    def forward(
        self,
        hidden_states: Tensor,
        *args,
        image_key_values: tuple[ImageKeyValue, ...] | None = None,
        image_attention_mask: Tensor | None = None,
        cross_attentions: list[Tensor] | None = None,
        **kwargs,
    ):
        if image_key_values is not None:
            hidden_states, weights = self.cross_attention(
                hidden_states, image_key_values[self.block], image_attention_mask
            )
            if cross_attentions is not None:
                cross_attentions.append(weights)
        return self.decoder_layer(hidden_states, *args, image_attention_mask=image_attention_mask, **kwargs)
