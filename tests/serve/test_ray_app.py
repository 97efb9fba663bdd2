"""The front and what it hands requests to, over a stand-in for Ray's handle; with Ray itself in test_ray.py."""

import asyncio
import json
from collections import deque

import pytest
from starlette.testclient import TestClient

from serve import API_KEY_VARIABLE, main
from serve.app import create_app
from serve.config import ServeConfig
from serve.engine import Engine
from serve.ray_app import Front, messages
from serve.service import Service
from vlm.run_config import ConfigError

SETTINGS = {"allowed_hosts": ("testserver",), "ray": {"max_replicas": 1}}


class Answer:
    """Has the interface of Ray's response generator."""

    def __init__(self, stream):
        self._stream = stream

    def __aiter__(self):
        return self

    async def __anext__(self):
        return await anext(self._stream)

    def cancel(self):
        pass


class Handle:
    """Has the interface of Ray's handle of one replica, in this process; `seen` are the keys of the requests."""

    def __init__(self, app):
        self.app = app
        self.seen = deque()

    def options(self, session_id=None, **_):
        if session_id is not None:
            self.seen.append(session_id)
        return self

    def remote(self, scope, body):
        return Answer(messages(self.app, scope, body))


@pytest.fixture
def handle(assistant):
    engine = Engine(assistant)
    yield Handle(create_app(Service(engine), ServeConfig(host="0.0.0.0")))
    assistant.allow(1000)
    engine.close()


@pytest.fixture
def front(handle, monkeypatch):
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)

    def make(needs_key=False, **settings):
        app = Front(handle, ServeConfig(**{**SETTINGS, **settings}), needs_key).__serve_build_asgi_app__()
        return TestClient(app, raise_server_exceptions=False)

    return make


def test_the_openai_client_gets_through_it_what_the_replica_says(front, openai_over, ask):
    client = openai_over(front())
    whole = client.chat.completions.create(**ask())
    pieces = client.chat.completions.create(**ask(), stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in pieces)
    assert text == whole.choices[0].message.content == "A red circle — ready."
    assert client.models.list().data[0].id == "fake"


def test_a_wrong_request_is_refused_as_without_it(front, ask):
    client = front(max_body_bytes=200)
    wrong = client.post("/v1/chat/completions", json={"model": "fake"})
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (400, "invalid_request_error")
    broken = client.post("/v1/chat/completions", content=b"{", headers={"content-type": "application/json"})
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "invalid_json")
    large = client.post("/v1/chat/completions", json=ask("x" * 300))
    assert (large.status_code, large.json()["error"]["code"]) == (413, "request_too_large")
    assert client.get("/v1/nothing").json()["error"]["code"] == "not_found"
    assert client.get("/v1/chat/completions").status_code == 405
    assert client.get("/health", headers={"host": "evil.example"}).status_code == 403


def test_a_key_is_asked_for_before_any_of_the_body_is_read(front, handle, monkeypatch, ask):
    with pytest.raises(ConfigError, match=API_KEY_VARIABLE):  # the key is there, but not where the front runs
        front(needs_key=True)
    monkeypatch.setenv(API_KEY_VARIABLE, "sesame")
    client = front()
    assert client.post("/v1/chat/completions", json=ask()).status_code == 401 and not handle.seen
    headers = {"authorization": "Bearer sesame"}
    assert client.post("/v1/chat/completions", json=ask(), headers=headers).status_code == 200


def test_an_id_is_the_same_here_and_there(front, ask):
    answer = front().post("/v1/chat/completions", json=ask(), headers={"x-request-id": "mine"})
    assert answer.headers["x-request-id"] == "mine" and answer.json()["id"] == "chatcmpl-mine"


def test_one_picture_is_one_key(front, handle, ask, data_url):
    client = front()
    for text, colour in (("What?", "red"), ("How many?", "red"), ("What?", "blue")):
        client.post("/v1/chat/completions", json=ask(text, data_url(colour)))
    first, second, third = handle.seen
    assert first == second != third


@pytest.mark.parametrize(("places", "status"), [(1, 200), (0, 429)])
def test_without_a_place_a_request_is_refused(front, ask, places, status):
    client = front(max_answers=1, max_waiting=0)
    client.app.routes[-1].app.__self__._taken = 1 - places
    answer = client.post("/v1/chat/completions", json=ask())
    assert answer.status_code == status
    if status == 429:
        assert answer.json()["error"]["code"] == "queue_full" and int(answer.headers["retry-after"]) > 0
        assert client.get("/health").status_code == 200  # what watches needs no place


def test_whoever_leaves_frees_the_replica_and_the_place(handle, assistant, ask):
    assistant.hold()
    front = Front(handle, ServeConfig(**SETTINGS), False)
    app = front.__serve_build_asgi_app__()
    scope = {
        "type": "http", "method": "POST", "path": "/v1/chat/completions", "query_string": b"",
        "headers": [(b"host", b"testserver"), (b"content-type", b"application/json")],
    }  # fmt: skip

    async def leave():
        stream = messages(app, scope, json.dumps(ask(stream=True)).encode())
        assistant.allow(1)
        while not (await anext(stream)).get("body"):
            pass
        assert front._taken == 1
        task = asyncio.create_task(stream.athrow(asyncio.CancelledError()))
        assistant.allow(1)  # the token in the making
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    assert assistant.closed.wait(20)
    assert front._taken == 0 and len(assistant.produced) <= 2


@pytest.mark.parametrize("wrong", ["ray.min_replica=1", "ray.cpus=0", "ray.min_replicas=3"])
def test_a_wrong_key_is_told(wrong, capsys):
    assert main.serve_main(["--ray", "serve/ray", "ray.max_replicas=2", wrong]) == 2
    assert "\n  ray" in capsys.readouterr().err


def test_without_ray_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(main, "find_spec", lambda name: None)
    assert main.serve_main(["--ray"]) == 2
    assert "pip install 'regard[ray]'" in capsys.readouterr().err
