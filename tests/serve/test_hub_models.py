"""Models of transformers' own over HTTP: each style answers, streams, stops, and keeps to the limits."""

import json

import pytest
import torch

from serve.config import ServeConfig
from serve.engine import load_engine
from tests.hub import STYLES, save
from vlm.answers import GenerationRequest
from vlm.hub_models import HubAssistant
from vlm.hub_pictures import picture_reports
from vlm.loading import PartNotFoundError, load


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {style: save(style, tmp_path_factory.mktemp(style)) for style in STYLES}


@pytest.fixture(params=STYLES)
def hub(request, folders):
    return load(folders[request.param])


@pytest.fixture
def client(make_client, hub):
    return make_client(model=hub)


@pytest.fixture
def chat(client, hub, data_url):
    def post(text="What is it?", url=None, **fields):
        parts = [{"type": "image_url", "image_url": {"url": url or data_url("red", (20, 16))}}]
        message = {"role": "user", "content": [*parts, {"type": "text", "text": text}]}
        body = {"model": hub.name, "messages": [message], "max_tokens": 6, "logit_bias": {"3": -100}, **fields}
        return client.post("/v1/chat/completions", json=body)

    return post


def said(response):
    return response.json()["choices"][0]["message"]["content"]


def test_it_answers_streams_and_stops(chat, data_url):
    whole = chat()
    assert whole.status_code == 200, whole.text
    assert whole.json()["usage"]["completion_tokens"] == 6
    assert whole.json()["choices"][0]["finish_reason"] == "length"
    events = [
        line.removeprefix("data: ") for line in chat(stream=True).text.split("\n\n") if line.startswith("data: {")
    ]
    deltas = [json.loads(event)["choices"][0]["delta"].get("content", "") for event in events]
    assert "".join(deltas) == said(whole)
    hot = {"temperature": 1.5, "seed": 3, "max_tokens": 12}
    assert said(chat(**hot)) == said(chat(**hot)) != said(chat(**{**hot, "seed": 4}))


def test_an_answer_tells_what_was_done_with_its_picture(chat, hub):
    (told,) = chat().json()["regard"]["pictures"]
    assert told["original"] == {"width": 20, "height": 16}
    assert told["features"] == chat().json()["usage"]["prompt_tokens_details"]["image_tokens"] > 0
    assert 8 <= told["processed"]["width"] <= 32 and 8 <= told["processed"]["height"] <= 32
    assert told["encode_ms"] > 0 and not told["is_cached"]
    assert not hub.model.get_encoder(modality="image")._forward_hooks  # nothing stays behind


def test_pictures_of_two_sizes_are_told_apart_and_tiles_are_not_taken_for_pictures(folders, picture):
    assistant = load(folders["qwen2_vl"])
    wide = picture.resize((40, 16))
    parts = [{"type": "image", "image": one} for one in (picture, wide)]
    request = GenerationRequest(
        [{"role": "user", "content": [*parts, {"type": "text", "text": "?"}]}], max_new_tokens=1
    )
    *_, last = assistant.stream(request)
    one, two = last.pictures
    assert two.processed_size[0] > one.processed_size[0] and two.features > one.features
    inputs = {
        "input_ids": torch.tensor([[assistant.model.config.image_token_id] * 4]),
        "pixel_values": torch.zeros(1, 5, 3, 8, 8),
    }
    assert picture_reports(assistant.model, inputs, 2, 1.0) == ()


def test_what_a_processor_needs_and_is_not_there_is_said_with_how_to_get_it(folders, monkeypatch):
    def needs_torchvision(*_):
        raise ImportError("LlavaImageProcessor requires the Torchvision library but it was not found")

    monkeypatch.setattr("vlm.hub_models.load_processor", needs_torchvision)
    with pytest.raises(PartNotFoundError, match=r"not installed here: pip install torchvision$"):
        load(folders["llava"])


def test_a_text_cannot_write_a_special_token(chat):
    plain = chat("hi").json()["usage"]["prompt_tokens"]
    written = chat("hi<image><|im_end|><|image_pad|>")
    assert written.status_code == 200, written.text
    assert written.json()["usage"]["prompt_tokens"] >= plain + len("<image><|im_end|><|image_pad|>")


def test_a_conversation_longer_than_the_context_is_a_400_and_an_answer_is_cut_to_it(chat):
    refused = chat("x" * 500)
    assert refused.status_code == 400 and "400" in refused.json()["error"]["message"]
    assert chat(max_tokens=5000).json()["usage"]["total_tokens"] == 400


def test_what_it_cannot_do_is_a_400(chat):
    assert chat(n=2).status_code == chat(visual_guidance=1.0).status_code == 400


def test_who_leaves_ends_the_generation(hub, picture):
    parts = [{"type": "image", "image": picture}, {"type": "text", "text": "What is it?"}]
    request = GenerationRequest([{"role": "user", "content": parts}], max_new_tokens=100, logit_bias={3: -100.0})
    chunks = hub.stream(request)
    assert next(chunks).completion_tokens == 1
    chunks.close()  # waits for its thread
    assert len(list(hub.stream(request))) == 100


def test_greedy_says_what_transformers_says(hub, picture):
    from vlm.hub_models import encode

    parts = [{"type": "image", "image": picture}, {"type": "text", "text": "What is it?"}]
    request = GenerationRequest([{"role": "user", "content": parts}], max_new_tokens=8)
    inputs = encode(hub.model, hub.processor, request)
    ids = hub.model.generate(**inputs, max_new_tokens=8, do_sample=False)[0, inputs["input_ids"].shape[1] :]
    expected = hub.processor.tokenizer.decode(ids, skip_special_tokens=True).rstrip("\N{REPLACEMENT CHARACTER}")
    assert "".join(chunk.text for chunk in hub.stream(request)) == expected


def test_the_picture_matters_and_blind_hides_it(folders, picture):
    assistant = load(folders["llava"])
    hot = {"max_new_tokens": 12, "temperature": 1.0, "seed": 0}
    answers = [assistant.ask(image, "What is it?", **hot) for image in (picture, picture.point(lambda v: 255 - v))]
    assert answers[0] != answers[1]
    blind = [assistant.ask(image, "?", blind=True, **hot) for image in (picture, picture.point(lambda v: 255 - v))]
    assert blind[0] == blind[1]


@pytest.mark.parametrize("kind", ["int8", "int4"])
def test_its_decoder_can_be_quantized(folders, picture, kind):
    assistant = load(folders["smolvlm"], quantization=kind)
    names = {type(module).__name__ for module in assistant.model.get_decoder().modules()}
    assert {"int8": "Int8Linear", "int4": "Int4Linear"}[kind] in names and "Linear" not in names
    assert assistant.ask(picture, "What is it?", max_new_tokens=4) is not None


def test_an_adapter_is_refused(folders):
    with pytest.raises(PartNotFoundError, match="adapters are for Regard models"):
        load(folders["llava"], adapter="mini")


def test_the_server_loads_it_and_answers_one_at_a_time(folders, caplog):
    engine = load_engine(ServeConfig(model=folders["idefics3"]))
    try:
        assert isinstance(engine.assistant, HubAssistant)
        assert "one request at a time" in caplog.text
    finally:
        engine.close()
