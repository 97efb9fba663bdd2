"""Questions about labelled drawings, computed from their truth; only such as have one answer.

A coin decides between yes and no first. Names that many drawings have are asked for less often than others, so that
none is the answer more often; what stands at an end is asked for its colour, for roofs are always at the top.
"""

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from vlm.structure import CallOut, Parts
from vlm.structure.wording import with_article

from . import parts_wording as words
from .family import Question
from .parts_drawings import DRAWINGS, MACHINE, MACHINE_PARTS, MACHINES
from .parts_layout import MARKS
from .shapes_wording import COLOR_OF, say, sentence
from .tables_questions import CANNOT_TELL, listing, yes_no

QUESTIONS = 12  # at most so many for one picture
NAME_WEIGHTS = dict.fromkeys(MACHINE_PARTS, MACHINES / len(MACHINE_PARTS))  # how often each name is that of a part
for _parts in DRAWINGS.values():
    for _name in _parts:
        NAME_WEIGHTS[_name] = NAME_WEIGHTS.get(_name, 0.0) + (1 - MACHINES) / len(DRAWINGS) / len(_parts)
RAREST = min(NAME_WEIGHTS.values())


def ask(drawn: Parts, rng: Random) -> list[Question]:
    """Up to a dozen questions that this drawing can answer, in random order, no text twice."""
    asked = {question.text: question for make in MAKERS for question in make(drawn, rng)}
    questions = list(asked.values())
    rng.shuffle(questions)
    return questions[:QUESTIONS]


def _mark(drawn: Parts) -> str:
    """What the labels are: letters, numbers, or whole words."""
    text = drawn.call_outs[0].label.text
    return "label" if len(text) > 1 else "number" if text.isdigit() else "letter"


def _called(text: str, drawn: Parts, rng: Random) -> str:
    """How a sentence speaks of a label."""
    mark = _mark(drawn)
    return f'the label "{text}"' if mark == "label" else rng.choice((f"the {mark} {text}", f"label {text}"))


def _may_name(name: str, rng: Random) -> bool:
    return rng.random() < RAREST / NAME_WEIGHTS[name]


def _some(drawn: Parts, rng: Random, number: int) -> Iterator[tuple[CallOut, str, str, str]]:
    """Some of the call-outs, each with how its label is called, and the name and colour of its part."""
    for one in rng.sample(drawn.call_outs, number):
        yield one, _called(one.label.text, drawn, rng), drawn.part(one).kind, drawn.part(one).colour


def _points_to(drawn: Parts, rng: Random) -> Iterator[Question]:
    if _mark(drawn) != "label":
        for one, it, name, _ in _some(drawn, rng, 2):
            if not _may_name(name, rng):
                continue
            if one.meaning and rng.random() < 0.5:
                yield Question("legend", say(rng, words.LEGEND, it=it), name, sentence(f"{it} stands for {name}"))
            else:
                fact = f"{it} points to the {name}"
                yield Question("points_to", say(rng, words.POINTS_TO, it=it), name, sentence(fact))


def _colour(drawn: Parts, rng: Random) -> Iterator[Question]:
    """Of the part at a label, and of a part by its name."""
    for _, it, _, colour in _some(drawn, rng, 2):
        fact = f"{it} points to the {colour} part"
        yield Question("color_at", say(rng, words.COLOR_AT, it=it), colour, sentence(fact))
    for _, _, name, colour in _some(drawn, rng, 1):
        text = say(rng, COLOR_OF, it=f"the {name}")
        yield Question("color", text, colour, sentence(f"the {name} is {colour}"))


def _label_of(drawn: Parts, rng: Random) -> Iterator[Question]:
    mark = _mark(drawn)
    for number, (one, it, name, colour) in enumerate(_some(drawn, rng, 2)):
        by_name = number == 0 and mark != "label"
        if by_name or mark != "label" or _may_name(name, rng):
            part = f"the {name if by_name else f'{colour} part'}"
            text = say(rng, words.LABEL_OF, mark=mark, part=part)
            fact = f"{it} points to {part}"
            yield Question("label_of_part" if by_name else "label_of_color", text, one.label.text, sentence(fact))


def _count(drawn: Parts, rng: Random) -> Iterator[Question]:
    number, marks = len(drawn.call_outs), f"{_mark(drawn)}s"
    text = say(rng, words.COUNT, marks=marks)
    yield Question("count", text, str(number), sentence(f"{number} {marks} point to a part"))


def _extreme(drawn: Parts, rng: Random) -> Iterator[Question]:
    """The label furthest to one side, where it is so clearly."""
    mark = _mark(drawn)
    for most, axis, sign in (("topmost", 1, -1), ("bottommost", 1, 1), ("leftmost", 0, -1), ("rightmost", 0, 1)):
        places = {one: sign * (one.label.box[axis] + one.label.box[axis + 2]) / 2 for one in drawn.call_outs}
        first, second = sorted(drawn.call_outs, key=lambda one: -places[one])[:2]
        height = first.label.box[3] - first.label.box[1]
        colour, it = drawn.part(first).colour, f"the {most} {mark}"
        if places[first] - places[second] < 1.5 * height or rng.random() < 0.5:
            continue
        if rng.random() < 0.5 and mark != "label":
            text = say(rng, words.EXTREME, mark=mark, marks=f"{mark}s", most=most)
            fact = f"{it} that points to a part is {first.label.text}"
            yield Question("extreme", text, first.label.text, sentence(fact))
        else:
            text = say(rng, words.COLOR_AT, it=it)
            yield Question("extreme_color", text, colour, sentence(f"{it} points to the {colour} part"))


