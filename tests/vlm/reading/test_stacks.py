import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from vlm.reading.seen import Seen
from vlm.reading.stacks import best_cut, find_segments, own_colours, paper_colours
from vlm.scene_heads import BAND, PLACES, SeriesPlaces
from vlm.structure import Colour

RED, BLUE, GREEN = (200, 30, 30), (30, 60, 200), (20, 160, 60)
SIZE, BASE, HALF = 240, 200, 20
HEIGHTS = ((40, 25, 60), (70, 6, 30), (15, 90, 45))  # of each category, from the base on
MIDDLES = (60.0, 120.0, 180.0)


def drawn(order=(RED, BLUE, GREEN), background="white"):
    image = Image.new("RGB", (SIZE, SIZE), background)
    pen = ImageDraw.Draw(image)
    pen.line((20, BASE, 220, BASE), "black")
    for middle, heights in zip(MIDDLES, HEIGHTS, strict=True):
        base = BASE
        for height, colour in zip(heights, order, strict=True):
            pen.rectangle((middle - HALF, base - height, middle + HALF - 1, base - 1), colour)
            pen.text((middle - 6, base - height / 2 - 5), "12", "black")
            base -= height
    noise = np.random.default_rng(0).normal(0, 5, (SIZE, SIZE, 3))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


def flat(number=3):
    """A network that has seen nothing."""
    logits = torch.zeros(number, len(MIDDLES), BAND, PLACES)
    return SeriesPlaces(logits, logits, torch.zeros(len(MIDDLES), BAND), (torch.arange(PLACES) + 0.5) * SIZE / PLACES)


def segments(image, upright=True, colours=(RED, BLUE, GREEN)):
    image = image if upright else image.transpose(Image.Transpose.ROTATE_270)  # from below to above: to the right
    seen = Seen(image, None, None, None, 1.0, (), torch.zeros(0, 0, 3))
    named = [Colour(name=None, rgb=rgb) for rgb in colours]
    anchors = torch.tensor(MIDDLES)
    return find_segments(seen, flat(len(colours)), anchors, 60.0, upright, named)


def lengths(found):
    return (found.start - found.end).abs().round().int().T.tolist()


def test_segments_are_as_long_as_they_were_drawn():
    found = segments(drawn())
    assert np.abs(np.subtract(lengths(found), HEIGHTS)).max() <= 1
    assert (found.start[0] - BASE).abs().max() <= 1 and found.sure.min() > 0.5


def test_bars_that_run_across_are_read_like_those_that_stand():
    found = segments(drawn(), upright=False)
    assert np.abs(np.subtract(lengths(found), HEIGHTS)).max() <= 1
    assert (found.end[0] > found.start[0]).all()


def test_series_may_lie_on_each_other_in_any_order():
    found = segments(drawn(), colours=(GREEN, RED, BLUE))
    assert np.abs(np.subtract(lengths(found), [(c, a, b) for a, b, c in HEIGHTS])).max() <= 1


def test_the_plot_may_have_another_colour_than_the_page():
    image = Image.new("RGB", (SIZE, SIZE), "white")
    image.paste((225, 220, 235), (20, 20, 220, BASE))
    image.paste(drawn(background=(225, 220, 235)).crop((20, 20, 220, BASE)), (20, 20))
    assert np.abs(np.subtract(lengths(segments(image)), HEIGHTS)).max() <= 1


def test_washed_out_swatches_are_matched_to_what_is_in_the_bars():
    pale = [tuple((c + 255) // 2 for c in rgb) for rgb in (RED, BLUE, GREEN)]
    assert np.abs(np.subtract(lengths(segments(drawn(), colours=pale)), HEIGHTS)).max() <= 1


def test_two_series_of_nearly_one_colour_keep_their_own():
    strips = np.zeros((1, 3, 100, 3)) + RED
    strips[:, :, 60:] = (0, 0, 0)
    legend = np.array([RED, (206, 36, 30)], float)
    found = own_colours(strips, legend, np.array([[255.0, 255, 255]]))
    assert np.abs(found - legend).max() < 10


def test_bars_that_nearly_touch_are_no_paper():
    pixels = np.full((SIZE, SIZE, 3), 255.0)
    pixels[20:220, 60:] = RED
    found = paper_colours(pixels, np.array(MIDDLES), 60.0, np.array([RED], float))
    assert found.tolist() == [[255, 255, 255]]


@pytest.mark.parametrize("number", [1, 2, 5])
def test_the_cut_is_the_best_of_all(number):
    """Compared with every cut of a short column, for orders that are all tried or only the legend's and its reverse."""
    rng = np.random.default_rng(number)
    length = 7
    scores, end, start = rng.normal(size=(number + 1, 1, length)), *rng.normal(size=(2, number, 1, length + 1))
    ends, starts = best_cut(scores, end, start)

    def score(ends, starts):
        taken = np.full(length, -1)
        for q in range(number):
            taken[ends[q] : starts[q]] = q
        fits = sum(scores[q, 0, n] - scores[-1, 0, n] for n, q in enumerate(taken))
        return fits + sum(end[q, 0, ends[q]] + start[q, 0, starts[q]] for q in range(number))

    from itertools import combinations, permutations

    orders = permutations(range(number)) if number <= 4 else [tuple(range(number)), tuple(reversed(range(number)))]
    best = max(
        score([cut[order.index(q)] for q in range(number)], [cut[order.index(q) + 1] for q in range(number)])
        for order in orders
        for cut in combinations(range(length + 1), number + 1)
    )
    assert score(ends[:, 0], starts[:, 0]) == pytest.approx(best)
