"""GET /metrics: what Prometheus reads. The names are those of vLLM with our own prefix, so that its boards fit."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import Scope

from .engine import Engine
from .gate import Record
from .service import Service

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
TTFT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)  # seconds
TOKEN_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1)
PICTURE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class EngineCounts:
    running: int  # requests that the model is answering
    waiting: int  # requests in the queue before it


def count(engine: Engine) -> EngineCounts:
    """The one place that knows how the engine keeps count."""
    with engine._changed:
        started = sum(generation.request is not None for generation in engine._admitted)
        waiting = len(engine._waiting)
    return EngineCounts(running=started - waiting, waiting=waiting)


class Metrics:
    """The counters of one server. Labels come from fixed sets only: routes, statuses, error codes, stages."""

    def __init__(self, service: Service):
        self.registry = CollectorRegistry()
        self.registry.register(_QueueCollector(service))
        self._requests = Counter("regard:requests", "Requests, once over.", ["route", "status"], registry=self.registry)
        self._errors = Counter("regard:errors", "Errors sent to clients.", ["code"], registry=self.registry)
        self._prompt = Counter("regard:prompt_tokens", "Tokens read.", registry=self.registry)
        self._generated = Counter("regard:generation_tokens", "Tokens written.", registry=self.registry)
        self._first = Histogram(
            "regard:time_to_first_token_seconds",
            "From a place in the queue to the first piece of the answer.",
            buckets=TTFT_BUCKETS,
            registry=self.registry,
        )
        self._pace = Histogram(
            "regard:time_per_output_token_seconds",
            "Mean of an answer, after its first piece.",
            buckets=TOKEN_BUCKETS,
            registry=self.registry,
        )
        self._pictures = Histogram(
            "regard:picture_seconds",
            "Work on the pictures of a request: fetch from the web, decode the files, read as data.",
            ["stage"],
            buckets=PICTURE_BUCKETS,
            registry=self.registry,
        )

    def page(self) -> bytes:
        return generate_latest(self.registry)

    def observe(self, scope: Scope, record: Record, status: int) -> None:
        """A request is over, however it ended."""
        self._requests.labels(getattr(scope.get("route"), "path", "other"), str(status)).inc()
        if record.error is not None:
            self._errors.labels(record.error).inc()
        generation = record.generation
        if generation is None or generation.last is None or generation.seconds_to_first_token is None:
            return
        self._prompt.inc(generation.last.prompt_tokens)
        self._generated.inc(generation.last.completion_tokens)
        self._first.observe(generation.seconds_to_first_token)
        if generation.tokens_per_second:
            self._pace.observe(1 / generation.tokens_per_second)

    @contextmanager
    def picture_stage(self, stage: str) -> Generator[None, None, None]:
        """Measures what is done inside. From any thread."""
        with self._pictures.labels(stage).time():
            yield

    def timed(self, stage: str, work: Callable[[A], B]) -> Callable[[A], B]:
        """The same work, measured."""

        def measured(subject: A) -> B:
            with self.picture_stage(stage):
                return work(subject)

        return measured


class _QueueCollector(Collector):
    """Asks the engine whenever the page is made, so that nothing has to be kept in step."""

    def __init__(self, service: Service):
        self._service = service

    def collect(self) -> Iterable[Metric]:
        engine = self._service.loaded_engine
        counts = EngineCounts(0, 0) if engine is None else count(engine)
        yield GaugeMetricFamily("regard:num_requests_running", "Requests being answered.", counts.running)
        yield GaugeMetricFamily("regard:num_requests_waiting", "Requests in the queue.", counts.waiting)
