"""Labelled drawings: every line ends on the part that it is for, and no question can be guessed."""

import re
from collections import Counter, defaultdict
from itertools import combinations, pairwise
from random import Random

import pytest

from train.data_engine.colours import NAMES
from train.data_engine.lettering import HELD_OUT_FONTS, apart
from train.data_engine.parts import LabelledParts
from train.data_engine.parts_drawings import DRAWINGS, MACHINE, MACHINE_PARTS, parse
from train.data_engine.parts_labels import is_clear
from train.data_engine.parts_layout import HELD_OUT_ARRANGEMENTS, MARKS
from train.data_engine.parts_lines import cross, encloses, touches
from train.data_engine.tables_layout import HELD_OUT_PALETTES, PALETTES
from vlm.structure import CallOut, Label, Parts, Thing

FAMILY = LabelledParts()
ALL_NAMES = {name for parts in DRAWINGS.values() for name in parts} | set(MACHINE_PARTS)


@pytest.fixture(scope="module")
def drawings():
    return [FAMILY.sample(Random(f"parts {i}"), "train") for i in range(900)]


@pytest.fixture(scope="module")
def asked(drawings):
    """(drawing, question) for all questions."""
    return [(drawn, question) for i, drawn in enumerate(drawings) for question in FAMILY.ask(drawn, Random(i))]


def of_type(asked, *types):
    found = [(drawn, question) for drawn, question in asked if question.type in types]
    assert len(found) > 60
    return found


def points_along(route):
    for (a, b), (c, d) in pairwise(route):
        for step in range(101):
            yield a + (c - a) * step / 100, b + (d - b) * step / 100


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


def test_a_truth_comes_back_from_its_json_and_points_only_to_parts_that_are_there():
    drawn = hand_made()
    assert Parts.model_validate_json(drawn.model_dump_json()) == drawn
    assert [drawn.part(one).kind for one in drawn.call_outs] == ["roof", "door", "wall"]
    changed = drawn.model_dump()
    changed["call_outs"][1]["part"] = 4
    with pytest.raises(ValueError, match="'B' points to part 4, but there are 4 parts"):
        Parts.model_validate(changed)


def test_every_whole_has_parts_for_the_most_labels():
    assert all(len(parts) in (7, 8) for parts in DRAWINGS.values())
    for shape in [shape for parts in DRAWINGS.values() for shape in parts.values()]:
        assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in parse(shape)), shape


def test_lines_and_boxes_meet_where_they_do():
    square = ((0, 0), (10, 0), (10, 10), (0, 10))
    assert encloses(square, (5, 5)) and not encloses(square, (15, 5)) and not encloses(square, (-1, 5))
    assert cross(((0, 0), (10, 10)), ((0, 10), (10, 0))) and not cross(((0, 0), (10, 0)), ((0, 1), (10, 1)))
    assert touches(((-5, 5), (15, 5)), (0, 0, 10, 10), gap=0) and touches(((4, 4), (6, 6)), (0, 0, 10, 10), gap=0)
    assert touches(((-5, 11), (15, 11)), (0, 0, 10, 10), gap=2) and not touches(((-5, 13), (15, 13)), (0, 0, 10, 10), 2)


def test_texts_are_apart_and_inside_their_picture(drawings):
    for drawn in drawings:
        assert 240 <= drawn.width <= 640 and 180 <= drawn.height <= 480
        assert apart(label.box for label in drawn.labels)
        for left, top, right, bottom in (label.box for label in drawn.labels):
            assert 0 <= left < right <= drawn.width and 0 <= top < bottom <= drawn.height


def test_lines_end_on_their_parts_and_not_on_what_hides_them(drawings):
    for drawn in drawings:
        for one in drawn.call_outs:
            assert encloses(drawn.part(one).outline, one.target)
            assert not any(encloses(thing.outline, one.target) for thing in drawn.things[one.part + 1 :])


