"""Where the time of a decode step goes: by the stages of the engine, and by the operators of ONNX Runtime or torch.

The stages are timed by wrapping what the engine calls; that costs a step less than a twentieth of its time.
"""

import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.profiler import ProfilerActivity, profile

from ..engine.batch import Batch
from ..engine.graph_decoder import GraphDecoder
from .ours import Ours

OPERATORS = 12  # that are named


@dataclass(frozen=True)
class Profile:
    """Of one step, in milliseconds."""

    what: str
    step: float
    stages: dict[str, float]
    operators: list[tuple[str, float, float]]  # name, ms, calls


def profile_step(ours: Ours, what: str, *, words: int, steps: int, streams: int) -> Profile:
    """Stages and operators of a step with so many answers at once."""
    run = ours.steps(words, steps, streams)
    run()  # warm
    started = time.perf_counter()
    run()
    step = 1000 * (time.perf_counter() - started) / steps
    operators = _operators(ours, run, steps)
    stages = _stages(ours.batch, run, steps)
    ours.drop()
    return Profile(what, step, stages, operators)


def _operators(ours: Ours, run: Callable[[], None], steps: int) -> list[tuple[str, float, float]]:
    decoder = ours.batch.decoder
    found = _graph_operators(decoder, run) if isinstance(decoder, GraphDecoder) else _torch_operators(run)
    return [(name, ms / steps, calls / steps) for name, ms, calls in found[:OPERATORS]]


def _torch_operators(run: Callable[[], None]) -> list[tuple[str, float, float]]:
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        run()
    found = sorted(profiler.key_averages(), key=lambda event: event.self_cpu_time_total, reverse=True)
    return [(event.key, event.self_cpu_time_total / 1000, event.count) for event in found]


def _graph_operators(decoder: GraphDecoder, run: Callable[[], None]) -> list[tuple[str, float, float]]:
    with tempfile.TemporaryDirectory() as folder:
        with decoder.profiled(Path(folder)):
            run()
        events = [event for path in Path(folder).iterdir() for event in json.loads(path.read_text())]
    spent, calls = Counter[str](), Counter[str]()
    for event in events:  # an If's time is that of the operators in it
        if event["cat"] == "Node" and event["name"].endswith("_kernel_time") and event["args"]["op_name"] != "If":
            spent[event["args"]["op_name"]] += event["dur"]  # microseconds
            calls[event["args"]["op_name"]] += 1
    return [(name, microseconds / 1000, calls[name]) for name, microseconds in spent.most_common()]


def _stages(batch: Batch, run: Callable[[], None], steps: int) -> dict[str, float]:
    """Milliseconds of a step in each stage; what is in none of them is "the rest"."""
    spent: defaultdict[str, float] = defaultdict(float)

    def timed(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run_timed(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                spent[stage] += time.perf_counter() - started

        return run_timed

    wrapped: list[tuple[Any, str, str]] = [(batch.decoder, "forward", "language model")]
    for answer in {row.answer for row in batch.rows}:
        wrapped += [(answer.sampler, "choose", "sampling"), (answer.stream, "push", "text")]
    try:
        for thing, name, stage in wrapped:
            setattr(thing, name, timed(stage, getattr(thing, name)))
        started = time.perf_counter()
        run()
        total = time.perf_counter() - started
    finally:
        for thing, name, _ in wrapped:
            delattr(thing, name)  # a method of its class
    spent["the rest"] = total - sum(spent.values())
    return {stage: 1000 * seconds / steps for stage, seconds in sorted(spent.items(), key=lambda one: -one[1])}