def _exists(drawn: Parts, rng: Random) -> Iterator[Question]:
    there, negated = rng.random() < 0.5, rng.random() < 0.4
    text = rng.choice(drawn.call_outs).label.text if there else _absent(drawn, rng)
    mark = _mark(drawn)
    it = f'label "{text}"' if mark == "label" else f"{mark} {text}"
    asked = say(rng, words.EXISTS_NOT if negated else words.EXISTS, a=f"a {it}")
    fact = f"there is {'a' if there else 'no'} {it}"
    yield yes_no("exists_not" if negated else "exists", asked, there != negated, fact)


def _absent(drawn: Parts, rng: Random) -> str:
    """What none of the labels says: another letter or number, or the name of a part that has no label."""
    taken = {one.label.text for one in drawn.call_outs}
    every: list[str] = [thing.kind for thing in drawn.things]
    if _mark(drawn) != "label":
        every = list(MARKS[f"{_mark(drawn)}s"])
    elif len(every) == len(taken):
        every = list(NAME_WEIGHTS)
    return rng.choice([text for text in every if text not in taken])


def _points(drawn: Parts, rng: Random) -> Iterator[Question]:
    """Whether a label points to a part, by its name and by its colour."""
    for way, (one, it, name, colour) in zip(("name", "colour"), _some(drawn, rng, 2), strict=True):
        if way == "name" and _mark(drawn) == "label":
            continue
        same, negated = rng.random() < 0.5, rng.random() < 0.4
        other = rng.choice([thing for thing in drawn.things if thing is not drawn.part(one)])
        if way == "name":
            part, true = f"the {name if same else other.kind}", f"the {name}"
        else:
            part, true = f"the {colour if same else other.colour} part", f"the {colour} part"
        text = say(rng, words.POINTS_NOT if negated else words.POINTS, it=it, part=part)
        yield yes_no("points_not" if negated else "points", text, same != negated, f"{it} points to {true}")


def _read(drawn: Parts, rng: Random) -> Iterator[Question]:
    """In the one order in which they stand, down or across."""
    for axis, order in ((1, "from top to bottom"), (0, "from left to right")):
        found = sorted((one.label for one in drawn.call_outs), key=lambda label: label.box[axis])
        if all(one.box[axis + 2] < two.box[axis] for one, two in pairwise(found)):
            text = say(rng, words.READ, marks=f"{_mark(drawn)}s", order=order)
            texts = [label.text for label in found]
            fact = f"{order}, the {_mark(drawn)}s are {listing(texts)}"
            yield Question("read", text, ", ".join(texts), sentence(fact))
            return


def _subject(drawn: Parts, rng: Random) -> Iterator[Question]:
    """Machines are drawn more often than anything else, and asked for less."""
    if drawn.subject and rng.random() < ((1 - MACHINES) / len(DRAWINGS) / MACHINES if drawn.subject == MACHINE else 1):
        fact = f"the drawing shows {with_article(drawn.subject)}"
        yield Question("subject", say(rng, words.SUBJECT), drawn.subject, sentence(fact))


def _cannot_tell(drawn: Parts, rng: Random) -> Iterator[Question]:
    """What a label points to that is not there, which label points to a part that has none, what no drawing shows."""
    chance, mark = rng.random(), _mark(drawn)
    pointed_to = {one.part for one in drawn.call_outs}
    bare = [thing for number, thing in enumerate(drawn.things) if number not in pointed_to]
    if chance < 0.2:
        it = _called(_absent(drawn, rng), drawn, rng)
        text = say(rng, rng.choice((words.POINTS_TO, words.COLOR_AT)), it=it)
        why = f"{it} is not there"
    elif chance < 0.4 and bare:
        thing = rng.choice(bare)
        part = f"the {thing.colour} part" if mark == "label" or rng.random() < 0.5 else f"the {thing.kind}"
        text, why = say(rng, words.LABEL_OF, mark=mark, part=part), f"no {mark} points to {part}"
    elif chance < 0.55:
        part = f"the {drawn.part(rng.choice(drawn.call_outs)).kind}"
        text, why = say(rng, words.UNTOLD, part=part), f"the drawing only shows where {part} is"
    else:
        return
    yield Question("cannot_tell", text, CANNOT_TELL, sentence(f"{CANNOT_TELL}: {why}"))


def _describe(drawn: Parts, rng: Random) -> Iterator[Question]:
    """What every label points to, from the top."""
    found = sorted(drawn.call_outs, key=lambda one: (one.label.box[1], one.label.box[0]))
    elements = []
    for one in found:
        name, colour = drawn.part(one).kind, drawn.part(one).colour
        part = "part" if one.label.text == name else name
        elements.append(f"{one.label.text} points to the {colour} {part}")
    of = f" of {with_article(drawn.subject)}" if drawn.subject else ""
    fact = f"a drawing{of} with {len(found)} labels: {listing(elements)}"
    yield Question("describe", say(rng, words.DESCRIBE), ", ".join(elements), sentence(fact), tuple(elements))


MAKERS = (
    _points_to, _colour, _label_of, _count, _extreme, _exists, _points, _read, _subject, _cannot_tell, _describe,
)  # fmt: skip
