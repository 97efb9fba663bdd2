"""The real application over a scripted model: in process, or on a real port."""

import base64
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openai import OpenAI
from starlette.testclient import TestClient

from serve.app import create_app
from serve.config import ServeConfig
from serve.engine import Assistant, Batch, Engine
from serve.remote import RemoteImages
from serve.server import DrainingServer, make_server
from serve.service import Service
from tests.serve.fakes import FakeAssistant, FakeReader, png
from tests.serve.web import Web, serving
from vlm.engine.batch import Batch as SlotBatch
from vlm.loading import Assistant as RealAssistant

TIMEOUT = 20


@pytest.fixture
def assistant() -> FakeAssistant:
    return FakeAssistant()


@pytest.fixture
def reader() -> FakeReader:
    return FakeReader()


@pytest.fixture
def tiny_assistant(open_gates, tiny_processor) -> RealAssistant:
    """A real, tiny, random model that never ends its turn by itself."""
    open_gates.generation_config.eos_token_id = None
    return RealAssistant("tiny", open_gates, tiny_processor)


@pytest.fixture
def tiny_batch(tiny_assistant: RealAssistant) -> SlotBatch:
    """Answers many requests of `tiny_assistant` at once."""
    return SlotBatch(tiny_assistant.model, tiny_assistant.processor, max_answers=6)


@pytest.fixture
def make_client(assistant: FakeAssistant, reader: FakeReader) -> Iterator[Callable[..., TestClient]]:
    """The application in process; keyword arguments change its ServeConfig, `model` and `batch` the scripted model."""
    engines: list[Engine] = []

    def make(
        *,
        api_keys: tuple[str, ...] = (),
        model: Assistant = assistant,
        batch: Batch | None = None,
        remote: RemoteImages | None = None,
        **settings: Any,
    ) -> TestClient:
        config = ServeConfig(**{"allowed_hosts": ("testserver",), **settings})
        engines.append(Engine(model, config.max_waiting, batch=batch, deadline=config.deadline))
        app = create_app(Service(engines[-1]), config, api_keys, read=reader, remote=remote)
        return TestClient(app, raise_server_exceptions=False)

    yield make
    assistant.allow(1000)
    reader.allow(1000)
    for engine in engines:
        engine.close()


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client()


@pytest.fixture
def openai_over() -> Callable[[TestClient], OpenAI]:
    """OpenAI's own client to an application in process."""

    def make(client: TestClient) -> OpenAI:
        return OpenAI(http_client=client, base_url="http://testserver/v1", api_key="none", max_retries=0)

    return make


@pytest.fixture
def openai_client(client: TestClient, openai_over: Callable[[TestClient], OpenAI]) -> OpenAI:
    return openai_over(client)


@pytest.fixture
def servers() -> list[DrainingServer]:
    """What `live_server` has started, in order."""
    return []


@pytest.fixture
def live_server(
    assistant: FakeAssistant, reader: FakeReader, servers: list[DrainingServer]
) -> Iterator[Callable[..., str]]:
    """The application under uvicorn on a free port of 127.0.0.1, as `vlm serve` runs it; returns its address."""
    stops: list[Callable[[], None]] = []

    def start(
        *, api_keys: tuple[str, ...] = (), model: Assistant = assistant, batch: Batch | None = None, **settings: Any
    ) -> str:
        config = ServeConfig(**settings)
        service = Service(Engine(model, config.max_waiting, batch=batch, deadline=config.deadline))
        server = make_server(create_app(service, config, api_keys, read=reader), config, service)
        servers.append(server)
        server.config.port = 0
        is_up = threading.Event()
        startup = server.startup

        async def startup_and_tell(*args: Any, **kwargs: Any) -> None:
            await startup(*args, **kwargs)
            is_up.set()

        server.startup = startup_and_tell  # type: ignore[method-assign]
        thread = threading.Thread(target=server.run)
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join(timeout=20)

        stops.append(stop)
        assert is_up.wait(timeout=20)
        host, port = server.servers[0].sockets[0].getsockname()
        return f"http://{host}:{port}"

    yield start
    assistant.allow(1000)
    reader.allow(1000)
    for stop in stops:
        stop()


@pytest.fixture
def wait_for_end() -> Callable[[], None]:
    """Waits until the servers' threads, those that run now and did not run before the test, are over."""
    before = set(threading.enumerate())

    def wait() -> None:
        for thread in set(threading.enumerate()) - before:
            thread.join(TIMEOUT)
            assert not thread.is_alive()

    return wait


@pytest.fixture
def log_lines() -> Iterator["queue.SimpleQueue[str]"]:
    """The lines of the access log as they are written: `get(timeout=...)` waits until a request is over."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    handler = logging.Handler()
    handler.emit = lambda record: lines.put(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("serve.access")
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def data_url() -> Callable[..., str]:
    """data_url(colour, size) -> the data: URL of a plain PNG."""

    def make(*args: Any) -> str:
        return "data:image/png;base64," + base64.b64encode(png(*args)).decode("ascii")

    return make


@pytest.fixture
def ask() -> Callable[..., dict[str, Any]]:
    """ask(text, url, ..., field=value) -> the body of a chat request."""

    def make(text: str = "What is it?", *urls: str, **fields: Any) -> dict[str, Any]:
        content = [{"type": "image_url", "image_url": {"url": url}} for url in urls] + [{"type": "text", "text": text}]
        return {"model": "fake", "messages": [{"role": "user", "content": content}], **fields}

    return make


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as web:
        yield web
