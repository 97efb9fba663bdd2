"""Questions about a scene of things, computed from its truth; only such as have one answer.

What a guesser could use is evened out where it arises: a coin decides between yes and no before a fitting question is
looked for, and what is the answer more often (things of small groups, low counts) is asked for less often.
"""

from collections import Counter
from collections.abc import Iterator
from random import Random

from vlm.structure import Thing
from vlm.structure.kinds import SYNONYMS, plural
from vlm.structure.wording import with_article

from . import shapes_wording
from . import things_wording as words
from .colours import NAMES
from .family import Question
from .shapes_facts import PLACES, clear_place, clear_relations, clearly_larger, nearest_place
from .shapes_questions import BESIDE, background, placed, relation, where
from .shapes_wording import NUMBERS, full_name, names, say, sentence
from .tables_questions import CANNOT_TELL, listing, yes_no
from .things_layout import MOST_ALIKE, IconScene
from .things_words import CATEGORIES, CATEGORY_OF, DRAWINGS, GROUP_OF, GROUPS

QUESTIONS = 12  # at most so many for one picture
LARGEST_GROUP = max(map(len, GROUPS))
# How many pictures repeat a kind, a colour, a category (see `choose` in things_layout).
REPEATING = {"kind": 0.7 / 2 / 3, "colour": 0.7 / 2 / 2, "category": 0.7 / 2 * 2 / 3 * len(CATEGORIES) / len(GROUPS)}


def ask(scene: IconScene, rng: Random) -> list[Question]:
    """Up to a dozen questions that this scene can answer, in random order, no text twice."""
    asked = {question.text: question for make in MAKERS for question in make(scene, rng)}
    questions = list(asked.values())
    rng.shuffle(questions)
    return questions[:QUESTIONS]


def _is(thing: Thing, it: str) -> str:
    return f"{it} is {with_article(thing.kind)}"


def _may_name(thing: Thing, rng: Random) -> bool:
    """Evens out the kinds as answers: those of small groups are drawn more often."""
    return rng.random() < len(GROUP_OF[thing.kind]) / LARGEST_GROUP


def _only(scene: IconScene) -> list[Thing]:
    """The things whose kind no other has."""
    counts = Counter(thing.kind for thing in scene.things)
    return [thing for thing in scene.things if counts[thing.kind] == 1]


def _what(scene: IconScene, rng: Random) -> Iterator[Question]:
    """The thing itself, by being alone, by its place, its colour or its category."""
    for thing in scene.things:
        if not _may_name(thing, rng):
            continue
        others = [other for other in scene.things if other is not thing]
        place, category = clear_place(thing, scene), CATEGORY_OF.get(thing.kind)
        answer = thing.kind.lower()
        if not others:
            yield Question("what", say(rng, words.WHAT), answer, sentence(_is(thing, "this")))
        elif place and rng.random() < 0.5 and all(nearest_place(other, scene) != place for other in others):
            fact = f"{PLACES[place]} is {with_article(thing.kind)}"
            yield Question("what_at", say(rng, words.WHAT_AT, at=PLACES[place]), answer, sentence(fact))
        elif all(other.colour != thing.colour for other in others):
            text = say(rng, words.WHAT_COLOR, so=thing.colour)
            yield Question("what_color", text, answer, sentence(_is(thing, f"the {thing.colour} thing")))
        if category and all(CATEGORY_OF.get(other.kind) != category for other in others):
            text = say(rng, words.WHICH_KIND, category=category)
            yield Question("which_kind", text, answer, sentence(_is(thing, f"the {category}")))


def _beside(scene: IconScene, rng: Random) -> Iterator[Question]:
    """What is on one side of a thing, where there is only one such thing and nothing is in between."""
    for thing in rng.sample(_only(scene), len(_only(scene)))[:2]:
        others = [other for other in scene.things if other is not thing]
        for side in rng.sample(list(BESIDE), 4):
            axis, sign = int(side in ("above", "below")), -1 if side in ("left", "above") else 1
            nearer = [other for other in others if sign * (other.centre[axis] - thing.centre[axis]) > 0]
            if len(nearer) == 1 and clear_relations(nearer[0], thing, scene) == [side] and _may_name(nearer[0], rng):
                text = say(rng, words.WHAT_BESIDE, side=BESIDE[side], it=f"the {thing.kind}")
                fact = f"{BESIDE[side]} the {thing.kind} is {with_article(nearer[0].kind)}"
                yield Question("what_beside", text, nearer[0].kind.lower(), sentence(fact))
                break


