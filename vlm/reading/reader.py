"""Pictures to structures: OCR, one pass of the network, and the decoder of the family."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import torch
from PIL import Image

from ..images import to_rgb
from ..ocr import read_words, with_letters
from ..scene_encoder import MOST_WORDS, prepare
from ..scene_encoder import Scene as SceneEncoding
from ..scene_heads import FAMILIES, SceneReader
from ..structure import Chart, Family, Graph, Label, Notice, Parts, Reading, Scene, Table
from .charts import read_chart
from .graphs import read_graph
from .scenes import read_parts, read_scene
from .seen import Seen, merge_elements, words_with_roles
from .tables import read_notice, read_table
from .weights import Vocabulary, load_weights

WEIGHTS = Path(__file__).parent / "weights"
SURE = 0.5  # below, the kind of a picture is anybody's guess, and nothing is read
CLEAR = 0.9  # from here on a picture with words is what it is taken for, even if nothing in it can be read ...
WRITTEN = {"charts", "graphs", "tables", "signs", "parts"}  # ... if it is of these: words are what they are read by

DECODERS: dict[str, Callable[[Seen], Chart | Graph | Table | Notice | Parts | Scene | None]] = {
    "charts": read_chart, "graphs": read_graph, "tables": read_table, "signs": read_notice, "parts": read_parts,
    "shapes": read_scene, "things": read_scene,
}  # fmt: skip
LETTERED = {"parts"}  # families where single letters stand for things: a second look finds more of them
MERGED = {"charts", "parts"}  # families whose words are joined to elements before they are decoded


class Reader:
    """Reads pictures; nothing is kept between two of them."""

    def __init__(self, network: SceneReader, vocabulary: Vocabulary):
        self.network, self.vocabulary = network, vocabulary

    @torch.inference_mode()
    def read(self, image: Image.Image, found: Sequence[Label] | None = None) -> Reading:
        """What a picture shows. Its words, where they are not `found` already, are read by OCR.

        Where there are none (or OCR is not installed) only what needs no words is read.
        """
        image = to_rgb(image)
        if found is None:
            found = read_words(image) or ()
        words = tuple(inside(label, image.size) for label in found[:MOST_WORDS])
        scene, scale = self._look(image, words)
        family, confidence = self._family(scene)
        if family in LETTERED and words and (more := with_letters(image, words)) != words:
            words = tuple(inside(label, image.size) for label in more[:MOST_WORDS])
            scene, scale = self._look(image, words)
            family, confidence = self._family(scene)
        structure = None
        if family != "none" and confidence >= SURE:
            relations = self.network.words.relations(scene).sigmoid()
            seen_words = words_with_roles(words, self.network, scene, family)
            if family in MERGED:
                seen_words = merge_elements(seen_words, relations)
            seen = Seen(image, self.network, self.vocabulary, scene, scale, tuple(seen_words), relations)
            structure = DECODERS[family](seen)
        is_known = structure is not None or (bool(words) and family in WRITTEN and confidence >= CLEAR)
        named = cast(Family, family if is_known else "none")
        return Reading(family=named, confidence=confidence, structure=structure, words=words)

    def _look(self, image: Image.Image, words: tuple[Label, ...]) -> tuple[SceneEncoding, float]:
        """What the network makes of a picture and its words, and the scale at which it was looked at."""
        given = prepare(image, words)
        return self.network(given), given.scale

    def _family(self, scene: SceneEncoding) -> tuple[str, float]:
        chances = self.network.family(scene.summary).softmax(dim=-1)
        number = int(chances.argmax())
        return FAMILIES[number], float(chances[number])


def inside(label: Label, size: tuple[int, int]) -> Label:
    """A word whose box ends at the edges of the picture: OCR's boxes may reach a little beyond."""
    left, top, right, bottom = label.box
    box = (max(0.0, left), max(0.0, top), min(float(size[0]), right), min(float(size[1]), bottom))
    return label.model_copy(update={"box": box})


@functools.cache
def load_reader() -> Reader:
    """The reader with the weights that come with the package."""
    return Reader(*load_weights(WEIGHTS))


def read(image: Image.Image) -> Reading:
    """What a picture shows, as typed data; every element with a confidence."""
    return load_reader().read(image)
