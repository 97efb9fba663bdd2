"""Questions about a scene of shapes, computed from its truth; only such as have one answer.

Each maker gives the questions of one subject. Answers that could be guessed without the picture are kept in balance
where they are made: a coin decides between yes and no first, and then a fitting question is looked for.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from random import Random

from vlm.structure import Scene, Thing
from vlm.structure.kinds import plural
from vlm.structure.wording import with_article

from . import shapes_wording as words
from .colours import NAMES
from .family import Question
from .shapes_facts import (
    OPPOSITE,
    PLACES,
    clear_place,
    clear_relations,
    clear_sides,
    clearly_larger,
    clearly_smaller,
    excludes,
    nearest_place,
    standing_out,
)
from .shapes_kinds import HELD_OUT_SHAPES, WEIGHTS
from .shapes_wording import full_name, names, say, sentence
from .tables_questions import CANNOT_TELL

QUESTIONS = 12  # at most so many for one picture
BESIDE = {"left": "to the left of", "right": "to the right of", "above": "above", "below": "below"}
FURTHER = {"left": "further left", "right": "further right", "above": "higher up", "below": "lower down"}
# How often each answer is asked for, where it is not always: rarely where it is drawn often, so that none is likelier.
SHAPE_CHANCE = {"circle": 0.42, "rectangle": 0.42, "triangle": 0.42}
EXTREME_CHANCE = {"circle": 0.25, "rectangle": 0.27, "triangle": 0.2, "diamond": 0.85}
COUNT_CHANCE = {1: 0.65, 2: 0.65, 3: 0.85, 4: 0.9}
WHITE_CHANCE = 0.36  # of a background
COUNT_WEIGHTS = (1, 1, 4, 16, 48, 48, 48)  # of asking for 0, 1, 2, ... things of a kind or colour: large ones are rare


def ask(scene: Scene, rng: Random) -> list[Question]:
    """About a dozen questions of all kinds that this scene can answer, in random order, no text twice."""
    asked = {question.text: question for make in MAKERS for question in make(scene, rng)}
    questions = list(asked.values())
    rng.shuffle(questions)
    return questions[:QUESTIONS]


def _yes_no(type: str, text: str, answer: bool, fact: str) -> Question:
    """A question with yes or no for an answer; the sentence adds how things are."""
    word = "yes" if answer else "no"
    return Question(type, text, word, sentence(f"{word}, {fact}"))


def _named(scene: Scene, rng: Random, *ways: str) -> list[tuple[Thing, str]]:
    """The things that can be named in one of these ways (see `names`), shuffled, each with such a name."""
    found = []
    for thing in scene.things:
        fitting = [name for way, name in names(thing, scene, rng).items() if way in ways]
        if fitting:
            found.append((thing, rng.choice(fitting)))
    rng.shuffle(found)
    return found


def _shape(scene: Scene, rng: Random) -> Iterator[Question]:
    for thing, it in _named(scene, rng, "colour", "neither")[:2]:
        if rng.random() < SHAPE_CHANCE.get(thing.kind, 1.0):
            text = say(rng, words.SHAPE_OF, it=it)
            yield Question("shape", text, thing.kind, sentence(f"{it} is {with_article(thing.kind)}"))
    kind = scene.things[0].kind
    if len(scene.things) == 1 and rng.random() < SHAPE_CHANCE.get(kind, 1.0):
        yield Question("shape", say(rng, words.THE_SHAPE), kind, sentence(f"the shape is {with_article(kind)}"))


def _colour(scene: Scene, rng: Random) -> Iterator[Question]:
    for thing, it in _named(scene, rng, "kind", "neither")[:2]:
        yield Question("color", say(rng, words.COLOR_OF, it=it), thing.colour, sentence(f"{it} is {thing.colour}"))


def _count(scene: Scene, rng: Random) -> Iterator[Question]:
    """Where little repeats, there is less counting, or most answers would be none, one or two."""
    if len(scene.things) > 1 or rng.random() < 0.3:
        yield from _how_many(len(scene.things), rng.choice(words.SHAPE), rng)
    kinds = Counter(thing.kind for thing in scene.things)
    colours = Counter(f"{thing.colour} {words.SHAPE[0]}" for thing in scene.things)
    for counts, every in ((kinds, WEIGHTS), (colours, [f"{name} {words.SHAPE[0]}" for name in NAMES])):
        if rng.random() > 0.25 * max(counts.values()):
            continue
        by_number: dict[int, list[str]] = {}
        for noun in every:
            by_number.setdefault(counts[noun], []).append(noun)
        number = rng.choices(list(by_number), [COUNT_WEIGHTS[number] for number in by_number])[0]
        noun = rng.choice(by_number[number]).replace(words.SHAPE[0], rng.choice(words.SHAPE))
        yield from _how_many(number, noun, rng)


def _how_many(number: int, noun: str, rng: Random) -> Iterator[Question]:
    if rng.random() < COUNT_CHANCE.get(number, 1.0):
        them = plural(noun)
        fact = f"there is one {noun}" if number == 1 else f"there are {words.NUMBERS[number]} {them}"
        yield Question("count", say(rng, words.HOW_MANY, them=them), str(number), sentence(fact))


def where(scene: Scene, rng: Random) -> Iterator[Question]:
    for thing, it in _named(scene, rng, "kind", "colour", "both", "neither")[:2]:
        if place := clear_place(thing, scene):
            yield Question("where", say(rng, words.WHERE, it=it), place, sentence(f"{it} is {PLACES[place]}"))


def placed(scene: Scene, rng: Random) -> Iterator[Question]:
    """Either "left or right?" or "is it on the left?"."""
    for thing, it in _named(scene, rng, "kind", "colour", "both", "neither")[:1]:
        sides = [side for side in clear_sides(thing, scene) if side in OPPOSITE]
        place = clear_place(thing, scene)
        if sides and rng.random() < 0.5:
            side = rng.choice(sides)
            one, two = rng.sample((side, OPPOSITE[side]), 2)
            text = say(rng, words.WHICH_SIDE, it=it, one=PLACES[one], two=PLACES[two])
            yield Question("side", text, side, sentence(f"{it} is {PLACES[side]}"))
        elif place:
            answer = rng.random() < 0.5
            asked = place if answer else rng.choice([other for other in PLACES if excludes(other, place)])
            text = say(rng, words.IS_PLACED, it=it, at=PLACES[asked])
            yield _yes_no("placed", text, answer, f"{it} is {PLACES[place]}")


def relation(scene: Scene, rng: Random) -> Iterator[Question]:
    clear = []
    for (one, it), (two, other) in _pairs(scene, rng):
        if sides := clear_relations(one, two, scene):
            clear.append((it, other, rng.choice(sides)))
    for (it, other, side), is_choice in zip(clear, rng.sample((True, False), 2), strict=False):
        if is_choice:
            yield _which("relation_choice", it, FURTHER[side], other, FURTHER[OPPOSITE[side]], rng)
        else:
            answer = rng.random() < 0.5
            asked = side if answer else OPPOSITE[side]
            text = say(rng, words.IS_RELATED, it=it, beside=BESIDE[asked], other=other)
            yield _yes_no("relation", text, answer, f"{it} is {BESIDE[side]} {other}")


def _pairs(scene: Scene, rng: Random) -> Iterable[tuple[tuple[Thing, str], tuple[Thing, str]]]:
    """Pairs of things that can be named by their kind, each with its name, in random order."""
    pairs = list(combinations(_named(scene, rng, "kind", "both"), 2))
    rng.shuffle(pairs)
    return pairs


def _which(type: str, it: str, more: str, other: str, less: str, rng: Random) -> Question:
    """Asks for one of two, where `it` is `more` (the further left, say) and the `other` is `less`."""
    if rng.random() < 0.5:
        it, more, other = other, less, it
    first, second = rng.sample((it, other), 2)
    text = say(rng, words.WHICH, more=more, it=first, other=second)
    return Question(type, text, it.removeprefix("the "), sentence(f"{it} is {more}"))


def size(scene: Scene, rng: Random) -> Iterator[Question]:
    clear = []
    for (one, it), (two, other) in _pairs(scene, rng):
        if clearly_larger(one, two):
            clear.append((it, other))
        elif clearly_smaller(one, two):
            clear.append((other, it))
    big, little = rng.choice(("bigger", "larger")), "smaller"
    for (large, small), is_choice in zip(clear, rng.sample((True, False), 2), strict=False):
        if is_choice:
            yield _which("size_choice", large, big, small, little, rng)
        else:
            answer = rng.random() < 0.5
            it, how, other = rng.choice(((large, big, small), (small, little, large)))
            asked = how if answer else little if how == big else big
            text = say(rng, words.IS_MORE, it=it, more=asked, other=other)
            yield _yes_no("size", text, answer, f"{it} is {how} than {other}")


def _extreme(scene: Scene, rng: Random) -> Iterator[Question]:
    if len(scene.things) == 1:
        return
    compare, most = rng.choice(((clearly_larger, rng.choice(("biggest", "largest"))), (clearly_smaller, "smallest")))
    if thing := standing_out(scene, compare):
        it = f"the {most} {rng.choice(words.SHAPE)}"
        if rng.random() < 0.5:
            if rng.random() < EXTREME_CHANCE.get(thing.kind, 1.0):
                text = say(rng, words.SHAPE_OF, it=it)
                yield Question("extreme_shape", text, thing.kind, sentence(f"{it} is {with_article(thing.kind)}"))
        else:
            text = say(rng, words.COLOR_OF, it=it)
            yield Question("extreme_color", text, thing.colour, sentence(f"{it} is {thing.colour}"))


def _exists(scene: Scene, rng: Random) -> Iterator[Question]:
    for _ in range(3 if len(scene.things) == 1 else 2):
        there, negated = rng.random() < 0.5, rng.random() < 0.4
        noun = _present(scene, rng) if there else _absent(scene, rng)
        templates = words.IS_THERE_NO if negated else words.IS_THERE
        text = say(rng, templates, a=with_article(noun), noun=noun, them=plural(noun))
        fact = f"there is {with_article(noun)}" if there else f"there is no {noun}"
        yield _yes_no("exists_not" if negated else "exists", text, there != negated, fact)


def _present(scene: Scene, rng: Random) -> str:
    """A noun for something in the scene."""
    way = rng.choice(("kind", "colour", "both"))
    if way == "kind":
        return rng.choice(sorted({thing.kind for thing in scene.things}))
    if way == "colour":
        return f"{rng.choice(sorted({thing.colour for thing in scene.things}))} {rng.choice(words.SHAPE)}"
    return full_name(rng.choice(scene.things))


def _absent(scene: Scene, rng: Random) -> str:
    """A noun for nothing in the scene; those with kind and colour mostly share one of the two with something there.

    Combinations that training never shows are not asked for, or it would teach that they are never there.
    """
    way = rng.choice(("kind", "colour", "both"))
    if way == "kind":
        return _any_kind(rng, without={thing.kind for thing in scene.things})
    if way == "colour":
        colours = {thing.colour for thing in scene.things}
        return f"{rng.choice([name for name in NAMES if name not in colours])} {rng.choice(words.SHAPE)}"
    taken = {(thing.kind, thing.colour) for thing in scene.things} | HELD_OUT_SHAPES
    while True:
        near, kind, colour = rng.choice(scene.things), _any_kind(rng), rng.choice(NAMES)
        kind, colour = rng.choice(((near.kind, colour), (kind, near.colour), (kind, colour)))
        if (kind, colour) not in taken:
            return f"{colour} {kind}"


def _any_kind(rng: Random, without: Iterable[str] = ()) -> str:
    """A kind, as often as it is drawn."""
    weights = {kind: weight for kind, weight in WEIGHTS.items() if kind not in without}
    return rng.choices(list(weights), list(weights.values()))[0]


def _attribute(scene: Scene, rng: Random) -> Iterator[Question]:
    same, negated, about_kind = rng.random() < 0.5, rng.random() < 0.35, rng.random() < 0.5
    templates = words.IS_IT_NOT if negated else words.IS_IT
    for thing, it in _named(scene, rng, "colour" if about_kind else "kind", "neither")[:1]:
        if about_kind:
            true = with_article(thing.kind)
            asked = true if same else with_article(_any_kind(rng, without=(thing.kind,)))
        else:
            true = thing.colour
            asked = true if same else rng.choice([name for name in NAMES if name != true])
        yield _yes_no(
            "attribute_not" if negated else "attribute",
            say(rng, templates, it=it, so=asked),
            same != negated,
            f"{it} is {true}",
        )


def background(scene: Scene, rng: Random) -> Iterator[Question]:
    if scene.background:
        fact = f"the background is {scene.background}"
        yield Question("background", say(rng, words.BACKGROUND), scene.background, sentence(fact))


def _background(scene: Scene, rng: Random) -> Iterator[Question]:
    if scene.background != "white" or rng.random() < WHITE_CHANCE:
        yield from background(scene, rng)


def _cannot_tell(scene: Scene, rng: Random) -> Iterator[Question]:
    """Asks for the colour or the place of what is not there."""
    if rng.random() < 0.4:
        kind = _any_kind(rng, without={thing.kind for thing in scene.things})
        text = say(rng, rng.choice((words.COLOR_OF, words.WHERE)), it=f"the {kind}")
        yield Question("cannot_tell", text, CANNOT_TELL, sentence(f"{CANNOT_TELL}: there is no {kind}"))


def _describe(scene: Scene, rng: Random) -> Iterator[Question]:
    """The things from left to right, each with its place; `elements` are what a description must not leave out."""
    things = sorted(scene.things, key=lambda thing: thing.centre)
    parts = []
    for thing in things:
        size = "" if thing.size == "medium" else f"{thing.size} "
        parts.append(f"{with_article(size + full_name(thing))} {PLACES[nearest_place(thing, scene)]}")
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    if scene.background:
        listed += f", on {with_article(scene.background)} background"
    elements = tuple(full_name(thing) for thing in things)
    yield Question("describe", say(rng, words.DESCRIBE), ", ".join(elements), sentence(listed), elements)


MAKERS = (
    _shape, _colour, _count, where, placed, relation, size, _extreme, _exists, _attribute, _background, _cannot_tell,
    _describe,
)  # fmt: skip
