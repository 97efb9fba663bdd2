"""What an answer is worth, and how sure a score is."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from vlm.structure.numbers import parse_number

RELAXED = 0.05  # of the expected number
SHORT = 3  # words that are an answer and no sentence
DENIAL = re.compile(r"\b(?:not|no|never|isn't|doesn't|cannot)\b")


def normalise(answer: str) -> str:
    """Lower case, without the white space around it and a full stop at its end."""
    return answer.strip().lower().removesuffix(".").strip()


def exact_match(answer: str, expected: str) -> float:
    """1 if the two are the same after `normalise`."""
    return float(normalise(answer) == normalise(expected))


def relaxed_match(answer: str, expected: str) -> float:
    """1 if two answers say the same: numbers within 5 % of the expected one (as in ChartQA,
    https://arxiv.org/abs/2203.10244), whatever their units; lists in any order; else `exact_match`. Of a
    sentence counts what `extract` finds in it.
    """
    return max(_same(answer, expected), _same(extract(answer, expected), expected))


def extract(answer: str, expected: str) -> str:
    """What a sentence gives for an answer, where a word or a number was wanted.

    Its first word where yes or no is wanted, its last number where a number is, and else the words that are wanted
    themselves where they stand in it and nothing is denied. Of what is no sentence (three words or less) all of it.
    """
    text, wanted = normalise(answer), normalise(expected)
    words = re.findall(r"[\w'-]+", text)
    if len(words) <= SHORT:
        return text
    if wanted in ("yes", "no"):
        return words[0]
    if parse_number(wanted) is not None:
        numbers = re.findall(r"[$€£¥]?-?\d[\d.,]*(?:\s?(?:%|[a-z]+\b))?", text)
        return numbers[-1].rstrip(".,") if numbers else text
    is_denied = DENIAL.search(text) is not None and DENIAL.search(wanted) is None
    return wanted if re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text) and not is_denied else text


def _same(answer: str, expected: str) -> float:
    said, wanted = parse_number(normalise(answer)), parse_number(normalise(expected))
    if wanted is not None and said is not None:
        return float(abs(said - wanted) <= RELAXED * abs(wanted))
    return float(_members(answer) == _members(expected))


def _members(answer: str) -> list[str]:
    return sorted(part.strip() for part in re.split(r",| and ", normalise(answer)) if part.strip())


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
