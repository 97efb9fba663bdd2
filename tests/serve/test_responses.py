"""POST /v1/responses through OpenAI's own client and byte by byte."""

import json

import openai
import pytest
from openai.types.responses.response_create_params import ResponseCreateParamsBase

from serve.config import ServeConfig
from serve.errors import BadRequest
from serve.responses import UNSUPPORTED, ResponsesRequest, read_responses
from vlm.generation import RequestError

ANSWER = "A red circle — ready."
CANARY = "canary-5b1f"
EXTENSIONS = {"blind", "hints", "visual_guidance", "top_k", "min_p", "repetition_penalty"}


def read(**fields):
    body = {"model": "fake", "input": "hi", **fields}
    return read_responses({name: value for name, value in body.items() if value is not ...}, ServeConfig())


def refusal(**fields):
    with pytest.raises(BadRequest) as caught:
        read(**fields)
    return caught.value


def events(response):
    """(name, body) of each event."""
    blocks = [block.split("\n") for block in response.text.split("\n\n") if block]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def test_the_openai_client_gets_a_response(openai_client, assistant):
    response = openai_client.responses.create(
        model="fake", input="What is it?", instructions="Be brief.", temperature=1
    )
    assert response.output_text == ANSWER
    assert (response.status, response.object, response.incomplete_details) == ("completed", "response", None)
    assert response.id == f"resp_{response._request_id}"
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (7, 5, 12)
    assert (response.temperature, response.top_p, response.instructions) == (1, 1, "Be brief.")
    assert response.store is False and response.tools == []
    assert assistant.seen[0].messages == [
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": [{"type": "text", "text": "What is it?"}]},
    ]


def test_the_openai_client_follows_the_stream_to_the_same_response(openai_client):
    with openai_client.responses.stream(model="fake", input="What is it?") as stream:
        seen = list(stream)
        response = stream.get_final_response()
    assert "".join(event.delta for event in seen if event.type == "response.output_text.delta") == ANSWER
    assert response.output_text == ANSWER and response.status == "completed"


