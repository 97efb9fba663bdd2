"""Questions about shapes. The oracle below reads each as a person would and looks the answer up in the scene itself."""

import re
from collections import Counter, defaultdict
from random import Random

import pytest

from train.data_engine.colours import NAMES
from train.data_engine.shapes import Shapes
from train.data_engine.shapes_kinds import HELD_OUT_SHAPES, KINDS
from train.data_engine.shapes_wording import SHAPE
from vlm.structure import Scene, Thing

FAMILY = Shapes()
NEGATION = re.compile(r"\b(no|not|missing|absent|wrong|anything but)\b")
KIND = {form: kind for kind in KINDS for form in (kind, f"{kind}s", f"{kind}es")}
GENERIC = {form for noun in SHAPE for form in (noun, f"{noun}s")}
MENTION = re.compile(rf"(?:\b({'|'.join(NAMES)}) )?\b({'|'.join([*KIND, *GENERIC])})\b")


@pytest.fixture(scope="module")
def asked():
    """Many training scenes, each with its questions."""
    scenes = [FAMILY.sample(Random(f"scene {i}"), "train") for i in range(2000)]
    return [(scene, FAMILY.ask(scene, Random(f"questions {i}"))) for i, scene in enumerate(scenes)]


@pytest.fixture(scope="module")
def answers(asked):
    """For every type of questions, those with yes or no also by polarity, how often which answer comes."""
    counts: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for _, questions in asked:
        for question in questions:
            polarity = ("negated" if NEGATION.search(question.text.lower()) else "plain",) if question.is_yes_no else ()
            counts[question.type, *polarity][question.answer] += 1
    return counts


def fits(thing: Thing, colour: str | None, noun: str) -> bool:
    return (not colour or thing.colour == colour) and (noun in GENERIC or thing.kind == KIND[noun])


def mentioned(scene: Scene, text: str) -> list[list[Thing]]:
    """For every noun phrase of the text, the things that it fits."""
    return [[thing for thing in scene.things if fits(thing, *found)] for found in MENTION.findall(text.lower())]


def the_only(scene: Scene, text: str) -> list[Thing]:
    """The things that the text names, each of which must be one and no other."""
    asked_for = r"what shape|which shape|kind of shape|type of shape|the shape of"
    things = mentioned(scene, re.sub(asked_for, "", text.lower()))
    assert all(len(fitting) == 1 for fitting in things), text
    return [thing for (thing,) in things]


def of_type(asked, *types):
    found = [(scene, question) for scene, questions in asked for question in questions if question.type in types]
    assert len(found) > 100
    return [(scene, question, question.text.lower()) for scene, question in found]


def test_existence_is_answered_by_what_is_there(asked):
    for scene, question, text in of_type(asked, "exists", "exists_not"):
        (fitting,) = mentioned(scene, text)
        assert question.answer == ("yes" if bool(fitting) != bool(NEGATION.search(text)) else "no"), text
        assert bool(fitting) == (" no " not in question.sentence.split(",", 1)[1]), question.sentence


def test_what_cannot_be_told_is_of_what_is_not_there(asked):
    for scene, question, text in of_type(asked, "cannot_tell"):
        assert mentioned(scene, text) == [[]], text
        assert question.answer == "it cannot be told from the picture"


def test_counts_are_the_number_of_fitting_things(asked):
    for scene, question, text in of_type(asked, "count"):
        (fitting,) = mentioned(scene, text)
        assert question.answer == str(len(fitting)), text
        word = ("no", "one", "two", "three", "four", "five", "six")[len(fitting)]
        assert f" {word} " in question.sentence


def test_shape_and_colour_are_those_of_the_only_thing_named(asked):
    for scene, question, text in of_type(asked, "shape", "color"):
        things = the_only(scene, text) or list(scene.things)
        assert {question.answer} == {thing.kind if question.type == "shape" else thing.colour for thing in things}, text
        assert question.answer in question.sentence and question.answer not in text


def test_attributes_are_confirmed_and_denied_rightly(asked):
    for scene, question, text in of_type(asked, "attribute", "attribute_not"):
        (fitting, *rest) = mentioned(scene, text)
        if rest:  # "is the red shape a circle?"
            holds = bool(set(map(id, fitting)) & set(map(id, rest[0])))
        else:  # "is the circle red?"
            holds = fitting[0].colour in re.findall(r"\w+", text)
        assert question.answer == ("yes" if holds != bool(NEGATION.search(text)) else "no"), text


def test_places_hold_in_pixels(asked):
    for scene, question, text in of_type(asked, "where", "side", "placed"):
        (thing,) = the_only(scene, text)
        x, y = thing.centre[0] / scene.width, thing.centre[1] / scene.height
        place = question.answer if question.type != "placed" else text
        true = {"left": x < 0.4, "right": x > 0.6, "top": y < 0.4, "bottom": y > 0.6}
        if question.type == "where":
            assert [side for side in true if true[side]] == [side for side in true if side in place], text
            left, top, right, bottom = thing.box
            reach = {"left": right / scene.width, "right": 1 - left / scene.width, "top": bottom / scene.height}
            reach["bottom"] = 1 - top / scene.height
            assert all(reach[side] < 0.66 for side in true if side in place), text
        elif question.type == "side":
            assert true[place], text
        else:
            claims = [true[side] for side in true if re.search(rf"\b{side}\b", place)]
            holds = all(claims) if claims else not any(true.values())
            assert question.answer == ("yes" if holds else "no"), text


