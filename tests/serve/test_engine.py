"""The queue: in order, bounded, never blocked by a client that is slow, gone or wrong."""

import asyncio
import json
import queue
import socket
import threading

import pytest

from serve.engine import Engine, GenerationRequest
from serve.errors import DeadlinePassed, QueueFull, WorkerStopped

REQUEST = GenerationRequest(messages=[{"role": "user", "content": "hi"}])
TIMEOUT = 20


@pytest.fixture
def engine(assistant):
    engine = Engine(assistant, max_waiting=1)
    yield engine
    assistant.allow(1000)
    engine.close()


def start(engine):
    generation = engine.admit()
    generation.start(REQUEST)
    return generation


async def text_of(generation):
    async with asyncio.timeout(TIMEOUT):
        return [chunk.text async for chunk in generation]


def test_requests_are_answered_one_after_another_in_order(engine, assistant):
    async def run():
        first, second = start(engine), start(engine)
        return await text_of(second), await text_of(first)

    assert asyncio.run(run()) == (list(assistant.pieces), list(assistant.pieces))
    assert assistant.produced == [*assistant.pieces, *assistant.pieces]


def test_a_full_queue_refuses_and_says_when_to_come_back(engine, assistant):
    async def run():
        assistant.hold()
        running, waiting = start(engine), start(engine)
        with pytest.raises(QueueFull) as caught:
            engine.admit()
        assert int(caught.value.headers["retry-after"]) > 0
        waiting.cancel()  # a place that is given back is free at once
        other = start(engine)
        assistant.allow(100)
        return await text_of(running), await text_of(waiting), await text_of(other)

    answer = list(assistant.pieces)
    assert asyncio.run(run()) == (answer, [], answer)
    assert len(assistant.seen) == 2


def test_a_place_is_held_before_the_request_is_read_and_given_back_when_it_is_wrong(make_client, ask):
    client = make_client(max_waiting=0)
    for _ in range(3):
        assert client.post("/v1/chat/completions", json={}).status_code == 400
        assert client.post("/v1/chat/completions", json=ask(tools=[1])).status_code == 400
    assert client.post("/v1/chat/completions", json=ask()).status_code == 200


def test_a_cancelled_answer_stops_after_the_token_in_the_making(engine, assistant):
    async def run():
        assistant.hold()
        generation = start(engine)
        assistant.allow(2)
        texts = [(await anext(generation)).text, (await anext(generation)).text]
        assert [assistant.asked.get(timeout=TIMEOUT) for _ in range(3)] == [1, 2, 3]
        generation.cancel()
        generation.cancel()
        assistant.allow(100)
        assert await asyncio.to_thread(assistant.closed.wait, TIMEOUT)
        return texts, await text_of(generation)

    assert asyncio.run(run()) == (["A ", "red "], [])
    assert assistant.produced == ["A ", "red ", "circle"]


def test_a_request_cancelled_while_it_waits_never_reaches_the_model(engine, assistant):
    async def run():
        assistant.hold()
        running, waiting = start(engine), start(engine)
        waiting.cancel()
        assistant.allow(100)
        await text_of(running)

    asyncio.run(run())
    assert len(assistant.seen) == 1


def test_a_request_cancelled_before_it_starts_never_reaches_the_model(engine, assistant):
    async def run():
        generation = engine.admit()
        generation.cancel()
        generation.start(REQUEST)
        return await text_of(generation), await text_of(start(engine))

    assert asyncio.run(run()) == ([], list(assistant.pieces))
    assert len(assistant.seen) == 1


def test_closing_ends_what_runs_and_what_waits(engine, assistant):
    async def run():
        assistant.hold()
        running, waiting = start(engine), start(engine)
        assistant.allow(1)
        await anext(running)
        assert [assistant.asked.get(timeout=TIMEOUT) for _ in range(2)] == [1, 2]
        closing = asyncio.create_task(asyncio.to_thread(engine.close))
        while engine.is_alive:
            await asyncio.sleep(0)
        assistant.allow(1)
        await closing
        for generation in (running, waiting):
            with pytest.raises(WorkerStopped):
                await text_of(generation)
        with pytest.raises(WorkerStopped):
            engine.admit()

    asyncio.run(run())
    assert assistant.produced == ["A ", "red "]


def test_an_event_loop_that_is_gone_does_not_stop_the_worker(engine, assistant):
    async def leave():
        assistant.hold()
        start(engine)

    asyncio.run(leave())
    assistant.allow(100)

    async def run():
        return await text_of(start(engine))

    assert asyncio.run(run()) == list(assistant.pieces)


