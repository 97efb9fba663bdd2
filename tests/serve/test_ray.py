"""`vlm serve --ray` with two replicas of a tiny model: one start, and all that holds only when Ray is really there."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from pathlib import Path

import httpx2
import pytest
from openai import OpenAI
from prometheus_client.parser import text_string_to_metric_families

pytest.importorskip("ray", reason="pip install 'regard[ray]'")
pytestmark = pytest.mark.slow

START, ANSWER, STOP = 600, 120, 120  # seconds at most, on a busy machine
PICTURES = 16  # all but surely, not all of them go to one of the two
MARK = "REGARD_TEST_RUN"


@pytest.fixture
def folder(open_gates, tiny_processor, tmp_path):
    """A model that never ends its turn by itself."""
    open_gates.generation_config.eos_token_id = None
    open_gates.save_pretrained(tmp_path / "tiny")
    tiny_processor.save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.fixture
def mark():
    return uuid.uuid4().hex


@pytest.fixture
def server(folder, mark, tmp_path):
    """The process, once it is ready, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    keys = ["ray.min_replicas=2", "ray.max_replicas=2", "ray.cpus=0.5", "max_answers=3", "default_max_tokens=12"]
    command = [sys.executable, "-m", "serve.main", "serve", "--ray", f"model={folder}", f"port={port}", *keys]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, MARK: mark})
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: process.poll() is not None or is_ready(address), START, log)
        assert process.poll() is None, log.read_text()
        yield process, address
    finally:
        process.terminate()
        process.wait(STOP)


def is_ready(address):
    try:
        return httpx2.get(f"{address}/ready", trust_env=False, timeout=ANSWER).status_code == 200
    except httpx2.TransportError:
        return False


def wait_until(is_so, seconds, log=None):
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, log and log.read_text()
        time.sleep(0.2)


def started_by(mark):
    """The processes that inherited `mark`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{MARK}={mark}".encode() in path.read_bytes():
                found.append((path.parent / "cmdline").read_bytes())
        except OSError:  # it is over, or another user's
            continue
    return [command for command in found if command]  # one that is dead has none


def counts(address, name, **labels):
    """The counter of each replica."""
    page = httpx2.get(f"{address}/metrics", trust_env=False, timeout=ANSWER).text
    found = defaultdict(float)
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                found[sample.labels["replica"]] += sample.value
    return found


def about(colour, text, data_url):
    image = {"type": "image_url", "image_url": {"url": data_url(colour, (8, 6))}}
    return [{"role": "user", "content": [image, {"type": "text", "text": text}]}]


@pytest.fixture
def http():
    with httpx2.Client(trust_env=False, timeout=ANSWER) as client:
        yield client


def test_two_replicas_serve_as_one(server, mark, http, data_url):
    process, address = server
    client = OpenAI(base_url=f"{address}/v1", api_key="none", http_client=http, max_retries=0)
    model = client.models.list().data[0].id

    # A picture stays with the replica that knows it, and both have some. (A server is ready with one of them.)
    wait_until(lambda: len(counts(address, "regard:num_requests_running")) == 2, START)
    colours = [(16 * number, 255 - number, number) for number in range(PICTURES)]
    for text, is_known in (("What?", False), ("How many?", True)):
        for colour in colours:
            answer = client.chat.completions.create(model=model, messages=about(colour, text, data_url))
            assert answer.usage.completion_tokens == 12
            assert answer.model_extra["regard"]["pictures"][0]["is_cached"] == is_known
    answered = counts(address, "regard:requests_total", route="/v1/chat/completions", status="200")
    assert sum(answered.values()) == 2 * PICTURES and len(answered) == 2

    # A stream comes in pieces, and says the same.
    messages = about("red", "What?", data_url)
    whole = client.chat.completions.create(model=model, messages=messages).choices[0].message.content
    pieces = list(client.chat.completions.create(model=model, messages=messages, stream=True))
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == whole and len(pieces) > 6

    # Whoever leaves stops the model.
    stream = client.chat.completions.create(model=model, messages=messages, stream=True, max_tokens=1500)
    next(iter(stream))
    stream.close()
    wait_until(lambda: sum(counts(address, "regard:requests_finished_total", how="cancelled").values()) == 1, ANSWER)
    assert sum(counts(address, "regard:num_requests_running").values()) == 0

    # What is refused is refused in OpenAI's form.
    wrong = http.post(f"{address}/v1/chat/completions", json={"model": model, "messages": []})
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (400, "invalid_request_error")
    unknown = http.post(f"{address}/v1/chat/completions", json={"model": "other", "messages": messages})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")
    assert http.get(f"{address}/nothing").json()["error"]["code"] == "not_found"

    # Nothing is left behind.
    process.send_signal(signal.SIGTERM)
    assert process.wait(STOP) == 0
    wait_until(lambda: not started_by(mark), STOP)
