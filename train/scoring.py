"""What an answer is worth, and how sure a score is."""

import math
from collections import Counter
from collections.abc import Sequence


def normalise(answer: str) -> str:
    """Lower case, without the white space around it and a full stop at its end."""
    return answer.strip().lower().removesuffix(".").strip()


def exact_match(answer: str, expected: str) -> float:
    """1 if the two are the same after `normalise`."""
    return float(normalise(answer) == normalise(expected))


def recall(answer: str, elements: Sequence[str]) -> float:
    """The share of `elements` that `answer` names; what is there twice has to be named twice."""
    text = answer.lower()
    wanted = Counter(element.lower() for element in elements)
    return sum(min(text.count(element), count) for element, count in wanted.items()) / len(elements)


def wilson_interval(mean: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share of right answers (Wilson 1927); for graded scores it is on the safe side."""
    centre = (mean + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(mean * (1 - mean) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return max(0.0, centre - half), min(1.0, centre + half)
