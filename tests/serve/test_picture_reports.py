"""What an answer says of the pictures it is about."""

import json
from dataclasses import replace
from types import MappingProxyType

import pytest

from serve.pictures import describe_pictures
from tests.readings import bar_chart, reading
from vlm.answers import Chunk, GenerationRequest
from vlm.engine.batch import Batch
from vlm.perception import Perceived, Perception

TOOK = MappingProxyType({"text": 12.5, "structure": 2.0})
SIZE = 16  # side of what the tiny model's vision tower sees


class Looking(Perception):
    """Finds a bar chart in every picture, in no time of its own."""

    def _look(self, image, glance):
        return Perceived(reading(bar_chart(3, 7)), (), TOOK)


@pytest.fixture
def looking(make_client, tiny_assistant):
    """The application over a tiny model that is told what was read in pictures."""
    assistant = replace(tiny_assistant, perception=Looking())
    batch = Batch(assistant.model, assistant.processor, with_hints=assistant.with_hints)
    return make_client(model=assistant, batch=batch)


@pytest.fixture
def question(ask, data_url):
    return {**ask("?", data_url("red", (8, 6)), data_url("blue", (2, 10))), "model": "tiny", "max_tokens": 2}


def without_times(pictures):
    """Whether encoding took time, instead of how much."""
    return [{**picture, "encode_ms": picture["encode_ms"] > 0} for picture in pictures]


def expected(features, is_cached=False, hints=("structure",), hints_ms=TOOK):
    return [
        {
            "original": {"width": width, "height": height},
            "processed": {"width": round(width * SIZE / longest), "height": round(height * SIZE / longest)},
            "features": features,
            "encode_ms": not is_cached,
            "is_cached": is_cached,
            "hints": {"used": list(hints), "ms": dict(hints_ms)},
        }
        for width, height, longest in ((8, 6, 8), (2, 10, 10))
    ]


def test_an_answer_tells_what_was_done_with_each_picture(looking, question, tiny_model):
    features = tiny_model.config.num_image_features
    first = looking.post("/v1/chat/completions", json=question).json()["regard"]
    assert without_times(first["pictures"]) == expected(features)
    lines = looking.post("/v1/chat/completions", json={**question, "stream": True}).text.split("\n\n")
    *chunks, last = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
    assert not any("regard" in chunk for chunk in chunks)
    assert without_times(last["regard"]["pictures"]) == expected(features, is_cached=True, hints_ms={})


def test_responses_tell_it_too_and_the_official_client_keeps_it(looking, question, openai_over, data_url):
    answer = openai_over(looking).chat.completions.create(**question)
    content = [{"type": "input_image", "image_url": data_url(*a)} for a in (("red", (8, 6)), ("blue", (2, 10)))]
    body = {"model": "tiny", "input": [{"role": "user", "content": content}], "max_output_tokens": 2}
    again = looking.post("/v1/responses", json=body).json()["regard"]
    assert [p["original"] for p in again["pictures"]] == [p["original"] for p in answer.regard["pictures"]]
    assert all(picture["is_cached"] for picture in again["pictures"])


def test_hints_that_are_off_are_not_used(looking, question):
    answer = looking.post("/v1/chat/completions", json={**question, "hints": "off"}).json()
    assert [picture["hints"] for picture in answer["regard"]["pictures"]] == [{"used": [], "ms": {}}] * 2


def test_a_blind_answer_used_no_features(looking, question):
    answer = looking.post("/v1/chat/completions", json={**question, "blind": True}).json()
    originals = [{"width": 8, "height": 6}, {"width": 2, "height": 10}]
    assert answer["regard"]["pictures"] == [{"original": size, "features": 0} for size in originals]


def test_an_answer_without_pictures_has_openais_keys_alone(client, ask):
    assert "regard" not in client.post("/v1/chat/completions", json=ask()).json()


def test_a_model_that_cannot_tell_still_gives_the_original_size(client, ask, data_url):
    answer = client.post("/v1/chat/completions", json=ask("?", data_url("red", (8, 6)))).json()
    assert answer["regard"] == {"pictures": [{"original": {"width": 8, "height": 6}}]}


def test_the_processed_size_is_what_is_not_padding(tiny_batch, tiny_processor, picture):
    request = GenerationRequest([{"role": "user", "content": [{"type": "image", "image": picture}]}], max_new_tokens=1)
    tiny_batch.join(0, tiny_batch.prepare(request))
    events = []
    while tiny_batch.rows:
        events += tiny_batch.step()
    ((_, chunk),) = events
    assert isinstance(chunk, Chunk)
    ((entry,),) = describe_pictures(request, chunk)["regard"].values()
    pixels = tiny_processor.image_processor(picture)["pixel_values"][0]
    seen = (abs(pixels - pixels[:, :1, :1]) > 1e-6).any(axis=0)  # not padding
    size = entry["processed"]
    assert (size["width"], size["height"]) == (seen.any(axis=0).sum(), seen.any(axis=1).sum())
