"""The engine over a real, tiny model in a real batch: fair, clean, and nobody's answer depends on the others."""

import asyncio
import gc
import random
import resource
import threading
import tracemalloc
from pathlib import Path

import pytest

from serve.config import ServeConfig
from serve.engine import Engine, GenerationRequest, load_engine
from serve.errors import BadRequest, DeadlinePassed, InternalError, QueueFull
from vlm.engine.batch import Batch
from vlm.engine.graph_decoder import GraphDecoder
from vlm.quantization import quantize_
from vlm.sampling import Sampler

TIMEOUT = 120


@pytest.fixture
def make_engine(tiny_assistant):
    engines = []

    def make(max_waiting=32, **options):
        batch = Batch(tiny_assistant.model, tiny_assistant.processor, **options)
        engines.append(Engine(tiny_assistant, max_waiting, batch=batch))
        return engines[-1], batch

    yield make
    for engine in engines:
        engine.close()


def ask(text, *images, **options):
    parts = [*({"type": "image", "image": image} for image in images), {"type": "text", "text": text}]
    return GenerationRequest([{"role": "user", "content": parts}], **{"max_new_tokens": 8, **options})


async def answer(engine, request):
    generation = engine.admit()
    generation.start(request)
    async with asyncio.timeout(TIMEOUT):
        return "".join([chunk.text async for chunk in generation])


def alone(assistant, request):
    return "".join(chunk.text for chunk in assistant.stream(request))


def test_many_at_once_get_what_each_gets_alone(make_engine, tiny_assistant, picture):
    engine, batch = make_engine(max_answers=3)
    requests = [ask(f"Question {i}", *[picture] * (i % 2), temperature=i % 3 / 2, seed=i) for i in range(8)]

    async def run():
        return await asyncio.gather(*(answer(engine, request) for request in requests))

    assert asyncio.run(run()) == [alone(tiny_assistant, request) for request in requests]
    assert batch.stats()["rows"] == 0
    assert engine.snapshot().finished == {"length": 8}


def test_those_who_came_first_begin_first(make_engine):
    engine, _ = make_engine(max_answers=1)
    begun = []

    async def one(number):
        generation = engine.admit()
        generation.start(ask("x" * (60 if number == 0 else 1), max_new_tokens=2))
        await anext(generation)
        begun.append(number)
        async for _ in generation:
            pass

    async def run():
        await asyncio.gather(*map(one, range(5)))

    asyncio.run(run())
    assert begun == [0, 1, 2, 3, 4]


def test_a_bad_request_fails_alone_with_words_for_its_user(make_engine, tiny_assistant, picture, monkeypatch):
    engine, batch = make_engine()
    choose = Sampler.choose

    def choose_unless_poisoned(self, logits):
        if self._options.seed == 666:
            raise ZeroDivisionError
        return choose(self, logits)

    monkeypatch.setattr(Sampler, "choose", choose_unless_poisoned)
    good = ask("Good", picture)
    requests = [good, ask("Four", *[picture] * 4), ask("Bad", seed=666), ask("Token", logit_bias={99999: 1.0}), good]

    async def run():
        return await asyncio.gather(*(answer(engine, request) for request in requests), return_exceptions=True)

    first, too_many, failed, unknown, last = asyncio.run(run())
    assert first == last == alone(tiny_assistant, good)
    assert isinstance(too_many, BadRequest) and "4 pictures" in too_many.message
    assert isinstance(failed, InternalError)
    assert isinstance(unknown, BadRequest) and "99999" in unknown.message
    assert batch.stats()["rows"] == 0
    assert engine.snapshot().finished == {"length": 2, "refused": 2, "failed": 1}


def test_a_step_that_fails_ends_what_runs_and_not_the_worker(make_engine, tiny_assistant, monkeypatch):
    engine, batch = make_engine()
    request = ask("Good")

    def fail():
        raise ZeroDivisionError

    async def run():
        with monkeypatch.context() as broken:
            broken.setattr(batch, "step", fail)
            with pytest.raises(InternalError):
                await answer(engine, request)
        return await answer(engine, request)

    assert asyncio.run(run()) == alone(tiny_assistant, request)


