"""Labelled drawings: every line ends on the part that it is for, and no question can be guessed."""

from itertools import combinations, pairwise
from random import Random

import pytest

from train.data_engine.held_out import HELD_OUT
from train.data_engine.lettering import apart
from train.data_engine.parts import LabelledParts
from train.data_engine.parts_drawings import DRAWINGS, MACHINE, parse
from train.data_engine.parts_labels import is_clear
from train.data_engine.parts_lines import cross, encloses, touches
from train.data_engine.tables_layout import PALETTES
from vlm.structure import CallOut, Label

FAMILY = LabelledParts()


@pytest.fixture(scope="module")
def drawings():
    return [FAMILY.sample(Random(f"parts {i}"), "train") for i in range(900)]


def points_along(route):
    for (a, b), (c, d) in pairwise(route):
        for step in range(101):
            yield a + (c - a) * step / 100, b + (d - b) * step / 100


def test_a_truth_comes_back_from_its_json(drawings):
    for drawn in drawings[:30]:
        assert type(drawn).model_validate_json(drawn.model_dump_json()) == drawn


def test_a_label_of_a_part_that_is_not_there_is_refused(drawings):
    changed = drawings[0].model_dump()
    changed["call_outs"][1]["part"] = 9
    with pytest.raises(ValueError, match="points to part 9, but there are"):
        type(drawings[0]).model_validate(changed)


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


def test_a_line_across_another_line_or_label_is_noticed(drawings):
    def call_out(x, *route):
        label = Label(text="A", box=(x, 5, x + 10, 15))
        return CallOut(label=label, part=0, route=route, key=None, meaning=None)

    style = drawings[0].style
    one, other = call_out(20, (25, 30), (25, 60)), call_out(90, (95, 30), (95, 60))
    assert is_clear([one, other], style)
    assert not is_clear([call_out(20, (50, 10), (120, 10)), other], style)
    assert not is_clear([call_out(20, (25, 30), (120, 50)), other], style)


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
    held = ((HELD_OUT.fonts, "font"), (HELD_OUT.palettes, "palette"), (HELD_OUT.part_arrangements, "arrangement"))
    for held_out, name in held:
        assert held_out.isdisjoint(getattr(drawn.style, name) for drawn in drawings)
        assert held_out <= {getattr(style, name) for style in tested}
