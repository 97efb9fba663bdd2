"""The HTTP application: its routes. The layers around them are in layers.py."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import anyio.to_thread
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from vlm import __version__

from .adapters import AdapterDesk
from .answering import Desk, check_model
from .completions import read_completion
from .config import ServeConfig
from .docs import docs_page
from .layers import add_error_handlers, add_gate
from .metrics import CONTENT_TYPE, Metrics
from .reading import ReadingDesk, ReadPicture, read_picture, take_picture
from .remote import RemoteImages
from .responses import read_responses
from .schemas import read_chat
from .service import DrainCheck, Service


def create_app(
    service: Service,
    config: ServeConfig,
    api_keys: Sequence[str] = (),
    *,
    admin_keys: Sequence[str] = (),
    read: ReadPicture = read_picture,
    remote: RemoteImages | None = None,
) -> FastAPI:
    """The API over an engine, loaded or to come, which it closes when it shuts down, and over what reads pictures.

    `remote` loads pictures from the web; by default as `config` says. `admin_keys` may do what `api_keys` may, and load
    adapters.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if (engine := service.loaded_engine) is not None:
            await anyio.to_thread.run_sync(engine.close)

    app = FastAPI(title="Regard", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    metrics = Metrics(service)
    app.add_middleware(DrainCheck, service=service)
    add_gate(app, config, api_keys, admin_keys, metrics.observe)
    add_error_handlers(app)
    _add_watching_routes(app, service, metrics)
    _add_model_routes(app, service)
    _add_adapter_routes(app, AdapterDesk(service, config))
    desk = Desk(service, config, metrics, RemoteImages.of(config) if remote is None else remote)
    reading_desk = ReadingDesk(metrics.timed("read", read), config.max_waiting)

    @app.post("/v1/chat/completions")
    async def chat_completions(request: Request) -> Response:
        return await desk.answer(request, read_chat)

    @app.post("/v1/completions")
    async def completions(request: Request) -> Response:
        return await desk.answer(request, read_completion)

    @app.post("/v1/responses")
    async def responses(request: Request) -> Response:
        return await desk.answer(request, read_responses)

    @app.post("/v1/read")
    async def read_structure(request: Request) -> Response:
        with reading_desk.admit():
            picture = await desk.take(request, partial(take_picture, config=config))
            return Response(await reading_desk.read(picture, request.receive), media_type="application/json")

    return app


def _add_watching_routes(app: FastAPI, service: Service, metrics: Metrics) -> None:
    @app.get("/health")
    async def health() -> Response:
        """200 while this process is worth keeping."""
        service.check_alive()
        return JSONResponse({"status": "ok"})

    @app.get("/ready")
    async def ready() -> Response:
        """200 while a new request would be taken."""
        service.check_ready()
        return JSONResponse({"status": "ready"})

    @app.get("/version")
    async def version() -> Response:
        return JSONResponse({"name": "regard", "version": __version__})

    @app.get("/docs")
    async def docs() -> Response:
        return docs_page()

    @app.get("/metrics")
    async def metrics_page() -> Response:
        return Response(metrics.page(), media_type=CONTENT_TYPE)


def _add_model_routes(app: FastAPI, service: Service) -> None:
    created = int(time.time())

    def model(name: str) -> dict[str, object]:
        base = service.engine.assistant.name
        parent = {} if name == base else {"parent": base}
        return {"id": name, "object": "model", "created": created, "owned_by": "regard", **parent}

    @app.get("/v1/models")
    async def list_models() -> Response:
        return JSONResponse({"object": "list", "data": [model(name) for name in service.engine.models]})

    @app.get("/v1/models/{model_name:path}")
    async def retrieve_model(model_name: str) -> Response:
        check_model(model_name, service.engine.models)
        return JSONResponse(model(model_name))


def _add_adapter_routes(app: FastAPI, desk: AdapterDesk) -> None:
    @app.post("/v1/load_lora_adapter")
    async def load_adapter(request: Request) -> Response:
        return await desk.load(request)

    @app.post("/v1/unload_lora_adapter")
    async def unload_adapter(request: Request) -> Response:
        return await desk.unload(request)
