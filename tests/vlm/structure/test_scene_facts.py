from tests.readings import parts, scene, thing
from vlm.structure import scene_facts as facts

STAR, DISC, OTHER = thing("red star", 150, 20), thing("blue disc", 20, 80), thing("red disc", 80, 50)
SCENE = scene(STAR, DISC, OTHER)


def test_things_are_counted_by_kind_and_by_colour():
    assert facts.counts_by_kind(SCENE) == {"disc": 2, "star": 1}
    assert facts.counts_by_colour(SCENE) == {"red": 2, "blue": 1}


def test_order_and_sides_go_by_the_middles():
    assert facts.from_left_to_right(SCENE.things) == (DISC, OTHER, STAR)
    assert facts.from_top_to_bottom(SCENE.things) == (STAR, OTHER, DISC)
    assert facts.is_left_of(DISC, STAR) and not facts.is_left_of(STAR, DISC)
    assert facts.is_above(STAR, DISC) and not facts.is_above(DISC, STAR)


def test_a_scene_in_words():
    assert facts.describe_scene(scene(STAR, DISC, STAR)) == [
        "scene: 3 things: red star (2), blue disc",
        "from left to right: blue disc, red star, red star",
        "from top to bottom: red star, red star, blue disc",
    ]
    assert facts.describe_scene(scene()) == ["scene: nothing in it"]


def test_call_outs_point_to_what_the_legend_says_else_to_the_part():
    assert facts.targets(parts()) == {"A": "red roof", "B": "front wall"}
    assert facts.find_call_out(parts(), "b").part == 1
    assert facts.find_call_out(parts(), "C") is None
    assert facts.describe_parts(parts())[0] == 'labelled drawing "House": 2 call-outs'
