"""How people put questions about shapes: many wordings of each, and the words that answers use.

A template's fields: {it} one thing ("the red circle"), {other} a second one, {a} a noun with its article, {noun}
the same without, {them} its plural; {picture}, {shape}, {shapes} and {color} are filled with one of several words.
"""

from random import Random

from vlm.structure import Scene, Thing

PICTURE = ("picture", "image", "drawing")
SHAPE = ("shape", "object", "thing", "figure")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")

SHAPE_OF = (
    "what shape is {it}?", "which shape is {it}?", "what kind of shape is {it}?", "what is the shape of {it}?",
    "tell me the shape of {it}.", "what shape does {it} have?", "in the {picture}, what shape is {it}?",
    "what is the name of the shape of {it}?", "what type of shape is {it}?",
)  # fmt: skip
THE_SHAPE = (  # where there is only one
    "what shape is in the {picture}?", "what shape is shown?", "what shape do you see?", "what shape is present?",
    "what shape does the {picture} contain?", "name the shape in the {picture}.", "which shape can you see?",
    "what shape is this?", "which shape is drawn in the {picture}?", "what is the shape in the {picture}?",
    "what shape is there?", "what is the shape?",
)  # fmt: skip
COLOR_OF = (
    "what {color} is {it}?", "which {color} is {it}?", "what is the {color} of {it}?", "what {color} does {it} have?",
    "tell me the {color} of {it}.", "in what {color} is {it} drawn?", "what {color} is {it} in the {picture}?",
    "which {color} does {it} have?", "name the {color} of {it}.",
)  # fmt: skip
HOW_MANY = (
    "how many {them} are there?", "how many {them} are in the {picture}?", "how many {them} do you see?",
    "count the {them}.", "what is the number of {them} in the {picture}?", "how many {them} does the {picture} show?",
    "how many {them} can you count?", "how many {them} are there in the {picture}?",
)  # fmt: skip
WHERE = (
    "where is {it}?", "where in the {picture} is {it}?", "in which part of the {picture} is {it}?",
    "where can {it} be found?", "what is the position of {it}?", "where is {it} placed?", "where do you see {it}?",
)  # fmt: skip
WHICH_SIDE = ("is {it} {one} or {two}?", "{one} or {two}: where is {it}?", "do you see {it} {one} or {two}?")
IS_PLACED = (
    "is {it} {at} of the {picture}?", "is {it} placed {at} of the {picture}?", "can {it} be found {at}?",
    "is {it} {at}?", "do you see {it} {at}?", "does {it} lie {at}?",
)  # fmt: skip
IS_RELATED = (
    "is {it} {beside} {other}?", "does {it} lie {beside} {other}?", "in the {picture}, is {it} {beside} {other}?",
    "is {it} placed {beside} {other}?", "do you see {it} {beside} {other}?", "can {it} be found {beside} {other}?",
)  # fmt: skip
WHICH = (
    "which is {more}, {it} or {other}?", "what is {more}, {it} or {other}?", "{it} or {other}: which is {more}?",
    "which one is {more}, {it} or {other}?", "in the {picture}, which is {more}: {it} or {other}?",
    "which of the two is {more}, {it} or {other}?",
)  # fmt: skip
IS_MORE = (
    "is {it} {more} than {other}?", "in the {picture}, is {it} {more} than {other}?",
    "is {it} drawn {more} than {other}?", "does {it} look {more} than {other}?", "does {it} seem {more} than {other}?",
    "would you say {it} is {more} than {other}?",
)  # fmt: skip
IS_THERE = (
    "is there {a} in the {picture}?", "is there {a}?", "does the {picture} contain {a}?",
    "does the {picture} show {a}?", "is {a} present?", "can you see {a}?", "do you see {a} in the {picture}?",
    "is {a} in the {picture}?", "does the {picture} have {a}?", "is {a} shown?", "is {a} present in the {picture}?",
    "is {a} visible in the {picture}?", "are there any {them}?", "are there any {them} in the {picture}?",
)  # fmt: skip
IS_THERE_NO = (
    "is there no {noun}?", "is there no {noun} in the {picture}?", "is there not {a}?",
    "is there not {a} in the {picture}?", "does the {picture} not contain {a}?",
    "does the {picture} contain no {noun}?", "is no {noun} present?", "is {a} not present?", "is {a} missing?",
    "is {a} absent from the {picture}?",
    "does the {picture} not show {a}?", "is no {noun} in the {picture}?", "is {a} not in the {picture}?",
    "is it true that there is no {noun}?", "does the {picture} not have {a}?", "does the {picture} show no {noun}?",
    "are there no {them}?", "are there no {them} in the {picture}?",
)  # fmt: skip
IS_IT = (
    "is {it} {so}?", "would you say that {it} is {so}?", "is it true that {it} is {so}?",
    "in the {picture}, is {it} {so}?", "can you confirm that {it} is {so}?", "do you agree that {it} is {so}?",
)  # fmt: skip
IS_IT_NOT = (
    "is {it} not {so}?", "would you say that {it} is not {so}?", "is it true that {it} is not {so}?",
    "in the {picture}, is {it} not {so}?", "is it wrong that {it} is {so}?", "is {it} anything but {so}?",
)  # fmt: skip
BACKGROUND = (
    "what {color} is the background?", "what is the {color} of the background?",
    "tell me the {color} of the background.", "which {color} does the background have?",
    "what {color} is the background of the {picture}?",
    "which {color} is behind the {shapes}?", "what {color} is the {picture}'s background?",
)  # fmt: skip
DESCRIBE = (
    "describe the {picture}.", "what is in the {picture}?", "what do you see?", "what does the {picture} show?",
    "tell me what is in the {picture}.", "give a description of the {picture}.", "what can be seen in the {picture}?",
    "please describe this {picture}.", "what is shown here?", "describe what you see.",
)  # fmt: skip


def say(rng: Random, templates: tuple[str, ...], **words: str) -> str:
    """One of the templates, filled in and written as people type: now and then in small letters or without the mark."""
    shape = rng.choice(SHAPE)
    filled = rng.choice(templates).format(
        picture=rng.choice(PICTURE), shape=shape, shapes=f"{shape}s", color=rng.choice(("color", "colour")), **words
    )
    text = filled[0].upper() + filled[1:] if rng.random() < 0.85 else filled
    return text.rstrip("?.") if rng.random() < 0.12 else text


def sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def full_name(thing: Thing) -> str:
    return f"{thing.colour} {thing.kind}"


def names(thing: Thing, scene: Scene, rng: Random) -> dict[str, str]:
    """The ways to name this thing and no other, by what they give away: "kind", "colour", "both" or "neither"."""
    others = [other for other in scene.things if other is not thing]
    noun = rng.choice(SHAPE)
    found = {}
    if not others:
        found["neither"] = f"the {noun}"
    if all(other.kind != thing.kind for other in others):
        found["kind"] = f"the {thing.kind}"
    if all(other.colour != thing.colour for other in others):
        found["colour"] = f"the {thing.colour} {noun}"
    if all(full_name(other) != full_name(thing) for other in others):
        found["both"] = f"the {full_name(thing)}"
    return found
