"""The wire format, through OpenAI's own client and byte by byte."""

import json

import openai
import pytest

from vlm.generation import GenerationRequest, RequestError

ANSWER = "A red circle — ready."


def events(response):
    """The JSON of each event, and whether the stream ended as it should."""
    lines = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    return [json.loads(line) for line in lines if line != "[DONE]"], lines[-1] == "[DONE]"


def test_the_openai_client_gets_an_answer(openai_client, ask):
    answer = openai_client.chat.completions.create(**ask())
    assert answer.choices[0].message.content == ANSWER
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.model_dump(exclude_none=True) == {
        "prompt_tokens": 7,
        "completion_tokens": 5,
        "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 0, "image_tokens": 0},
    }
    assert answer._request_id is not None and answer.id == f"chatcmpl-{answer._request_id}"


def test_the_openai_client_gets_a_stream(openai_client, ask):
    chunks = list(openai_client.chat.completions.create(**ask(stream=True)))
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", "A ", "red ", "circle", " — ", "ready.", None]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * 6 + ["stop"]
    assert chunks[0].choices[0].delta.role == "assistant"


def test_usage_is_streamed_only_when_asked_for(client, ask):
    plain, _ = events(client.post("/v1/chat/completions", json=ask(stream=True)))
    asked, _ = events(
        client.post("/v1/chat/completions", json=ask(stream=True, stream_options={"include_usage": True}))
    )
    assert not any("usage" in event for event in plain)
    assert [event["usage"] for event in asked[:-1]] == [None] * 7
    assert asked[-1]["choices"] == []
    assert asked[-1]["usage"] == {
        "prompt_tokens": 7,
        "completion_tokens": 5,
        "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 0, "image_tokens": 0},
    }


def test_a_stream_has_openais_form_and_ends_with_done(client, ask):
    response = client.post("/v1/chat/completions", json=ask(stream=True))
    chunks, is_done = events(response)
    assert is_done
    assert response.headers["content-type"].startswith("text/event-stream")
    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in chunks} == {
        (f"chatcmpl-{response.headers['x-request-id']}", "chat.completion.chunk", "fake")
    }
    first, last = chunks[0]["choices"][0], chunks[-1]["choices"][0]
    assert first == {
        "index": 0,
        "delta": {"role": "assistant", "content": ""},
        "logprobs": None,
        "finish_reason": None,
    }
    assert last == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}


def test_line_separators_in_the_answer_do_not_split_an_event(client, ask, assistant):
    assistant.pieces = ("a\u2028b\x85c\r\nd\n\ne",)
    response = client.post("/v1/chat/completions", json=ask(stream=True))
    assert "\u2028" not in response.text
    chunks, _ = events(response)
    assert chunks[1]["choices"][0]["delta"]["content"] == "a\u2028b\x85c\r\nd\n\ne"


def test_the_models_are_listed_and_found_by_name(openai_client):
    assert [model.id for model in openai_client.models.list()] == ["fake"]
    assert openai_client.models.retrieve("fake").owned_by == "regard"
    with pytest.raises(openai.NotFoundError):
        openai_client.models.retrieve("gpt/4")


def test_a_wrong_model_name_is_404_and_says_what_there_is(openai_client, ask):
    with pytest.raises(openai.NotFoundError) as caught:
        openai_client.chat.completions.create(**{**ask(), "model": "gpt-4"})
    assert caught.value.code == "model_not_found" and caught.value.param == "model"
    assert "fake" in str(caught.value) and "gpt-4" not in str(caught.value)


def test_settings_arrive_as_they_were_sent(client, ask, assistant):
    settings = {
        "max_tokens": 3,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": -1,
        "stop": ["\n", "END"],
        "blind": True,
        "hints": "off",
        "top_k": 7,
        "min_p": 0.1,
        "repetition_penalty": 1.2,
        "frequency_penalty": -0.5,
        "presence_penalty": 1,
        "logit_bias": {"65": -100, "66": 1.5},
        "logprobs": True,
        "visual_guidance": 2,
    }
    client.post("/v1/chat/completions", json=ask(**settings))
    request = assistant.seen[0]
    assert (request.max_new_tokens, request.temperature, request.top_p) == (3, 0.5, 0.9)
    assert (request.seed, request.stop, request.blind, request.hints) == (-1, ("\n", "END"), True, "off")
    assert (request.top_k, request.min_p, request.repetition_penalty) == (7, 0.1, 1.2)
    assert (request.frequency_penalty, request.presence_penalty) == (-0.5, 1)
    assert (request.logit_bias, request.top_logprobs, request.visual_guidance) == ({65: -100, 66: 1.5}, 0, 2)


