"""Signs, labels and receipts in words, and what a question about some of their lines turns on."""

import math
import re
from collections.abc import Iterator

from ..structure import Entry, Notice, NumberStyle
from ..structure.numbers import write_number
from ..structure.table_facts import prices, total_of
from ..structure.wording import count_of
from .asked import COLOUR, GROUND
from .mentions import find_mentions, missing, missing_names
from .tables import by_ordinal

ROLES = re.compile(
    r"\b(telephone|phone|dates?|time|e-?mail|seat|room|author|title|publisher|job|profession|name|heading|price|distance)\b",
    re.IGNORECASE,
)
NAMED = {"telephone": "phone", "dates": "date", "e-mail": "email", "profession": "job"}
ALSO = {"author": "name", "title": "heading"}
# Where no entry has such a role, there is none: others go by several names.
TELLING = frozenset(("phone", "date", "email", "seat", "room", "author", "publisher", "job"))
CLOCK = re.compile(r"\b(\d{1,2}):(\d\d)(?:\s?([ap])\.?m\b)?", re.IGNORECASE)
PRICE = re.compile(r"\b(?:price|costs?|much)\b", re.IGNORECASE)
LETTERS = re.compile(r"(?i)\b(?:text|letters?|writing|ink|font)\b")
TOTAL = re.compile(r"(?i)\b(?:total|sum|everything|to be paid|in all|together|to pay)\b")
ITEMS = re.compile(r"(?i)\b(?:how many|number of|count)\b.*\b(?:items?|things|products|articles|positions)\b")
EXTREME = re.compile(r"\b(?:most expensive|cheapest|least expensive|dearest|priciest)\b", re.IGNORECASE)


def describe_notice(notice: Notice) -> Iterator[str]:
    """What kind it is, its colours, then line by line."""
    colours = f" on {notice.background}" if notice.background else " letters"
    colours = f", {notice.ink}{colours}" if notice.ink else ""
    yield f"{notice.kind}{colours}, {count_of(len(notice.lines), 'line')}"
    for row in sorted({entry.row for entry in notice.entries}):
        yield " | ".join(f"{entry.role}: {entry.label.text}" for entry in notice.entries if entry.row == row)
    if priced := prices(notice):
        dearest = max(priced, key=lambda one: one[1])
        together = NumberStyle(decimals=2).write(math.fsum(price for _, price in priced))
        yield f"{len(priced)} items, most expensive {dearest[0]}, together {together}"
    if (total := total_of(notice)) is not None:
        yield f"total {write_number(total)}"


def about_notice(notice: Notice, question: str) -> Iterator[str]:
    """What a question about some of it turns on; where it is about none in particular, all that is written."""
    facts = list(_of_colours(notice, question) if COLOUR.search(question) else _about_some(notice, question))
    yield from facts
    if not facts:
        yield f"text: {' '.join(notice.lines)}"


def _of_colours(notice: Notice, question: str) -> Iterator[str]:
    """The colour of the letters, or of what they stand on."""
    if LETTERS.search(question) and not GROUND.search(question):
        yield f"the letters are {notice.ink or 'of several colors'}"
    else:
        yield f"the background is {notice.background or 'of several colors'}"


def _about_some(notice: Notice, question: str) -> Iterator[str]:
    """What stands beside the words that a question quotes, and what plays the part that it asks for."""
    texts = [entry.label.text for entry in notice.entries]
    found = find_mentions(texts, question)
    for number in found[:3]:
        entry = notice.entries[number]
        beside = [other.label.text for other in notice.entries if other.row == entry.row and other is not entry]
        yield f"{entry.label.text}: {', '.join(beside)}" if beside else f'"{entry.label.text}" is there'
        yield from (fact for text in beside for fact in _at_time(text, question))
    for row in by_ordinal(question, "line", len(notice.lines)):
        yield f"line {row + 1}: {notice.lines[row]}"
    if not found:
        yield from _in_role(notice, question)
    if " or " in question and notice.kind != "sign" and not found:
        yield f"it is a {notice.kind}"
    yield from missing([*texts, *notice.lines], question)
    if PRICE.search(question):
        yield from missing_names([*texts, *notice.lines], question)
    if TOTAL.search(question) and (totals := notice.of_role("total")):
        yield f"the total is {totals[-1].label.text}"
    if ITEMS.search(question):
        yield count_of(len(notice.of_role("item")), "item")
    if EXTREME.search(question) and (priced := prices(notice)):
        dearest, cheapest = (pick(priced, key=lambda one: one[1])[0] for pick in (max, min))
        yield f"most expensive {dearest}, cheapest {cheapest}"


def _in_role(notice: Notice, question: str) -> Iterator[str]:
    """What a question asks for by its part, "the phone number"; some parts are known to be missing."""
    for word in dict.fromkeys(match.lower() for match in ROLES.findall(question)):
        role = NAMED.get(word, word)
        said = [entry.label.text for entry in _of_role(notice, role)]
        if said:
            yield f"the {word} is {', '.join(said)}"
        elif role in TELLING:
            yield f"no {role}"


def _of_role(notice: Notice, role: str) -> tuple[Entry, ...]:
    """Entries in a role; of a sign that could be anything a name may be an author's, and a heading a title."""
    return notice.of_role(role) or (notice.of_role(ALSO.get(role, role)) if notice.kind == "sign" else ())


def _at_time(hours: str, question: str) -> Iterator[str]:
    """Whether a time in the question lies between two times that are written."""
    span, asked = CLOCK.findall(hours), CLOCK.search(question)
    if asked and len(span) == 2:
        start, time, end = _minutes(*span[0]), _minutes(asked[1], asked[2], asked[3] or ""), _minutes(*span[1])
        yield f"{asked[0].strip()} is {'within' if start <= time < end else 'outside'} {hours}"


def _minutes(hours: str, minutes: str, half: str) -> int:
    """Since midnight."""
    hour = int(hours) % 12 + 12 * (half.lower() == "p") if half else int(hours)
    return 60 * hour + int(minutes or 0)