def test_relations_hold_in_pixels(asked):
    for scene, question, text in of_type(asked, "relation"):
        (ax, ay), (bx, by) = (thing.centre for thing in the_only(scene, text))
        holds = {"left": ax < bx, "right": ax > bx, "above": ay < by, "below": ay > by}
        (claim,) = [holds[word] for word in holds if re.search(rf"\b{word}\b", text)]
        assert question.answer == ("yes" if claim else "no"), text


def test_sizes_hold_in_pixels(asked):
    for scene, question, text in of_type(asked, "size"):
        one, two = the_only(scene, text)
        holds = one.area < two.area if "smaller" in text else one.area > two.area
        assert question.answer == ("yes" if holds else "no"), text


def test_choices_name_the_right_one_of_the_two(asked):
    measures = {
        "further left": lambda thing: -thing.centre[0],
        "further right": lambda thing: thing.centre[0],
        "higher up": lambda thing: -thing.centre[1],
        "lower down": lambda thing: thing.centre[1],
        "bigger": lambda thing: thing.area,
        "larger": lambda thing: thing.area,
        "smaller": lambda thing: -thing.area,
    }
    for scene, question, text in of_type(asked, "relation_choice", "size_choice"):
        (measure,) = [measures[words] for words in measures if words in text]
        (chosen,) = the_only(scene, question.answer)
        assert chosen is max(the_only(scene, text), key=measure), text
        assert question.answer in text


def test_the_largest_and_the_smallest_are_so_by_a_clear_margin(asked):
    for scene, question, text in of_type(asked, "extreme_shape", "extreme_color"):
        first, second, *_ = sorted(scene.things, key=lambda thing: thing.area, reverse="smallest" not in text)
        assert max(first.area, second.area) > 1.5 * min(first.area, second.area)
        assert question.answer == (first.kind if question.type == "extreme_shape" else first.colour), text


def test_descriptions_name_everything(asked):
    for scene, question, _ in of_type(asked, "describe"):
        assert sorted(question.elements) == sorted(f"{thing.colour} {thing.kind}" for thing in scene.things)
        assert question.answer == ", ".join(question.elements)
        for element in question.elements:
            assert question.sentence.lower().count(element) == question.elements.count(element)
        assert ("background" in question.sentence) == (scene.background is not None)


def test_the_background_is_asked_for_only_where_it_has_one_colour(asked):
    for scene, question, _ in of_type(asked, "background"):
        assert question.answer == scene.background is not None


def test_questions_are_filled_in_and_never_twice(asked):
    for _, questions in asked:
        assert len({question.text for question in questions}) == len(questions) <= 12
        for question in questions:
            assert not re.search(r"[{}]|\ba [aeiou]|\ban [^aeiou]", f"{question.text} {question.sentence}"), question


def test_a_picture_has_about_a_dozen_questions_and_few_with_yes_or_no(asked):
    number = sum(len(questions) for _, questions in asked)
    assert 10.5 < number / len(asked) <= 12
    assert 0.25 < sum(question.is_yes_no for _, questions in asked for question in questions) / number < 0.4


def test_yes_and_no_cannot_be_guessed_from_the_type_and_the_polarity(answers):
    yes_no = {key: counts for key, counts in answers.items() if len(key) == 2}
    assert set(yes_no) == {
        *((type, "plain") for type in ("exists", "attribute", "placed", "relation", "size")),
        *((type, "negated") for type in ("exists_not", "attribute_not")),
    }
    for key, counts in yes_no.items():
        assert max(counts.values()) / counts.total() < 0.55, (key, counts)


def test_yes_and_no_cannot_be_guessed_from_the_kind_that_is_asked_for(asked):
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for _, question, text in of_type(asked, "exists", "exists_not"):
        if not NEGATION.search(text):
            counts[KIND.get(MENTION.search(text).group(2), "colour only")][question.answer] += 1
    for kind, found in counts.items():
        assert max(found.values()) / found.total() < 0.62, (kind, found)  # rare kinds are asked for some 150 times


def test_choices_cannot_be_guessed_from_the_order_of_mention(asked):
    for type in ("relation_choice", "size_choice"):
        questions = [(question.answer, text) for _, question, text in of_type(asked, type)]
        first = sum(len(re.split(rf"\b{answer}\b", text)[0]) < text.rindex("the ") for answer, text in questions)
        assert 0.45 < first / len(questions) < 0.55


def test_what_training_never_shows_is_never_said_to_be_absent(asked):
    for _, _, text in of_type(asked, "exists", "exists_not"):
        assert not any(f"{colour} {kind}" in text for kind, colour in HELD_OUT_SHAPES)
