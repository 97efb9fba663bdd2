import json

import pytest
from pydantic import ValidationError

from vlm.structure import Scene, Thing

SQUARE = ((10.0, 20.0), (30.0, 20.0), (30.0, 40.0), (10.0, 40.0))


def thing(**changes) -> Thing:
    return Thing(**{"kind": "rectangle", "colour": "red", "size": "small", "outline": SQUARE, **changes})


def scene(*things: Thing) -> Scene:
    return Scene(width=100, height=80, background=None, things=things)


def test_measures_follow_from_the_outline():
    triangle = thing(outline=((10, 20), (30, 20), (10, 60)))
    assert triangle.box == (10, 20, 30, 60)
    assert triangle.centre == (20, 40)
    assert (triangle.shorter_side, triangle.longer_side) == (20, 40)
    assert triangle.area == 400


def test_the_area_does_not_depend_on_the_direction_of_the_outline():
    assert thing().area == thing(outline=SQUARE[::-1]).area == 400


def test_a_scene_survives_json_exactly():
    truth = scene(thing(), thing(kind="star", colour="blue", outline=((0.25, 1 / 3), (5, 5), (1, 9))))
    text = truth.model_dump_json()
    assert Scene.model_validate_json(text) == truth
    assert json.loads(text)["things"][1]["outline"][0] == [0.25, 1 / 3]


def test_a_truth_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        thing().colour = "blue"


def test_an_unknown_field_is_named():
    with pytest.raises(ValidationError, match="color"):
        thing(color="blue")


def test_a_thing_outside_its_picture_is_refused_with_its_place():
    with pytest.raises(ValidationError, match=r"red rectangle reaches from \(10.0, 20.0\) to \(130.0, 40.0\).*100x80"):
        scene(thing(outline=((10, 20), (130, 20), (30, 40))))
