"""How long a whole answer takes to a chart that has not been seen before, hints and all."""

import time
from statistics import median

from vlm.answers import Chunk, GenerationRequest
from vlm.engine.batch import Batch
from vlm.loading import Assistant

from .data_engine import draw

SIZE = (800, 600)
FIRST_SEED = 700_000  # of pictures that no suite asks about
INSTRUCTION = "Answer briefly."


def time_charts(assistant: Assistant, count: int) -> str:
    """A line with the median and the longest of `count` answers, each to a new chart, as a warm server gives them."""
    batch = Batch(assistant.model, assistant.processor, with_hints=assistant.with_hints)
    seconds = [_time_one(batch, FIRST_SEED + number) for number in range(count + 1)][1:]  # the first warms it
    return (
        f"A whole answer to a new {SIZE[0]} x {SIZE[1]} chart takes {median(seconds):.2f} s"
        f" (the longest of {count}: {max(seconds):.2f} s).\n"
    )


def _time_one(batch: Batch, seed: int) -> float:
    sample = draw("charts", seed, "test")
    question = next(one for one in sample.questions if not one.elements)
    content = [
        {"type": "image", "image": sample.image.resize(SIZE)},
        {"type": "text", "text": f"{question.text} {INSTRUCTION}"},
    ]
    started = time.perf_counter()
    batch.join(seed, batch.prepare(GenerationRequest([{"role": "user", "content": content}])))
    is_over = False
    while not is_over:
        for _, chunk in batch.step():
            if not isinstance(chunk, Chunk):
                raise chunk
            is_over = chunk.finish_reason is not None
    return time.perf_counter() - started