def _colour(scene: IconScene, rng: Random) -> Iterator[Question]:
    """By kind, and by category where there is but one of it."""
    for thing in rng.sample(_only(scene), len(_only(scene)))[:2]:
        category = CATEGORY_OF.get(thing.kind)
        it = f"the {_called(thing.kind, rng)}"
        if category and sum(CATEGORY_OF.get(other.kind) == category for other in scene.things) == 1:
            it = rng.choice((it, f"the {category}"))
        text = say(rng, shapes_wording.COLOR_OF, it=it)
        yield Question("color", text, thing.colour, sentence(f"{it} is {thing.colour}"))


def _called(kind: str, rng: Random) -> str:
    """Its name, or now and then another one for it."""
    return rng.choice((kind, kind, rng.choice(SYNONYMS.get(kind, (kind,)))))


def _exists(scene: IconScene, rng: Random) -> Iterator[Question]:
    for noun in (_kind, _coloured, _category):
        there, negated = rng.random() < 0.5, rng.random() < 0.4
        name = noun(scene, there, rng)
        templates = shapes_wording.IS_THERE_NO if negated else shapes_wording.IS_THERE
        text = say(rng, templates, a=with_article(name), noun=name, them=plural(name))
        fact = f"there is {with_article(name)}" if there else f"there is no {name}"
        yield yes_no("exists_not" if negated else "exists", text, there != negated, fact)


def _kind(scene: IconScene, there: bool, rng: Random) -> str:
    """A kind that is there or not; half of the latter belong to the group of something that is there."""
    shown = {thing.kind: None for thing in scene.things}
    if there:
        return _called(rng.choice(list(shown)), rng)
    while True:
        kind = rng.choice(list(rng.choice((GROUP_OF[rng.choice(list(shown))], rng.choice(GROUPS)))))
        if kind not in shown:
            return _called(kind, rng)


def _coloured(scene: IconScene, there: bool, rng: Random) -> str:
    """Kind and colour, or a colour; what is not there mostly shares one of the two with something that is."""
    thing = rng.choice(scene.things)
    if rng.random() < 0.3:
        colours = {thing.colour for thing in scene.things}
        return f"{thing.colour if there else rng.choice([name for name in NAMES if name not in colours])} thing"
    if there:
        return full_name(thing)
    taken = {(thing.kind, thing.colour) for thing in scene.things}
    while True:
        group = rng.choice(GROUPS)
        kind, colour = rng.choice(((thing.kind, rng.choice(NAMES)), (rng.choice(list(group)), thing.colour)))
        if (kind, colour) not in taken:
            return f"{colour} {kind}"


def _category(scene: IconScene, there: bool, rng: Random) -> str:
    """Every category is as often there as not: groups are drawn evenly. Where none is shown, a kind serves as well."""
    shown = {CATEGORY_OF[thing.kind]: None for thing in scene.things if thing.kind in CATEGORY_OF}
    if not shown:
        return _kind(scene, there, rng)
    return rng.choice(list(shown) if there else [name for name in CATEGORIES if name not in shown])


def _which_category(scene: IconScene, rng: Random) -> Iterator[Question]:
    for thing in rng.sample(scene.things, len(scene.things))[:2]:
        it = names(thing, scene, rng).get("neither", names(thing, scene, rng).get("colour"))
        category = CATEGORY_OF.get(thing.kind)
        if it and category:
            offered = [category, *rng.sample([name for name in CATEGORIES if name != category], 2)]
            one, two, three = map(with_article, rng.sample(offered, 3))
            text = say(rng, words.WHICH_CATEGORY, it=it, one=one, two=two, three=three)
            fact = f"{it} is {with_article(category)}: {with_article(thing.kind)}"
            yield Question("category", text, category, sentence(fact))


