"""What the engine counts, for whoever watches it."""

import bisect
from dataclasses import dataclass, field

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)


@dataclass
class Histogram:
    """How many values were at most each bound; as Prometheus wants it, but not cumulative."""

    bounds: tuple[float, ...] = SECONDS
    counts: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))  # the last is above all bounds
    sum: float = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.sum += value

    def copy(self) -> "Histogram":
        return Histogram(self.bounds, list(self.counts), self.sum)


@dataclass(frozen=True)
class Snapshot:
    """The engine at one moment. Totals are since its start."""

    waiting: int
    running: int
    finished: dict[str, int]  # requests by how they ended: stop, length, cancelled, refused, failed, overdue
    time_to_first_token: Histogram  # seconds from admission
    time_per_token: Histogram  # seconds between the chunks of an answer
    batch: dict[str, float]  # tokens, cache hits, encode seconds: see vlm.engine.batch.Batch.stats
