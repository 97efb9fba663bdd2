"""The published tower for photographs (`vlm/objects.py`), unmodified, as what small heads for drawings look at."""

import torch
from PIL import Image
from torch import Tensor

from ..image_processing import VlmImageProcessor
from ..objects import load_tower

STRIDE = 16  # pixels of a patch


@torch.inference_mode()
def patch_tokens(image: Image.Image, side: int) -> tuple[Tensor, float, tuple[float, float]]:
    """Tokens [P, C] of a picture in a square of `side` pixels, its scale there, and where its corner lies."""
    pixels = VlmImageProcessor(image_size=side)(image, return_tensors="pt")["pixel_values"]
    scale = side / max(image.size)
    corner = ((side - image.width * scale) / 2, (side - image.height * scale) / 2)
    return load_tower()(pixels).last_hidden_state[0], scale, corner
