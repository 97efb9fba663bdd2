"""Questions about a scene of shapes, computed from its truth; only such as have one answer.

Each maker gives the questions of one subject. Answers that could be guessed without the picture are kept in balance where
they are made: a coin decides between yes and no first, and then a fitting question is looked for.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from random import Random

from vlm.structure import Scene, Thing

from . import shapes_wording as words
from .colours import NAMES
from .family import Question
from .shapes_kinds import HELD_OUT, WEIGHTS
from .shapes_wording import full_name, names, plural, say, sentence, with_article, yes_no

QUESTIONS = 12  # at most so many for one picture
AT = {
    "top left": "in the top left corner", "top": "at the top", "top right": "in the top right corner",
    "left": "on the left", "center": "in the center", "right": "on the right",
    "bottom left": "in the bottom left corner", "bottom": "at the bottom", "bottom right": "in the bottom right corner",
}  # fmt: skip
COUNT_WEIGHTS = (0.5, 0.5, 1.0, 1.5, 2.5, 2.5, 2.5)  # of 0, 1, 2, ... things of a kind or colour: large ones are rare


def ask(scene: Scene, rng: Random) -> list[Question]:
    """About a dozen questions of all kinds that this scene can answer, in random order, no text twice."""
    makers = (_shape, _colour, _count, _where, _relation, _size, _exists, _attribute, _background, _describe)
    asked = {question.text: question for make in makers for question in make(scene, rng)}
    questions = list(asked.values())
    rng.shuffle(questions)
    return questions[:QUESTIONS]


def _shape(scene: Scene, rng: Random) -> Iterator[Question]:
    found = _named(scene, rng, "colour", "neither")
    for thing, it in found[:2]:
        yield Question("shape", say(rng, words.SHAPE_OF, it=it), thing.kind, sentence(f"{it} is {with_article(thing.kind)}"))
    if len(scene.things) == 1:
        kind = scene.things[0].kind
        yield Question("shape", say(rng, words.THE_SHAPE), kind, sentence(f"the shape is {with_article(kind)}"))


def _colour(scene: Scene, rng: Random) -> Iterator[Question]:
    for thing, it in _named(scene, rng, "kind", "neither")[:2]:
        yield Question("color", say(rng, words.COLOR_OF, it=it), thing.colour, sentence(f"{it} is {thing.colour}"))


def _named(scene: Scene, rng: Random, *ways: str) -> list[tuple[Thing, str]]:
    """The things that can be named in one of these ways, shuffled, each with such a name."""
    found = []
    for thing in scene.things:
        fitting = [name for way, name in names(thing, scene, rng).items() if way in ways]
        if fitting:
            found.append((thing, rng.choice(fitting)))
    rng.shuffle(found)
    return found


def _count(scene: Scene, rng: Random) -> Iterator[Question]:
    total = len(scene.things)
    single = total == 1
    if not single or rng.random() < 0.35:
        yield _how_many(total, rng.choice(words.SHAPE), rng)
    kinds = Counter(thing.kind for thing in scene.things)
    colours = Counter(thing.colour for thing in scene.things)
    noun = rng.choice(words.SHAPE)
    for counted, every, named in ((kinds, tuple(WEIGHTS), "{}"), (colours, NAMES, f"{{}} {noun}")):
        if single and rng.random() < 0.7:
            continue
        by_number: dict[int, list[str]] = {}
        for name in every:
            by_number.setdefault(counted[name], []).append(name)
        number = rng.choices(list(by_number), [COUNT_WEIGHTS[n] for n in by_number])[0]
        yield _how_many(number, named.format(rng.choice(by_number[number])), rng)


def _how_many(number: int, noun: str, rng: Random) -> Question:
    them = plural(noun)
    answer = f"there is one {noun}" if number == 1 else f"there are {words.NUMBERS[number]} {them}"
    return Question("count", say(rng, words.HOW_MANY, them=them), str(number), sentence(answer))


def _where(scene: Scene, rng: Random) -> Iterator[Question]:
    found = _named(scene, rng, "kind", "colour", "both", "neither")
    for thing, it in found[:2]:
        place = clear_place(thing, scene)
        if place:
            yield Question("where", say(rng, words.WHERE, it=it), place, sentence(f"{it} is {AT[place]}"))
    if not found:
        return
    thing, it = rng.choice(found)
    sides = [side for side in clear_sides(thing, scene) if side not in ("middle", None)]
    if sides and rng.random() < 0.5:
        side = rng.choice(sides)
        pair = ["left", "right"] if side in ("left", "right") else ["top", "bottom"]
        rng.shuffle(pair)
        text = say(rng, words.WHICH_SIDE, it=it, one=AT[pair[0]], two=AT[pair[1]])
        yield Question("side", text, side, sentence(f"{it} is {AT[side]}"))
    elif place := clear_place(thing, scene):
        answer = rng.random() < 0.5
        asked = place if answer else rng.choice([other for other in AT if not _overlapping(other, place)])
        text = say(rng, words.IS_PLACED, it=it, at=AT[asked])
        yield Question("placed", text, *_answer(answer, f"{it} is {AT[place]}"))


def _overlapping(one: str, other: str) -> bool:
    """A thing in the top left is also at the top and on the left."""
    return set(one.split()) <= set(other.split()) or set(other.split()) <= set(one.split())


def clear_sides(thing: Thing, scene: Scene) -> tuple[str | None, str | None]:
    """Where its centre is across ("left", "middle", "right") and down ("top", "middle", "bottom"); None where in between."""
    x, y = thing.centre
    return _third(x / scene.width, "left", "right"), _third(y / scene.height, "top", "bottom")


def _third(share: float, low: str, high: str) -> str | None:
    if share < 0.36:
        return low
    if share > 0.64:
        return high
    return "middle" if 0.44 < share < 0.56 else None


def clear_place(thing: Thing, scene: Scene) -> str | None:
    """One of the nine places of `AT`, or None where two people might differ."""
    across, down = clear_sides(thing, scene)
    if across is None or down is None:
        return None
    return " ".join(side for side in (down, across) if side != "middle") or "center"


def _answer(answer: bool, text: str) -> tuple[str, str]:
    return "yes" if answer else "no", yes_no(answer, text)


def _pair(scene: Scene, rng: Random) -> Iterator[tuple[Thing, str, Thing, str]]:
    """Pairs of things that can be named by their kind, each with its name, in random order."""
    pairs = list(combinations(_named(scene, rng, "kind", "both"), 2))
    rng.shuffle(pairs)
    for (one, it), (two, other) in pairs:
        yield one, it, two, other


def _relation(scene: Scene, rng: Random) -> Iterator[Question]:
    opposite = {"left": "right", "right": "left", "above": "below", "below": "above"}
    beside = {"left": "to the left of", "right": "to the right of", "above": "above", "below": "below"}
    further = {"left": "further left", "right": "further right", "above": "higher up", "below": "lower down"}
    asked = 0
    for one, it, two, other in _pair(scene, rng):
        sides = clear_relations(one, two, scene)
        if not sides:
            continue
        side = rng.choice(sides)
        if asked == 0:
            answer = rng.random() < 0.5
            text = say(rng, words.IS_RELATED, it=it, beside=beside[side if answer else opposite[side]], other=other)
            yield Question("relation", text, *_answer(answer, f"{it} is {beside[side]} {other}"))
        else:
            yield _which(further[side], further[opposite[side]], it, other, "relation_choice", rng)
            return
        asked += 1


def clear_relations(one: Thing, two: Thing, scene: Scene) -> list[str]:
    """On which sides of `two` anybody would say that `one` lies: "left" or "right", "above" or "below", both or neither."""
    sides = []
    for axis, length, low, high in ((0, scene.width, "left", "right"), (1, scene.height, "above", "below")):
        apart = one.centre[axis] - two.centre[axis]
        extent = sum(thing.box[axis + 2] - thing.box[axis] for thing in (one, two)) / 2
        if abs(apart) > max(0.12 * length, 0.4 * extent):
            sides.append(low if apart < 0 else high)
    return sides


def _which(more: str, less: str, it: str, other: str, type: str, rng: Random) -> Question:
    """Of two things, the first of which is `more` and the second `less`, asks for one or the other."""
    if rng.random() < 0.5:
        more, it, other = less, other, it
    first, second = (it, other) if rng.random() < 0.5 else (other, it)
    text = say(rng, words.WHICH, more=more, it=first, other=second)
    return Question(type, text, it.removeprefix("the "), sentence(f"{it} is {more}"))


def _size(scene: Scene, rng: Random) -> Iterator[Question]:
    big, little = rng.choice(("bigger", "larger")), "smaller"
    asked = 0
    for one, it, two, other in _pair(scene, rng):
        if not (clearly_larger(one, two) or clearly_larger(two, one)):
            continue
        if clearly_larger(two, one):
            it, other = other, it
        if asked == 0:
            answer, more = rng.random() < 0.5, rng.choice((big, little))
            if more == little:
                it, other = other, it
            first, second = (it, other) if answer else (other, it)
            opposite = little if more == big else big
            text = say(rng, words.IS_MORE, it=first, more=more, other=second)
            yield Question("size", text, *_answer(answer, f"{first} is {more if answer else opposite} than {second}"))
        else:
            yield _which(big, little, it, other, "size_choice", rng)
            break
        asked += 1
    if len(scene.things) > 1:
        yield from _extreme(scene, rng)


def clearly_larger(one: Thing, two: Thing) -> bool:
    """By area and by length, so that long and thin things are not argued about."""
    lengths = [max(right - left, bottom - top) for left, top, right, bottom in (one.box, two.box)]
    return one.area > 1.6 * two.area and lengths[0] > 1.2 * lengths[1]


def _extreme(scene: Scene, rng: Random) -> Iterator[Question]:
    largest = rng.random() < 0.5
    for thing in scene.things:
        others = [other for other in scene.things if other is not thing]
        if all(clearly_larger(*((thing, other) if largest else (other, thing))) for other in others):
            most = rng.choice(("biggest", "largest")) if largest else "smallest"
            it = f"the {most} {rng.choice(words.SHAPE)}"
            if rng.random() < 0.5:
                text, answer = say(rng, words.SHAPE_OF, it=it), thing.kind
                yield Question("extreme_shape", text, answer, sentence(f"{it} is {with_article(answer)}"))
            else:
                text, answer = say(rng, words.COLOR_OF, it=it), thing.colour
                yield Question("extreme_color", text, answer, sentence(f"{it} is {answer}"))


def _exists(scene: Scene, rng: Random) -> Iterator[Question]:
    for _ in range(3 if len(scene.things) == 1 else 2):
        there, negated = rng.random() < 0.5, rng.random() < 0.4
        noun = _present(scene, rng) if there else _absent(scene, rng)
        text = say(rng, words.IS_THERE_NO if negated else words.IS_THERE, a=with_article(noun), x=noun)
        fact = f"there is {with_article(noun)}" if there else f"there is no {noun}"
        yield Question("exists", text, *_answer(there != negated, fact))


def _present(scene: Scene, rng: Random) -> str:
    way = rng.choice(("kind", "colour", "both"))
    if way == "kind":
        return rng.choice(sorted({thing.kind for thing in scene.things}))
    if way == "colour":
        return f"{rng.choice(sorted({thing.colour for thing in scene.things}))} {rng.choice(words.SHAPE)}"
    return full_name(rng.choice(scene.things))


def _absent(scene: Scene, rng: Random) -> str:
    """A noun that fits nothing in the scene; of those with kind and colour, most share one of them with something there."""
    kinds, colours = {thing.kind for thing in scene.things}, {thing.colour for thing in scene.things}
    way = rng.choice(("kind", "colour", "both"))
    if way == "kind":
        return _weighted([kind for kind in WEIGHTS if kind not in kinds], rng)
    if way == "colour":
        return f"{rng.choice([name for name in NAMES if name not in colours])} {rng.choice(words.SHAPE)}"
    taken = {(thing.kind, thing.colour) for thing in scene.things} | HELD_OUT
    while True:
        near, kind, colour = rng.choice(scene.things), _weighted(list(WEIGHTS), rng), rng.choice(NAMES)
        kind, colour = rng.choice(((near.kind, colour), (kind, near.colour), (kind, colour)))
        if (kind, colour) not in taken:
            return f"{colour} {kind}"


def _weighted(kinds: list[str], rng: Random) -> str:
    return rng.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]


def _attribute(scene: Scene, rng: Random) -> Iterator[Question]:
    same, negated = rng.random() < 0.5, rng.random() < 0.35
    templates = words.IS_IT_NOT if negated else words.IS_IT
    if rng.random() < 0.5:
        for thing, it in _named(scene, rng, "colour", "neither")[:1]:
            kind = thing.kind if same else _weighted([other for other in WEIGHTS if other != thing.kind], rng)
            text = say(rng, templates, it=it, so=with_article(kind))
            yield Question("attribute", text, *_answer(same != negated, f"{it} is {with_article(thing.kind)}"))
    else:
        for thing, it in _named(scene, rng, "kind", "neither")[:1]:
            colour = thing.colour if same else rng.choice([name for name in NAMES if name != thing.colour])
            text = say(rng, templates, it=it, so=colour)
            yield Question("attribute", text, *_answer(same != negated, f"{it} is {thing.colour}"))


def _background(scene: Scene, rng: Random) -> Iterator[Question]:
    if scene.background:
        text = say(rng, words.BACKGROUND)
        yield Question("background", text, scene.background, sentence(f"the background is {scene.background}"))


def _describe(scene: Scene, rng: Random) -> Iterator[Question]:
    """The things from left to right, each with its place; `elements` are what a description must not leave out."""
    things = sorted(scene.things, key=lambda thing: thing.centre)
    parts = []
    for thing in things:
        size = "" if thing.size == "medium" else f"{thing.size} "
        parts.append(f"{with_article(size + full_name(thing))} {AT[_nearest_place(thing, scene)]}")
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    if scene.background:
        listed += f", on {with_article(scene.background)} background"
    elements = tuple(full_name(thing) for thing in things)
    yield Question("describe", say(rng, words.DESCRIBE), ", ".join(elements), sentence(listed), elements)


def _nearest_place(thing: Thing, scene: Scene) -> str:
    x, y = thing.centre
    column, row = min(int(3 * x / scene.width), 2), min(int(3 * y / scene.height), 2)
    return list(AT)[3 * row + column]