def test_lines_run_across_no_text_and_across_no_other_line(drawings):
    for drawn in drawings:
        for one in drawn.call_outs:
            for x, y in points_along(one.route):
                for left, top, right, bottom in (label.box for label in drawn.labels):
                    assert not (left <= x <= right and top <= y <= bottom), one
        for one, other in combinations(drawn.call_outs, 2):
            assert not cross(one.route, other.route)


def test_a_line_across_another_label_is_noticed(drawings):
    style, (one, other, _) = drawings[0].style, hand_made().call_outs
    assert is_clear([one, other], style)
    x, y = other.label.box[:2]
    assert not is_clear([one.model_copy(update={"route": ((x - 20, y + 5), (x + 30, y + 5))}), other], style)
    assert not is_clear([one.model_copy(update={"route": (one.route[0], other.target)}), other], style)


def test_labels_stand_beside_the_drawing(drawings):
    for drawn in drawings:
        for one in drawn.call_outs:
            x, y = (one.label.box[0] + one.label.box[2]) / 2, (one.label.box[1] + one.label.box[3]) / 2
            assert not any(encloses(thing.outline, (x, y)) for thing in drawn.things)


def test_pixels_show_parts_and_ink_where_the_truth_has_them(drawings, monkeypatch):
    monkeypatch.setattr("train.data_engine.parts_picture.spoil", lambda picture, rng: picture)
    for drawn in drawings[:60]:
        picture = FAMILY.render(drawn, Random(1))
        assert picture.size == (drawn.width, drawn.height)
        for one in drawn.call_outs:
            part = drawn.part(one)
            fill = drawn.style.fills[one.part]
            assert fill in {colour for _, colour in picture.crop(tuple(map(round, part.box))).getcolors(1000000)}, part
            if one.key and len(one.meaning.text) > 3:
                ink = PALETTES[drawn.style.palette].ink
                seen = picture.crop(one.meaning.box).getcolors(100000)
                assert min(sum(abs(a - b) for a, b in zip(colour, ink, strict=True)) for _, colour in seen) < 120


def test_a_legend_says_for_every_label_what_it_points_to(drawings):
    explained = [drawn for drawn in drawings if drawn.call_outs[0].key]
    assert explained
    for drawn in explained:
        for one in drawn.call_outs:
            assert one.key.text == one.label.text and one.meaning.text == drawn.part(one).kind
            assert one.key.box[2] < one.meaning.box[0]
        keys = sorted((one.key for one in drawn.call_outs), key=lambda key: key.box[1])
        assert [key.text for key in keys] == sorted(key.text for key in keys)
    for drawn in drawings:  # the blocks of machines have no names but those that are written
        assert drawn.subject != MACHINE or drawn in explained or len(drawn.call_outs[0].label.text) > 1


def test_training_never_shows_what_is_held_out_and_testing_shows_all_of_it(drawings):
    tested = [FAMILY.sample(Random(f"test {i}"), "test").style for i in range(120)]
    held = ((HELD_OUT_FONTS, "font"), (HELD_OUT_PALETTES, "palette"), (HELD_OUT_ARRANGEMENTS, "arrangement"))
    for held_out, name in held:
        assert held_out.isdisjoint(getattr(drawn.style, name) for drawn in drawings)
        assert held_out <= {getattr(style, name) for style in tested}


def test_a_hand_made_drawing_is_asked_about_rightly():
    found = {(question.type, question.answer) for i in range(200) for question in FAMILY.ask(hand_made(), Random(i))}
    expected = {
        "points_to": {"roof", "door", "wall"},
        "color_at": {"red", "blue", "green"},
        "label_of_part": {"k", "b", "e"},
        "count": {"3"},
        "extreme": {"k", "e"},
        "extreme_color": {"red", "green"},
        "read": {"k, b, e"},
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


def test_questions_are_filled_in_and_never_twice(drawings):
    for i, drawn in enumerate(drawings[:300]):
        questions = FAMILY.ask(drawn, Random(i))
        assert len({question.text for question in questions}) == len(questions) <= 12
        assert not any(re.search(r"[{}]", f"{question.text}{question.sentence}") for question in questions)
