"""uvicorn as this API needs it, and how it stops: what runs is finished, what is new is refused, then it ends."""

import asyncio
import signal
import time
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from .config import ServeConfig
from .service import Service

AT_THE_TERMINAL = 3.0  # seconds that answers may go on after Ctrl-C, where somebody sits and waits
AFTER_THE_DRAIN = 1  # seconds for connections to close once the drain is over


class DrainingServer(uvicorn.Server):
    """The first SIGTERM or Ctrl-C drains; it ends as soon as nothing runs, after `drain_seconds`, or at the second."""

    def __init__(self, config: uvicorn.Config, service: Service, drain_seconds: float):
        super().__init__(config)
        self.service = service
        self._drain_seconds = drain_seconds
        self._ends_at = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.service.is_draining:
            return super().handle_exit(sig, frame)
        self._captured_signals.append(sig)  # uvicorn raises it again once it has stopped
        limit = AT_THE_TERMINAL if sig == signal.SIGINT else self._drain_seconds
        self._ends_at = time.monotonic() + min(limit, self._drain_seconds)
        self.service.drain()

    async def on_tick(self, counter: int) -> bool:
        if self.service.is_draining and not self.service.answering:
            self.should_exit = True
        elif self.service.is_draining and time.monotonic() >= self._ends_at:
            self.should_exit = True
            if (engine := self.service.loaded_engine) is not None:
                await asyncio.to_thread(engine.close)  # so that what still runs ends with an error and not in silence
        return await super().on_tick(counter)


def make_server(app: ASGIApp, config: ServeConfig, service: Service) -> DrainingServer:
    """h11, because it bounds the size of a request's headers; one log line a request, which is ours."""
    settings = uvicorn.Config(
        app,
        host=config.host,
        port=config.port,
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=AFTER_THE_DRAIN,
    )
    return DrainingServer(settings, service, config.drain_seconds)
