"""The learning rate over a run, as a factor of what the config says."""

import math
from collections.abc import Callable


def schedule(warmup_steps: int, max_steps: int, kind: str = "cosine") -> Callable[[int], float]:
    """The factor of each step: a linear warm-up, then a cosine down to a tenth, or, of kind `constant`, 1."""

    def factor(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / warmup_steps
        if kind == "constant":
            return 1.0
        done = (step - warmup_steps) / max(1, max_steps - warmup_steps)
        return 0.1 + 0.45 * (1 + math.cos(math.pi * min(1.0, done)))

    return factor
