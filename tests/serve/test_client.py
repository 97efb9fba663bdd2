"""The client against the real server on a real port."""

import base64
import socket
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from serve.client import Client, Delta, ServerError, image_part

MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture
def connect():
    clients = []

    def make(address, api_key=None):
        clients.append(Client(f"{address}/v1", api_key))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def http_page():
    """http_page(body) -> the address of a server that is not ours and gives that body to everything."""
    servers = []

    def start(body):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args):
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_an_answer_comes_in_pieces(live_server, connect):
    client = connect(live_server())
    assert client.models() == ["fake"]
    deltas = list(client.stream(MESSAGES, model="fake", temperature=0.0, seed=None))
    assert deltas == [Delta(text) for text in ("A ", "red ", "circle", " — ", "ready.")] + [Delta("", "stop")]


def test_options_are_sent_and_those_that_are_none_are_not(live_server, connect, assistant):
    list(connect(live_server()).stream(MESSAGES, model="fake", max_tokens=2, seed=None, blind=True))
    assert (assistant.seen[0].max_new_tokens, assistant.seen[0].seed, assistant.seen[0].blind) == (2, None, True)


def test_a_picture_arrives(live_server, connect, assistant, data_url):
    data = base64.b64decode(data_url("blue").partition(",")[2])
    message = {"role": "user", "content": [image_part(data), {"type": "text", "text": "?"}]}
    list(connect(live_server()).stream([message], model="fake"))
    assert assistant.seen[0].messages[0]["content"][0]["image"].getpixel((0, 0)) == (0, 0, 255)


def test_a_picture_is_read(live_server, connect, reader, data_url):
    client = connect(live_server())
    reading = client.read(base64.b64decode(data_url("blue").partition(",")[2]))
    assert (reading["family"], reading["rows"]["rows"]) == ("charts", [["A", "3"], ["B", "7"]])
    assert reader.seen[0].getpixel((0, 0)) == (0, 0, 255)
    with pytest.raises(ServerError, match="PNG, JPEG, WebP or GIF"):
        client.read(b"this is not a picture")


def test_closing_the_stream_ends_the_generation(live_server, connect, assistant, log_lines):
    client = connect(live_server())
    assistant.hold()
    assistant.allow(1)
    with closing(client.stream(MESSAGES, model="fake")) as deltas:
        assert next(deltas) == Delta("A ")
    assert "finish_reason=cancelled" in log_lines.get(timeout=20)
    assistant.allow(100)
    assert assistant.closed.wait(20)
    assert assistant.produced == ["A ", "red "]


def test_a_server_that_does_not_run_is_named_with_the_command_that_starts_it(connect):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        client = connect(f"http://127.0.0.1:{free.getsockname()[1]}")
        for call in (client.models, lambda: list(client.stream(MESSAGES, model="fake"))):
            with pytest.raises(
                ServerError, match=r"No server answers at http://127.0.0.1:\d+. Start it with `vlm serve`"
            ):
                call()


def test_the_servers_own_words_are_passed_on(live_server, connect):
    client = connect(live_server())
    with pytest.raises(ServerError, match=r"There is no such model here\. This server has: fake\."):
        list(client.stream(MESSAGES, model="other"))


def test_a_wrong_key_is_told_in_plain_words(live_server, connect):
    address = live_server(api_keys=("sesame",))
    assert connect(address, "sesame").models() == ["fake"]
    for key in (None, "wrong"):
        with pytest.raises(ServerError, match="wants an API key"):
            connect(address, key).models()


def test_an_error_in_the_middle_follows_the_words_before_it(live_server, connect, assistant):
    assistant.pieces = ("A ", RuntimeError("broken"))
    deltas = connect(live_server()).stream(MESSAGES, model="fake")
    assert next(deltas) == Delta("A ")
    with pytest.raises(ServerError, match="failed on this request"):
        next(deltas)


@pytest.mark.parametrize("page", [b"<html>", b"[]", b"{}"])
def test_something_else_at_that_address_is_told_apart(connect, http_page, page):
    with pytest.raises(ServerError, match="is not Regard's server"):
        connect(http_page(page)).models()
    with pytest.raises(ServerError, match="is not Regard's server"):
        connect(http_page(page)).read(b"")


def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(connect, http_page):
    with pytest.raises(ServerError, match="broke off"):
        list(connect(http_page(b"")).stream(MESSAGES, model="fake"))


def test_a_proxy_in_the_environment_is_not_used(live_server, connect, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert connect(live_server()).models() == ["fake"]
