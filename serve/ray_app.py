"""Replicas of the model behind one address, on Ray Serve: `vlm serve --ray`, or `serve run serve.ray_app:build`.

    client -> Ray's proxy -> Front (one: the gate, the queue, who gets it) -> Replica (each: the application, an engine)

What belongs together goes to the same replica (affinity.py), and to the next one while that one is busy. The body goes
to the replica whole; the answer comes back piece by piece, and a client that leaves is known there at once.
"""

import asyncio
import logging
import math
import os
import secrets
import signal
import threading
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vlm.run_config import ConfigError, load_config

from . import API_KEY_VARIABLE
from .affinity import affinity_key
from .body import ClientGone, read_body
from .config import MIB, ServeConfig, read_api_keys
from .errors import DeadlinePassed, ModelLoading, QueueFull
from .gate import Record
from .layers import add_error_handlers, add_gate
from .logs import set_up

if TYPE_CHECKING:
    from ray.serve import Application
    from ray.serve.handle import DeploymentHandle

PLAIN = ("type", "http_version", "method", "scheme", "path", "raw_path", "query_string", "headers", "client", "server")
SPARE_PLACES = 64  # for what is refused or only watches, beside the requests that have a place
ANSWERS_AT_ONCE = 5.0  # seconds that a replica may take to say how it is
PARALLEL_READS = 2  # bodies are looked at in threads

logger = logging.getLogger(__name__)


class Replica:
    """One model, its engine and the whole application; the gate and the queue in front of it are those of `Front`."""

    def __init__(self, config: ServeConfig):
        from vlm.allocator import give_back_freed_memory

        give_back_freed_memory()
        from .app import create_app
        from .engine import load_engine
        from .service import Service

        set_up(config.log_format)
        self._engine = load_engine(config)
        self._service = Service(self._engine)
        open_to_front = {"host": "0.0.0.0", "allowed_hosts": (), "allowed_origins": ()}
        self._app = create_app(self._service, config.model_copy(update=open_to_front))

    async def answer(self, scope: dict[str, Any], body: bytes) -> AsyncIterator[Message]:
        """What the application sends for a request. Closing this is the client's leaving."""
        async for message in messages(self._app, scope, body):
            yield message

    async def is_ready(self) -> bool:
        self._service.check_ready()
        return True

    async def metrics(self) -> tuple[str, str]:
        """The name of this replica, and its page."""
        from ray import serve

        scope = {"type": "http", "method": "GET", "path": "/metrics", "headers": [], "query_string": b""}
        parts = [message.get("body", b"") async for message in messages(self._app, scope, b"")]
        return serve.get_replica_context().replica_id.unique_id, b"".join(parts).decode("utf-8")

    def check_health(self) -> None:
        """Ray asks from time to time, and replaces a replica that raises."""
        self._service.check_alive()

    def __del__(self) -> None:
        if (engine := getattr(self, "_engine", None)) is not None:
            engine.close()


async def messages(app: ASGIApp, scope: dict[str, Any], body: bytes) -> AsyncIterator[Message]:
    """Call an application with a whole request -> what it sends; closing this early is a client that leaves."""
    sent: asyncio.Queue[Message | None] = asyncio.Queue()
    is_gone = asyncio.Event()
    parts = iter([{"type": "http.request", "body": body}])

    async def receive() -> Message:
        if (part := next(parts, None)) is not None:
            return part
        await is_gone.wait()
        return {"type": "http.disconnect"}

    async def run() -> None:
        try:
            await app(scope, receive, sent.put)
        finally:
            sent.put_nowait(None)

    task = asyncio.create_task(run())
    try:
        while (message := await sent.get()) is not None:
            yield message
    finally:
        is_gone.set()
        await task


