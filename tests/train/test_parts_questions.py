"""Questions about labelled drawings: answers looked up again in the truth, and none can be guessed."""

import re
from collections import Counter, defaultdict
from random import Random

import pytest

from tests.train.folding import folded
from train.data_engine.colours import NAMES
from train.data_engine.parts import LabelledParts
from train.data_engine.parts_drawings import DRAWINGS, MACHINE_PARTS
from train.data_engine.parts_layout import MARKS
from vlm.structure import CallOut, Label, Parts, Thing

FAMILY = LabelledParts()
ALL_NAMES = {name for parts in DRAWINGS.values() for name in parts} | set(MACHINE_PARTS)


@pytest.fixture(scope="module")
def asked():
    """(drawing, question) for all questions."""
    drawings = [FAMILY.sample(Random(f"parts {i}"), "train") for i in range(900)]
    return [(drawn, folded(question)) for i, drawn in enumerate(drawings) for question in FAMILY.ask(drawn, Random(i))]


def of_type(asked, *types):
    found = [(drawn, question) for drawn, question in asked if question.type in types]
    assert len(found) > 60
    return found


def by_label(drawn: Parts) -> dict[str, Thing]:
    """Label -> part, read again from the truth."""
    return {one.label.text: drawn.things[one.part] for one in drawn.call_outs}


def label_in(drawn: Parts, text: str) -> str:
    """The one label of a drawing that a question speaks about."""
    quoted = re.search(r'"(.+)"', text) or re.search(r"\b(?:letter|number|[Ll]abel) (\w)\b", text)
    return quoted[1]


def hand_made() -> Parts:
    def part(kind, colour, x):
        return Thing(kind=kind, colour=colour, size="small", outline=((x, 50), (x + 30, 50), (x + 30, 80), (x, 80)))

    def call_out(text, number, x):
        label = Label(text=text, box=(x, 5, x + 10, 15))
        return CallOut(label=label, part=number, route=((x + 5, 17), (x + 5, 60)), key=None, meaning=None)

    things = (part("roof", "red", 10), part("door", "blue", 80), part("wall", "green", 150), part("step", "pink", 200))
    call_outs = (call_out("K", 0, 20), call_out("B", 1, 90), call_out("E", 2, 160))
    return Parts(
        width=300, height=100, background=None, things=things, subject="house", title=None, call_outs=call_outs
    )


def test_a_hand_made_drawing_is_asked_about_rightly():
    found = {(question.type, question.answer) for i in range(200) for question in FAMILY.ask(hand_made(), Random(i))}
    expected = {
        "points_to": {"roof", "door", "wall"},
        "color_at": {"red", "blue", "green"},
        "label_of_part": {"K", "B", "E"},
        "count": {"3"},
        "extreme": {"K", "E"},
        "extreme_color": {"red", "green"},
        "read": {"K, B, E"},
        "subject": {"house"},
    }
    for type, answers in expected.items():
        assert {answer for found_type, answer in found if found_type == type} == answers, type


def test_labels_point_to_the_part_and_the_colour_that_is_answered(asked):
    for drawn, question in of_type(asked, "points_to", "legend"):
        assert by_label(drawn)[label_in(drawn, question.text)].kind == question.answer
    for drawn, question in of_type(asked, "color_at"):
        assert by_label(drawn)[label_in(drawn, question.text)].colour == question.answer


def test_the_label_of_a_part_or_a_colour_is_found(asked):
    for drawn, question in of_type(asked, "label_of_part", "label_of_color"):
        (part,) = {part.kind if question.type == "label_of_part" else part.colour
                   for text, part in by_label(drawn).items() if text.lower() == question.answer}  # fmt: skip
        assert re.search(rf"\bthe {part}\b", question.text.lower())


