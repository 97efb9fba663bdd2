"""POST /v1/completions through OpenAI's own client and byte by byte."""

import json

import openai
import pytest
from openai.types.completion_create_params import CompletionCreateParamsBase

from serve.completions import UNSUPPORTED, CompletionRequest, read_completion
from serve.config import ServeConfig
from serve.errors import BadRequest

ANSWER = "A red circle — ready."


def read(**fields):
    body = {"model": "fake", "prompt": "Once", **fields}
    return read_completion({name: value for name, value in body.items() if value is not ...}, ServeConfig())


def refusal(**fields):
    with pytest.raises(BadRequest) as caught:
        read(**fields)
    return caught.value


def test_so_many_likelihoods_can_be_asked_for_and_no_more():
    assert [read(logprobs=number).logprobs for number in (4, 5)] == [4, 5]
    assert refusal(logprobs=6).param == "logprobs"


def test_the_openai_client_gets_a_text(openai_client, assistant):
    answer = openai_client.completions.create(model="fake", prompt="Once upon a time")
    assert answer.object == "text_completion" and answer.id == f"cmpl-{answer._request_id}"
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == (ANSWER, "stop")
    assert answer.usage.total_tokens == 12
    assert assistant.seen[0].messages == [{"role": "text", "content": [{"type": "text", "text": "Once upon a time"}]}]


def test_the_openai_client_gets_a_stream(openai_client):
    chunks = list(openai_client.completions.create(model="fake", prompt="Once", stream=True))
    assert [chunk.choices[0].text for chunk in chunks] == ["A ", "red ", "circle", " — ", "ready.", ""]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * 5 + ["stop"]
    assert {chunk.object for chunk in chunks} == {"text_completion"} and len({chunk.id for chunk in chunks}) == 1


def test_usage_is_streamed_when_asked_for(client):
    body = {"model": "fake", "prompt": "Once", "stream": True, "stream_options": {"include_usage": True}}
    lines = client.post("/v1/completions", json=body).text.split("\n\n")
    *chunks, last = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
    assert lines[-2:] == ["data: [DONE]", ""]
    assert {chunk["usage"] for chunk in chunks} == {None}
    assert last["choices"] == [] and last["usage"]["completion_tokens"] == 5


def test_settings_arrive_and_the_length_is_openais_by_default(client, assistant):
    settings = {"max_tokens": 3, "temperature": 0.5, "top_p": 0.9, "seed": -1, "stop": ["\n", "END"]}
    client.post("/v1/completions", json={"model": "fake", "prompt": ["Once"], **settings})
    client.post("/v1/completions", json={"model": "fake", "prompt": "Once"})
    first, second = assistant.seen
    assert (first.max_new_tokens, first.temperature, first.top_p, first.seed) == (3, 0.5, 0.9, -1)
    assert first.stop == ("\n", "END") and first.messages == second.messages
    assert second.max_new_tokens == 16


def test_a_wrong_model_is_404(openai_client):
    with pytest.raises(openai.NotFoundError):
        openai_client.completions.create(model="gpt-4", prompt="Once")


def test_every_field_that_openai_has_is_either_read_or_refused():
    known = CompletionRequest.model_fields.keys() | UNSUPPORTED.keys()
    assert CompletionCreateParamsBase.__annotations__.keys() | {"stream"} == known - {
        "top_k",
        "min_p",
        "repetition_penalty",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("best_of", 2),
        ("echo", True),
        ("suffix", "end"),
        ("prompt", ["a", "b"]),
        ("prompt", [1, 2]),
        ("prompt", [[1, 2]]),
        ("prompt", []),
    ],
)
def test_what_is_not_implemented_is_refused_by_name(field, value):
    error = refusal(**{field: value})
    assert (error.param, error.code) == (field, "unsupported_parameter")


@pytest.mark.parametrize("field", UNSUPPORTED)
def test_values_that_ask_for_nothing_change_nothing(field):
    for value in (None, *UNSUPPORTED[field]):
        assert read(**{field: value}) == read()


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("model", [..., None, 1]),
        ("prompt", [..., None, "", 1, {}, [""]]),
        ("max_tokens", [0, -1, 1.5, "5"]),
        ("temperature", [-0.1, 2.1, "0"]),
        ("top_p", [-0.1, 0, 1.1]),
        ("seed", [2**63, "1"]),
        ("stop", [["a"] * 5, "", "x" * 257]),
        ("stream", ["true"]),
        ("user", [1]),
        ("n", [0, 17]),
        ("logprobs", [-1, 6, True]),
        ("logit_bias", [{"1": 101}]),
        ("presence_penalty", [3]),
    ],
)
def test_every_field_has_a_type_and_a_range(field, values):
    for value in values:
        error = refusal(**{field: value})
        assert error.param is not None and error.param.startswith(field), (field, value, error.message)


def test_the_prompt_has_the_limit_of_a_conversation():
    config = ServeConfig(max_text_chars=4)
    read_completion({"model": "fake", "prompt": "four"}, config)
    with pytest.raises(BadRequest, match="5 characters of text; this server takes at most 4") as caught:
        read_completion({"model": "fake", "prompt": "fives"}, config)
    assert caught.value.param == "prompt"
