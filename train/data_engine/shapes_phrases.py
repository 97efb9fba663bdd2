"""Questions that turn on one phrase ("red circle"). They belong to no picture: any can be searched for it."""

from dataclasses import dataclass
from random import Random

from vlm.structure.kinds import plural
from vlm.structure.wording import with_article

from . import shapes_wording as words
from .colours import NAMES
from .shapes_kinds import HELD_OUT_SHAPES, WEIGHTS
from .shapes_wording import say


@dataclass(frozen=True)
class Phrase:
    """What a question names, and where in it."""

    question: str
    last: str  # the words with which it is complete
    kind: str | None  # None: any
    colour: str | None


def phrase(rng: Random) -> Phrase:
    """A question about one kind, one colour, or both together as long as training pictures show them so."""
    way = rng.choice(("kind", "colour", "both"))
    while True:
        kind = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0] if way != "colour" else None
        colour = rng.choice(NAMES) if way != "kind" else None
        if (kind, colour) not in HELD_OUT_SHAPES:
            break
    if kind and colour and rng.random() < 0.3:
        return _claim(kind, colour, rng)
    noun = f"{colour or ''} {kind or rng.choice(words.SHAPE)}".strip()
    asks = words.SHAPE_OF if kind is None else words.COLOR_OF if colour is None else words.WHERE
    templates = rng.choice((words.IS_THERE, words.IS_THERE_NO, words.HOW_MANY, words.WHERE, asks))
    text = say(rng, templates, it=f"the {noun}", a=with_article(noun), noun=noun, them=plural(noun))
    return Phrase(text, noun, kind, colour)


def _claim(kind: str, colour: str, rng: Random) -> Phrase:
    """Whether what has this colour is of this kind, or the other way round."""
    it, so = rng.choice(((f"the {kind}", colour), (f"the {colour} {rng.choice(words.SHAPE)}", with_article(kind))))
    text = say(rng, rng.choice((words.IS_IT, words.IS_IT_NOT)), it=it, so=so)
    return Phrase(text, so, kind, colour)