def test_claims_about_labels_hold(asked):
    for drawn, question in of_type(asked, "points", "points_not"):
        part = by_label(drawn)[label_in(drawn, question.text)]
        claimed = re.sub(r'"[^"]*"', "", question.text.lower())
        names = [name for name in {thing.kind for thing in drawn.things} if re.search(rf"\bthe {name}\b", claimed)]
        if names:
            holds = max(names, key=len) == part.kind
        else:
            holds = f"the {part.colour} part" in claimed
        assert (question.answer == "yes") == (holds == (question.type == "points")), question
    for drawn, question in of_type(asked, "exists", "exists_not"):
        there = label_in(drawn, question.text) in by_label(drawn)
        assert (question.answer == "yes") == (there == (question.type == "exists")), question


def test_labels_are_counted_and_read_in_order(asked):
    for drawn, question in of_type(asked, "count"):
        assert question.answer == str(len(drawn.call_outs))
    for drawn, question in of_type(asked, "read"):
        axis = 1 if "top to bottom" in question.text.lower() else 0
        found = sorted(drawn.call_outs, key=lambda one: one.label.box[axis] + one.label.box[axis + 2])
        assert question.answer == ", ".join(one.label.text.lower() for one in found)


def test_what_cannot_be_told_is_of_no_label_or_in_no_drawing(asked):
    for drawn, question in of_type(asked, "cannot_tell"):
        if "is not there" in question.sentence:
            assert label_in(drawn, question.text) not in by_label(drawn)
        elif "points to" in question.sentence:
            part = re.search(r"points to the (.*)\.", question.sentence)[1].removesuffix(" part")
            assert all(part not in (thing.kind, thing.colour) for thing in by_label(drawn).values()), question
        else:
            assert re.search("made|long|weigh|old|cost|wide", question.text)


def test_descriptions_name_every_label_with_its_part(asked):
    for drawn, question in of_type(asked, "describe"):
        assert len(question.elements) == len(drawn.call_outs)
        for text, part in by_label(drawn).items():
            (element,) = [element for element in question.elements if element.startswith(f"{text} points")]
            assert part.colour in element and element in question.sentence


def test_nothing_can_be_guessed_without_the_picture(asked):
    """A guesser learns from half of the questions what is answered most, by type and by what the labels are called."""
    halves: dict[tuple[str, str], tuple[Counter[str], Counter[str]]] = defaultdict(lambda: (Counter(), Counter()))
    for number, (_, question) in enumerate(asked):
        by_mark = question.type == "extreme" or question.type.startswith("label_of")
        named = re.findall("letter|number|label", question.text.lower())[:1] if by_mark else [""]
        if question.is_yes_no:
            named += [word for word in (*NAMES, *ALL_NAMES) if re.search(rf"\b{word}\b", question.text)]
        for word in named:
            halves[question.type, word][number % 2][question.answer] += 1
    marks = {"letter": 1 / len(MARKS["letters"]), "number": 1 / len(MARKS["numbers"]), "label": 1 / len(ALL_NAMES)}
    chances = {"count": 1 / 5, "subject": 1 / (len(DRAWINGS) + 1)}
    chances |= dict.fromkeys(("color", "color_at", "extreme_color"), 1 / len(NAMES))
    for (type, word), (seen, unseen) in halves.items():
        if type in ("describe", "cannot_tell") or min(seen.total(), unseen.total()) < 30:
            continue
        chance = marks[word] if word in marks else chances.get(type, 1 / len(ALL_NAMES))
        limit = 0.55 if set(seen) <= {"yes", "no"} else 1.2 * chance
        guessed, total = unseen[max(seen, key=seen.get)], unseen.total()
        assert guessed / total < limit + 2 * (limit * (1 - limit) / total) ** 0.5, (type, word, seen, unseen)


def test_questions_are_filled_in_and_never_twice():
    for i in range(200):
        questions = FAMILY.ask(FAMILY.sample(Random(i), "train"), Random(i))
        assert len({question.text for question in questions}) == len(questions) <= 12
        assert not any(re.search(r"[{}]", f"{question.text}{question.sentence}") for question in questions)
