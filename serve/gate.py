"""What every request passes before a route sees it: one log line each, the `Host` check, the API key.

Plain ASGI layers, so they act before any of the body is read, and on every path, known or not.
"""

import hmac
import logging
import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import Forbidden, Unauthorized

if TYPE_CHECKING:
    from .engine import Generation

logger = logging.getLogger("serve.access")

OPEN_PATHS = ("/health",)


@dataclass
class Record:
    """What the log says of one request. In the scope as "record"; the chat route puts its generation here."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    generation: "Generation | None" = None


class AccessLog:
    """One line per request: sizes and times, never contents. The id is also in `x-request-id` and in the answer."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        record = scope["record"] = Record()
        started = time.monotonic()
        status = 500  # what the client is sent when the app raises

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = record.id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            level = logging.DEBUG if scope["path"] in OPEN_PATHS else logging.INFO
            logger.log(level, "%s", _line(scope, record, status, time.monotonic() - started))


def _line(scope: Scope, record: Record, status: int, seconds: float) -> str:
    words = [record.id, scope["method"], ascii(scope["path"][:80])[1:-1], str(status), f"{seconds:.3f}s"]
    if (generation := record.generation) is not None and (last := generation.last) is not None:
        words.append(f"prompt={last.prompt_tokens} completion={last.completion_tokens}")
        words.append(f"first_token={generation.seconds_to_first_token:.3f}s")
        if generation.tokens_per_second is not None:
            words.append(f"tokens/s={generation.tokens_per_second:.1f}")
        words.append(f"finish={last.finish_reason or 'cancelled'}")
    return " ".join(words)


class HostCheck:
    """Refuses a `Host` that is not one of ours: a web page whose name was re-bound to 127.0.0.1 sends its own name."""

    def __init__(self, app: ASGIApp, names: Collection[str]):
        self.app = app
        self.names = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _host_name(scope) not in self.names:
            error = Forbidden(
                "The Host header names another host. Use 127.0.0.1 or localhost, or add the name to allowed_hosts."
            )
            return await error.response()(scope, receive, send)
        await self.app(scope, receive, send)


def _host_name(scope: Scope) -> str:
    """The host of the one `Host` header without its port; "" where there is none, or several."""
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(values) != 1:
        return ""
    host = values[0].lower()
    if host.startswith("["):  # [::1]:8000
        name, bracket, port = host[1:].partition("]")
        return name if bracket and (not port or _is_port(port)) else ""
    name, colon, port = host.partition(":")
    return name if not colon or _is_port(f":{port}") else ""


def _is_port(text: str) -> bool:
    return text.startswith(":") and text[1:].isascii() and text[1:].isdigit()


class KeyCheck:
    """Refuses a request without `Authorization: Bearer KEY` and one of the keys, on every path but /health."""

    def __init__(self, app: ASGIApp, keys: Sequence[str]):
        self.app = app
        self.keys = [key.encode("utf-8") for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS and not self._is_authorized(scope):
            error = Unauthorized(
                "This server needs an API key: send the header `Authorization: Bearer KEY` with the right one.",
                headers={"www-authenticate": "Bearer", "connection": "close"},
            )
            return await error.response()(scope, receive, send)
        await self.app(scope, receive, send)

    def _is_authorized(self, scope: Scope) -> bool:
        for name, value in scope["headers"]:
            if name == b"authorization":
                scheme, _, key = value.partition(b" ")
                # All keys are compared, so that the time does not tell which of them was nearly right.
                matches = [hmac.compare_digest(key.strip(), own) for own in self.keys]
                return scheme.lower() == b"bearer" and any(matches)
        return False