class Front:
    """Takes every request: refuses it at the gate or for want of a place, or hands it to the replica that knows it."""

    def __init__(self, replicas: "DeploymentHandle[Replica]", config: ServeConfig, needs_key: bool):
        set_up(config.log_format)
        self._needs_key = needs_key
        self._replicas = replicas
        self._answer = replicas.options(method_name="answer", stream=True)
        self._config = config
        self._places = config.ray.max_replicas * config.max_answers + config.max_waiting
        self._taken = 0
        self._threads = anyio.CapacityLimiter(PARALLEL_READS)

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Called by Ray once the rest is there. Raises ConfigError where keys are meant to be and are not."""
        api_keys = read_api_keys(self._config)  # here, because Ray keeps what it is given where others can read it
        if self._needs_key and not api_keys:
            raise ConfigError(
                f"${API_KEY_VARIABLE} is set where this server was started, and not where Ray runs its front: set it"
                " for Ray's processes there, or give api_keys_file"
            )
        routes = [
            Route("/health", self._health),
            Route("/ready", self._ready),
            Route("/metrics", self._metrics),
            Mount("/", self._forward),
        ]
        app = Starlette(routes=routes)
        add_gate(app, self._config, api_keys, (), lambda scope, record, status: None)
        add_error_handlers(app)
        return app

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _ready(self, _: Request) -> Response:
        """200 while some replica would take a request."""
        if not any([found is True for found in await self._of_each("is_ready")]):
            raise ModelLoading("No replica is ready. Try again in a few seconds.", headers={"retry-after": "2"})
        return JSONResponse({"status": "ready"})

    async def _metrics(self, _: Request) -> Response:
        from .metrics import CONTENT_TYPE, merged

        pages = [found for found in await self._of_each("metrics") if not isinstance(found, BaseException)]
        return Response(merged(pages), media_type=CONTENT_TYPE)

    async def _of_each(self, method: str) -> list[Any]:
        """What each replica answers, or the exception instead; none while there are no replicas."""
        from ray.serve.exceptions import DeploymentUnavailableError

        try:
            asked = self._replicas.broadcast(method)
            found: list[Any] = await asked.results_async(timeout_s=ANSWERS_AT_ONCE, return_exceptions=True)
            return found
        except (TimeoutError, DeploymentUnavailableError):
            return []

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._place():
            body, key = b"", ""
            if scope["method"] == "POST":
                request = Request(scope, receive)
                config = self._config
                body = await read_body(request, max_bytes=config.max_body_bytes, timeout=config.body_timeout)
                key = await anyio.to_thread.run_sync(affinity_key, body, limiter=self._threads)
            answer = self._answer.options(session_id=key).remote(_plain(scope), body)
            try:
                await send(await self._first(answer))
                async for message in answer:
                    await send(message)
            finally:
                answer.cancel()  # does nothing to an answer that is over

    async def _first(self, answer: AsyncIterator[Message]) -> Message:
        try:
            async with asyncio.timeout(self._config.deadline):
                return await anext(answer)
        except StopAsyncIteration:
            raise ClientGone from None
        except TimeoutError:
            raise DeadlinePassed(f"No replica had an answer after {self._config.deadline:g} seconds.") from None

    @contextmanager
    def _place(self) -> Generator[None, None, None]:
        if self._taken >= self._places:
            raise QueueFull(
                f"All {self._places} places in the queue are taken. Try again in a few seconds.",
                headers={"retry-after": "5"},
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


def _plain(scope: Scope) -> dict[str, Any]:
    """What a replica needs of the scope, with the id that this request has here."""
    record: Record = scope["record"]
    headers = [(name, value) for name, value in scope["headers"] if name != b"x-request-id"]
    return {
        **{key: scope[key] for key in PLAIN if key in scope},
        "headers": [*headers, (b"x-request-id", record.id.encode("ascii"))],
    }


def build(settings: dict[str, str]) -> "Application":
    """For `serve run serve.ray_app:build config=serve/ray port=9000`: the application of a config with overrides."""
    overrides = [f"{key}={value}" for key, value in settings.items() if key != "config"]
    return application(load_config(ServeConfig, settings.get("config", "serve/ray"), overrides))


def application(config: ServeConfig) -> "Application":
    """Raises ConfigError for what only one process can do."""
    if config.adapters_dir is not None or config.admin_keys_file is not None:
        raise ConfigError(
            "adapters_dir and admin_keys_file are for one process: an adapter that is loaded while several replicas run"
            " would be known to one of them. Name it in `adapters`"
        )
    from ray import serve
    from ray.serve.config import AutoscalingConfig, RequestRouterConfig

    options = config.ray
    router = RequestRouterConfig(
        request_router_class="ray.serve.experimental.consistent_hash_router.ConsistentHashRouter",
        request_router_kwargs={"num_fallback_replicas": options.max_replicas - 1},
    )
    replicas = serve.deployment(
        Replica,
        name="replica",
        ray_actor_options={"num_cpus": options.cpus, "num_gpus": options.gpus},
        autoscaling_config=AutoscalingConfig(
            min_replicas=options.min_replicas,
            max_replicas=options.max_replicas,
            target_ongoing_requests=options.target_requests,
        ),
        max_ongoing_requests=config.max_answers,
        graceful_shutdown_timeout_s=config.drain_seconds,
        request_router_config=router,
    )
    places = options.max_replicas * config.max_answers + config.max_waiting
    front = serve.deployment(
        serve.ingress()(Front),
        name="front",
        num_replicas=1,
        ray_actor_options={"num_cpus": 0},
        max_ongoing_requests=places + SPARE_PLACES,
        graceful_shutdown_timeout_s=config.drain_seconds,
    )
    return front.bind(replicas.bind(config), config, bool(read_api_keys(config)))


def run(config: ServeConfig) -> None:
    """Serve until SIGTERM or Ctrl-C; then finish what runs, within `drain_seconds`, and leave no process behind.

    On the Ray cluster that the config names, else on one of our own, on this machine. To be called by a process that
    does nothing else: it changes the environment, which Ray's processes inherit.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    root = str(Path(__file__).parents[1])  # so that they import these very packages
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    if config.ray.address is None:
        # Ray's own ports are open to the network, and whoever is let in there can run anything: only who has the token.
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    import ray
    from ray import serve

    if config.ray.address is None:
        ray.init(
            num_cpus=math.ceil(config.ray.max_replicas * config.ray.cpus),
            include_dashboard=False,
            object_store_memory=max(100 * MIB, 2 * config.max_body_bytes),
        )
    else:
        ray.init(address=config.ray.address)
    try:
        quiet = {"enable_access_log": False}  # the log has a line of ours for each request
        serve.start(http_options={"host": config.host, "port": config.port}, logging_config=quiet)
        serve.run(application(config), name="regard", route_prefix="/", logging_config=quiet)
        logger.info("ready at %s", config.base_url)
        is_over = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: is_over.set())
        while not is_over.wait(1):  # a wait without an end would not hear Ctrl-C
            pass
    finally:
        serve.shutdown()
        ray.shutdown()
