"""What every request passes before a route sees it: one log line each, the `Host` check, the API key.

Plain ASGI layers, so they act before any of the body is read, and on every path, known or not.
"""

import hmac
import logging
import re
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import ApiError, Forbidden, Unauthorized

if TYPE_CHECKING:
    from .engine import Generation

logger = logging.getLogger("serve.access")

OPEN_PATHS = ("/health", "/ready")  # for probes, which have no key; neither says more than yes or no
REQUEST_ID = re.compile(rb"[!-~]{1,128}")  # what we take from a client, because it comes to stand in logs and headers


@dataclass
class Record:
    """What log and metrics say of one request. In the scope as "record"; the routes fill in the rest."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    generation: "Generation | None" = None
    error: str | None = None  # the code of the error that it was answered with


class AccessLog:
    """One line per request: sizes and times, never contents. The id is also in `x-request-id` and in the answer.

    `observe` is called with every request that is over.
    """

    def __init__(self, app: ASGIApp, observe: Callable[[Scope, Record, int], None]):
        self.app = app
        self.observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        record = scope["record"] = _record(scope)
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
            fields = _fields(scope, record, status, time.monotonic() - started)
            logger.log(level, "%s", _line(fields), extra={"request": fields})
            self.observe(scope, record, status)


def _record(scope: Scope) -> Record:
    """With the client's own id where it sent one, and one that is safe to repeat."""
    ids = [value for name, value in scope["headers"] if name == b"x-request-id"]
    return Record(ids[0].decode("ascii")) if len(ids) == 1 and REQUEST_ID.fullmatch(ids[0]) else Record()


def _fields(scope: Scope, record: Record, status: int, seconds: float) -> dict[str, Any]:
    fields = {
        "request_id": record.id,
        "method": scope["method"],
        "path": scope["path"][:80],
        "status": status,
        "seconds": round(seconds, 3),
    }
    if record.error is not None:
        fields["error"] = record.error
    if (generation := record.generation) is not None and (last := generation.last) is not None:
        fields |= {"prompt_tokens": last.prompt_tokens, "completion_tokens": generation.completion_tokens}
        if (first := generation.seconds_to_first_token) is not None:
            fields["seconds_to_first_token"] = round(first, 3)
        if generation.tokens_per_second is not None:
            fields["tokens_per_second"] = round(generation.tokens_per_second, 1)
        fields["finish_reason"] = generation.finish_reason or "cancelled"
    return fields


def _line(fields: dict[str, Any]) -> str:
    """ID METHOD PATH STATUS SECONDS, then name=value."""
    head = [fields["request_id"], fields["method"], ascii(fields["path"])[1:-1], fields["status"], fields["seconds"]]
    return " ".join([*map(str, head), *(f"{name}={value}" for name, value in list(fields.items())[len(head) :])])


async def refuse(error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the error, from a layer before the routes."""
    scope["record"].error = error.code
    await error.response()(scope, receive, send)


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
            return await refuse(error, scope, receive, send)
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
    """Refuses a request without `Authorization: Bearer KEY` and one of the keys, on every path but those for probes.

    Of the others the scope's "is_admin" says whether it is one of the `admin_keys`.
    """

    def __init__(self, app: ASGIApp, keys: Sequence[str], admin_keys: Sequence[str] = ()):
        self.app = app
        self.keys = [key.encode("utf-8") for key in keys]
        self.admin_keys = [key.encode("utf-8") for key in admin_keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            return await self.app(scope, receive, send)
        scope["is_admin"] = _has_key(scope, self.admin_keys)
        if not (_has_key(scope, self.keys) or scope["is_admin"]):
            error = Unauthorized(
                "This server needs an API key: send the header `Authorization: Bearer KEY` with the right one.",
                headers={"www-authenticate": "Bearer", "connection": "close"},
            )
            return await refuse(error, scope, receive, send)
        await self.app(scope, receive, send)


def _has_key(scope: Scope, keys: Sequence[bytes]) -> bool:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, key = value.partition(b" ")
            # All keys are compared, so that the time does not tell which of them was nearly right.
            matches = [hmac.compare_digest(key.strip(), own) for own in keys]
            return scheme.lower() == b"bearer" and any(matches)
    return False
