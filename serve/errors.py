"""Everything the API can answer instead of an answer, in OpenAI's form: {"error": {message, type, param, code}}.

The messages are written here and at the places that raise; they never quote the request, a path or another
library's exception, because those have carried heap addresses and secrets to clients of other servers.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse


class ApiError(Exception):
    """An answer other than 200. `param` is the field at fault, `code` a word for programs."""

    status = 500
    type = "server_error"
    code: str | None = None

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, headers: Mapping[str, str] = {}
    ):
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code if code is not None else self.code
        self.headers = dict(headers)

    def body(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        return JSONResponse(self.body(), self.status, self.headers)


class BadRequest(ApiError):
    status = 400
    type = "invalid_request_error"


class Unauthorized(BadRequest):
    status = 401
    code = "invalid_api_key"


class Forbidden(BadRequest):
    status = 403
    code = "host_not_allowed"


class NotFound(BadRequest):
    status = 404
    code = "not_found"


class MethodNotAllowed(BadRequest):
    status = 405
    code = "method_not_allowed"


class RequestTimeout(BadRequest):
    status = 408
    code = "request_timeout"


class BodyTooLarge(BadRequest):
    status = 413
    code = "request_too_large"


class UnsupportedMediaType(BadRequest):
    status = 415
    code = "unsupported_media_type"


class QueueFull(ApiError):
    status = 429
    code = "queue_full"


class WorkerStopped(ApiError):
    status = 503
    code = "worker_stopped"


class ModelLoading(ApiError):
    status = 503
    code = "model_loading"


class Draining(ApiError):
    status = 503
    code = "draining"


class DeadlinePassed(ApiError):
    status = 504
    code = "deadline_passed"


class InternalError(ApiError):
    code = "internal_error"

    def __init__(self) -> None:
        super().__init__("The server failed on this request; its log says why. Other requests go on.")


def worker_stopped() -> WorkerStopped:
    return WorkerStopped("The model has stopped working. Restart the server; its log says why.")
