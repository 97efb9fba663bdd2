"""Reading a request: bounded in size, time and depth, and strict about JSON."""

import json
import socket
from contextlib import suppress

import pytest
from starlette.testclient import TestClient

from serve.body import MAX_DEPTH

JSON = {"content-type": "application/json"}


def post(client, content, **headers):
    return client.post("/v1/chat/completions", content=content, headers={**JSON, **headers})


def raw(address, *pieces):
    """Send bytes to a live server and read until it closes or resets the connection."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        answer = b""
        with suppress(ConnectionResetError):
            while received := connection.recv(65536):
                answer += received
    return answer.decode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"\xff\xfe{\x00}\x00",
        b'{"a": "\xff"}',
        b'{"temperature": NaN}',
        b'{"temperature": Infinity}',
        b'{"temperature": -Infinity}',
        b'{"temperature": 1e400}',
        b'{"temperature": ' + b"9" * 5000 + b"}",
        rb'{"user": "\ud800"}',
        rb'{"\udfff": 1}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_not_strict_json_is_a_400(client, body):
    response = post(client, body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_json"


@pytest.mark.parametrize(("depth", "param"), [(MAX_DEPTH - 1, "model"), (MAX_DEPTH, None)])
def test_nesting_has_a_limit(client, depth, param):
    response = post(client, b'{"a":' + b"[" * depth + b"]" * depth + b"}")
    assert response.json()["error"]["param"] == param  # at the limit it is JSON, and what is missing is the model


def test_a_text_with_any_whole_character_is_accepted(client, ask, assistant):
    text = "grüße \U0001f600 \x00 \\ud800 </s>"
    assert post(client, json.dumps(ask(text)).encode()).status_code == 200
    assert assistant.seen[0].messages[0]["content"][0]["text"] == text


@pytest.mark.parametrize("media_type", ["text/plain", "", "multipart/form-data", "application/json-patch"])
def test_only_json_is_read(client, ask, media_type):
    response = post(client, json.dumps(ask()).encode(), **{"content-type": media_type})
    assert response.status_code == 415


def test_a_charset_after_the_media_type_is_fine(client, ask):
    body = json.dumps(ask()).encode()
    assert post(client, body, **{"content-type": "Application/JSON; charset=utf-8"}).status_code == 200


def test_an_announced_body_that_is_too_large_is_refused_before_it_is_sent(live_server):
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    for length in (b"1001", b"9" * 18):
        answer = raw(live_server(max_body_bytes=1000), head + b"Content-Length: " + length + b"\r\n\r\n")
        assert answer.startswith("HTTP/1.1 413") and '"code":"request_too_large"' in answer


def test_a_body_without_a_length_is_measured_while_it_comes(live_server):
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    chunk = b"190\r\n" + b" " * 0x190 + b"\r\n"  # 400 bytes; the body never ends
    answer = raw(live_server(max_body_bytes=1000), head + b"Transfer-Encoding: chunked\r\n\r\n", chunk, chunk, chunk)
    assert answer.startswith("HTTP/1.1 413")


def test_a_body_of_just_the_limit_is_read(make_client, ask):
    body = json.dumps(ask()).encode()
    assert post(make_client(max_body_bytes=len(body)), body).status_code == 200
    assert post(make_client(max_body_bytes=len(body) - 1), body).status_code == 413


def test_a_client_that_does_not_send_its_body_is_told_off_and_gives_its_place_back(live_server, ask):
    address = live_server(body_timeout=0.05, max_waiting=0)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    for _ in range(2):
        assert raw(address, head + b"Content-Length: 100\r\n\r\n{").startswith("HTTP/1.1 408")


def test_a_huge_header_is_refused(live_server):
    answer = raw(live_server(), b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000)
    assert answer.startswith("HTTP/1.1 400") or answer == ""  # nothing, where the reset overtook it


def test_the_test_client_reads_what_a_real_one_sends(client):
    assert isinstance(client, TestClient)
    assert post(client, iter([b"{", b"}"])).json()["error"]["param"] == "model"
