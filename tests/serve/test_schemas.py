"""Every field of the request has a type and a range; what is not implemented is refused by name."""

import logging

import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsBase

from serve.config import ServeConfig
from serve.errors import BadRequest
from serve.schemas import UNSUPPORTED_IN_REQUEST, ChatRequest, read_chat

CANARY = "canary-5b1f"
EXTENSIONS = {"blind", "hints", "visual_guidance", "top_k", "min_p", "repetition_penalty"}


def read(**fields):
    body = {"model": "fake", "messages": [{"role": "user", "content": "hi"}], **fields}
    return read_chat({name: value for name, value in body.items() if value is not ...}, ServeConfig())


def refusal(**fields):
    with pytest.raises(BadRequest) as caught:
        read(**fields)
    return caught.value


def test_every_field_that_openai_has_is_either_read_or_refused():
    known = ChatRequest.model_fields.keys() | UNSUPPORTED_IN_REQUEST.keys()
    assert CompletionCreateParamsBase.__annotations__.keys() | {"stream", "web_search_options"} == known - EXTENSIONS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tools", [{"type": "function", "function": {"name": "f"}}]),
        ("tool_choice", "required"),
        ("functions", [{"name": "f"}]),
        ("function_call", {"name": "f"}),
        ("audio", {"voice": "alloy", "format": "wav"}),
        ("modalities", ["text", "audio"]),
        ("prediction", {"type": "content", "content": "x"}),
        ("reasoning_effort", "high"),
        ("verbosity", "low"),
        ("service_tier", "flex"),
        ("store", True),
        ("metadata", {"a": "b"}),
        ("moderation", {}),
        ("web_search_options", {}),
        ("prompt_cache_retention", "24h"),
        ("prompt_cache_options", {}),
        ("parallel_tool_calls", 1),
    ],
)
def test_a_field_that_is_not_implemented_is_refused_by_name(field, value):
    error = refusal(**{field: value})
    assert error.param == field and error.code == "unsupported_parameter"
    assert error.message.startswith(f"{field} is not supported")


@pytest.mark.parametrize("field", UNSUPPORTED_IN_REQUEST)
def test_values_that_ask_for_nothing_change_nothing(field):
    for value in (None, *UNSUPPORTED_IN_REQUEST[field]):
        assert read(**{field: value}) == read()


def test_an_unknown_field_is_ignored_with_a_log_line(caplog):
    with caplog.at_level(logging.INFO, logger="serve.wire"):
        read(best_of=CANARY, **{"x\n" * 500: 1})
    assert "ignored 2 unknown request field(s): 'best_of', 'x\\nx\\n" in caplog.text
    assert CANARY not in caplog.text and len(caplog.messages[0]) < 200


