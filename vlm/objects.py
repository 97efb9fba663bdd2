"""What a photograph shows, by the published EfficientNet-Lite0 with its own ImageNet head, unmodified."""

import functools
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image

from .efficientnet import EfficientNetLiteForImageClassification, load_published_classifier
from .image_processing import VlmImageProcessor

CLASSES = Path(__file__).parent / "imagenet" / "classes.txt"
MOST = 3
LEAST = 0.08  # probability from which a name is worth saying


class NamedObject(NamedTuple):
    name: str
    probability: float


@functools.cache
def class_names() -> tuple[str, ...]:
    """The 1,000 names, in the order of the classifier's outputs."""
    return tuple(CLASSES.read_text(encoding="utf-8").splitlines())


@functools.cache
def _load() -> tuple[EfficientNetLiteForImageClassification, VlmImageProcessor]:
    return load_published_classifier(), VlmImageProcessor()


@torch.inference_mode()
def name_objects(image: Image.Image) -> tuple[NamedObject, ...]:
    """The likeliest classes of a picture, at most three, most likely first; empty where nothing is likely.

    Raises PartNotFoundError's plain message where the encoder's wheel is not installed (`vlm.efficientnet`).
    """
    classifier, processor = _load()
    names = class_names()
    chances = classifier(processor(image, return_tensors="pt")["pixel_values"]).logits[0].softmax(dim=-1)
    best = chances.topk(MOST)
    return tuple(
        NamedObject(names[index], chance)
        for chance, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        if chance >= LEAST
    )
