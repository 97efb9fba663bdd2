"""GET /metrics: what Prometheus reads. The names are those of vLLM with our own prefix, so that its boards fit.

What the engine counts is asked of it when the page is made (`Engine.snapshot`); what only this side sees, requests as
HTTP has them and pictures before they reach the model, is counted here. Labels come from fixed sets only: routes,
statuses, error codes, stages, ends, caches.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from itertools import accumulate
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from starlette.types import Scope

from . import counters
from .gate import Record
from .service import Service

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PICTURE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
CACHES = ("picture", "prefix", "hints")
# What a batch may count (`vlm.engine.batch.Batch.stats`) -> the counter's name and meaning.
BATCH_COUNTERS = {
    "prompt_tokens": ("regard:prompt_tokens", "Tokens of prompts, cached ones included."),
    "cached_tokens": ("regard:prompt_tokens_cached", "Tokens of prompts that were not read again."),
    "completion_tokens": ("regard:generation_tokens", "Tokens written."),
    "steps": ("regard:engine_steps", "Steps of the batch."),
    "image_encode_seconds": ("regard:image_encode_seconds", "Time in which pictures were encoded."),
}

A = TypeVar("A")
B = TypeVar("B")


class Metrics:
    """The counters of one server."""

    def __init__(self, service: Service):
        self.registry = CollectorRegistry()
        self.registry.register(_EngineCollector(service))
        self._requests = Counter("regard:requests", "Requests, once over.", ["route", "status"], registry=self.registry)
        self._errors = Counter("regard:errors", "Errors sent to clients.", ["code"], registry=self.registry)
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


def merged(pages: Iterable[tuple[str, str]]) -> bytes:
    """The pages of several servers, each with its name, as one; the name is in the label `replica`."""
    families: dict[str, Metric] = {}
    for name, page in pages:
        for found in text_string_to_metric_families(page):
            family = families.setdefault(found.name, Metric(found.name, found.documentation, found.type))
            for sample in found.samples:
                family.samples.append(sample._replace(labels={**sample.labels, "replica": name}))
    return generate_latest(_Families(families.values()))


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]):
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


class _EngineCollector(Collector):
    """Asks the engine whenever the page is made, so that nothing has to be kept in step."""

    def __init__(self, service: Service):
        self._service = service

    def collect(self) -> Iterable[Metric]:
        engine = self._service.loaded_engine
        if engine is None:
            yield from _queue(running=0, waiting=0)
            return
        found = engine.snapshot()
        yield from _queue(found.running, found.waiting)
        finished = CounterMetricFamily(
            "regard:requests_finished", "Requests by how the engine ended them.", None, ["how"]
        )
        for how, count in found.finished.items():
            finished.add_metric([how], count)
        yield finished
        yield _histogram(
            "regard:time_to_first_token_seconds",
            "From a place in the queue to the first token of the answer.",
            found.time_to_first_token,
        )
        yield _histogram(
            "regard:time_per_output_token_seconds", "Between the tokens of an answer.", found.time_per_token
        )
        yield from _batch(found.batch)


def _queue(running: int, waiting: int) -> Iterable[Metric]:
    yield GaugeMetricFamily("regard:num_requests_running", "Requests being answered.", running)
    yield GaugeMetricFamily("regard:num_requests_waiting", "Requests in the queue.", waiting)


def _histogram(name: str, meaning: str, found: counters.Histogram) -> Metric:
    bounds = [*map(str, found.bounds), "+Inf"]
    return HistogramMetricFamily(name, meaning, list(zip(bounds, accumulate(found.counts), strict=True)), found.sum)


def _batch(stats: dict[str, float]) -> Iterable[Metric]:
    """What this kind of batch counts: one that answers a request at a time has no caches."""
    for name, (metric, meaning) in BATCH_COUNTERS.items():
        if name in stats:
            yield CounterMetricFamily(metric, meaning, stats[name])
    hits = CounterMetricFamily("regard:cache_hits", "Look-ups that found something.", None, ["cache"])
    misses = CounterMetricFamily("regard:cache_misses", "Look-ups that found nothing.", None, ["cache"])
    sizes = GaugeMetricFamily("regard:cache_bytes", "What a cache holds.", None, ["cache"])
    for cache in CACHES:
        for family, what in ((hits, "hits"), (misses, "misses"), (sizes, "bytes")):
            if (value := stats.get(f"{cache}_{what}")) is not None:
                family.add_metric([cache], value)
    yield from (hits, misses, sizes)
