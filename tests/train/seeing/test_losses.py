from functools import cache
from random import Random

import pytest
import torch

from tests.oracle import Heads
from train.seeing.config import SceneConfig
from train.seeing.loop import VOCABULARY, new_reader, trained
from train.seeing.losses import WEIGHTS, _focal, _heat, losses, series_losses, total
from train.seeing.pictures import picture
from train.seeing.targets import UNKNOWN, SeriesTarget
from vlm.scene_heads import BAND, FAMILIES, PLACES, SeriesPlaces

CONFIG = SceneConfig(families={"charts": 1}, output_dir="unused", max_steps=1)
EXACT = {
    "family", "role", "form", "anchor", "swatch", "node_box", "node_shape", "relation", "pie", "circle", "directed",
    "link", "lead", "kind", "colour",
}  # fmt: skip


@cache
def pictures(family):
    return [picture(family, index, "train", CONFIG, VOCABULARY) for index in range(3 if family == "things" else 8)]


@cache
def reader():
    return new_reader(0)


@pytest.mark.parametrize("family", FAMILIES)
def test_right_answers_cost_next_to_nothing(family):
    for given, targets in pictures(family):
        network = Heads(targets)
        found = losses(network, network(given), targets, Random(0))
        assert set(found) <= set(WEIGHTS)
        for name in EXACT & set(found):
            assert found[name] < 1e-2, name
        assert found["peaks"] < 0.2
        assert found.get("size", torch.zeros(())) < 0.1 and found.get("offset", torch.zeros(())) < 0.1
        assert found.get("end", torch.zeros(())) < 4 and found.get("edges", torch.zeros(())) < 0.6


@torch.no_grad()
def test_an_untrained_reader_pays_more_for_everything():
    costs = {}
    for family in ("charts", "graphs", "parts", "shapes"):
        for given, targets in pictures(family)[: 8 if family == "charts" else 3]:
            right, wrong = Heads(targets), reader()
            for number, network in enumerate((right, wrong)):
                for name, loss in losses(network, network(given), targets, Random(0)).items():
                    costs.setdefault(name, [0.0, 0.0])[number] += float(loss)
    assert set(costs) == set(WEIGHTS)
    for name, (right, wrong) in costs.items():
        assert wrong > right + 0.05, name


def test_gradients_reach_every_trained_weight():
    parameters = trained(reader())
    missing = set(parameters)
    for index in range(30):
        family = ("charts", "graphs", "parts", "shapes")[0 if index % 2 else index // 2 % 4]
        given, targets = picture(family, 100 + index, "train", CONFIG, VOCABULARY)
        wanted = [parameters[name] for name in sorted(missing)]
        found = total(losses(reader(), reader()(given), targets, Random(0)))
        grads = torch.autograd.grad(found, wanted, allow_unused=True)
        missing -= {name for name, grad in zip(sorted(missing), grads, strict=True) if grad is not None and grad.any()}
        if not missing:
            break
    assert not missing


def test_what_is_near_the_pixels_is_not_trained():
    names = set(trained(reader()))
    fixed = {name for name, _ in reader().named_parameters()} - names
    assert fixed and all(name.startswith(("encoder.stem", "encoder.stages.0", "encoder.stages.1")) for name in fixed)
    assert not any(name.startswith(("encoder.stem", "encoder.stages.0.", "encoder.stages.1.")) for name in names)


def test_what_shows_nothing_has_no_losses_but_that_it_shows_nothing():
    for given, targets in pictures("none"):
        network = Heads(targets)
        assert set(losses(network, network(given), targets, Random(0))) == {"family", "peaks"}


def test_unknown_words_teach_nothing():
    given, targets = next(one for one in pictures("tables") if len(one[0].boxes) > 4)
    targets.roles[1] = UNKNOWN
    targets.relations[1] = targets.relations[:, 1] = UNKNOWN
    scene = reader()(given)
    words = scene.words.detach().requires_grad_()
    found = losses(reader(), scene._replace(words=words), targets, Random(0))
    gradient = torch.autograd.grad(found["role"] + found["relation"], words)[0]
    assert not gradient[1].any() and gradient[0].any()
    targets.roles[:] = UNKNOWN
    targets.relations[:] = UNKNOWN
    assert not {"role", "relation"} & set(losses(reader(), scene, targets, Random(0)))


def lone_bar(place: float, across: float) -> tuple[SeriesPlaces, SeriesTarget]:
    """One bar of one category that spans 100 pixels, in a picture 192 pixels high."""
    logits = torch.zeros(1, 1, BAND, PLACES, requires_grad=True)
    places = SeriesPlaces(logits, logits, torch.linspace(0, 100, BAND)[None], (torch.arange(PLACES) + 0.5) * 2)
    nan, one = torch.full((1, 1), torch.nan), torch.ones(1, 1)
    target = SeriesTarget(
        True, torch.zeros(1, dtype=torch.long), torch.tensor([50.0]), torch.zeros(0), torch.zeros(0, 2),
        end=one * place, start=nan, across=one * across, half=one * 5,
    )  # fmt: skip
    return places, target


def test_the_end_of_a_bar_is_pulled_to_its_place():
    places, target = lone_bar(61.0, 50.0)
    end, start = series_losses(places, target)
    assert start == 0  # it is not known where it begins
    (gradient,) = torch.autograd.grad(end, places.end)
    column, place = divmod(int(gradient[0, 0].argmin()), PLACES)
    assert column == BAND // 2 and place == 30 and gradient.sum().abs() < 1e-5


def test_a_mark_between_two_positions_is_looked_for_at_the_nearest():
    places, target = lone_bar(61.0, 57.0)
    target.half[:] = 0
    (gradient,) = torch.autograd.grad(series_losses(places, target)[0], places.end)
    assert divmod(int(gradient[0, 0].argmin()), PLACES)[0] == round(57 / 12.5)


def test_heat_is_one_at_a_point_and_falls_off():
    heat = _heat(torch.tensor([[3.7, 2.2], [-1.0, 9.9]]), torch.Size((6, 8)))
    assert heat[2, 3] == 1 and heat[5, 0] == 1 and (heat == 1).sum() == 2
    assert 1 > heat[2, 4] > heat[2, 5] > heat[0, 7] >= 0


def test_focal_loss_is_least_where_peaks_are_as_drawn():
    heights = _heat(torch.tensor([[3.5, 2.5]]), torch.Size((6, 8)))[None]
    right = torch.where(heights == 1, 8.0, -8.0)
    assert _focal(right, heights) < 0.01 < _focal(torch.zeros_like(right), heights) < _focal(-right, heights)
