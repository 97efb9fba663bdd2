"""Picture `index` of a run with all that the heads should say about it: a pure function of the config and the index."""

from random import Random

from vlm.reading.weights import Vocabulary
from vlm.scene_encoder import SceneInput, input_scale, prepare
from vlm.structure import Label

from ..data_engine import Split, draw
from .config import NOTHING, SceneConfig
from .nothing import draw_nothing
from .targets import Targets, make_targets
from .words import spoil_words, words_of


def picture(
    family: str, index: int, split: Split, config: SceneConfig, vocabulary: Vocabulary
) -> tuple[SceneInput, Targets]:
    rng = Random(f"{config.seed}/{family}/{split}/{index}/seeing")
    if family == NOTHING:
        image, truth = draw_nothing(rng), None
    else:
        sample = draw(family, config.seed * 1_000_000_007 + index, split)
        image, truth = sample.image, sample.truth
    words = spoil_words(words_of(truth), rng) if truth is not None else []
    grown = rng.uniform(config.smallest_scale, config.largest_scale)
    scale = min(grown * input_scale(*image.size), max(1.0, input_scale(*image.size)))
    given = prepare(image, [Label(text=word.text, box=word.box) for word in words], scale)
    words = words[: len(given.boxes)]
    return given, make_targets(family, truth, words, given.scale, vocabulary.kinds, vocabulary.colours)
