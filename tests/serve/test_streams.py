"""Many streams at once over HTTP, some of them left: nobody's answer changes, and nothing is left behind."""

import asyncio
import json
import random
import signal
from contextlib import aclosing

import httpx2
import pytest

from tests.serve.fakes import png
from vlm.answers import GenerationRequest
from vlm.engine.batch import Batch
from vlm.images import decode_image

TIMEOUT = 120
COLOURS = ("red", "blue", "lime")
WITHOUT_END = 1500  # tokens


def colours(number):
    """One or two pictures, other ones for the next number."""
    return COLOURS[number % 3 : number % 3 + 1 + number % 2]


def options(number):
    return {"temperature": number % 2, "seed": number}


def question(number):
    return f"Question {number} " * (1 + number % 4)


def said_alone(assistant, number, tokens):
    pictures = [{"type": "image", "image": decode_image(png(colour, (8, 6)))} for colour in colours(number)]
    turn = {"role": "user", "content": [*pictures, {"type": "text", "text": question(number)}]}
    request = GenerationRequest([turn], max_new_tokens=tokens, **options(number))
    return "".join(chunk.text for chunk in assistant.stream(request))


async def deltas(client, body):
    async with client.stream("POST", "/v1/chat/completions", json=body) as response:
        assert response.status_code == 200
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                yield json.loads(line.removeprefix("data: "))["choices"][0]["delta"].get("content", "")


async def ask_all(address, bodies, leave_after):
    """The text of each stream; where `leave_after` has a number, the client goes after that many events."""

    async def one(body, most):
        text, events = "", 0
        async with aclosing(deltas(client, body)) as pieces:
            async for piece in pieces:
                text, events = text + piece, events + 1
                if events == most:
                    break
        return text

    limits = httpx2.Limits(max_connections=len(bodies))
    async with httpx2.AsyncClient(base_url=address, trust_env=False, timeout=TIMEOUT, limits=limits) as client:
        return await asyncio.gather(*map(one, bodies, leave_after))


async def take_every_place(engine, places):
    for generation in [engine.admit() for _ in range(places)]:
        generation.cancel()


@pytest.mark.parametrize("streams", [6, pytest.param(16, marks=pytest.mark.slow)])
def test_streams_say_what_each_says_alone_and_those_left_leave_nothing(
    live_server, servers, tiny_assistant, ask, data_url, wait_for_end, streams
):
    batch = Batch(tiny_assistant.model, tiny_assistant.processor, max_answers=3)
    address = live_server(model=tiny_assistant, batch=batch, max_waiting=streams - 3)
    dice = random.Random(0)
    leave_after = [None, 1, *(dice.choice([None, None, 1, 2, 3, 5]) for _ in range(streams - 2))]
    tokens = [4 + number for number in range(streams)]
    expected = [said_alone(tiny_assistant, number, tokens[number]) for number in range(streams)]
    bodies = [
        {
            **ask(question(number), *(data_url(colour, (8, 6)) for colour in colours(number))),
            **options(number),
            "model": "tiny",
            "stream": True,
            "max_tokens": tokens[number] if most is None else WITHOUT_END,
        }
        for number, most in enumerate(leave_after)
    ]
    texts = asyncio.run(ask_all(address, bodies, leave_after))
    for text, whole, most in zip(texts, expected, leave_after, strict=True):
        assert text == whole if most is None else whole.startswith(text) or text.startswith(whole)
    engine = servers[0].service.engine
    while (snapshot := engine.snapshot()).running or snapshot.waiting:  # until the server sees who is gone
        pass
    stayed = leave_after.count(None)
    assert snapshot.finished == {"length": stayed, "cancelled": streams - stayed}
    assert batch.rows == []
    asyncio.run(take_every_place(engine, streams))
    servers[0].handle_exit(signal.SIGTERM, None)
    wait_for_end()
