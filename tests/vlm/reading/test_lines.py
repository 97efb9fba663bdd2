from itertools import product

import pytest
import torch
from PIL import Image, ImageDraw

from vlm.reading.lines import JOINED, best_way, candidates, trace_lines
from vlm.reading.seen import Seen
from vlm.scene_heads import BAND, PLACES
from vlm.structure import Colour

RED, BLUE = (200, 30, 30), (30, 60, 200)
SIZE = 192
ANCHORS = torch.tensor([30.0, 75.0, 120.0, 165.0])
LEVELS = torch.tensor([[40.0, 90.0, 130.0, 150.0], [140.0, 60.0, 50.0, 90.0]])  # of the red and of the blue line
ALONG = (torch.arange(PLACES) + 0.5) * (SIZE / PLACES)


def drawn():
    image = Image.new("RGB", (SIZE, SIZE), "white")
    pen = ImageDraw.Draw(image)
    for levels, colour in zip(LEVELS.tolist(), (RED, BLUE), strict=True):
        pen.line(list(zip(ANCHORS.tolist(), levels, strict=True)), colour, 2)
    return image


def undecided():
    """A network that sees both lines at every category, and not whose they are."""
    heights = sum((-((ALONG - level[:, None]) / 2).square() / 2).exp() for level in LEVELS)  # [K, P]
    logits = heights.clamp(min=1e-6).log()[:, None].expand(-1, BAND, -1)
    return torch.stack([logits, logits])


def test_lines_that_cross_are_told_apart_by_their_colour():
    seen = Seen(drawn(), None, None, None, 1.0, (), torch.zeros(0, 0, 3))
    colours = [Colour(name=None, rgb=rgb) for rgb in (RED, BLUE)]
    places, sure = trace_lines(seen, undecided(), ALONG, ANCHORS, colours)
    assert (places - LEVELS).abs().max() < 2 and sure.min() > 0.9
    turned, _ = trace_lines(seen, undecided(), ALONG, ANCHORS, colours[::-1])
    assert torch.equal(turned, places.flip(0))


def test_a_lone_category_has_the_likeliest_place():
    seen = Seen(drawn(), None, None, None, 1.0, (), torch.zeros(0, 0, 3))
    logits = torch.full((1, 1, BAND, PLACES), -9.0)
    logits[..., 30] = 4.0
    places, sure = trace_lines(seen, logits, ALONG, ANCHORS[:1], [Colour(name=None, rgb=RED)])
    assert places.item() == pytest.approx(61, abs=1) and sure.item() > 0.9


def test_candidates_are_peaks_the_likeliest_first():
    logits = torch.full((1, 1, BAND, PLACES), -9.0)
    logits[..., 20], logits[..., 21], logits[..., 60] = 2.0, 1.0, 4.0
    places, chances = candidates(logits, ALONG)
    assert places[0, 0, 0].item() == pytest.approx(121, abs=0.5)
    assert places[0, 0, 1].item() == pytest.approx(41.5, abs=0.5)
    assert chances[0, 0, 0] > chances[0, 0, 1] > chances[0, 0, 2]


def test_the_way_is_the_best_of_all_and_its_chances_are_sums_over_all():
    torch.manual_seed(0)
    chances, joins = torch.randn(3, 4), [torch.randn(4, 4) / JOINED for _ in range(2)]
    scores = {
        way: float(sum(chances[k, m] for k, m in enumerate(way)))
        + JOINED * float(sum(joins[k][way[k], way[k + 1]] for k in range(2)))
        for way in product(range(4), repeat=3)
    }
    way, sure = best_way(chances, joins)
    best = max(scores, key=scores.__getitem__)
    every = torch.tensor(list(scores.values())).exp()
    assert tuple(way.tolist()) == best
    for k in range(3):
        here = every[torch.tensor([one[k] == best[k] for one in scores])].sum() / every.sum()
        assert sure[k, best[k]].item() == pytest.approx(here.item(), rel=1e-4)
