"""The embedded model itself: its own kernels, sizes and weights."""

import pytest
from PIL import Image, ImageDraw

from vlm.answers import GenerationRequest
from vlm.engine.batch import Batch
from vlm.loading import load

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mini():
    return load("mini")


@pytest.fixture
def drawing():
    image = Image.new("RGB", (320, 256), "white")
    ImageDraw.Draw(image).ellipse((100, 60, 220, 180), fill="red")
    return image


def ask(text, *images, **options):
    parts = [*({"type": "image", "image": image} for image in images), {"type": "text", "text": text}]
    return GenerationRequest(
        [{"role": "user", "content": parts}], **{"max_new_tokens": 10, "top_logprobs": 2, **options}
    )


def answers(batch, requests):
    """The answers of requests that join as soon as they can: texts and exact likelihoods."""
    found = {i: [] for i in range(len(requests))}
    waiting = [(i, batch.prepare(request)) for i, request in enumerate(requests)]
    while waiting or batch.rows:
        if waiting and batch.can_join(waiting[0][1]):
            batch.join(*waiting.pop(0))
        for owner, chunk in batch.step():
            found[owner].append((chunk.text, chunk.logprobs))
    return list(found.values())


def test_together_is_alone_to_the_last_bit_and_greedy_says_what_generate_says(mini, drawing):
    requests = [
        ask("What colour is the circle?", drawing),
        ask("Write a sentence about the sea.", temperature=0.8, top_p=0.9, seed=1),
        ask("Count from one to twenty in words, please, and slowly. " * 8),
    ]
    batch = Batch(mini.model, mini.processor)
    together = answers(batch, requests)
    for request, found in zip(requests, together, strict=True):
        assert answers(Batch(mini.model, mini.processor), [request]) == [found]
    for request, found in zip(requests[::2], together[::2], strict=True):
        assert "".join(text for text, _ in found) == "".join(chunk.text for chunk in mini.stream(request))
    assert answers(batch, requests[:1]) == together[:1]  # from the caches
    assert batch.stats()["picture_hits"] == 1 and batch.stats()["prefix_hits"] >= 1
