"""Pictures to structures: OCR, one pass of the network, and the decoder of the family."""

import functools
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple, cast

import torch
from PIL import Image

from ..images import to_rgb, turn
from ..ocr import read_words, with_blurred, with_inked, with_letters
from ..scene_encoder import MOST_WORDS, prepare
from ..scene_encoder import Scene as SceneEncoding
from ..scene_heads import FAMILIES, SceneReader
from ..structure import Chart, Family, Graph, Label, Notice, Parts, Reading, Scene, Table
from .charts import is_gappy, read_chart
from .colours import is_photograph
from .graphs import read_graph
from .notices import read_notice
from .scenes import read_parts, read_scene
from .seen import Seen, merge_elements, words_with_roles
from .spelling import labels_apart
from .tables import read_table
from .things import read_things
from .turning import DOUBT, SURER, doubt, doubted, is_on_its_side, tilt
from .weights import Vocabulary, load_weights

WEIGHTS = Path(__file__).parent / "weights"
SURE = 0.5  # below, the kind of a picture is anybody's guess, and nothing is read
CLEAR = 0.9  # from here on a picture with words is what it is taken for, even if nothing in it can be read ...
WRITTEN = {"charts", "graphs", "tables", "signs", "parts"}  # ... if it is of these: words are what they are read by

DECODERS: dict[str, Callable[[Seen], Chart | Graph | Table | Notice | Parts | Scene | None]] = {
    "charts": read_chart, "graphs": read_graph, "tables": read_table, "signs": read_notice, "parts": read_parts,
    "shapes": read_scene, "things": read_things,
}  # fmt: skip
NAMED = 0.3  # of the words of a graph are letters or digits that stand alone, if such are its names
MERGED = {"charts", "parts"}  # families whose words are joined to elements before they are decoded


class View(NamedTuple):
    """A picture turned counter-clockwise by so many degrees, and the words in it."""

    image: Image.Image
    words: Sequence[Label]
    turned: int


class Reader:
    """Reads pictures; nothing is kept between two of them."""

    def __init__(self, network: SceneReader, vocabulary: Vocabulary):
        self.network, self.vocabulary = network, vocabulary

    @torch.inference_mode()
    def read(self, image: Image.Image, found: Sequence[Label] | None = None) -> Reading:
        """What a picture shows. Its words, where they are not `found` already, are read by OCR.

        Where there are none (or OCR is not installed) only what needs no words is read. What is tilted, upside down or
        on its side is turned and looked at again.
        """
        image = to_rgb(image)
        view = View(image, (read_words(image) or ()) if found is None else found, 0)
        if is_photograph(image):
            return Reading(family="none", confidence=1.0, structure=None, words=_inside(image, view.words))
        if askew := tilt(image, view.words):
            view = _turned(image, -askew)
        view = _right_way_up(image, view)
        reading = self._read(view)
        if askew:
            reading = reading.model_copy(update={"structure": doubted(reading.structure)})
        if reading.family in WRITTEN and is_on_its_side(reading):
            other = self._read(_right_way_up(image, _turned(image, view.turned + 90)))
            return reading if is_on_its_side(other) else other
        return reading

    def _read(self, view: View) -> Reading:
        reading = self._read_words(view)
        if reading.family != "charts" or not is_gappy(reading.structure):
            return reading
        more = with_blurred(view.image, tuple(view.words))
        other = self._read_words(view._replace(words=more))
        return other if _marks(other) > _marks(reading) else reading

    def _read_words(self, view: View) -> Reading:
        image, words = view.image, _inside(view.image, view.words)
        scene, scale = self._look(image, words)
        family, confidence = self._family(scene)
        if words and (more := _corrected(family, image, words)) != words:
            words = _inside(image, more)
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
        if not is_known:
            family, confidence = "none", self._chance_of(scene, "none")
        named = cast(Family, family)
        return Reading(family=named, confidence=confidence, structure=structure, words=words, turned=view.turned)

    def _look(self, image: Image.Image, words: tuple[Label, ...]) -> tuple[SceneEncoding, float]:
        """What the network makes of a picture and its words, and the scale at which it was looked at."""
        given = prepare(image, words)
        return self.network(given), given.scale

    def _family(self, scene: SceneEncoding) -> tuple[str, float]:
        """What the picture most probably is, and how sure that is."""
        chances = self.network.family(scene.summary).softmax(dim=-1)
        number = int(chances.argmax())
        return FAMILIES[number], self.vocabulary.calibrated("family", float(chances[number]))

    def _chance_of(self, scene: SceneEncoding, family: str) -> float:
        return float(self.network.family(scene.summary).softmax(dim=-1)[FAMILIES.index(family)])


def _corrected(family: str, image: Image.Image, words: tuple[Label, ...]) -> tuple[Label, ...]:
    """The words with what OCR passed over or took together in such pictures."""
    if family == "parts":
        return with_letters(image, words)
    if family == "graphs":  # where names are words, a stroke is no letter
        named = sum(len(word.text) == 1 for word in words) >= NAMED * len(words)
        return with_inked(image, with_letters(image, words) if named else words)
    if family == "charts":
        return tuple(chain.from_iterable(map(labels_apart, with_inked(image, words))))
    return words


def _marks(reading: Reading) -> int:
    return len(reading.structure.marks) if isinstance(reading.structure, Chart) else 0


def _turned(image: Image.Image, turned: int) -> View:
    """At the picture turned, with the words that are read so."""
    image = turn(image, turned)
    return View(image, read_words(image) or (), turned)


def _right_way_up(image: Image.Image, view: View) -> View:
    """Upside down, where its letters are doubtful and read surer so."""
    doubted = doubt(view.words)
    if doubted <= DOUBT:
        return view
    other = _turned(image, view.turned + 180)
    return other if doubt(other.words) < doubted - SURER else view


def _inside(image: Image.Image, words: Sequence[Label]) -> tuple[Label, ...]:
    return tuple(inside(label, image.size) for label in words[:MOST_WORDS])


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
