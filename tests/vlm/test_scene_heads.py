import math
from random import Random

import pytest
import torch

from vlm.scene_encoder import CHANNELS, WIDTH, Scene
from vlm.scene_heads import (
    ANGLES,
    BAND,
    PLACES,
    RELATIONS,
    STEPS,
    LinkHead,
    PeakHead,
    PieHead,
    SeriesHead,
    WordHead,
    leaving,
    pair_geometry,
    ways,
)

ORDER = torch.tensor([2, 0, 1])


@pytest.fixture
def scene() -> Scene:
    """A random picture of 96 x 64 pixels with six words."""
    places = torch.rand(6, 2) * torch.tensor([70.0, 50.0])
    return Scene(
        torch.randn(WIDTH), torch.randn(6, WIDTH), torch.cat([places, places + torch.tensor([20.0, 10.0])], dim=-1),
        torch.randn(1, CHANNELS, 16, 24), torch.randn(1, CHANNELS, 4, 6), torch.randn(1, 3, 16, 24),
    )  # fmt: skip


@pytest.fixture
def series() -> SeriesHead:
    head = SeriesHead().eval()
    torch.nn.init.normal_(head.position)  # zero at first: then all positions in a band would be alike
    torch.nn.init.normal_(head.lone)
    return head


def random_boxes(number: int) -> torch.Tensor:
    places, sizes = torch.rand(number, 2) * 400, torch.rand(number, 2) * 60 + 10
    return torch.cat([places, places + sizes], dim=-1)


def ask(head, scene, anchors=(20.0, 50.0, 80.0), upright=True, categories=(0, 1, 2), legend=(3, 4, 5), swatches=None):
    swatches = torch.tensor([[10.0, 8.0], [50.0, 8.0], [80.0, 40.0]])[: len(legend)] if swatches is None else swatches
    return head(
        scene, torch.tensor(anchors), 30.0, upright, torch.tensor(categories), torch.tensor(legend, dtype=torch.long),
        swatches,
    )  # fmt: skip


