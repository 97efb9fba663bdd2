import math
from random import Random

import pytest
import torch
from PIL import Image

from vlm.scene_encoder import (
    LONGEST,
    MOST_GROWTH,
    MOST_PIXELS,
    MOST_WORDS,
    WIDTH,
    SceneEncoder,
    input_scale,
    position_code,
    prepare,
    sample,
    word_mask,
)
from vlm.structure import Label

SIZES = [(1, 1), (12_000, 40), (40, 12_000), (480, 360), (800, 600), (640, 270), (64, 48), (223, 100), (3000, 2000)]


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    encoder = SceneEncoder().eval()
    torch.nn.init.normal_(encoder.kind)
    return encoder


def noise(width, height, seed=0):
    return Image.frombytes("RGB", (width, height), Random(seed).randbytes(3 * width * height))


def some_words(number, width=96, height=64):
    rng = Random(number)
    found = []
    for i in range(number):
        x, y = rng.uniform(0, width - 20), rng.uniform(0, height - 10)
        found.append(Label(text=f"word {i}", box=(x, y, x + 20, y + 10)))
    return found


@pytest.mark.parametrize("size", SIZES)
def test_input_is_neither_too_large_nor_squashed(size):
    given = prepare(Image.new("RGB", size), [])
    sides = [side * given.scale for side in size]
    assert max(sides) <= LONGEST + 1e-6 and math.prod(sides) <= MOST_PIXELS * (1 + 1e-9)
    assert given.scale <= MOST_GROWTH
    for padded, side in zip(given.pixels.shape[:1:-1], sides, strict=True):
        assert padded % 32 == 0 and max(1, round(side)) <= padded < max(1, round(side)) + 32


def test_only_small_pictures_grow():
    assert input_scale(10, 10) == MOST_GROWTH and 1 < input_scale(200, 100) < MOST_GROWTH
    assert input_scale(224, 100) == input_scale(480, 360) == 1.0 and input_scale(481, 361) < 1


def test_boxes_are_scaled_with_the_picture():
    label = Label(text="a", box=(100, 200, 300, 400))
    given = prepare(Image.new("RGB", (1200, 900)), [label])
    assert given.scale < 1 and given.boxes.tolist()[0] == pytest.approx([given.scale * edge for edge in label.box])


def test_what_lies_beside_the_picture_is_the_mean():
    pixels = prepare(Image.new("RGB", (40, 33), "white"), [], scale=1).pixels[0]
    assert pixels.shape == (3, 64, 64)
    assert (pixels[:, :33, :40] > 0.99).all() and (pixels[:, 33:] == 0).all() and (pixels[:, :, 40:] == 0).all()


def test_words_beyond_the_most_are_dropped():
    assert len(prepare(noise(96, 64), some_words(MOST_WORDS + 5)).boxes) == MOST_WORDS


@torch.inference_mode()
def test_a_picture_is_seen_the_same_whatever_was_seen_before(encoder):
    given = prepare(noise(96, 64), some_words(3))
    first = encoder(given)
    encoder(prepare(noise(64, 128, seed=1), some_words(7)))
    assert all(torch.equal(one, two) for one, two in zip(first, encoder(given), strict=True))


@pytest.mark.parametrize("number", [0, 1, MOST_WORDS])
@torch.inference_mode()
def test_shapes_are_those_of_the_picture_and_its_words(encoder, number):
    scene = encoder(prepare(noise(96, 64), some_words(number), scale=1))
    assert scene.summary.shape == (WIDTH,) and scene.words.shape == (number, WIDTH) and scene.boxes.shape == (number, 4)
    assert (
        scene.fine.shape[2:] == (16, 24) and scene.coarse.shape[2:] == (4, 6) and scene.colours.shape == (1, 3, 16, 24)
    )
    assert all(part.isfinite().all() for part in scene)


@torch.inference_mode()
def test_the_order_of_the_words_does_not_matter(encoder):
    words, image = some_words(12), noise(96, 64)
    order = list(range(12))
    Random(1).shuffle(order)
    straight, shuffled = encoder(prepare(image, words)), encoder(prepare(image, [words[i] for i in order]))
    assert torch.allclose(straight.words[order], shuffled.words, atol=1e-4)
    assert torch.allclose(straight.summary, shuffled.summary, atol=1e-4)
    assert torch.allclose(straight.fine, shuffled.fine, atol=1e-4)


@torch.inference_mode()
def test_what_a_word_says_and_where_it_stands_is_seen(encoder):
    image, box = noise(96, 64), (10, 10, 30, 20)
    first, other_text, other_place = (
        encoder(prepare(image, [Label(text=text, box=place)])).words
        for text, place in (("Rome", box), ("12 %", box), ("Rome", (10, 40, 30, 50)))
    )
    assert (first - other_text).abs().max() > 1e-2 and (first - other_place).abs().max() > 1e-2


def test_what_is_near_the_pixels_gets_no_gradient_and_the_rest_does():
    encoder = SceneEncoder()
    scene = encoder(prepare(noise(96, 64), some_words(4)))
    (scene.summary.sum() + scene.words.square().sum() + scene.fine.square().sum()).backward()
    without = {name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.any()}
    assert all(name.startswith(("stem", "stages.0", "stages.1")) for name in without) and "stem" in str(without)


def test_sampling_a_linear_map_is_exact_anywhere_within():
    height, width, stride = 40, 56, 4
    ys, xs = torch.meshgrid(torch.arange(height // stride), torch.arange(width // stride), indexing="ij")
    features = torch.stack([2 * (xs + 0.5) * stride - 3, (ys + 0.5) * stride + (xs + 0.5) * stride])[None].float()
    points = torch.rand(5, 7, 2) * torch.tensor([width - stride, height - stride]) + stride / 2
    found = sample(features, points, (height, width))
    assert found.shape == (5, 7, 2)
    assert torch.allclose(found[..., 0], 2 * points[..., 0] - 3, atol=1e-3)
    assert torch.allclose(found[..., 1], points.sum(-1), atol=1e-3)


def test_no_points_can_be_sampled():
    assert sample(torch.zeros(1, 3, 4, 4), torch.zeros(0, 2), (16, 16)).shape == (0, 3)


def test_every_place_has_a_code_of_its_own():
    ys, xs = torch.meshgrid(torch.arange(0, 640, 32.0), torch.arange(0, 640, 32.0), indexing="ij")
    codes = position_code(torch.stack([xs, ys], dim=-1).reshape(-1, 2))
    apart = torch.cdist(codes, codes) + 100 * torch.eye(len(codes))
    assert codes.shape[1] == WIDTH and apart.min() > 1


def test_word_mask_covers_the_words_and_nothing_else():
    mask = word_mask(torch.tensor([[8.0, 4.0, 16.0, 12.0], [-20.0, 28.0, 4.0, 90.0]]), (32, 32))[0, 0]
    wanted = torch.zeros(8, 8)
    wanted[1:3, 2:4] = 1
    wanted[7:, :1] = 1
    assert torch.equal(mask, wanted)
