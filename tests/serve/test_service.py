"""The server's life as those who watch it see it: loading, ready, draining, dead; its version and its counters."""

import signal
import socket
import threading
import time
from dataclasses import replace

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

import vlm
from serve.app import create_app
from serve.config import ServeConfig
from serve.engine import Engine
from serve.metrics import merged
from serve.service import Service
from tests.serve.test_body import raw
from vlm.generation import RequestError
from vlm.perception import Perception

TIMEOUT = 20


def samples(client, **headers):
    """(name, labels) -> value of every sample of /metrics."""
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200 and response.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(response.text)
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}


def test_before_the_model_is_there_the_server_lives_but_is_not_ready(assistant, ask):
    service = Service()
    client = TestClient(create_app(service, ServeConfig(allowed_hosts=("testserver",))))
    assert client.get("/health").status_code == 200
    for response in (
        client.get("/ready"),
        client.get("/v1/models"),
        client.get("/v1/models/fake"),
        client.post("/v1/chat/completions", json=ask()),
    ):
        assert (response.status_code, response.json()["error"]["code"]) == (503, "model_loading")
        assert int(response.headers["retry-after"]) > 0
    assert samples(client)["regard:num_requests_running",] == 0
    engine = Engine(assistant)
    service.give(engine)
    assert client.get("/ready").json() == {"status": "ready"}
    assert client.post("/v1/chat/completions", json=ask()).status_code == 200
    engine.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_server_whose_worker_is_dead_is_neither_ready_nor_healthy(client, ask, assistant):
    assistant.pieces = (SystemExit(),)
    client.post("/v1/chat/completions", json=ask())
    for path in ("/ready", "/health"):
        assert (client.get(path).status_code, client.get(path).json()["error"]["code"]) == (503, "worker_stopped")


def test_probes_need_no_key_and_what_tells_more_does(make_client):
    client = make_client(api_keys=("sesame",))
    assert client.get("/ready").status_code == 200
    for path in ("/version", "/metrics"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers={"authorization": "Bearer sesame"}).status_code == 200


def test_the_version_is_that_of_the_package(client):
    assert client.get("/version").json() == {"name": "regard", "version": vlm.__version__}


def test_requests_tokens_times_and_errors_are_counted(client, ask, data_url, assistant):
    client.post("/v1/chat/completions", json=ask("?", data_url()))
    client.post("/v1/chat/completions", json=ask(stream=True))
    client.post("/v1/chat/completions", json=ask(tools=[1]))
    client.get("/v1/models/fake")
    client.get("/nowhere/secret")
    assistant.pieces = ("A ", RuntimeError("broken"))
    client.post("/v1/chat/completions", json=ask(stream=True))  # its status was sent before it failed
    client.post("/v1/read", json={"image": data_url()})
    found = samples(client)
    assert found["regard:requests_total", "/v1/chat/completions", "200"] == 3
    assert found["regard:requests_total", "/v1/chat/completions", "400"] == 1
    assert found["regard:requests_total", "/v1/models/{model_name:path}", "200"] == 1
    assert found["regard:requests_total", "404", "other"] == 1
    assert found["regard:errors_total", "unsupported_parameter"] == 1
    assert found["regard:errors_total", "internal_error"] == 1
    assert found["regard:prompt_tokens_total",] == 3 * 7
    assert found["regard:generation_tokens_total",] == 5 + 5 + 1
    assert found["regard:time_to_first_token_seconds_count",] == 3
    assert found["regard:time_per_output_token_seconds_count",] == 4 + 4
    assert found["regard:requests_finished_total", "stop"] == 2
    assert found["regard:requests_finished_total", "failed"] == 1
    assert found["regard:picture_seconds_count", "decode"] == found["regard:picture_seconds_count", "read"] == 1
    assert not [key for key in found if "secret" in str(key)]


def test_what_the_batch_counts_is_on_the_page(make_client, tiny_batch, tiny_assistant, ask, data_url):
    seeing = replace(tiny_assistant, perception=Perception(read_words=lambda image: ()))
    tiny_batch.with_hints = seeing.with_hints
    client = make_client(model=seeing, batch=tiny_batch)
    body = {**ask("?", data_url("red", (8, 6))), "model": "tiny", "max_tokens": 2}
    for _ in range(2):
        assert client.post("/v1/chat/completions", json=body).status_code == 200
    found = samples(client)
    assert found["regard:cache_hits_total", "picture"] == found["regard:cache_misses_total", "picture"] == 1
    assert found["regard:cache_hits_total", "prefix"] == found["regard:cache_misses_total", "prefix"] == 1
    assert found["regard:cache_hits_total", "hints"] == found["regard:cache_misses_total", "hints"] == 1
    assert found["regard:cache_bytes", "hints"] > 0
    assert found["regard:cache_bytes", "picture"] > 0 and found["regard:cache_bytes", "prefix"] > 0
    assert found["regard:generation_tokens_total",] == 4
    assert 0 < found["regard:prompt_tokens_cached_total",] < found["regard:prompt_tokens_total",] / 2
    assert found["regard:image_encode_seconds_total",] > 0
    assert found["regard:time_to_first_token_seconds_bucket", "+Inf"] == 2


def test_an_error_that_the_model_words_itself_is_counted_too(client, ask, assistant):
    assistant.pieces = (RequestError("too long"),)
    client.post("/v1/chat/completions", json=ask())
    assert samples(client)["regard:errors_total", "invalid_request_error"] == 1


