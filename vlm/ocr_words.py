"""English words, for OCR: a narrow gap between two of them is a space, and in one of them there is none."""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

WORDS = Path(__file__).parent / "english" / "words.txt"
SHORT = frozenset("an as at be by do go he if in is it me my no of on or so to up us we".split())
LETTERS = re.compile(r"[A-Za-z]{5,}")
WIDER = 0.03  # than half of the gaps, in heights of the ink: a space, however narrow
LONG = 4  # letters of at least one of two words: "Heron" is one
FEW = 2  # gaps that may be wider than a space, between letters like "r" and "v"


@dataclass(frozen=True)
class Seams:
    """Places between two characters, as the number of the second."""

    inside: frozenset[int]  # of a word
    between: frozenset[int]  # two words that stand together like one that there is not


@functools.cache
def _words() -> frozenset[str]:
    return SHORT | frozenset(WORDS.read_text(encoding="utf-8").split())


def find_seams(text: str, gaps: Sequence[float]) -> Seams:
    """Where a text may lack a space, and where it lacks none, by its words and the gap before each character.

    Of the places where two words may meet in one run of letters it is the widest; what is no wider than the other gaps
    is none: "snowman" is a word, even if it is not among ours.
    """
    inside: set[int] = set()
    between: set[int] = set()
    for match in LETTERS.finditer(text):
        run, first = match[0].casefold(), match.start()
        if run in _words():
            inside.update(range(first + 1, match.end()))
            continue
        places = [first + cut for cut in _cuts(run)]
        widest = max(places, key=lambda place: gaps[place], default=first)
        others = sorted(gaps[first + 1 : match.end()])
        if gaps[widest] >= max(others[len(others) // 2] + WIDER, others[-1 - FEW]) and places:
            between.add(widest)
    return Seams(frozenset(inside), frozenset(between))


def _cuts(run: str) -> Iterator[int]:
    words = _words()
    for cut in range(2, len(run) - 1):
        one, two = run[:cut], run[cut:]
        if one in words and two in words and max(len(one), len(two)) >= LONG:
            yield cut
