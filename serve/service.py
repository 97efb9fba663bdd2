"""Where the server stands in its life: loading the model, ready, draining. And how many requests it is answering."""

from starlette.types import ASGIApp, Receive, Scope, Send

from .engine import Engine
from .errors import Draining, ModelLoading, worker_stopped
from .gate import refuse

# Answered in every state, and without a place in any queue: what watches the server must not be locked out by it.
WATCHING_PATHS = ("/health", "/ready", "/version", "/metrics")


class Service:
    """Made before the model is loaded. `give` and `drain` may be called from any thread, once each."""

    def __init__(self, engine: Engine | None = None):
        self._engine = engine
        self.is_draining = False
        self.answering = 0  # requests that have come and are not over, but those to WATCHING_PATHS

    def give(self, engine: Engine) -> None:
        """The model is loaded."""
        self._engine = engine

    def drain(self) -> None:
        """Refuse what is new from now on; what runs goes on."""
        self.is_draining = True

    @property
    def engine(self) -> Engine:
        """Raises ModelLoading while there is none."""
        if self._engine is None:
            raise ModelLoading(
                "The model is still being loaded. Try again in a few seconds.", headers={"retry-after": "2"}
            )
        return self._engine

    @property
    def loaded_engine(self) -> Engine | None:
        return self._engine

    def check_alive(self) -> None:
        """Raises WorkerStopped once no request can be answered until somebody restarts the server."""
        if self._engine is not None and not self._engine.is_alive:
            raise worker_stopped()

    def check_ready(self) -> None:
        """Raises the ApiError that a new request would be answered with."""
        if self.is_draining:
            raise draining()
        if not self.engine.is_alive:
            raise worker_stopped()


class DrainCheck:
    """Counts the requests being answered; once the server drains, refuses what is new with 503."""

    def __init__(self, app: ASGIApp, service: Service):
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in WATCHING_PATHS:
            return await self.app(scope, receive, send)
        if self.service.is_draining:
            return await refuse(draining(), scope, receive, send)
        self.service.answering += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.service.answering -= 1


def draining() -> Draining:
    return Draining(
        "This server is being stopped and takes no new requests. Ask another one, or try again later.",
        headers={"retry-after": "10", "connection": "close"},
    )