def _count(scene: IconScene, rng: Random) -> Iterator[Question]:
    """Each of 2, 3, 4 and 5 of something; where nothing repeats, none and one as often as these."""
    few = {name: share / (MOST_ALIKE - 1) / (1 - share) for name, share in REPEATING.items()}
    shown: dict[str, list[str | None]] = {
        "kind": [thing.kind for thing in scene.things],
        "colour": [f"{thing.colour} thing" for thing in scene.things],
        "category": [CATEGORY_OF.get(thing.kind) for thing in scene.things],
    }
    every: dict[str, list[str]] = {
        "kind": list(DRAWINGS), "colour": [f"{name} thing" for name in NAMES], "category": list(CATEGORIES),
    }  # fmt: skip
    for attribute, values in shown.items():
        counts = Counter(value for value in values if value)
        repeated = [value for value, number in counts.items() if number > 1]
        if repeated:
            yield _how_many(repeated[0], counts[repeated[0]], rng)
        elif rng.random() < 2 * few[attribute]:
            number = rng.randint(0, 1)
            fitting = [value for value in every[attribute] if counts[value] == number]
            if fitting:
                yield _how_many(rng.choice(fitting), number, rng)


def _how_many(noun: str, number: int, rng: Random) -> Question:
    fact = f"there is one {noun}" if number == 1 else f"there are {NUMBERS[number]} {plural(noun)}"
    return Question("count", say(rng, shapes_wording.HOW_MANY, them=plural(noun)), str(number), sentence(fact))


def _larger(scene: IconScene, rng: Random) -> Iterator[Question]:
    things = _only(scene)
    if len(things) > 1:
        one, two = rng.sample(things, 2)
        large, small = (one, two) if clearly_larger(one, two) else (two, one)
        if clearly_larger(large, small):
            more, chosen = rng.choice((("larger", large), ("bigger", large), ("smaller", small), ("smaller", small)))
            text = say(rng, words.LARGER, more=more, it=f"the {one.kind}", other=f"the {two.kind}")
            yield Question("size_choice", text, chosen.kind.lower(), sentence(f"the {chosen.kind} is drawn {more}"))


def _attribute(scene: IconScene, rng: Random) -> Iterator[Question]:
    same, negated, about_kind = rng.random() < 0.5, rng.random() < 0.4, rng.random() < 0.5
    templates = shapes_wording.IS_IT_NOT if negated else shapes_wording.IS_IT
    thing = rng.choice(scene.things)
    it = names(thing, scene, rng).get("colour" if about_kind else "kind")
    if it and about_kind:
        true, asked = with_article(thing.kind), with_article(_kind(scene, False, rng))
    else:
        true, asked = thing.colour, rng.choice([name for name in NAMES if name != thing.colour])
    if it:
        text = say(rng, templates, it=it, so=true if same else asked)
        yield yes_no("attribute_not" if negated else "attribute", text, same != negated, f"{it} is {true}")


def _cannot_tell(scene: IconScene, rng: Random) -> Iterator[Question]:
    """What no picture tells of a thing, or where something is, and in which colour, that is not there."""
    chance = rng.random()
    if chance < 0.25 and _only(scene):
        it = f"the {rng.choice(_only(scene)).kind}"
        why = f"no picture of {it} shows that"
        yield Question("cannot_tell", say(rng, words.UNTOLD, it=it), CANNOT_TELL, sentence(f"{CANNOT_TELL}: {why}"))
    elif chance < 0.6:
        kind = _kind(scene, False, rng)
        templates = rng.choice((shapes_wording.COLOR_OF, shapes_wording.WHERE))
        fact = f"{CANNOT_TELL}: there is no {kind}"
        yield Question("cannot_tell", say(rng, templates, it=f"the {kind}"), CANNOT_TELL, sentence(fact))


def _describe(scene: IconScene, rng: Random) -> Iterator[Question]:
    """The things from left to right, each with its place."""
    things = sorted(scene.things, key=lambda thing: thing.centre)
    parts = [f"{with_article(full_name(thing))} {PLACES[nearest_place(thing, scene)]}" for thing in things]
    elements = tuple(full_name(thing) for thing in things)
    on = f", on {with_article(scene.background)} background" if scene.background else ""
    text = say(rng, shapes_wording.DESCRIBE)
    yield Question("describe", text, ", ".join(elements).lower(), sentence(listing(parts) + on), elements)


MAKERS = (
    _what, _beside, _colour, _exists, _which_category, _count, where, placed, relation, _larger, _attribute, background,
    _cannot_tell, _describe,
)  # fmt: skip
