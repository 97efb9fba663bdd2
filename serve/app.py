"""The HTTP application: the routes, and the layers around them."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response

from .body import ClientGone, parse_object, read_body
from .config import ServeConfig
from .engine import Engine, Generation, GenerationRequest
from .errors import ApiError, InternalError, MethodNotAllowed, NotFound, worker_stopped
from .gate import AccessLog, HostCheck, KeyCheck
from .images import decode_images
from .reading import ReadingDesk, ReadPicture, read_picture, take_picture
from .schemas import ChatRequest, read_request
from .streaming import EventStreamResponse, Reply, cancelled_on_disconnect, events

CLIENT_CLOSED_REQUEST = 499  # nobody is there to read it, but the log is
PARALLEL_DECODES = 2  # pictures are decoded in threads; each holds a whole picture in memory


def create_app(
    engine: Engine, config: ServeConfig, api_keys: Sequence[str] = (), *, read: ReadPicture = read_picture
) -> FastAPI:
    """The API over a running engine, which it closes when it shuts down, and over what reads pictures as data."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await anyio.to_thread.run_sync(engine.close)

    app = FastAPI(title="Regard", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    _add_layers(app, config, api_keys)
    _add_error_handlers(app)
    name = engine.assistant.name
    model = {"id": name, "object": "model", "created": int(time.time()), "owned_by": "regard"}
    decodes = anyio.CapacityLimiter(PARALLEL_DECODES)
    desk = ReadingDesk(read, config.max_waiting)

    @app.get("/health")
    async def health() -> Response:
        if not engine.is_alive:
            raise worker_stopped()
        return JSONResponse({"status": "ok"})

    @app.get("/v1/models")
    async def list_models() -> Response:
        return JSONResponse({"object": "list", "data": [model]})

    @app.get("/v1/models/{model_name:path}")
    async def retrieve_model(model_name: str) -> Response:
        _check_model(model_name, name)
        return JSONResponse(model)

    @app.post("/v1/chat/completions")
    async def chat_completions(request: Request) -> Response:
        generation = request.scope["record"].generation = engine.admit()
        try:
            body = await read_body(request, max_bytes=config.max_body_bytes, timeout=config.body_timeout)
            prepare = partial(_prepare, body, name, config)
            chat, generation_request = await anyio.to_thread.run_sync(prepare, limiter=decodes)
            generation.start(generation_request)
            return await _answer(request, generation, chat, name)
        except BaseException:
            generation.cancel()
            raise

    @app.post("/v1/read")
    async def read_structure(request: Request) -> Response:
        with desk.admit():
            body = await read_body(request, max_bytes=config.max_body_bytes, timeout=config.body_timeout)
            picture = await anyio.to_thread.run_sync(partial(take_picture, body, config), limiter=decodes)
            return Response(await desk.read(picture, request.receive), media_type="application/json")

    return app


def _prepare(body: bytes, model_name: str, config: ServeConfig) -> tuple[ChatRequest, GenerationRequest]:
    """Everything between the bytes and the model. Blocks for as long as it takes to decode the pictures."""
    chat = read_request(parse_object(body), config)
    _check_model(chat.model, model_name)
    pictures = iter(decode_images(chat.image_urls(), config))
    messages: list[dict[str, Any]] = [
        {
            "role": "system" if message.role == "developer" else message.role,
            "content": [
                {"type": "image", "image": next(pictures)}
                if part.type == "image_url"
                else {"type": "text", "text": part.text}
                for part in message.content
            ],
        }
        for message in chat.messages
    ]
    max_tokens = chat.max_tokens if chat.max_completion_tokens is None else chat.max_completion_tokens
    return chat, GenerationRequest(
        messages=messages,
        max_new_tokens=config.default_max_tokens if max_tokens is None else max_tokens,
        temperature=config.default_temperature if chat.temperature is None else chat.temperature,
        top_p=1.0 if chat.top_p is None else chat.top_p,
        seed=chat.seed,
        stop=tuple(chat.stop) if chat.stop is not None else (),
        blind=chat.blind,
    )


async def _answer(request: Request, generation: Generation, chat: ChatRequest, model_name: str) -> Response:
    include_usage = chat.stream_options is not None and chat.stream_options.include_usage
    reply = Reply(request.scope["record"].id, model_name, include_usage)
    async with cancelled_on_disconnect(request.receive, generation):
        # The status is decided by the first chunk: what the model refuses is a 400, streamed or not.
        last = await anext(generation, None)
        if last is not None and chat.stream:
            return EventStreamResponse(events(last, generation, reply), generation)
        texts = [last.text] if last is not None else []
        async for last in generation:
            texts.append(last.text)
    if last is None or last.finish_reason is None:
        raise ClientGone
    return JSONResponse(reply.completion("".join(texts), last))


def _check_model(found: str, name: str) -> None:
    if found != name:
        raise NotFound(f"There is no such model here. This server has: {name}.", param="model", code="model_not_found")


def _add_layers(app: FastAPI, config: ServeConfig, api_keys: Sequence[str]) -> None:
    """The last one added is the outermost."""
    if api_keys:
        app.add_middleware(KeyCheck, keys=api_keys)
    if config.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=config.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["x-request-id"],
        )
    if config.host_names is not None:
        app.add_middleware(HostCheck, names=config.host_names)
    app.add_middleware(AccessLog)


def _add_error_handlers(app: FastAPI) -> None:
    async def api_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        return error.response()

    async def http_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # Starlette raises only these two
        if error.status_code == MethodNotAllowed.status:
            return MethodNotAllowed("This path does not answer to that method.", headers=error.headers or {}).response()
        return NotFound(
            "There is nothing at this path. The API is at /v1/chat/completions, /v1/read and /v1/models."
        ).response()

    async def client_gone(_: Request, __: Exception) -> Response:
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    async def internal_error(_: Request, __: Exception) -> Response:
        return InternalError().response()

    app.add_exception_handler(ApiError, api_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(ClientGone, client_gone)
    app.add_exception_handler(Exception, internal_error)
