from collections import Counter
from random import Random

import numpy as np
import pytest

from train.data_engine import draw
from train.data_engine.colours import NAMES, distance, pick
from train.data_engine.shapes import Shapes
from train.data_engine.shapes_kinds import COMMON, HELD_OUT_SHAPES, KINDS, SMALLEST_PIXELS, outline
from vlm.structure import Thing

FAMILY = Shapes()


@pytest.fixture(scope="module")
def scenes():
    return [FAMILY.sample(Random(i), "train") for i in range(1500)]


def test_training_never_shows_what_is_held_out(scenes):
    assert HELD_OUT_SHAPES.isdisjoint((thing.kind, thing.colour) for scene in scenes for thing in scene.things)


def test_testing_shows_everything_that_is_held_out():
    scenes = [FAMILY.sample(Random(i), "test") for i in range(1500)]
    assert {(thing.kind, thing.colour) for scene in scenes for thing in scene.things} >= HELD_OUT_SHAPES


def test_scenes_are_varied(scenes):
    numbers = Counter(len(scene.things) for scene in scenes)
    assert set(numbers) == {1, 2, 3, 4, 5, 6}
    assert 0.3 < numbers[1] / len(scenes) < 0.4
    things = [thing for scene in scenes for thing in scene.things]
    kinds = Counter(thing.kind for thing in things)
    assert set(kinds) == set(KINDS)
    assert 0.45 < sum(kinds[kind] for kind in COMMON) / len(things) < 0.55
    colours = Counter(thing.colour for thing in things)
    assert set(colours) == set(NAMES) and max(colours.values()) < 2 * min(colours.values())
    shares = [thing.longer_side / min(scene.width, scene.height) for scene in scenes for thing in scene.things]
    assert min(shares) < 0.12 and max(shares) > 0.85
    assert min(min(scene.width, scene.height) for scene in scenes) == 48
    assert max(max(scene.width, scene.height) for scene in scenes) <= 448


def test_things_can_be_told_apart(scenes):
    for scene in scenes:
        assert scene.background not in {thing.colour for thing in scene.things}
        for i, one in enumerate(scene.things):
            assert one.longer_side > SMALLEST_PIXELS[one.kind] - 0.1
            for two in scene.things[:i]:
                width = min(one.box[2], two.box[2]) - max(one.box[0], two.box[0])
                height = min(one.box[3], two.box[3]) - max(one.box[1], two.box[1])
                if width > 0 and height > 0:
                    assert one.colour != two.colour
                    smaller = min((b[2] - b[0]) * (b[3] - b[1]) for b in (one.box, two.box))
                    assert width * height < 0.07 * smaller


def test_a_square_is_a_rectangle_and_long_ones_are_too():
    ratios = []
    for seed in range(200):
        (ax, ay), (bx, by), (cx, cy), _ = outline("rectangle", 1.0, Random(seed))
        sides = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5, ((cx - bx) ** 2 + (cy - by) ** 2) ** 0.5
        ratios.append(max(sides) / min(sides))
    assert min(ratios) == pytest.approx(1) and max(ratios) > 3


@pytest.mark.parametrize("kind", KINDS)
def test_an_outline_has_the_size_that_was_asked_for(kind):
    for seed in range(20):
        points = outline(kind, 50.0, Random(seed))
        xs, ys = zip(*points, strict=True)
        assert (min(xs), min(ys)) == pytest.approx((0, 0))
        assert max(*xs, *ys) == pytest.approx(50)


def a_point_inside(thing: Thing) -> tuple[float, float]:
    if thing.kind == "ring":  # the middle between its edge and its hole
        (x, y), (u, v) = thing.outline[0], thing.outline[73]
        return (x + u) / 2, (y + v) / 2
    return sum(x for x, _ in thing.outline) / len(thing.outline), sum(y for _, y in thing.outline) / len(thing.outline)


def test_pictures_show_the_colours_that_the_truth_names():
    rng = Random(0)
    palette = [(name, pick(name, rng)) for name in NAMES for _ in range(40)]
    right = total = 0
    for seed in range(60):
        sample = draw("shapes", seed)
        assert sample.image.size == (sample.truth.width, sample.truth.height)
        for thing in sample.truth.things:
            x, y = a_point_inside(thing)
            pixel = sample.image.getpixel((int(x), int(y)))
            right += min(palette, key=lambda named: distance(named[1], pixel))[0] == thing.colour
            total += 1
    assert right / total > 0.95  # blur, noise and JPEG change a few pixels


def test_pictures_show_things_where_the_truth_has_them():
    checked = 0
    for seed in range(150):
        scene = FAMILY.sample(Random(seed), "train")
        if len(scene.things) > 1 or scene.background is None:
            continue
        picture = FAMILY.render(scene, Random(seed))
        corners = [(1, 1), (scene.width - 2, 1), (1, scene.height - 2), (scene.width - 2, scene.height - 2)]
        background = sorted(picture.getpixel(corner) for corner in corners)[1]
        differs = np.abs(np.asarray(picture).astype(int) - background).max(axis=2) > 45
        (rows,), (columns,) = differs.any(axis=1).nonzero(), differs.any(axis=0).nonzero()
        found = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
        tolerance = 2 + 0.03 * max(picture.size)
        assert found == pytest.approx(scene.things[0].box, abs=tolerance), seed
        checked += 1
    assert checked > 15
