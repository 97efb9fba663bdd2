"""What stands around the routes of each of our applications: the gate before them, and how errors are answered."""

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from .body import ClientGone
from .config import ServeConfig
from .errors import ApiError, InternalError, MethodNotAllowed, NotFound
from .gate import AccessLog, HostCheck, KeyCheck, Record

CLIENT_CLOSED_REQUEST = 499  # nobody is there to read it, but the log is


def add_gate(
    app: Starlette,
    config: ServeConfig,
    api_keys: Sequence[str],
    admin_keys: Sequence[str],
    observe: Callable[[Scope, Record, int], None],
) -> None:
    """The layers before the routes, the innermost first; `observe` is told of every request that is over."""
    if api_keys or admin_keys:
        app.add_middleware(KeyCheck, keys=api_keys, admin_keys=admin_keys)
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
    app.add_middleware(AccessLog, observe=observe)


def add_error_handlers(app: Starlette) -> None:
    """Every error in OpenAI's form, and its code in the record of the request."""

    def answer(request: Request, error: ApiError) -> Response:
        request.scope["record"].error = error.code or error.type
        return error.response()

    async def api_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        return answer(request, error)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # Starlette raises only these two
        if error.status_code == MethodNotAllowed.status:
            headers = error.headers or {}
            return answer(request, MethodNotAllowed("This path does not answer to that method.", headers=headers))
        return answer(
            request,
            NotFound(
                "There is nothing at this path. The API is at /v1/chat/completions, /v1/completions, /v1/responses,"
                " /v1/read and /v1/models; /docs says what they take."
            ),
        )

    async def client_gone(_: Request, __: Exception) -> Response:
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    async def internal_error(request: Request, _: Exception) -> Response:
        return answer(request, InternalError())

    app.add_exception_handler(ApiError, api_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(ClientGone, client_gone)
    app.add_exception_handler(Exception, internal_error)