def connect(address, body):
    """A client that has sent its request and does not read."""
    host, _, port = address.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=TIMEOUT)
    content = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
    return connection


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_frees_the_worker(live_server, assistant, ask, log_lines, stream):
    address = live_server(max_waiting=0)
    assistant.hold()
    assistant.allow(1)
    with connect(address, ask(stream=stream)) as connection:
        assert [assistant.asked.get(timeout=TIMEOUT), assistant.asked.get(timeout=TIMEOUT)] == [1, 2]
        if stream:
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    line = log_lines.get(timeout=TIMEOUT)  # the server has noticed
    assistant.allow(100)
    assert assistant.closed.wait(TIMEOUT)
    assert assistant.produced == ["A ", "red "]
    assert line.endswith("finish_reason=cancelled") and (" 200 " if stream else " 499 ") in line
    with connect(address, ask()) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_a_client_that_leaves_the_queue_gives_its_place_back(live_server, assistant, ask, log_lines, monkeypatch):
    queued = queue.SimpleQueue()
    enqueue = Engine.enqueue
    monkeypatch.setattr(Engine, "enqueue", lambda *args: (enqueue(*args), queued.put(args)))
    address = live_server(max_waiting=1)
    assistant.hold()
    with connect(address, ask("first")) as first:
        queued.get(timeout=TIMEOUT)
        with connect(address, ask("second")):
            queued.get(timeout=TIMEOUT)
            with connect(address, ask("third")) as third:
                answer = third.recv(1000)
                assert answer.startswith(b"HTTP/1.1 429") and b"retry-after" in answer
            assert " 429 " in log_lines.get(timeout=TIMEOUT)
        assert " 499 " in log_lines.get(timeout=TIMEOUT)
        with connect(address, ask("fourth")) as fourth:
            queued.get(timeout=TIMEOUT)
            assistant.allow(100)
            for connection in (first, fourth):
                assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert [request.messages[0]["content"][0]["text"] for request in assistant.seen] == ["first", "fourth"]


def test_a_client_that_does_not_read_does_not_hold_up_the_next(live_server, assistant, ask):
    address = live_server()
    assistant.pieces = ("x" * 1_000_000,) * 20  # far more than the buffers of a socket
    with connect(address, ask(stream=True)) as unread, connect(address, ask(max_tokens=1)) as next_one:
        assert next_one.recv(100).startswith(b"HTTP/1.1 200")
        assert unread.recv(100).startswith(b"HTTP/1.1 200")


def test_an_answer_that_takes_too_long_ends_with_an_error_whether_it_runs_or_waits(assistant):
    engine = Engine(assistant, max_waiting=1, deadline=0.05)

    async def run():
        assistant.hold()
        running, waiting = start(engine), start(engine)
        assistant.asked.get(timeout=TIMEOUT)
        await asyncio.to_thread(waiting_is_overdue.wait, 0.1)
        assistant.allow(1)
        for generation in (running, waiting):
            with pytest.raises(DeadlinePassed, match=r"0\.05 seconds"):
                await text_of(generation)
        assert await asyncio.to_thread(assistant.closed.wait, TIMEOUT)

    waiting_is_overdue = threading.Event()  # never set: the time has to pass
    asyncio.run(run())
    assert len(assistant.seen) == 1
    assert engine.snapshot().finished == {"overdue": 2}
    engine.close()


def test_memory_is_tidied_once_when_there_has_been_nothing_to_do(assistant, monkeypatch):
    tidied = threading.Semaphore(0)
    monkeypatch.setattr("serve.engine.IDLE_SECONDS", 0.01)
    monkeypatch.setattr("serve.engine.give_back_gaps", tidied.release)
    engine = Engine(assistant)

    async def run():
        return await text_of(start(engine))

    for _ in range(2):
        assert tidied.acquire(timeout=TIMEOUT)
        assert not tidied.acquire(timeout=0.2)
        asyncio.run(run())
    engine.close()


def test_memory_is_tidied_now_and_then_while_there_is_work(assistant, monkeypatch):
    tidied = threading.Semaphore(0)
    monkeypatch.setattr("serve.engine.IDLE_SECONDS", 1000.0)
    monkeypatch.setattr("serve.engine.TIDY_SECONDS", 0.0)
    monkeypatch.setattr("serve.engine.give_back_gaps", tidied.release)
    engine = Engine(assistant)

    async def run():
        return await text_of(start(engine))

    asyncio.run(run())
    engine.close()
    assert tidied.acquire(blocking=False)


def test_a_snapshot_counts_what_happened(engine, assistant):
    async def run():
        await text_of(start(engine))
        assistant.hold()
        running, waiting = start(engine), start(engine)
        for count in (*range(1, 6), 1):  # the first answer's pieces, and the first of the second
            assert assistant.asked.get(timeout=TIMEOUT) == count
        busy = engine.snapshot()
        waiting.cancel()
        assistant.allow(100)
        await text_of(running)
        return busy

    busy = asyncio.run(run())
    assert (busy.running, busy.waiting) == (1, 1)
    done = engine.snapshot()
    assert done.finished == {"stop": 2, "cancelled": 1}
    assert sum(done.time_to_first_token.counts) == 2
    assert sum(done.time_per_token.counts) == 2 * (len(assistant.pieces) - 1)
    assert done.time_to_first_token.sum > 0


def test_seconds_and_pace_are_measured_at_the_model(engine):
    async def run():
        generation = start(engine)
        before = generation.seconds_to_first_token, generation.tokens_per_second
        await text_of(generation)
        return before, generation

    before, generation = asyncio.run(run())
    assert before == (None, None)
    assert generation.seconds_to_first_token > 0
    assert generation.tokens_per_second > 0