def test_a_field_that_is_not_implemented_is_refused_inside_messages_and_stream_options():
    def message(**fields):
        return refusal(messages=[{"role": "user", "content": "hi", **fields}]).param

    assert message(tool_calls=[{"id": "1"}]) == "messages[0].tool_calls"
    assert message(name="Ada") == "messages[0].name"
    assert message(role="tool") == "messages[0].role"
    assert message(content=[{"type": "input_audio", "input_audio": {}}]) == "messages[0].content[0].type"
    assert (
        refusal(stream=True, stream_options={"include_obfuscation": True}).param == "stream_options.include_obfuscation"
    )


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("model", [..., None, 1, "x" * 600]),
        ("messages", [..., None, [], {}, "hi", [CANARY], [None]]),
        ("max_tokens", [0, -1, 1.5, "5", True]),
        ("max_completion_tokens", [0, -(10**30)]),
        ("temperature", [-0.1, 2.1, "0", True, float("inf")]),
        ("top_p", [-0.1, 1.1, "1"]),
        ("seed", [2**63, -(2**63) - 1, 1.0, "1", False]),
        ("stop", [1, [1], [""], "", ["a"] * 5, "x" * 257, ["x" * 257], {}]),
        ("stream", ["true", 1]),
        ("stream_options", [[], {"include_usage": 1}]),
        ("user", [1, "x" * 600]),
        ("blind", [1, "true", None, []]),
        ("hints", ["maybe", None, True]),
        ("visual_guidance", [-0.1, 5.1, "1"]),
        ("top_k", [-1, 1.5, True]),
        ("min_p", [-0.1, 1.1]),
        ("repetition_penalty", [0, 10.1, float("nan")]),
        ("frequency_penalty", [-2.1, 2.1, "0"]),
        ("presence_penalty", [-2.1, 2.1, True]),
        (
            "logit_bias",
            [[], {"1": 101}, {"1": "1"}, {"1": True}, {CANARY: 1}, {"-1": 1}, dict.fromkeys(map(str, range(1025)), 1)],
        ),
        ("n", [0, 17, 1.5, True]),
        ("logprobs", [1, "true"]),
        ("top_logprobs", [-1, 21, True]),
    ],
)
def test_every_field_has_a_type_and_a_range(field, values):
    for value in values:
        error = refusal(**({"stream": True, field: value} if field == "stream_options" else {field: value}))
        assert error.status == 400 and CANARY not in error.message
        assert error.param is not None and error.param.startswith(field), (field, value, error.message)


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"content": "hi"}, "messages[0].role"),
        ({"role": CANARY, "content": "hi"}, "messages[0].role"),
        ({"role": "user"}, "messages[0].content"),
        ({"role": "user", "content": None}, "messages[0].content"),
        ({"role": "user", "content": 5}, "messages[0].content"),
        ({"role": "user", "content": ["hi"]}, "messages[0].content[0]"),
        ({"role": "user", "content": [{"type": CANARY}]}, "messages[0].content[0].type"),
        ({"role": "user", "content": [{"type": "text"}]}, "messages[0].content[0]"),
        ({"role": "user", "content": [{"type": "text", "text": 5}]}, "messages[0].content[0].text"),
        ({"role": "user", "content": [{"type": "image_url"}]}, "messages[0].content[0]"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {}}]}, "messages[0].content[0].image_url.url"),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:", "detail": CANARY}}]},
            "messages[0].content[0].image_url.detail",
        ),
        ({"role": "system", "content": [{"type": "image_url", "image_url": "data:"}]}, "messages[0]"),
        ({"role": "assistant", "content": [{"type": "image_url", "image_url": "data:"}]}, "messages[0]"),
    ],
)
def test_a_wrong_message_is_refused_with_its_place_and_never_quoted(message, param):
    error = refusal(messages=[message])
    assert error.param == param
    assert CANARY not in error.message


def test_fields_that_exclude_each_other_are_refused():
    assert "stream is true" in refusal(stream_options={"include_usage": True}).message
    assert "logprobs is true" in refusal(top_logprobs=1).message
    assert "exclude each other" in refusal(max_tokens=1, max_completion_tokens=1).message


@pytest.mark.parametrize(
    ("limit", "messages"),
    [
        ("max_messages", [{"role": "user", "content": "hi"}] * 3),
        ("max_parts", [{"role": "user", "content": [{"type": "text", "text": "hi"}] * 3}]),
        ("max_text_chars", [{"role": "user", "content": "hi!"}]),
        ("max_images", [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}] * 3),
    ],
)
def test_what_multiplies_work_has_a_limit(limit, messages):
    body = {"model": "fake", "messages": messages}
    read_chat(body, ServeConfig(**{limit: 3}))
    with pytest.raises(BadRequest, match="at most 2"):
        read_chat(body, ServeConfig(**{limit: 2}))


def test_the_ends_of_every_range_are_accepted():
    for ends in (
        {"n": 1, "top_k": 0, "min_p": 0, "frequency_penalty": -2, "presence_penalty": -2, "visual_guidance": 0},
        {"n": 16, "min_p": 1, "repetition_penalty": 10, "frequency_penalty": 2, "visual_guidance": 5},
        {"logprobs": True, "top_logprobs": 20, "logit_bias": dict.fromkeys(map(str, range(1024)), -100)},
        {"logprobs": False, "top_logprobs": 0, "logit_bias": {}},
        {"temperature": 0, "top_p": 1, "seed": -(2**63)},
        {"temperature": 2, "top_p": 1e-9, "seed": 2**63 - 1},
    ):
        request = read(**ends).to_generation([], ServeConfig())
        said = {name: value for name, value in ends.items() if name not in ("logprobs", "top_logprobs", "logit_bias")}
        assert {name: getattr(request, name) for name in said} == said


def test_the_longest_legal_stop_strings_are_accepted():
    assert read(stop=["x" * 256] * 4).stop == ["x" * 256] * 4
    assert read(stop="END").stop == ["END"]
    assert read(stop=None).stop is None


def test_a_name_for_a_request_has_so_many_characters_and_no_more():
    assert [len(read(user="x" * number).user) for number in (511, 512)] == [511, 512]
    assert refusal(user="x" * 513).param == "user"
