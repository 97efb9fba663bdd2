"""A model of SmolVLM-256M's shape with random weights, in transformers: what a picture costs a prefix model.

The picture comes ready as pixels; cutting it up and scaling it is left out of the time, which is in its favour.
"""

import time

import torch
from torch import Tensor
from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration

TILE = 512  # pixels along a side
IMAGE_TOKENS = 64  # of a tile
TILES = 13  # of an 800 x 600 picture: enlarged to 2048 x 1536, cut into 4 x 3, and the whole beside
MARKS = 4  # tokens around a tile
IMAGE_TOKEN = 49190


def config() -> SmolVLMConfig:
    return SmolVLMConfig(
        vision_config={
            "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
            "image_size": TILE, "patch_size": 16,
        },
        text_config={
            "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
            "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49280, "rope_theta": 100000.0,
            "max_position_embeddings": 8192, "pad_token_id": 2, "bos_token_id": 1, "eos_token_id": 2,
        },
        image_token_id=IMAGE_TOKEN, scale_factor=4, pad_token_id=2, tie_word_embeddings=True,
    )  # fmt: skip


class SmolVlm:
    """`seconds` to the first token of an answer about a picture of so many tiles."""

    def __init__(self, dtype: torch.dtype, shape: SmolVLMConfig | None = None):
        self._config = config() if shape is None else shape
        self._dtype = dtype
        before = torch.get_default_dtype()
        torch.set_default_dtype(dtype)
        try:
            self._model = SmolVLMForConditionalGeneration(self._config).eval()
        finally:
            torch.set_default_dtype(before)

    def seconds(self, tiles: int, question: list[int]) -> float:
        ids = self._prompt(tiles, question)
        side = self._config.vision_config.image_size
        pixels = torch.randn(1, tiles, 3, side, side).to(self._dtype)
        started = time.perf_counter()
        with torch.inference_mode():
            self._model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=pixels, max_new_tokens=1,
                do_sample=False,
            )  # fmt: skip
        return time.perf_counter() - started

    def _prompt(self, tiles: int, question: list[int]) -> Tensor:
        patches = (self._config.vision_config.image_size // self._config.vision_config.patch_size) ** 2
        features = patches // self._config.scale_factor**2
        tile = [*question[:1] * MARKS, *[self._config.image_token_id] * features]
        return torch.tensor([tile * tiles + question])