def test_temperature_0_stays_0_whatever_the_default_is(make_client, ask, assistant):
    client = make_client(default_temperature=0.7)
    for body in (ask(temperature=0), ask(temperature=0.0), ask(), ask(temperature=None)):
        client.post("/v1/chat/completions", json=body)
    assert [request.temperature for request in assistant.seen] == [0, 0, 0.7, 0.7]


def test_absent_settings_take_the_servers_defaults(make_client, ask, assistant):
    make_client(default_max_tokens=99).post("/v1/chat/completions", json=ask())
    request = assistant.seen[0]
    assert (request.max_new_tokens, request.temperature, request.top_p) == (99, 0.0, 1.0)
    assert (request.seed, request.stop, request.blind, request.hints) == (None, (), False, "auto")
    assert request == GenerationRequest(messages=request.messages, max_new_tokens=99)


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_either_name_bounds_the_answer(client, ask, field):
    body = client.post("/v1/chat/completions", json=ask(**{field: 2})).json()
    assert body["choices"][0]["message"]["content"] == "A red "
    assert body["choices"][0]["finish_reason"] == "length"


def test_pictures_and_texts_keep_their_order_and_roles(client, assistant, data_url):
    parts = [
        {"type": "image_url", "image_url": {"url": data_url("red"), "detail": "low"}},
        {"type": "text", "text": "and"},
        {"type": "image_url", "image_url": data_url("blue")},
    ]
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": "Yes.", "refusal": None, "tool_calls": None},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": data_url("lime")}}]},
    ]
    assert client.post("/v1/chat/completions", json={"model": "fake", "messages": messages}).status_code == 200
    seen = [
        (message["role"], part.get("text") or part["image"].getpixel((0, 0)))
        for message in assistant.seen[0].messages
        for part in message["content"]
    ]
    assert seen == [
        ("system", "Be brief."),
        ("user", (255, 0, 0)),
        ("user", "and"),
        ("user", (0, 0, 255)),
        ("assistant", "Yes."),
        ("user", (0, 255, 0)),
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_model_refuses_is_a_400_with_its_own_words(client, ask, assistant, stream):
    assistant.pieces = (RequestError("the conversation is too long: 9000 tokens, at most 8192"),)
    response = client.post("/v1/chat/completions", json=ask(stream=stream))
    assert response.status_code == 400
    assert response.json()["error"]["message"] == "the conversation is too long: 9000 tokens, at most 8192"


@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_is_a_500_that_tells_nothing_of_the_inside(client, ask, assistant, stream):
    assistant.pieces = (RuntimeError("at 0x7f00deadbeef in /home/me/model.py"),)
    response = client.post("/v1/chat/completions", json=ask(stream=stream))
    assert response.status_code == 500
    assert response.json()["error"]["type"] == "server_error"
    assert "0x7f" not in response.text and "/home" not in response.text


def test_a_failure_after_the_first_words_ends_the_stream_with_an_error(openai_client, ask, assistant):
    assistant.pieces = ("A ", "red ", RuntimeError("at 0x7f00deadbeef"))
    texts = []
    with pytest.raises(openai.APIError, match="its log says why"):
        for chunk in openai_client.chat.completions.create(**ask(stream=True)):
            texts.append(chunk.choices[0].delta.content)
    assert texts == ["", "A ", "red "]


def test_one_failed_request_does_not_stop_the_next(client, ask, assistant):
    for error in (RuntimeError("broken"), MemoryError(), RequestError("too long"), RecursionError()):
        assistant.pieces = (error,)
        assert client.post("/v1/chat/completions", json=ask()).status_code in (400, 500)
    assistant.pieces = ("fine",)
    assert client.post("/v1/chat/completions", json=ask()).json()["choices"][0]["message"]["content"] == "fine"
    assert client.get("/health").status_code == 200


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_health_is_503_once_the_worker_is_dead(client, ask, assistant):
    assert client.get("/health").json() == {"status": "ok"}
    assistant.pieces = (SystemExit(),)  # what no request should cause: it ends the thread
    assert client.post("/v1/chat/completions", json=ask()).status_code == 503
    assert client.get("/health").status_code == 503
    assert client.post("/v1/chat/completions", json=ask()).json()["error"]["code"] == "worker_stopped"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/docs", 405),
        ("GET", "/openapi.json", 404),
        ("GET", "/v1/models/other", 404),
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 405),
        ("POST", "/v1/embeddings", 404),
    ],
)
def test_every_error_has_openais_form(client, method, path, status):
    response = client.request(method, path)
    assert response.status_code == status
    assert response.json()["error"].keys() == {"message", "type", "param", "code"}
    assert response.json()["error"]["type"] == "invalid_request_error"
