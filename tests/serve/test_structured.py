"""Answers that must be JSON: as the schema says, whoever else is in the batch, for OpenAI's own client."""

import json

import openai
import pytest

from serve.config import ServeConfig
from serve.errors import BadRequest
from serve.responses import read_responses
from serve.schemas import read_chat
from vlm.engine.batch import Batch
from vlm.grammar import MAX_SCHEMA_CHARS
from vlm.loading import Assistant

SCHEMA = {
    "type": "object",
    "properties": {
        "colour": {"enum": ["red", "blue", "grün"]},
        "count": {"type": "integer", "minimum": 0, "maximum": 99},
        "round": {"type": "boolean"},
    },
    "required": ["colour", "count", "round"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "thing", "schema": SCHEMA, "strict": True}}
HOT = {"temperature": 1.5, "seed": 3}


@pytest.fixture
def client(make_client, open_gates, tiny_processor):
    """A real, tiny, random model that answers in a batch, and may end its turns."""
    open_gates.generation_config.eos_token_id = tiny_processor.tokenizer.eos_token_id
    assistant = Assistant("tiny", open_gates, tiny_processor)
    return make_client(model=assistant, batch=Batch(open_gates, tiny_processor, max_answers=6))


@pytest.fixture
def chat(client, openai_over, data_url):
    def ask(text="What is it?", url=None, **fields):
        image = [{"type": "image_url", "image_url": {"url": url or data_url("red")}}]
        message = {"role": "user", "content": [*image, {"type": "text", "text": text}]}
        options = {"max_tokens": 100, "response_format": FORMAT, **fields}
        return openai_over(client).chat.completions.create(model="tiny", messages=[message], **options)

    return ask


def is_a_thing(text):
    found = json.loads(text)
    return (
        found.keys() == SCHEMA["properties"].keys()
        and found["colour"] in ("red", "blue", "grün")
        and 0 <= found["count"] <= 99
        and isinstance(found["round"], bool)
    )


@pytest.mark.parametrize("options", [{}, HOT, {**HOT, "logit_bias": {"3": 100}, "frequency_penalty": 1}])
def test_an_answer_is_what_its_schema_says(chat, options):
    (choice,) = chat(**options).choices
    assert choice.finish_reason == "stop"
    assert is_a_thing(choice.message.content)


def test_several_answers_each_go_their_own_way(chat):
    texts = [choice.message.content for choice in chat(n=4, **HOT).choices]
    assert all(map(is_a_thing, texts))
    assert len(set(texts)) > 1
    assert texts == [choice.message.content for choice in chat(n=4, **HOT).choices]


def test_a_stream_says_the_same(chat):
    whole = chat(**HOT).choices[0].message.content
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chat(stream=True, **HOT) if chunk.choices)
    assert streamed == whole


def test_any_object_is_one_unless_it_is_cut(chat):
    for seed in range(3):
        (choice,) = chat(response_format={"type": "json_object"}, temperature=1.0, seed=seed).choices
        assert choice.message.content.startswith("{")
        if choice.finish_reason == "stop":
            assert isinstance(json.loads(choice.message.content), dict)


def test_a_responses_request_has_its_format_in_another_place(client, openai_over):
    text_format = {"type": "json_schema", "name": "thing", "schema": SCHEMA, "strict": True}
    response = openai_over(client).responses.create(
        model="tiny", input="What is it?", text={"format": text_format}, max_output_tokens=100
    )
    assert is_a_thing(response.output_text)
    assert response.text.format.model_dump(by_alias=True, exclude_none=True) == text_format


def test_it_holds_in_the_batch_beside_others_and_changes_nobody(open_gates, tiny_processor, picture):
    from tests.vlm.engine.test_batch import ask, run, seen

    open_gates.generation_config.eos_token_id = tiny_processor.tokenizer.eos_token_id
    asked = [
        ask("What is it?", picture, json_schema=json.dumps(SCHEMA), max_new_tokens=100, **HOT),
        ask("What is it?", picture, max_new_tokens=30),
        ask("And now?", json_schema='{"enum": [1, 2, 3]}'),
    ]
    alone = [seen(run(Batch(open_gates, tiny_processor), [request])[0]) for request in asked]
    assert [seen(chunks) for chunks in run(Batch(open_gates, tiny_processor), asked)] == alone
    assert is_a_thing("".join(text for text, *_ in alone[0]))
    assert "".join(text for text, *_ in alone[2]) in ("1", "2", "3")


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "objct"}, "objct"),
        ({"properties": {"a": {"$ref": "http://example.org/x"}}}, "example.org"),
        ({"type": "string", "pattern": "(a"}, "unclosed group"),
        ({"enum": []}, "Unsatisfiable"),
        ({"description": "x" * MAX_SCHEMA_CHARS}, "at most 64000"),
    ],
    ids=["type", "remote", "pattern", "empty", "long"],
)
def test_a_schema_that_cannot_be_held_to_is_a_400_that_says_why(chat, schema, problem):
    with pytest.raises(openai.BadRequestError) as caught:
        chat(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
    assert (caught.value.param, caught.value.code) == ("response_format.json_schema.schema", "invalid_json_schema")
    assert problem in caught.value.message


def test_a_schema_of_just_the_longest_length_is_taken():
    schema = {"description": ""}
    schema["description"] = "x" * (MAX_SCHEMA_CHARS - len(json.dumps(schema)))
    body = {"model": "x", "input": "x", "text": {"format": {"type": "json_schema", "name": "x", "schema": schema}}}
    assert read_responses(body, ServeConfig()).options()["json_schema"] == json.dumps(schema)


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"type": "json_schema"}, "response_format"),
        ({"type": "json_schema", "json_schema": {"schema": {}}}, "response_format.json_schema.name"),
        ({"type": "json_schema", "json_schema": {"name": "a b"}}, "response_format.json_schema.name"),
        ({"type": "json_schema", "json_schema": {"name": "a", "schema": True}}, "response_format.json_schema.schema"),
        ({"type": "grammar"}, "response_format.type"),
        ("json", "response_format"),
    ],
)
def test_a_format_that_is_none_is_refused_by_its_field(wrong, param):
    body = {"model": "x", "messages": [{"role": "user", "content": "x"}], "response_format": wrong}
    with pytest.raises(BadRequest) as caught:
        read_chat(body, ServeConfig())
    assert caught.value.param == param


def test_plain_text_asks_for_nothing():
    body = {"model": "x", "messages": [{"role": "user", "content": "x"}], "response_format": {"type": "text"}}
    assert read_chat(body, ServeConfig()).options()["json_schema"] is None
