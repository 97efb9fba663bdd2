"""The log as JSON: one object a line, with what people need to know of a request and nothing of its contents."""

import io
import json
import logging

import pytest

from serve.logs import JsonFormatter


@pytest.fixture
def lines():
    """lines() -> what the server has logged so far, as objects."""
    file = io.StringIO()
    handler = logging.StreamHandler(file)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("serve")
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in file.getvalue().splitlines()]
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_a_request_is_one_object_with_sizes_and_times(client, ask, lines):
    client.post("/v1/chat/completions", json=ask(), headers={"x-request-id": "mine"})
    client.post("/v1/chat/completions", json=ask(tools=[1]))
    first, second = lines()
    assert {
        "level": "info",
        "logger": "serve.access",
        "message": "request",
        "request_id": "mine",
    }.items() <= first.items()
    assert {"method": "POST", "path": "/v1/chat/completions", "status": 200}.items() <= first.items()
    assert {"prompt_tokens": 7, "completion_tokens": 5, "finish_reason": "stop"}.items() <= first.items()
    assert first["seconds"] >= first["seconds_to_first_token"] >= 0
    assert (second["status"], second["error"]) == (400, "unsupported_parameter")


def test_what_a_client_sends_stays_out_of_it_and_cannot_break_a_line(client, ask, lines, data_url):
    url = data_url()
    client.post("/v1/chat/completions", json=ask("a private question", url, **{"x\n\u2028": url}))
    client.get("/nowhere%0A%22}")
    assert [line["message"] for line in lines()] == [
        "ignored 1 unknown request field(s): 'x\\n\\u2028'",
        "request",
        "request",
    ]
    assert lines()[2]["path"] == '/nowhere\n"}'
    assert "private question" not in str(lines()) and url[40:80] not in str(lines())


def test_a_failure_has_its_traceback_in_the_same_object(client, ask, lines, assistant):
    assistant.pieces = (RuntimeError("broken"),)
    client.post("/v1/chat/completions", json=ask())
    failure = next(line for line in lines() if line["level"] == "error")
    assert failure["message"] == "a request failed" and "RuntimeError: broken" in failure["exception"]
