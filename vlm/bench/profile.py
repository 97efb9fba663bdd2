"""Where the time of a decode step goes: by the stages of the engine, and by torch's operators.

The stages are timed by wrapping what the engine calls; that costs a step less than a twentieth of its time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch.profiler import ProfilerActivity, profile

from ..engine.batch import Batch
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
    operators = _operators(run, steps)
    stages = _stages(ours.batch, run, steps)
    ours.drop()
    return Profile(what, step, stages, operators)


def _operators(run: Callable[[], None], steps: int) -> list[tuple[str, float, float]]:
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        run()
    found = sorted(profiler.key_averages(), key=lambda event: event.self_cpu_time_total, reverse=True)
    return [(event.key, event.self_cpu_time_total / 1000 / steps, event.count / steps) for event in found[:OPERATORS]]


def _stages(batch: Batch, run: Callable[[], None], steps: int) -> dict[str, float]:
    """Milliseconds of a step in each stage; what is in none of them is "the rest"."""
    spent: dict[str, float] = {}

    def timed(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run_timed(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                spent[stage] = spent.get(stage, 0.0) + time.perf_counter() - started

        return run_timed

    decoder = batch.decoder
    wrapped: list[tuple[Any, str, str]] = [(decoder, "_attend", "attention"), (decoder, "head", "head")]
    if decoder.looking is not None:
        wrapped.append((decoder.looking, "look_", "cross-attention"))
    for answer in {row.answer for row in batch.rows}:
        wrapped += [(answer.sampler, "choose", "sampling"), (answer.stream, "push", "text")]
    untimed = [layer.products for layer in decoder.layers]
    own = [(thing, name, vars(thing).get(name)) for thing, name, _ in wrapped]  # None: a method of its class
    try:
        for thing, name, stage in wrapped:
            setattr(thing, name, timed(stage, getattr(thing, name)))
        for layer, products in zip(decoder.layers, untimed, strict=True):
            layer.products = {name: timed(f"product: {name}", product) for name, product in products.items()}
        started = time.perf_counter()
        run()
        total = time.perf_counter() - started
    finally:
        for thing, name, function in own:
            if function is None:
                delattr(thing, name)
            else:
                setattr(thing, name, function)
        for layer, products in zip(decoder.layers, untimed, strict=True):
            layer.products = products
    spent["attention"] -= spent["product: query_key_value"]  # which it calls
    spent["the rest"] = total - sum(spent.values())
    return {stage: 1000 * seconds / steps for stage, seconds in sorted(spent.items(), key=lambda one: -one[1])}
