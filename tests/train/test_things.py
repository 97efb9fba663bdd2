"""Things: every one has a name and a drawing, is where the truth has it, and no question can be guessed."""

import re
from collections import Counter, defaultdict
from random import Random

import pytest

from train.data_engine.colours import NAMES
from train.data_engine.held_out import HELD_OUT
from train.data_engine.lettering import apart
from train.data_engine.shapes_picture import choose_colours
from train.data_engine.things import Things
from train.data_engine.things_glyphs import masks, proportions
from train.data_engine.things_layout import Icon, IconScene, extent
from train.data_engine.things_picture import CONTRAST
from train.data_engine.things_words import CATEGORIES, CATEGORY_OF, DRAWINGS, GROUPS
from vlm.structure.kinds import SYNONYMS, plural
from vlm.structure.wording import with_article

FAMILY = Things()
MISSING = "\U000f0000"  # a character that no font draws
CALLED = {kind: [kind, *SYNONYMS.get(kind, ())] for kind in DRAWINGS}


def icon(kind, colour, x, y, side=40.0) -> Icon:
    corners = ((x, y), (x + side, y), (x + side, y + side), (x, y + side))
    return Icon(kind=kind, colour=colour, size="medium", outline=corners, drawing=DRAWINGS[kind][0], weight=400,
                angle=0, mirrored=False, filled=True)  # fmt: skip


def scene_of(*icons: Icon) -> IconScene:
    return IconScene(width=300, height=200, background=None, things=icons, pattern="plain")


@pytest.fixture(scope="module")
def scenes():
    return [FAMILY.sample(Random(f"things {i}"), "train") for i in range(1800)]


@pytest.fixture(scope="module")
def asked(scenes):
    """(scene, question) for all questions."""
    return [(scene, question) for i, scene in enumerate(scenes) for question in FAMILY.ask(scene, Random(i))]


def of_type(asked, *types):
    found = [(scene, question) for scene, question in asked if question.type in types]
    assert len(found) > 60
    return found


def answers(scene, type):
    """All answers to questions of this type about a hand-made scene, by what was asked in lower case."""
    questions = [question for i in range(60) for question in FAMILY.ask(scene, Random(i)) if question.type == type]
    assert questions
    return {(question.text.lower(), question.answer) for question in questions}


def test_every_drawing_is_a_kind_of_its_own_and_none_is_missing_from_the_font():
    drawn = "".join(DRAWINGS.values())
    assert len(DRAWINGS) == sum(map(len, GROUPS)) > 200  # no kind in two groups
    assert len(set(drawn)) == len(drawn) and set(drawn) >= set(HELD_OUT.thing_drawings)
    assert all(set(drawings) - set(HELD_OUT.thing_drawings) for drawings in DRAWINGS.values())
    pictures = Counter(masks(drawing, 400, (48, 48))[0].tobytes() for drawing in (*drawn, MISSING))
    assert max(pictures.values()) == 1  # a font shows all that it lacks as the same box
    names = [name for called in CALLED.values() for name in called]
    assert len(set(names)) == len(names)


def test_names_have_their_articles_and_plurals():
    assert [with_article(kind) for kind in ("owl", "egg", "car")] == ["an owl", "an egg", "a car"]
    nouns = {"loaf of bread": "loaves of bread", "scarf": "scarves", "mouse": "mice", "bus": "buses",
             "pair of socks": "pairs of socks", "strawberry": "strawberries", "key": "keys", "fox": "foxes",
             "maple leaf": "maple leaves", "paintbrush": "paintbrushes"}  # fmt: skip
    assert {noun: plural(noun) for noun in nouns} == nouns


def test_things_are_inside_their_picture_and_apart(scenes):
    for scene in scenes:
        assert 200 <= scene.width <= 640 and 150 <= scene.height <= 480
        assert apart((thing.box for thing in scene.things), gap=4)
        for thing in scene.things:
            left, top, right, bottom = thing.box
            assert 0 <= left < right <= scene.width and 0 <= top < bottom <= scene.height
            assert thing.longer_side > 0.15 * max(scene.width, scene.height)


