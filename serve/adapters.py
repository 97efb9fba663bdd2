"""Adapters that are loaded and unloaded while the server runs, each a model of its own to whoever asks.

Paths and fields are vLLM's. Only folders in `adapters_dir` are loaded, and only for who may: with an admin key, or,
on a server for this machine alone that has no keys, anyone on it (a web page elsewhere is kept out: see gate.py).
"""

import logging
from pathlib import Path
from typing import Annotated, TypeVar

import anyio
import anyio.to_thread
from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .body import parse_object, read_body
from .config import LOOPBACK, AdapterName, ServeConfig
from .errors import BadRequest, Forbidden, NotFound
from .service import Service
from .wire import Wire, validate

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 4096


class LoadAdapter(Wire):
    lora_name: AdapterName
    lora_path: Annotated[str, StringConstraints(min_length=1, max_length=512)]  # in adapters_dir


class UnloadAdapter(Wire):
    lora_name: Annotated[str, StringConstraints(max_length=64)]


Order = TypeVar("Order", LoadAdapter, UnloadAdapter)


class AdapterDesk:
    """Takes what is to be loaded and unloaded, one at a time."""

    def __init__(self, service: Service, config: ServeConfig):
        self.service = service
        self.config = config
        self._turn = anyio.Lock()

    async def load(self, request: Request) -> Response:
        order = await self._take(request, LoadAdapter)
        engine, folder = self.service.engine, self._find(order.lora_path)
        async with self._turn:
            if order.lora_name in engine.models:
                raise BadRequest("There is a model of that name already.", param="lora_name", code="adapter_exists")
            if len(engine.models) > self.config.max_adapters:
                raise BadRequest(
                    f"There are {self.config.max_adapters} adapters already, the most for this server: unload one.",
                    code="too_many_adapters",
                )
            try:
                await anyio.to_thread.run_sync(engine.load_adapter, order.lora_name, folder)
            except Exception as error:
                logger.warning("the adapter %s cannot be loaded: %s", folder, error)
                raise BadRequest(
                    "This adapter cannot be read, or does not fit the model; the server's log says why.",
                    param="lora_path",
                    code="adapter_unusable",
                ) from None
        logger.info("loaded the adapter %s from %s", order.lora_name, folder)
        return JSONResponse({"id": order.lora_name, "object": "model", "loaded": True})

    async def unload(self, request: Request) -> Response:
        order = await self._take(request, UnloadAdapter)
        engine = self.service.engine
        async with self._turn:
            if order.lora_name not in engine.models[1:]:
                raise NotFound("There is no such adapter here.", param="lora_name", code="model_not_found")
            engine.unload_adapter(order.lora_name)
        logger.info("unloaded the adapter %s", order.lora_name)
        return JSONResponse({"id": order.lora_name, "object": "model", "loaded": False})

    async def _take(self, request: Request, kind: type[Order]) -> Order:
        is_ours = self.config.host in LOOPBACK and not self.config.allowed_origins
        if not request.scope.get("is_admin", is_ours):
            raise Forbidden(
                "Adapters are loaded and unloaded with a key of the server's admin_keys_file.", code="not_allowed"
            )
        body = await read_body(request, max_bytes=MAX_BODY_BYTES, timeout=self.config.body_timeout)
        return validate(kind, parse_object(body))

    def _find(self, path: str) -> Path:
        """The folder of that name; links and dots must not lead out of `adapters_dir`."""
        if self.config.adapters_dir is None:
            raise Forbidden("This server has no adapters_dir to load adapters from.", code="not_allowed")
        try:
            root = self.config.adapters_dir.resolve()
            folder = (root / path).resolve()
            is_there = folder.is_relative_to(root) and (folder / "adapter_config.json").is_file()
        except (OSError, ValueError, RuntimeError):  # a name too long, a zero byte, links in a circle
            is_there = False
        if not is_there:
            raise NotFound(
                "There is no such adapter in the server's adapters_dir.", param="lora_path", code="adapter_not_found"
            )
        return folder
