"""How sure a measure is: values of a whole set of answers, each with its 95 % interval, and whether two runs differ."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .metrics import Metric, sacrebleu_metric, said_yes
from .scoring import wilson_interval

RESAMPLED = 1000  # times, for measures without an interval of their own
GRADED: tuple[Metric, ...] = ("vqa", "anls")  # not only 0 or 1


@dataclass(frozen=True)
class Measure:
    """A value with its 95 % interval; shares are from 0 to 1."""

    name: str
    value: float
    low: float
    high: float


def share(name: str, right: int, count: int) -> Measure:
    """Of so many, so many are right; of none, nothing is known."""
    if not count:
        return Measure(name, math.nan, 0.0, 1.0)
    return Measure(name, right / count, *wilson_interval(right / count, count))


def bootstrap(name: str, statistic: Callable[[Any], Any], count: int, value: float) -> Measure:
    """The middle 95 % of `statistic` over sets that are drawn from the rows: indices [R, N] -> [R]."""
    random = np.random.default_rng(0)
    # In parts: R x N indices of a large set would fill the memory.
    parts = [statistic(random.integers(count, size=(RESAMPLED // 20, count))) for _ in range(20)]
    drawn = np.concatenate(parts)
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.quantile(drawn, (0.025, 0.975)) if len(drawn) else (math.nan, math.nan)
    return Measure(name, value, float(low), float(high))


def measures(
    metric: Metric, scores: Sequence[float], answers: Sequence[str], references: Sequence[Sequence[str]]
) -> list[Measure]:
    """The measure of a set of answers, the main one first. `scores` are those of `metrics.score`."""
    if metric == "yes_no":
        return yes_no_measures([said_yes(answer) for answer in answers], [said_yes(r[0]) for r in references])
    if metric in ("bleu", "chrf"):
        return [corpus_measure(metric, answers, references)]
    values = np.asarray(scores, dtype=float)
    if metric in GRADED:
        return [bootstrap(metric, lambda rows: values[rows].mean(axis=1), len(values), float(values.mean()))]
    return [share(metric, round(values.sum()), len(values))]


def yes_no_measures(said: Sequence[bool | None], true: Sequence[bool | None]) -> list[Measure]:
    """Accuracy, precision, recall and F1 of yes, and how often yes is said (POPE, https://arxiv.org/abs/2305.10355)."""
    yes, is_yes = np.array([s is True for s in said]), np.array([t is True for t in true])
    right = sum(s is not None and s == t for s, t in zip(said, true, strict=True))
    both, count = int((yes & is_yes).sum()), len(said)

    def f1(rows: Any) -> Any:
        total = yes[rows].sum(axis=-1) + is_yes[rows].sum(axis=-1)
        with np.errstate(invalid="ignore"):
            return 2 * (yes & is_yes)[rows].sum(axis=-1) / total

    return [
        share("accuracy", right, count),
        share("precision", both, int(yes.sum())),
        share("recall", both, int(is_yes.sum())),
        bootstrap("F1", f1, count, float(f1(np.arange(count)))),
        share("yes ratio", int(yes.sum()), count),
    ]


def corpus_measure(metric: Any, answers: Sequence[str], references: Sequence[Sequence[str]]) -> Measure:
    """sacrebleu's BLEU or chrF of the whole set (0 to 1), with its own bootstrap."""
    most = max(map(len, references))
    streams = [[r[i] if i < len(r) else "" for r in references] for i in range(most)]  # "" is no reference to sacrebleu
    scorer = sacrebleu_metric(metric)
    found = scorer.corpus_score(list(answers), streams, n_bootstrap=RESAMPLED)
    return Measure(metric, found.score / 100, (found._mean - found._ci) / 100, (found._mean + found._ci) / 100)


@dataclass(frozen=True)
class Comparison:
    """Run B against run A on the same rows."""

    difference: Measure  # of the mean scores, B - A
    better: int
    worse: int
    p_value: float  # how likely so large a difference is where none is
    test: str


def compare_paired(ones: Sequence[float], others: Sequence[float]) -> Comparison:
    """McNemar's exact test where scores are 0 or 1, else a sign-flip test of the mean difference."""
    differences = np.asarray(others, dtype=float) - np.asarray(ones, dtype=float)
    better, worse = int((differences > 0).sum()), int((differences < 0).sum())
    interval = bootstrap(
        "difference", lambda rows: differences[rows].mean(axis=1), len(differences), float(differences.mean())
    )
    if set(np.unique([*ones, *others])) <= {0.0, 1.0}:
        return Comparison(interval, better, worse, mcnemar(better, worse), "McNemar's exact test")
    changed = differences[differences != 0]
    signs = np.random.default_rng(0).choice((-1.0, 1.0), size=(10 * RESAMPLED, len(changed)))
    extreme = (np.abs(signs @ changed) >= abs(changed.sum()) - 1e-9).sum()
    return Comparison(interval, better, worse, (int(extreme) + 1) / (len(signs) + 1), "sign-flip test")


def mcnemar(better: int, worse: int) -> float:
    """Two-sided: how likely a fair coin falls so unevenly in better + worse throws."""
    count, fewer = better + worse, min(better, worse)
    tail = sum(math.exp(_log_choose(count, i) - count * math.log(2)) for i in range(fewer + 1))
    return min(1.0, 2 * tail)


def _log_choose(count: int, chosen: int) -> float:
    return math.lgamma(count + 1) - math.lgamma(chosen + 1) - math.lgamma(count - chosen + 1)