def test_pixels_show_every_thing_in_its_colour_where_the_truth_has_it(scenes, monkeypatch):
    for number, scene in enumerate([scene for scene in scenes if scene.background][:40]):
        colours, _ = choose_colours(scene, Random(number), CONTRAST)  # what drawing begins with
        monkeypatch.setattr("train.data_engine.things_picture.spoil", lambda picture, rng: picture)
        picture = FAMILY.render(scene, Random(number))
        assert picture.size == (scene.width, scene.height)
        paper = picture.getpixel((0, 0))
        for thing, colour in zip(scene.things, colours, strict=True):
            left, top, right, bottom = map(round, thing.box)
            seen = dict(map(reversed, picture.crop((left, top, right, bottom)).getcolors(1000000)))
            assert seen.get(colour, 0) > 0.02 * (right - left) * (bottom - top), thing
            picture.paste(paper, (left - 2, top - 2, right + 2, bottom + 2))
        assert picture.getcolors() == [(scene.width * scene.height, paper)]  # nothing is drawn anywhere else


def test_a_turned_thing_keeps_its_measures(scenes):
    turned = [thing for scene in scenes for thing in scene.things if thing.angle]
    assert turned
    for thing in turned[:200]:
        (width, height), (wide, high) = extent(thing), proportions(thing.drawing, thing.weight)
        assert width / wide == pytest.approx(height / high, abs=2 / min(wide, high))


def test_nothing_is_asked_for_by_a_place_that_two_things_share():
    scene = scene_of(icon("owl", "red", 5, 5, 20), icon("car", "blue", 30, 5, 20), icon("tree", "green", 255, 155))
    assert {answer for _, answer in answers(scene, "what_at")} == {"tree"}


def test_training_never_shows_what_is_held_out_and_testing_shows_all_of_it(scenes):
    tested = [FAMILY.sample(Random(f"test {i}"), "test") for i in range(1200)]
    for held_out, shown in (
        (HELD_OUT.thing_patterns, lambda scenes: {scene.pattern for scene in scenes}),
        (set(HELD_OUT.thing_drawings), lambda scenes: {thing.drawing for scene in scenes for thing in scene.things}),
    ):
        assert held_out.isdisjoint(shown(scenes))
        assert held_out <= shown(tested)


def test_what_is_asked_for_by_place_colour_or_category_is_the_only_such_thing():
    scene = scene_of(icon("owl", "red", 5, 5), icon("car", "blue", 255, 155))
    places = (("top left", "owl"), ("bottom right", "car"))
    assert all(
        any(place in text and answer == it for place, it in places) for text, answer in answers(scene, "what_at")
    )
    colours = (("red", "owl"), ("blue", "car"))
    assert all(any(so in text and answer == it for so, it in colours) for text, answer in answers(scene, "what_color"))
    kinds = (("animal", "owl"), ("vehicle", "car"))
    assert all(any(so in text and answer == it for so, it in kinds) for text, answer in answers(scene, "which_kind"))
    for text, answer in answers(scene, "category"):
        assert answer == ("animal" if "red" in text else "vehicle")


def test_the_thing_beside_another_is_the_only_one_there():
    scene = scene_of(icon("owl", "red", 5, 80), icon("car", "blue", 130, 85), icon("tree", "green", 255, 82))
    assert {(re.search("left|right", text)[0], re.search("owl|car|tree", text)[0], answer)
            for text, answer in answers(scene, "what_beside")} == {
        ("right", "car", "tree"), ("left", "car", "owl")}  # fmt: skip


def test_single_things_and_colours_are_told(asked):
    for scene, question in of_type(asked, "what"):
        assert [thing.kind.lower() for thing in scene.things] == [question.answer]
    for scene, question in of_type(asked, "color"):
        fitting = {thing.colour for thing in scene.things if any(name in question.text for name in CALLED[thing.kind])}
        category = {thing.colour for thing in scene.things if (CATEGORY_OF.get(thing.kind) or "?") in question.text}
        assert question.answer in fitting | category