def mixed_requests_with_disconnects(engine, tiny_assistant, picture, count):
    """Some leave after a few tokens, some before their first; the others' answers are checked."""
    dice = random.Random(0)
    pictures = [picture, picture.transpose(0), picture.point(lambda value: 255 - value)]
    kinds = [
        ask(f"Question {i}", *dice.sample(pictures, i % 3), temperature=i % 2, seed=i, max_new_tokens=1 + i % 7)
        for i in range(12)
    ]
    expected = [alone(tiny_assistant, request) for request in kinds]

    async def one(gate):
        kind, leaves_after = dice.randrange(len(kinds)), dice.choice([None, None, 0, 1, 3])
        async with gate:
            generation = engine.admit()
            try:
                generation.start(kinds[kind])
                texts = []
                while leaves_after is None or len(texts) < leaves_after:
                    if (chunk := await anext(generation, None)) is None:
                        assert "".join(texts) == expected[kind]
                        return
                    texts.append(chunk.text)
            finally:
                generation.cancel()

    async def run():
        gate = asyncio.Semaphore(12)
        async with asyncio.timeout(20 * TIMEOUT), asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(one(gate))

    asyncio.run(run())


@pytest.mark.parametrize("count", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_mixed_requests_with_disconnects_leave_nothing_behind(make_engine, tiny_assistant, picture, count):
    before = set(threading.enumerate())
    engine, batch = make_engine(
        max_waiting=20, max_answers=4, max_bytes=2**20, max_prefix_bytes=2**18, max_picture_bytes=2**15
    )
    mixed_requests_with_disconnects(engine, tiny_assistant, picture, count)
    while (snapshot := engine.snapshot()).running:  # the worker has not seen yet that the last one is gone
        pass
    assert (snapshot.waiting, batch.rows) == (0, [])
    assert set(snapshot.finished) <= {"length", "cancelled"}
    assert snapshot.batch["prefix_bytes"] <= 2**18 and snapshot.batch["picture_bytes"] <= 2**15
    engine.close()
    assert {thread for thread in set(threading.enumerate()) - before if thread.is_alive()} == set()


@pytest.mark.parametrize("count", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_what_runs_on_onnx_runtime_holds_no_more_after_twice_the_requests(make_engine, tiny_assistant, picture, count):
    quantize_(tiny_assistant.model.language_model, "int4")
    engine, batch = make_engine(
        max_waiting=20, max_answers=4, max_bytes=2**20, max_prefix_bytes=2**18, max_picture_bytes=2**15
    )
    assert isinstance(batch.decoder, GraphDecoder)
    held = []
    tracemalloc.start()
    try:
        for _ in range(3):  # the first time fills the caches
            mixed_requests_with_disconnects(engine, tiny_assistant, picture, count)
            gc.collect()
            held.append((tracemalloc.get_traced_memory()[0], _resident_bytes()))
    finally:
        tracemalloc.stop()
    assert held[2][0] - held[1][0] < 200_000
    assert held[2][1] - held[1][1] < 2**25


def _resident_bytes():
    """Also what onnxruntime and torch hold, which Python does not see."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_the_config_says_how_many_are_answered_how_many_wait_and_how_long(tiny_assistant, monkeypatch):
    monkeypatch.setattr("vlm.loading.load", lambda *_, **__: tiny_assistant)
    engines = [load_engine(ServeConfig(max_answers=2, max_waiting=1)), load_engine(ServeConfig(deadline=1e-6))]
    tiny_assistant.model.config.text_config.rope_parameters["rope_type"] = "dynamic"  # not for the batch
    engines.append(load_engine(ServeConfig(max_answers=2, max_waiting=1)))

    async def run():
        for engine, places in ((engines[0], 3), (engines[2], 2)):
            taken = [engine.admit() for _ in range(places)]
            with pytest.raises(QueueFull, match=f"All {places} places"):
                engine.admit()
            for generation in taken:
                generation.cancel()
        with pytest.raises(DeadlinePassed):
            await answer(engines[1], ask("hi"))

    asyncio.run(run())
    for engine in engines:
        engine.close()
