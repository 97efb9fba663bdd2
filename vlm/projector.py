"""Multi-modal projectors: patch tokens of the vision tower -> image features of the language model's width.

Shape letters: N pictures, G patches along a side of the picture, P image features, D_v vision width, D text width.
"""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from transformers.activations import ACT2FN

from .configuration_vlm import VlmConfig


def sincos_position_2d(grid: int, width: int) -> Tensor:
    """Fixed 2-D sine/cosine code of the patch places, [G*G, width] (ViT-MAE, https://arxiv.org/abs/2111.06377).

    The first half of the channels tells the row, the second half the column.
    """
    quarter = math.ceil(width / 4)
    frequencies = 1.0 / 100 ** (torch.arange(quarter, dtype=torch.float32) / quarter)
    angles = torch.arange(grid, dtype=torch.float32)[:, None] * frequencies  # [G, quarter]
    code = torch.cat([angles.sin(), angles.cos()], dim=-1)  # [G, 2*quarter]
    rows, columns = code[:, None].expand(-1, grid, -1), code[None].expand(grid, -1, -1)
    return torch.cat([rows, columns], dim=-1).reshape(grid * grid, -1)[:, :width]


class MultiModalProjector(nn.Module, ABC):
    """What all projectors share: patch tokens are normalised, brought to text width, and told their place.

    Towers that already know places (SigLIP, CLIP) lose nothing by hearing it again; convolutional ones need it.
    """

    def __init__(self, config: VlmConfig, patch_size: int | None = None):
        super().__init__()
        width_in = config.vision_config.hidden_size if patch_size is None else patch_size
        self.grid = config.patch_grid
        width = config.text_config.hidden_size
        self.norm = nn.LayerNorm(width_in)
        self.linear_1 = nn.Linear(width_in, width)
        self.position_scale = nn.Parameter(torch.ones(1))
        self.act = ACT2FN[config.projector_hidden_act]
        self.linear_2 = nn.Linear(width, width)

    @abstractmethod
    def forward(self, patch_tokens: Tensor) -> Tensor:
        """[N, G*G, D_v] -> image features [N, P, D]."""

    def _project(self, tokens: Tensor, grid: int) -> Tensor:
        # Made here rather than kept as a buffer: a buffer that is not saved is left unset by `from_pretrained`.
        position = sincos_position_2d(grid, self.linear_1.out_features).to(tokens)
        hidden = self.linear_1(self.norm(tokens)) + self.position_scale * position
        return self.linear_2(self.act(hidden))


class MlpProjector(MultiModalProjector):
    """Two-layer MLP on every patch token (LLaVA-1.5, https://arxiv.org/abs/2310.03744): P = G*G."""

    def forward(self, patch_tokens: Tensor) -> Tensor:
        return self._project(patch_tokens, self.grid)


class PixelShuffleProjector(MultiModalProjector):
    """Folds f x f neighbouring patches into one feature, then an MLP (Idefics3, https://arxiv.org/abs/2408.12637).

    P = (G/f)^2: fewer features for the language model, and no information dropped before the MLP.
    """

    def __init__(self, config: VlmConfig):
        self.factor = config.pixel_shuffle_factor
        super().__init__(config, patch_size=config.vision_config.hidden_size * config.pixel_shuffle_factor**2)

    def forward(self, patch_tokens: Tensor) -> Tensor:
        f, side = self.factor, self.grid // self.factor
        tokens = patch_tokens.unflatten(1, (side, f, side, f))  # [N, side, f, side, f, D_v]
        tokens = tokens.transpose(2, 3).flatten(3).flatten(1, 2)  # [N, side*side, f*f*D_v]
        return self._project(tokens, side)


class PerceiverProjector(MultiModalProjector):
    """Learned latents that attend to the patches (Perceiver Resampler, https://arxiv.org/abs/2204.14198): P latents.

    The number of image features no longer depends on the picture's size.
    """

    def __init__(self, config: VlmConfig):
        super().__init__(config)
        width = config.text_config.hidden_size
        self.latents = nn.Parameter(torch.randn(config.num_latents, width) * 0.02)
        self.latent_norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, config.text_config.num_attention_heads, batch_first=True)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, patch_tokens: Tensor) -> Tensor:
        features = self._project(patch_tokens, self.grid)  # [N, G*G, D]
        latents = self.latents.expand(features.shape[0], -1, -1)
        seen, _ = self.attention(self.latent_norm(latents), features, features, need_weights=False)
        latents = latents + seen
        return latents + self.mlp(latents)


def build_projector(config: VlmConfig) -> MultiModalProjector:
    """The projector that `config.projector` names."""
    kinds = {"mlp": MlpProjector, "pixel_shuffle": PixelShuffleProjector, "perceiver": PerceiverProjector}
    return kinds[config.projector](config)