@torch.no_grad()
@pytest.mark.parametrize("upright", [True, False])
def test_places_lie_across_the_picture(series, scene, upright):
    found = ask(series, scene, anchors=(20.0, 50.0), categories=(0, 1), upright=upright)
    assert found.end.shape == found.start.shape == (3, 2, BAND, PLACES) and found.across.shape == (2, BAND)
    length = 64 if upright else 96
    assert 0 < found.along[0] < length / PLACES and length - length / PLACES < found.along[-1] < length
    assert found.across[:, BAND // 2].tolist() == [20, 50]
    assert (found.across[:, -1] - found.across[:, 0]).tolist() == [30, 30]


@torch.no_grad()
def test_a_picture_on_its_side_is_read_the_same(series, scene):
    turned = scene._replace(fine=scene.fine.mT, colours=scene.colours.mT)
    swatches = torch.tensor([[10.0, 8.0], [50.0, 8.0], [80.0, 40.0]])
    found, again = ask(series, scene), ask(series, turned, upright=False, swatches=swatches.flip(-1))
    assert torch.allclose(found.end, again.end, atol=1e-4) and torch.allclose(found.start, again.start, atol=1e-4)
    assert (found.end - found.start).abs().max() > 0.1


@torch.no_grad()
def test_each_category_and_each_series_is_answered_for_itself(series, scene):
    found = ask(series, scene)
    categories = ask(series, scene, anchors=(80.0, 20.0, 50.0), categories=(2, 0, 1))
    swatches = torch.tensor([[10.0, 8.0], [50.0, 8.0], [80.0, 40.0]])
    legends = ask(series, scene, legend=(5, 3, 4), swatches=swatches[ORDER])
    assert torch.allclose(categories.end, found.end[:, ORDER], atol=1e-4)
    assert torch.allclose(legends.end, found.end[ORDER], atol=1e-4)
    assert (found.end[0] - found.end[1]).abs().max() > 0.1 and (found.end[:, 0] - found.end[:, 1]).abs().max() > 0.1


@torch.no_grad()
def test_a_lone_series_needs_no_legend(series, scene):
    assert ask(series, scene, legend=()).end.shape == (1, 3, BAND, PLACES)


@torch.no_grad()
def test_relations_are_symmetric_and_follow_the_words(scene):
    head = WordHead()
    found = head.relations(scene)
    assert found.shape == (6, 6, len(RELATIONS)) and torch.allclose(found, found.transpose(0, 1), atol=1e-6)
    order = torch.randperm(6)
    shuffled = head.relations(scene._replace(words=scene.words[order], boxes=scene.boxes[order]))
    assert torch.allclose(shuffled, found[order][:, order], atol=1e-4)


def test_geometry_of_pairs_does_not_depend_on_place_or_size():
    boxes = random_boxes(5)
    found = pair_geometry(boxes)
    assert torch.allclose(pair_geometry(boxes * 2 + 30), found, atol=1e-3)
    assert not torch.allclose(pair_geometry(boxes * torch.tensor([2.0, 1, 2, 1])), found, atol=1e-1)


@torch.no_grad()
def test_a_turned_pie_has_turned_edges():
    """Eight times an eighth of a turn: the map is symmetric, and so is what is sampled around its centre."""
    head = PieHead()
    ys, xs = torch.meshgrid(torch.arange(32) - 15.5, torch.arange(32) - 15.5, indexing="ij")
    fine, colours = torch.randn(1, CHANNELS, 32, 32), torch.randn(1, 3, 32, 32)
    assert ys.mT.equal(xs)
    scene = Scene(torch.zeros(WIDTH), torch.zeros(0, WIDTH), torch.zeros(0, 4), fine, torch.zeros(1), colours)
    turned = scene._replace(fine=fine.rot90(-1, (2, 3)), colours=colours.rot90(-1, (2, 3)))  # clockwise
    circle = torch.tensor([64.0, 64.0, 50.0])
    edges = head.edges(scene, circle)
    assert edges.shape == (ANGLES,) and edges.std() > 1e-3
    assert torch.allclose(head.edges(turned, circle), edges.roll(ANGLES // 4), atol=1e-4)


@torch.no_grad()
def test_a_pie_lies_near_the_cell_that_it_was_seen_in(scene):
    head = PieHead()
    where = head.where(scene)
    x, y, radius = head.circle(scene, (1, 4)).tolist()
    assert where.shape == (4, 6) and abs(x - 4.5 * 16) < 64 and abs(y - 1.5 * 16) < 64
    assert 32 * math.exp(-3) <= radius <= 32 * math.exp(3)


@torch.no_grad()
def test_peaks_are_rare_before_training(scene):
    head = PeakHead(kinds=5, colours=4)
    peaks, offsets = head.maps(scene)
    assert peaks.shape == (3, 16, 24) and offsets.shape == (2, 16, 24) and peaks.sigmoid().mean() < 0.1
    sizes, kinds, colours = head.things(scene, torch.rand(7, 2) * 60)
    assert sizes.shape == (7, 2) and kinds.shape == (7, 5) and colours.shape == (7, 4) and (sizes > 0).all()


@torch.no_grad()
def test_pairs_of_boxes_are_answered_for_themselves_and_have_a_direction(scene):
    head, boxes = LinkHead(1), random_boxes(4) / 6
    found = head(scene, boxes[:2], boxes[2:])
    assert found.shape == (2, 1) and torch.allclose(head(scene, boxes[1:2], boxes[3:]), found[1:], atol=1e-5)
    assert not torch.allclose(head(scene, boxes[2:], boxes[:2]), found, atol=1e-4)


def edge_distance(points, boxes):
    """How far points [..., 2] lie from the edge of their boxes [..., 4], inside or outside."""
    outside = torch.maximum(boxes[..., :2] - points, points - boxes[..., 2:])
    return torch.where((outside <= 0).all(-1), -outside.amax(-1), outside.clamp(min=0).norm(dim=-1)).abs()


def test_ways_lead_from_edge_to_edge():
    rng = Random(0)
    sources = torch.tensor(
        [[x, y, x + 40, y + 20] for x, y in ((rng.uniform(0, 100), rng.uniform(0, 300)) for _ in "abcd")]
    )
    targets = sources + torch.tensor([250.0, 90, 250, 90])
    found = ways(sources, targets)
    assert found.shape == (4, 5, STEPS, 2)
    straight = found[:, 0]
    assert edge_distance(straight[:, 0], sources).max() < 25 and edge_distance(straight[:, -1], targets).max() < 25
    steps = straight.diff(dim=1)
    assert torch.allclose(steps, steps[:, :1].expand_as(steps), atol=1e-3)
    middle = found[:, :, STEPS // 2 - 1 : STEPS // 2 + 1].mean(dim=2)
    for i in range(4):  # five different ways
        assert (torch.cdist(middle[i], middle[i]) + 1000 * torch.eye(5)).min() > 5
    for way in range(1, 5):
        assert (
            edge_distance(found[:, way, 0], sources).max() < 25 and edge_distance(found[:, way, -1], targets).max() < 25
        )


def test_angular_ways_turn_at_their_corners():
    found = ways(torch.tensor([[0.0, 0, 40, 20]]), torch.tensor([[200.0, 100, 240, 120]]))[0]
    for way, corner in ((1, (20.0, 110.0)), (2, (220.0, 10.0))):
        nearest = (found[way] - torch.tensor(corner)).norm(dim=-1).min()
        assert nearest < 12
        across = (found[way] - torch.tensor(corner)).abs().amin(dim=-1)  # on one of its two arms
        assert across.max() < 1e-3


def test_the_way_back_is_the_way_turned_round():
    one, two = random_boxes(6), random_boxes(6) + 500
    there, back = ways(one, two), ways(two, one).flip(2)
    assert torch.allclose(there[:, 0], back[:, 0], atol=1e-2)
    assert torch.allclose(there[:, 1], back[:, 2], atol=1e-2) and torch.allclose(there[:, 3], back[:, 4], atol=1e-2)


def test_leaving_ends_on_the_edge_or_at_a_point_within():
    boxes = random_boxes(50)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    far = centres + torch.randn(50, 2) * 500 + 200
    found = leaving(boxes, centres, far)
    is_far = ((far < boxes[:, :2]) | (far > boxes[:, 2:])).any(dim=-1)
    assert is_far.sum() > 40 and edge_distance(found[is_far], boxes[is_far]).max() < 1e-2
    inside = centres + 1
    assert torch.allclose(leaving(boxes, centres, inside), inside)
    assert torch.equal(leaving(boxes, centres, centres), centres)


def test_ways_between_equal_boxes_are_finite():
    box = torch.tensor([[10.0, 10, 10, 10]])
    assert ways(box, box).isfinite().all() and ways(box, box + 1).isfinite().all()