def test_what_runs_and_what_waits_is_counted(live_server, ask, assistant):
    address = live_server()
    assistant.hold()
    clients = [httpx2.Client(base_url=address, trust_env=False, timeout=TIMEOUT) for _ in range(3)]
    with clients[0] as watcher, clients[1] as first, clients[2] as second:
        threads = [
            threading.Thread(target=client.post, args=("/v1/chat/completions",), kwargs={"json": ask()})
            for client in (first, second)
        ]
        for thread in threads:
            thread.start()
        assert assistant.asked.get(timeout=TIMEOUT) == 1
        while (found := samples(watcher))["regard:num_requests_waiting",] != 1:
            pass
        assert found["regard:num_requests_running",] == 1
        assistant.allow(100)
        for thread in threads:
            thread.join(TIMEOUT)
        found = samples(watcher)
        assert found["regard:num_requests_waiting",] == 0
        assert found["regard:requests_total", "/v1/chat/completions", "200"] == 2


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_past_its_deadline_is_an_error_and_counted_as_one(make_client, ask, assistant, stream):
    client = make_client(deadline=0.5)
    assistant.pieces = ("on and ",) * 1_000_000
    response = client.post("/v1/chat/completions", json=ask(stream=stream, max_tokens=1_000_000))
    assert response.status_code == (200 if stream else 504)
    assert "deadline_passed" in response.text and "[DONE]" not in response.text
    found = samples(client)
    assert found["regard:errors_total", "deadline_passed"] == found["regard:requests_finished_total", "overdue"] == 1


@pytest.fixture
def stream(ask):
    """A client that has sent a question to an address and has the first bytes of the answer."""
    connections = []

    def start(address):
        host, _, port = address.removeprefix("http://").partition(":")
        connection = socket.create_connection((host, int(port)), timeout=TIMEOUT)
        connections.append(connection)
        content = httpx2.Request("POST", address, json=ask(stream=True)).read()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        assert connection.recv(12) == b"HTTP/1.1 200"
        return connection

    yield start
    for connection in connections:
        connection.close()


def read_all(connection):
    answer = b""
    while received := connection.recv(65536):
        answer += received
    return answer


GET_READY = b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def test_a_server_told_to_stop_finishes_what_runs_and_refuses_what_is_new(
    live_server, servers, assistant, stream, ask, wait_for_end
):
    address = live_server()
    assistant.hold()
    assistant.allow(1)
    running = stream(address)
    servers[0].handle_exit(signal.SIGTERM, None)
    with httpx2.Client(base_url=address, trust_env=False, timeout=TIMEOUT) as client:
        response = client.post("/v1/chat/completions", json=ask())
        assert (response.status_code, response.json()["error"]["code"]) == (503, "draining")
        assert response.headers["connection"] == "close" and int(response.headers["retry-after"]) > 0
        assert client.get("/health").status_code == 200
        assert client.get("/ready").json()["error"]["code"] == "draining"
        assert client.get("/metrics").status_code == 200
    assistant.allow(100)
    assert read_all(running).endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    wait_for_end()
    with pytest.raises(ConnectionRefusedError):
        raw(address, GET_READY)


def test_what_runs_longer_than_the_grace_time_ends_with_an_error(live_server, servers, assistant, stream, wait_for_end):
    address = live_server(drain_seconds=0)
    assistant.hold()
    assistant.allow(1)
    running = stream(address)
    assert assistant.asked.get(timeout=TIMEOUT) == 1 and assistant.asked.get(timeout=TIMEOUT) == 2
    servers[0].handle_exit(signal.SIGTERM, None)
    engine = servers[0].service.engine
    while engine.is_alive:
        pass
    assistant.allow(1)  # the token in the making
    answer = read_all(running)
    assert b"worker_stopped" in answer and b"[DONE]" not in answer
    wait_for_end()


def test_a_second_signal_does_not_wait(live_server, servers, assistant, stream, wait_for_end):
    address = live_server(drain_seconds=1000)
    assistant.hold()
    assistant.allow(1)
    running = stream(address)
    servers[0].handle_exit(signal.SIGTERM, None)
    assert raw(address, GET_READY).startswith("HTTP/1.1 503")
    servers[0].handle_exit(signal.SIGTERM, None)
    assert b"[DONE]" not in read_all(running)
    assistant.allow(1)  # the token in the making
    wait_for_end()


def test_a_server_that_answers_nobody_stops_at_once(live_server, servers, wait_for_end):
    live_server(drain_seconds=1000)
    started = time.monotonic()
    servers[0].handle_exit(signal.SIGTERM, None)
    wait_for_end()
    assert time.monotonic() - started < 100  # of the 1,000 seconds that it would wait for an answer


def test_pages_of_several_servers_make_one(make_client, ask):
    clients = [make_client(), make_client()]
    clients[1].post("/v1/chat/completions", json=ask())
    page = merged((name, client.get("/metrics").text) for name, client in zip("ab", clients, strict=True)).decode()
    families = {family.name: family for family in text_string_to_metric_families(page)}
    assert families["regard:requests"].type == "counter"
    answered = {
        sample.labels["replica"]: sample.value
        for sample in families["regard:requests"].samples
        if sample.name == "regard:requests_total" and sample.labels["route"] == "/v1/chat/completions"
    }
    assert answered == {"b": 1.0}
    assert page.count("# TYPE regard:num_requests_running ") == 1
