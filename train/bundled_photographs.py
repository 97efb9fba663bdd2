"""Photographs that well-known packages bundle, with the words that name their main thing: for evaluation only.

The words were written down before any model was asked. scikit-image, scikit-learn and matplotlib bring the pictures.
"""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from vlm.loading import PartNotFoundError

QUESTION = "What is the main thing in this picture?"
# package, file -> any of these words is right
PHOTOGRAPHS: dict[tuple[str, str], tuple[str, ...]] = {
    ("skimage", "data/astronaut.png"): ("astronaut", "woman", "person", "space suit", "spacesuit"),
    ("skimage", "data/brick.png"): ("brick", "bricks", "wall", "masonry"),
    ("skimage", "data/camera.png"): ("man", "person", "photographer", "cameraman", "camera", "tripod"),
    ("skimage", "data/chelsea.png"): ("cat", "kitten", "tabby"),
    ("skimage", "data/clock_motion.png"): ("clock", "watch", "dial"),
    ("skimage", "data/coffee.png"): ("coffee", "espresso", "cup", "mug", "cappuccino"),
    ("skimage", "data/coins.png"): ("coin", "coins", "money"),
    ("skimage", "data/grass.png"): ("grass", "lawn", "meadow"),
    ("skimage", "data/gravel.png"): ("gravel", "stones", "pebbles", "rocks", "stone"),
    ("skimage", "data/horse.png"): ("horse", "silhouette", "sorrel"),
    ("skimage", "data/hubble_deep_field.jpg"): ("galaxy", "galaxies", "stars", "sky", "space", "universe"),
    ("skimage", "data/moon.png"): ("moon", "crater", "craters"),
    ("skimage", "data/motorcycle_left.png"): ("motorcycle", "motorbike", "bike", "moped"),
    ("skimage", "data/rocket.jpg"): ("rocket", "missile", "spacecraft", "launch"),
    ("sklearn", "datasets/images/china.jpg"): ("temple", "pagoda", "palace", "building", "house", "roof"),
    ("sklearn", "datasets/images/flower.jpg"): ("flower", "dahlia", "daisy", "blossom", "petal"),
    ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"): ("woman", "officer", "person", "uniform", "admiral"),
}


def photographs() -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Each picture's file and the words for what it shows. Raises PartNotFoundError for a package that is missing."""
    for (package, name), words in PHOTOGRAPHS.items():
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            wanted = {"skimage": "scikit-image", "sklearn": "scikit-learn"}.get(package, package)
            raise PartNotFoundError(f"the photographs need the package {wanted}: run pip install {wanted}")
        yield Path(spec.submodule_search_locations[0]) / name, words


def names_one_of(answer: str, words: tuple[str, ...]) -> float:
    """1 if one of the words stands in the answer as a word of its own."""
    return float(any(re.search(rf"\b{re.escape(word)}\b", answer, re.IGNORECASE) for word in words))
