"""What a photograph shows, by the published EfficientNet-Lite0 with its own ImageNet head, unmodified."""

import functools
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image

from .efficientnet import EfficientNetLiteForImageClassification, EfficientNetLiteModel, load_published_classifier
from .image_processing import VlmImageProcessor

CLASSES = Path(__file__).parent / "imagenet" / "classes.txt"
# Plain words for classes that are named by breed, species or model: ImageNet lists its animals sort by sort. First and
# last class of each.
SORTS = {
    "fish": ((0, 6), (389, 397)), "bird": ((7, 24), (80, 100), (127, 146)), "salamander": ((25, 29),),
    "frog": ((30, 32),), "turtle": ((33, 37),), "lizard": ((38, 48),), "snake": ((52, 68),), "spider": ((72, 77),),
    "crab": ((118, 121),), "whale": ((147, 148),), "dog": ((151, 268),), "wolf": ((269, 272),), "fox": ((277, 280),),
    "cat": ((281, 285),), "bear": ((294, 297),), "beetle": ((300, 307),), "butterfly": ((321, 326),),
    "rabbit": ((330, 332),), "horse": ((339, 339),), "ape": ((365, 369),), "monkey": ((370, 382),),
    "elephant": ((385, 386),), "flower": ((985, 986),),
}  # fmt: skip
MODELS = {
    "car": (436, 468, 511, 609, 627, 656, 661, 751, 817), "truck": (555, 569, 675, 717, 864, 867),
    "motorcycle": (665, 670), "bicycle": (444, 671), "airplane": (404, 895),
    "boat": (472, 484, 554, 576, 625, 814, 871, 914),
    "ship": (403, 510, 628, 724, 780), "rocket": (657, 744), "spacecraft": (812,), "clock": (409, 530, 892),
    "watch": (531,), "cup": (504, 968), "coffee": (967,), "wall": (825,), "building": (425, 497, 663, 668, 698),
    "guitar": (402, 546), "piano": (579, 881), "ball": (430, 574, 722, 805, 852, 890), "telephone": (487, 528, 707),
    "computer": (527, 620, 681), "chair": (423, 559, 765), "hat": (515, 808), "camera": (732, 759),
}  # fmt: skip
VIEW = 7 / 8
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
def _plain_words() -> dict[str, str]:
    names = class_names()
    words = {names[i]: sort for sort, spans in SORTS.items() for first, last in spans for i in range(first, last + 1)}
    words |= {names[index]: word for word, indices in MODELS.items() for index in indices}
    return {name: word for name, word in words.items() if word not in name.split()}


def in_plain_words(name: str) -> str:
    """A class with what anybody would call it, where its name does not say so: "Egyptian cat", "tabby (cat)"."""
    word = _plain_words().get(name)
    return f"{name} ({word})" if word else name


@functools.cache
def _load() -> tuple[EfficientNetLiteForImageClassification, VlmImageProcessor]:
    return load_published_classifier(), VlmImageProcessor()


def load_tower() -> EfficientNetLiteModel:
    """The classifier without its head: pixel_values to patch tokens, as they were published."""
    return _load()[0].efficientnet


def _middle(image: Image.Image) -> Image.Image:
    """The view that the published accuracy is measured on: a square of 7/8 of the shorter side."""
    side = VIEW * min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return image.crop((round(left), round(top), round(left + side), round(top + side)))


@torch.inference_mode()
def name_objects(image: Image.Image) -> tuple[NamedObject, ...]:
    """The likeliest classes of a picture, at most three, most likely first; empty where nothing is likely.

    Raises PartNotFoundError's plain message where the encoder's wheel is not installed (`vlm.efficientnet`).
    """
    classifier, processor = _load()
    names = class_names()
    chances = classifier(processor(_middle(image), return_tensors="pt")["pixel_values"]).logits[0].softmax(dim=-1)
    best = chances.topk(MOST)
    return tuple(
        NamedObject(names[index], chance)
        for chance, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        if chance >= LEAST
    )