def test_events_come_in_openais_order_and_are_numbered(client):
    response = client.post("/v1/responses", json={"model": "fake", "input": "hi", "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    found = events(response)
    assert [name for name, _ in found] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * 5,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [body["type"] for _, body in found] == [name for name, _ in found]
    assert [body["sequence_number"] for _, body in found] == list(range(len(found)))
    assert len({body["item_id"] for _, body in found if "item_id" in body}) == 1
    assert found[0][1]["response"]["output"] == [] and found[0][1]["response"]["usage"] is None


def test_a_stream_ends_with_what_would_have_been_the_whole_answer(client):
    body = {"model": "fake", "input": "hi", "max_output_tokens": 3}
    headers = {"x-request-id": "same"}
    whole = client.post("/v1/responses", json=body, headers=headers).json()
    last = events(client.post("/v1/responses", json={**body, "stream": True}, headers=headers))[-1][1]["response"]
    assert {**whole, "created_at": 0, "completed_at": 0} == {**last, "created_at": 0, "completed_at": 0}
    assert whole["status"] == "incomplete" and whole["incomplete_details"] == {"reason": "max_output_tokens"}
    assert whole["output"][0]["content"][0]["text"] == "A red circle"


def test_a_conversation_with_pictures_keeps_its_order_and_roles(openai_client, assistant, data_url):
    openai_client.responses.create(
        model="fake",
        input=[
            {"role": "developer", "content": "Be brief."},
            {
                "role": "user",
                "type": "message",
                "content": [
                    {"type": "input_image", "image_url": data_url("red"), "detail": "low"},
                    {"type": "input_text", "text": "and"},
                ],
            },
            {
                "role": "assistant",
                "type": "message",
                "id": "msg_1",
                "status": "completed",
                "content": [{"type": "output_text", "text": "Yes.", "annotations": []}],
            },
            {"role": "user", "content": [{"type": "input_image", "image_url": data_url("lime"), "detail": "auto"}]},
        ],
    )
    seen = [
        (message["role"], part.get("text") or part["image"].getpixel((0, 0)))
        for message in assistant.seen[0].messages
        for part in message["content"]
    ]
    assert seen == [
        ("system", "Be brief."),
        ("user", (255, 0, 0)),
        ("user", "and"),
        ("assistant", "Yes."),
        ("user", (0, 255, 0)),
    ]


def test_an_answer_can_be_sent_back_as_it_came(openai_client, assistant):
    first = openai_client.responses.create(model="fake", input="hi")
    again = [{"role": "user", "content": "hi"}, *first.output, {"role": "user", "content": "And?"}]
    openai_client.responses.create(model="fake", input=again)
    assert [message["role"] for message in assistant.seen[1].messages] == ["user", "assistant", "user"]
    assert assistant.seen[1].messages[1]["content"] == [{"type": "text", "text": ANSWER}]


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_model_refuses_is_a_400(client, assistant, stream):
    assistant.pieces = (RequestError("the conversation is too long"),)
    response = client.post("/v1/responses", json={"model": "fake", "input": "hi", "stream": stream})
    assert (response.status_code, response.json()["error"]["message"]) == (400, "the conversation is too long")


def test_a_failure_after_the_first_words_ends_the_stream_with_response_failed(client, assistant):
    assistant.pieces = ("A ", RuntimeError("at 0x7f0000000000"))
    response = client.post("/v1/responses", json={"model": "fake", "input": "hi", "stream": True})
    name, body = events(response)[-1]
    assert (name, body["response"]["status"]) == ("response.failed", "failed")
    assert body["response"]["error"]["code"] == "server_error" and "0x7f" not in response.text


def test_a_wrong_model_is_404(openai_client):
    with pytest.raises(openai.NotFoundError):
        openai_client.responses.create(model="gpt-4", input="hi")


def test_every_field_that_openai_has_is_either_read_or_refused():
    known = ResponsesRequest.model_fields.keys() | UNSUPPORTED.keys() | {"stream_options"}
    assert ResponseCreateParamsBase.__annotations__.keys() | {"stream"} == known - EXTENSIONS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("background", True),
        ("conversation", "conv_1"),
        ("include", ["message.output_text.logprobs"]),
        ("max_tool_calls", 1),
        ("metadata", {"a": "b"}),
        ("previous_response_id", "resp_1"),
        ("prompt", {"id": "x"}),
        ("reasoning", {"effort": "high"}),
        ("service_tier", "flex"),
        ("store", True),
        ("tool_choice", "required"),
        ("tools", [{"type": "function", "name": "f"}]),
        ("top_logprobs", 1),
        ("truncation", "auto"),
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
    "item",
    [
        {"type": "function_call_output", "call_id": "1", "output": CANARY},
        {"type": "item_reference", "id": CANARY},
        {"type": "reasoning", "summary": []},
        {"type": CANARY},
        {"type": None},
    ],
)
def test_an_item_that_is_no_message_is_refused(item):
    error = refusal(input=[item])
    assert (error.param, error.code) == ("input[0].type", "unsupported_parameter")
    assert CANARY not in error.message


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"content": "hi"}, "input[0].role"),
        ({"role": "tool", "content": "hi"}, "input[0].role"),
        ({"role": "user"}, "input[0].content"),
        ({"role": "user", "content": ["hi"]}, "input[0].content[0]"),
        ({"role": "user", "content": [{"type": CANARY}]}, "input[0].content[0].type"),
        ({"role": "user", "content": [{"type": "input_file"}]}, "input[0].content[0].type"),
        ({"role": "user", "content": [{"type": "input_text"}]}, "input[0].content[0]"),
        ({"role": "user", "content": [{"type": "input_image"}]}, "input[0].content[0]"),
        ({"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}, "input[0].content[0].file_id"),
        (
            {"role": "user", "content": [{"type": "input_image", "image_url": {"url": "data:"}}]},
            "input[0].content[0].image_url",
        ),
        (
            {"role": "user", "content": [{"type": "input_image", "image_url": "data:", "detail": CANARY}]},
            "input[0].content[0].detail",
        ),
        ({"role": "assistant", "content": [{"type": "input_image", "image_url": "data:"}]}, "input[0]"),
        ({"role": "system", "content": [{"type": "input_image", "image_url": "data:"}]}, "input[0]"),
    ],
)
def test_a_wrong_message_is_refused_with_its_place_and_never_quoted(message, param):
    error = refusal(input=[message])
    assert error.param == param and CANARY not in error.message


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("model", [..., None, 1]),
        ("input", [..., None, [], 1, {}]),
        ("instructions", [1, []]),
        ("max_output_tokens", [0, -1, "5"]),
        ("temperature", [-0.1, 2.1]),
        ("top_p", [0, 1.1]),
        ("stream", ["true"]),
        ("blind", [1, "true"]),
        ("hints", ["maybe", True]),
    ],
)
def test_every_field_has_a_type_and_a_range(field, values):
    for value in values:
        error = refusal(**{field: value})
        assert error.param is not None and error.param.startswith(field), (field, value, error.message)


def test_pictures_have_the_limits_of_a_chat_and_errors_name_their_place(make_client, data_url):
    client = make_client(max_images=2)

    def status(*urls):
        content = [{"type": "input_image", "image_url": url} for url in urls]
        response = client.post("/v1/responses", json={"model": "fake", "input": [{"role": "user", "content": content}]})
        return response.status_code, response.json().get("error", {}) and response.json()["error"]["param"]

    assert status(*[data_url()] * 2)[0] == 200
    assert status(*[data_url()] * 3) == (400, "input")
    assert status(data_url(), "http://127.0.0.1/") == (400, "input[0].content[1].image_url")
