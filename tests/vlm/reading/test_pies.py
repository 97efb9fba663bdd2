import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from vlm.reading.pies import hole_of, match_angles, refined_circle, slice_edges
from vlm.reading.seen import SeenWord
from vlm.scene_heads import ANGLES
from vlm.structure import Label

STEP = 2 * math.pi / ANGLES


def chances(*angles):
    """Around the angles as the head learns them."""
    places = (torch.arange(ANGLES) + 0.5) * STEP
    away = (places[:, None] - torch.tensor(angles) + math.pi).remainder(2 * math.pi) - math.pi
    return (-(away / STEP).square() / 2).exp().amax(dim=1).tolist()


@pytest.mark.parametrize("angles", [(0.3, 2.0, 4.5), (0.0, 3.0), (0.013, 1.0, 6.27), (1.0, 1.2, 5.0)])
def test_slices_meet_where_the_chance_is_highest(angles):
    found = [angle for angle, _ in slice_edges(chances(*angles))]
    assert found == sorted(found) and len(found) <= len(angles)
    for angle in angles:
        assert min(abs((one - angle + math.pi) % (2 * math.pi) - math.pi) for one in found) < 1.2 * STEP


def test_weak_chances_are_no_edges():
    assert slice_edges([0.29] * 90 + [0.1] * 90) == [] and slice_edges([0.0] * ANGLES) == []


@pytest.mark.parametrize("colour", ["white", "black"])
def test_the_rim_of_a_pie_is_found_in_the_picture(colour):
    image = Image.new("RGB", (200, 160), colour)
    ImageDraw.Draw(image).ellipse((40, 20, 160, 140), (200, 60, 60))
    found = refined_circle(np.asarray(image, np.float32), torch.tensor([93.0, 86.0, 52.0]))
    assert found.tolist() == pytest.approx([100, 80, 60], abs=1.5)


@pytest.mark.parametrize("circle", [[100.0, 80.0, 50.0], [0.0, 0.0, 900.0], [-50.0, 80.0, 1.0]])
def test_where_there_is_no_rim_the_circle_stays(circle):
    pixels = np.full((160, 200, 3), 255, np.float32)
    found = refined_circle(pixels, torch.tensor(circle))
    assert found.isfinite().all()
    noisy = refined_circle(
        np.random.default_rng(0).uniform(0, 255, (160, 200, 3)).astype(np.float32), torch.tensor(circle)
    )
    assert noisy.isfinite().all()


def name(text, x, y):
    return SeenWord(Label(text=text, box=(x - 5, y - 5, x + 5, y + 5)), "category", 0)


def test_names_stand_at_their_slices():
    spans = [(0.0, math.pi), (math.pi, 1.5 * math.pi), (1.5 * math.pi, 2 * math.pi)]  # right, lower left, upper left
    names = [name("upper left", 60, 60), name("right", 150, 100), name("lower left", 60, 140)]
    found = match_angles(names, (100, 100), spans)
    assert {i: names[j].label.text for i, (j, _) in found.items()} == {0: "right", 1: "lower left", 2: "upper left"}


def test_a_name_is_given_to_one_slice():
    spans = [(0.0, math.pi), (math.pi, 2 * math.pi)]
    found = match_angles([name("a", 150, 100)], (100, 100), spans)
    assert list(found) == [0] and match_angles([], (100, 100), spans) == {}


@pytest.mark.parametrize(("hole", "radius"), [(0, 60), (24, 60), (30, 50)])
def test_a_donut_is_told_from_a_pie_by_its_hole(hole, radius):
    image = Image.new("RGB", (200, 160), "white")
    draw = ImageDraw.Draw(image)
    for number, colour in enumerate(("red", "blue", "orange")):
        ends = (100 - radius, 80 - radius, 100 + radius, 80 + radius)
        draw.pieslice(ends, 120 * number, 120 * number + 120, colour, outline="white", width=2)
    draw.ellipse((100 - hole, 80 - hole, 100 + hole, 80 + hole), "white" if hole else "red")
    assert hole_of(np.asarray(image, np.float32), (100.0, 80.0, float(radius))) == pytest.approx(hole, abs=2)
