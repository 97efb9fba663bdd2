"""What an answer says of the pictures it is about."""

import json

import pytest

from serve.pictures import describe_pictures
from vlm.loading import Assistant


class Viewing:
    """An assistant that scales every picture to half its size."""

    def view(self, size):
        return (size[0] // 2, size[1] // 2), 49


@pytest.fixture
def viewing(assistant):
    assistant.view = Viewing().view
    return assistant


EXPECTED = {
    "pictures": [
        {
            "original": {"width": 8, "height": 6},
            "processed": {"width": 4, "height": 3},
            "features": 49,
        },
        {
            "original": {"width": 2, "height": 10},
            "processed": {"width": 1, "height": 5},
            "features": 49,
        },
    ]
}


def test_an_answer_tells_what_was_seen_of_each_picture(client, viewing, ask, data_url, openai_client):
    body = ask("?", data_url("red", (8, 6)), data_url("blue", (2, 10)))
    assert client.post("/v1/chat/completions", json=body).json()["regard"] == EXPECTED
    lines = client.post("/v1/chat/completions", json={**body, "stream": True}).text.split("\n\n")
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
    assert [chunk.get("regard") for chunk in chunks] == [None] * (len(chunks) - 1) + [EXPECTED]
    assert openai_client.chat.completions.create(**body).regard == EXPECTED  # the official client keeps it


def test_responses_tell_it_too(client, viewing, data_url):
    content = [{"type": "input_image", "image_url": data_url(*a)} for a in (("red", (8, 6)), ("blue", (2, 10)))]
    body = {"model": "fake", "input": [{"role": "user", "content": content}]}
    assert client.post("/v1/responses", json=body).json()["regard"] == EXPECTED


def test_a_blind_answer_used_no_features(client, viewing, ask, data_url):
    answer = client.post("/v1/chat/completions", json=ask("?", data_url(), blind=True)).json()
    assert [picture["features"] for picture in answer["regard"]["pictures"]] == [0]


def test_an_answer_without_pictures_has_openais_keys_alone(client, ask):
    assert "regard" not in client.post("/v1/chat/completions", json=ask()).json()


def test_a_model_that_cannot_tell_still_gives_the_original_size(client, ask, data_url):
    answer = client.post("/v1/chat/completions", json=ask("?", data_url("red", (8, 6)))).json()
    assert answer["regard"] == {"pictures": [{"original": {"width": 8, "height": 6}}]}


def test_the_real_assistant_tells_what_its_processor_and_network_do(tiny_model, tiny_processor, picture):
    assistant = Assistant("tiny", tiny_model, tiny_processor)
    ((entry,),) = describe_pictures(assistant, [picture], blind=False)["regard"].values()
    pixels = tiny_processor.image_processor(picture)["pixel_values"][0]
    seen = (abs(pixels - pixels[:, :1, :1]) > 1e-6).any(axis=0)  # not padding
    size = entry["processed"]
    assert (size["width"], size["height"]) == (seen.any(axis=0).sum(), seen.any(axis=1).sum())
    values = tiny_processor.pixel_values([[picture]])
    assert entry["features"] == tiny_model.get_image_features(values[0]).shape[1]
