"""Pictures of any size and kind -> pixel_values, with PIL and numpy alone.

A picture is letterboxed: scaled to fit a square with its aspect kept, centred, and surrounded by the mean colour, which
is 0 after normalisation. Nothing is cropped away or stretched, so what is asked about is in view, in its proportions.

Shape letters: N images, S side of the square.
"""

import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image
from transformers import AutoImageProcessor, PreTrainedConfig
from transformers.image_processing_base import BatchFeature, ImageProcessingMixin
from transformers.image_processing_utils import BaseImageProcessor
from transformers.image_utils import (
    IMAGENET_DEFAULT_MEAN,
    IMAGENET_DEFAULT_STD,
    IMAGENET_STANDARD_MEAN,
    IMAGENET_STANDARD_STD,
    OPENAI_CLIP_MEAN,
    OPENAI_CLIP_STD,
)

from .efficientnet import IMAGE_MEAN, IMAGE_STD, EfficientNetLiteConfig
from .images import to_rgb

# (mean, std) that each family of towers was trained with, by the model type of its vision part.
NORMALISATION = {
    "efficientnet_lite": (IMAGE_MEAN, IMAGE_STD),
    "siglip_vision_model": (IMAGENET_STANDARD_MEAN, IMAGENET_STANDARD_STD),
    "clip_vision_model": (OPENAI_CLIP_MEAN, OPENAI_CLIP_STD),
    "dinov2": (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD),
    "dinov2_with_registers": (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD),
    "vit": (IMAGENET_STANDARD_MEAN, IMAGENET_STANDARD_STD),
}


class VlmImageProcessor(BaseImageProcessor):
    """Letterboxes pictures to a square and normalises them. `image_mean` and `image_std` are of values in 0..1."""

    model_input_names = ["pixel_values"]

    def __init__(
        self,
        image_size: int = 224,
        image_mean: Sequence[float] = IMAGE_MEAN,
        image_std: Sequence[float] = IMAGE_STD,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if image_size < 1:
            raise ValueError(f"image_size must be at least 1 pixel, got {image_size}")
        if len(image_mean) != 3 or len(image_std) != 3 or min(image_std) <= 0:
            raise ValueError(
                "image_mean and image_std must have one number per colour (3), and image_std only positive ones,"
                f" got image_mean={list(image_mean)} and image_std={list(image_std)}"
            )
        self.image_size = image_size
        self.image_mean = list(image_mean)
        self.image_std = list(image_std)

    @classmethod
    def from_vision_config(
        cls, vision_config: PreTrainedConfig, source: str | os.PathLike | None = None
    ) -> "VlmImageProcessor":
        """The processor that fits a vision tower.

        `source` is the folder or hub name that the tower came from. Where it has a preprocessor_config.json, the
        normalisation is taken from there, else from the tower's model type.
        """
        image_size = vision_config.image_size
        if not isinstance(image_size, int):
            raise ValueError(f"the vision tower must take square images, but its image_size is {image_size}")
        found = {} if source is None else _read_preprocessor_config(source)
        if "image_mean" in found and "image_std" in found:
            return cls(image_size, found["image_mean"], found["image_std"])
        if vision_config.model_type not in NORMALISATION:
            raise ValueError(
                f"the mean and standard deviation that a {vision_config.model_type!r} vision tower expects are not"
                f" known: put a preprocessor_config.json beside its weights, or use one of {', '.join(NORMALISATION)}"
            )
        return cls(image_size, *NORMALISATION[vision_config.model_type])

    def preprocess(
        self,
        images: Image.Image | npt.NDArray[np.uint8] | Sequence[Image.Image | npt.NDArray[np.uint8]],
        return_tensors: str | None = None,
    ) -> BatchFeature:
        """One picture or several -> pixel_values float32 [N, 3, S, S].

        A picture is a PIL image of any mode or a uint8 array [H, W] or [H, W, 3]; the layout is never guessed.
        """
        pictures = [images] if isinstance(images, Image.Image | np.ndarray) else images
        mean, std = np.array((self.image_mean, self.image_std), dtype=np.float32)
        pixel_values = np.zeros((len(pictures), 3, self.image_size, self.image_size), dtype=np.float32)
        for square, picture in zip(pixel_values, pictures, strict=True):
            image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
            left, top, right, bottom = self.letterbox(image.size)
            # reducing_gap keeps the cost of very large and very long pictures low, and changes none below 3 times S.
            image = to_rgb(image).resize((right - left, bottom - top), Image.Resampling.BICUBIC, reducing_gap=3)
            pixels = (np.asarray(image, dtype=np.float32) / 255 - mean) / std  # [h, w, 3]
            square[:, top:bottom, left:right] = pixels.transpose(2, 0, 1)
        return BatchFeature(data={"pixel_values": pixel_values}, tensor_type=return_tensors)

    def to_original_pixels(
        self, box: tuple[float, float, float, float], original_size: tuple[int, int]
    ) -> tuple[float, float, float, float]:
        """A box (left, top, right, bottom) in the square -> the same box in a picture of `original_size` (w, h).

        What lies on the padding is moved to the edge of the picture.
        """
        left, top, right, bottom = self.letterbox(original_size)
        scale_x, scale_y = original_size[0] / (right - left), original_size[1] / (bottom - top)
        xs = [(min(max(x, left), right) - left) * scale_x for x in (box[0], box[2])]
        ys = [(min(max(y, top), bottom) - top) * scale_y for y in (box[1], box[3])]
        return xs[0], ys[0], xs[1], ys[1]

    def letterbox(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Where in the square a picture of `size` (w, h) goes: (left, top, right, bottom), at least one pixel wide."""
        scale = self.image_size / max(size)
        width, height = (max(1, round(side * scale)) for side in size)
        left, top = (self.image_size - width) // 2, (self.image_size - height) // 2
        return left, top, left + width, top + height


def _read_preprocessor_config(source: str | os.PathLike) -> dict:
    try:
        return ImageProcessingMixin.get_image_processor_dict(source)[0]
    except OSError:  # there is none
        return {}


AutoImageProcessor.register(EfficientNetLiteConfig, image_processor_classes={"pil": VlmImageProcessor})
