"""What a model of transformers' own does with its pictures, as far as what its processor makes of them tells."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from .answers import PictureReport


class Stopwatch:
    """How long something took."""

    seconds = 0.0

    def start(self, *_: Any) -> None:
        self._started = time.perf_counter()

    def stop(self, *_: Any) -> None:
        self.seconds += time.perf_counter() - self._started


@contextmanager
def timed_encoder(model: PreTrainedModel) -> Iterator[Stopwatch]:
    """Measures what the vision encoder of the model does inside."""
    watch, encoder = Stopwatch(), model.get_encoder(modality="image")
    hooks = encoder.register_forward_pre_hook(watch.start), encoder.register_forward_hook(watch.stop)
    try:
        yield watch
    finally:
        for hook in hooks:
            hook.remove()


def picture_reports(
    model: PreTrainedModel, inputs: Mapping[str, Tensor], count: int, seconds: float
) -> tuple[PictureReport, ...]:
    """Of each of `count` pictures, which were encoded together; nothing where they were cut into tiles."""
    image_tokens = int((inputs["input_ids"] == model.config.image_token_id).sum())
    sizes = _sizes(model, inputs) if count else []
    if len(sizes) != count:
        return ()
    areas = [width * height for width, height in sizes]
    is_alike = "image_grid_thw" not in inputs  # each picture has so many tokens, or they go by its area
    shares = [1 / count if is_alike else area / sum(areas) for area in areas]
    return tuple(
        PictureReport(size, round(share * image_tokens), 1000 * share * seconds, is_cached=False)
        for size, share in zip(sizes, shares, strict=True)
    )


def _sizes(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> list[tuple[int, int]]:
    """Width and height of each picture or tile that the encoder sees, without padding."""
    if (grids := inputs.get("image_grid_thw")) is not None:
        patch = model.config.vision_config.patch_size
        return [(patch * int(columns), patch * int(rows)) for _, rows, columns in grids]
    if (seen := inputs.get("pixel_attention_mask")) is not None:  # [1, tiles, H, W]
        return [(int(tile.any(0).sum()), int(tile.any(1).sum())) for tile in seen.flatten(0, -3).to(torch.bool)]
    pixels = inputs["pixel_values"]
    return [(pixels.shape[-1], pixels.shape[-2])] * len(pixels.flatten(0, -4)) if pixels.dim() > 3 else []
