"""Comparisons said in the question's own words and direction.

A small language model copies what is said to it; that "A is higher than B" means that B is the lower one is more than
it can be relied on for. "Which is smaller, A or B?" is told "B is smaller than A"; "is A left of B?" where A lies.
"""

import re

SIZES = (("higher", "lower"), ("larger", "smaller"), ("bigger", "smaller"), ("greater", "less"), ("more", "fewer"))
MOST = r"\b(?:highest|largest|biggest|greatest|most|best|max\w*|tallest|longest)\b"
LEAST = r"\b(?:lowest|smallest|least|fewest|worst|min\w*|shortest)\b"
SIDES = ("left of", "right of", r"\bleft\w*", r"\bright\w*")
LEVELS = ("above", "below", r"\b(?:above|up|upper\w*|higher|top\w*)\b", r"\b(?:below|under\w*|lower|down|bottom\w*)\b")
BESIDE = re.compile(
    r"(?i)\b(?:left\w*|right(?! after| before)|right\w+|above|below|under\w*|beneath|higher|lower|up|down|upper\w*"
    r"|top\w*|bottom\w*|further)\b"
)
CHOICE = re.compile(r"\b(?:which|what|who|or|name|find)\b", re.IGNORECASE)


def compare(question: str, first: str, second: str, first_is_more: bool) -> str:
    """How the first of two things that a question names compares with the second, in the words of the question."""
    for more, less in SIZES:
        for word in (more, less):
            if _has(rf"\b{word}\b", question):
                return _said(question, first, second, first_is_more, f"{more} than", f"{less} than", word == more)
    return _said("which", first, second, first_is_more, "higher than", "lower than", True)


def place(question: str, first: str, second: str, first_is_left: bool | None, first_is_above: bool | None) -> str:
    """Where the first thing lies from the second: what is asked for, or both ways; None where that is not known."""
    found = []
    for known, (one, other, asks_one, asks_other) in ((first_is_left, SIDES), (first_is_above, LEVELS)):
        if known is None:
            continue
        if _has(asks_one, question) or _has(asks_other, question):
            return _said(question, first, second, known, one, other, _has(asks_one, question))
        found.append(one if known else other)
    return f"{first} is {', '.join(found)} {second}"


def asks_place(question: str) -> bool:
    """Whether a question about two things is about where they lie; "right after" is no place."""
    return BESIDE.search(question) is not None


def wants(question: str) -> tuple[str, ...]:
    """Of "highest" and "lowest" what a question asks for; both where it does not say."""
    most, least = _has(MOST, question), _has(LEAST, question)
    return ("highest", "lowest") if most == least else ("highest",) if most else ("lowest",)


def _said(question: str, first: str, second: str, is_one: bool, one: str, other: str, asks_one: bool) -> str:
    if CHOICE.search(question):
        winner, rest = (first, second) if is_one == asks_one else (second, first)
        return f"{winner} is {one if asks_one else other} {rest}"
    return f"{first} is {one if is_one else other} {second}"


def _has(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None
