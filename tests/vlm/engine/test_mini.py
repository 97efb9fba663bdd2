"""The embedded model itself: its own kernels, sizes and weights."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

from tests.vlm.engine.test_decoder import Reader
from vlm.answers import GenerationRequest
from vlm.engine.batch import Batch
from vlm.engine.decoder import Decoder
from vlm.engine.graph_decoder import GraphDecoder, make_decoder
from vlm.generation import generate
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


def losses(decoder, model, ids, picture):
    """Of each token of a text about a picture, read one by one."""
    reader = Reader(model, torch.tensor([[model.config.image_token_id] * model.config.image_seq_length + ids]), picture)
    slots = decoder.slots(1, 2**28)
    slots.reserve(1, reader.embeddings.shape[1] + 1, 1)
    reader.show(decoder, slots, 0)
    first = model.config.image_seq_length
    reader.read(decoder, slots, 0, 0, first, keep=0)
    places = range(first, first + len(ids) - 1)
    logits = [reader.read(decoder, slots, 0, place, place + 1)[0].clone() for place in places]
    return F.cross_entropy(torch.stack(logits), torch.tensor(ids[1:]))


def test_its_8_bit_products_cost_less_than_a_hundredth_of_a_nat(mini, drawing):
    text = Path(__file__).parents[3].joinpath("LICENSE").read_text()
    ids = mini.processor.tokenizer(text[1000:9000], add_special_tokens=False).input_ids[:1200]
    picture = mini.processor.pixel_values([[drawing]])
    graph = make_decoder(mini.model)
    assert isinstance(graph, GraphDecoder)
    found, expected = (losses(decoder, mini.model, ids, picture) for decoder in (graph, Decoder(mini.model)))
    assert found < expected + 0.01, f"loss {found:.4f}, by torch {expected:.4f}"


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
        assert "".join(text for text, _ in found) == "".join(
            chunk.text for chunk in generate(mini.model, mini.processor, request)
        )
    assert answers(batch, requests[:1]) == together[:1]  # from the caches
    assert batch.stats()["picture_hits"] == 1 and batch.stats()["prefix_hits"] >= 1