def test_existence_is_answered_by_what_is_there(asked):
    for scene, question in of_type(asked, "exists", "exists_not"):
        noun = re.search(r"there is (?:an?|no) (.*)\.", question.sentence)[1]
        colour, _, rest = noun.partition(" ")
        if colour not in NAMES:
            colour, rest = "", noun
        there = any(
            rest in (*CALLED[thing.kind], CATEGORY_OF.get(thing.kind), "thing") and colour in ("", thing.colour)
            for thing in scene.things
        )
        assert (question.answer == "yes") == (there == (question.type == "exists")), question


def test_counts_are_right(asked):
    for scene, question in of_type(asked, "count"):
        words = question.text.lower()
        named = [thing for thing in scene.things if plural(thing.kind).lower() in words]
        named = named or [thing for thing in scene.things if f"{thing.colour} things" in words]
        named = named or [thing for thing in scene.things if plural(CATEGORY_OF.get(thing.kind) or "?") in words]
        assert question.answer == str(len(named)), question


def test_what_cannot_be_told_is_asked_of_what_is_absent_or_of_what_no_picture_shows(asked):
    for scene, question in of_type(asked, "cannot_tell"):
        absent = re.search(r"there is no (.*)\.", question.sentence)
        if absent:
            assert all(absent[1] not in CALLED[thing.kind] for thing in scene.things)
        else:
            assert re.search("old|cost|owns|heavy|drew|drawn|country|price|belong|town", question.text), question


def test_descriptions_name_every_thing_with_its_colour(asked):
    for scene, question in of_type(asked, "describe"):
        assert sorted(question.elements) == sorted(f"{thing.colour} {thing.kind}" for thing in scene.things)
        assert all(element in f"{question.sentence[0].lower()}{question.sentence}" for element in question.elements[1:])


def test_nothing_can_be_guessed_without_the_picture(asked):
    """A guesser learns from half of the questions what is answered most, by type, and by what the question names."""
    halves: dict[tuple[str, str], tuple[Counter[str], Counter[str]]] = defaultdict(lambda: (Counter(), Counter()))
    for number, (_, question) in enumerate(asked):
        named = [word for word in (*CATEGORIES, *NAMES) if re.search(rf"\b{word}\b", question.text)]
        for word in ("", *(named if question.is_yes_no or question.type == "which_kind" else ())):
            halves[question.type, word][number % 2][question.answer] += 1
        if question.type == "category":
            place = sorted(named, key=question.text.index).index(question.answer)
            halves["place of the category", ""][number % 2][str(place)] += 1
    chances = {"category": 1 / len(CATEGORIES), "place of the category": 1 / 3, "color": 1 / len(NAMES), "count": 1 / 6,
               "where": 1 / 9, "side": 1 / 4, "background": 1 / len(NAMES)}  # fmt: skip
    for (type, word), (seen, unseen) in halves.items():
        if type in ("describe", "cannot_tell") or min(seen.total(), unseen.total()) < 30:
            continue
        chance = 1 / len(CATEGORIES[word]) if type == "which_kind" and word else chances.get(type, 1 / len(DRAWINGS))
        limit = 0.55 if set(seen) <= {"yes", "no"} else 1.2 * chance
        guessed, total = unseen[max(seen, key=seen.get)], unseen.total()
        assert guessed / total < limit + 2 * (limit * (1 - limit) / total) ** 0.5, (type, word, seen, unseen)


def test_questions_are_filled_in_and_never_twice(scenes):
    for i, scene in enumerate(scenes[:300]):
        questions = FAMILY.ask(scene, Random(i))
        assert len({question.text for question in questions}) == len(questions) <= 12
        assert not any(re.search(r"[{}]", f"{question.text}{question.sentence}") for question in questions)
