"""Labelled drawings in words, and what a question about some of their labels or parts turns on."""

import re
from collections.abc import Iterator

from ..structure import CallOut, Parts
from ..structure.colours import SHADES
from ..structure.parts import PART, is_name
from ..structure.wording import count_of, join_names, with_article
from .asked import COLOUR
from .mentions import find_mentions, missing

MOST_NAMED = 4
# Not "the number of the wing", which asks for a label.
COUNT = re.compile(r"(?i)\b(?:how many|number of (?:the )?(?:labels|parts|lines|numbers|letters)|count)\b")
IN_ORDER = re.compile(r"(?i)\b(?:top to bottom|left to right)\b")
MARK = re.compile(r"\b(?:[Nn]umber|[Ll]etter|[Ll]abel) \"?(\d+|[A-Z])\b")
# The part that a question asks for the label of; known not to be there where a legend names them all.
NOUN = re.compile(
    r"\b(?:to|marks?|of|is|long|made|much does|old|does|find|wide|belongs to) the ([a-z][a-z -]*?)"
    r"(?= marked| made| wide| weigh| cost|[:?.]|$)"
)
OUTERMOST = re.compile(r"\b(top|bottom|upper|lower|left|right)most\b", re.IGNORECASE)
EDGES = {"left": (0, -1), "right": (0, 1), "top": (1, -1), "upper": (1, -1), "bottom": (1, 1), "lower": (1, 1)}
NO_PART = frozenset(("part", "parts", "drawing", "picture", "image", "line", "letter", "number", "label", "legend"))


def describe_parts(parts: Parts) -> Iterator[str]:
    """What is drawn, and what every label points to, from the top."""
    title = f' "{parts.title.text}"' if parts.title else ""
    yield f"drawing of {with_article(parts.subject or 'thing')}{title} with {len(parts.call_outs)} labels"
    yield from (_said(parts, one) for one in sorted(parts.call_outs, key=lambda one: one.label.box[1::-1]))


def _in_order(parts: Parts, across: bool) -> list[str]:
    """The labels from left to right, or from top to bottom."""
    found = sorted(parts.call_outs, key=lambda one: one.label.box[0 if across else 1])
    return [one.label.text for one in found]


def _said(parts: Parts, one: CallOut) -> str:
    """Where a label points, and what it stands for."""
    return f"{one.label.text} points to the {parts.part(one).colour} {_kind(parts, one)}"


def _kind(parts: Parts, one: CallOut) -> str:
    """What a label points to: as the legend says, or else as it looks; not what the label itself says."""
    kind = one.meaning.text if one.meaning else parts.part(one).kind
    return PART if kind.casefold() == one.label.text.casefold() else kind


def _called(name: str) -> str:
    return f"{name} part" if name in SHADES else name


def about_parts(parts: Parts, question: str) -> Iterator[str]:
    """What a question about some labels or parts turns on; where it is about none in particular, what is drawn."""
    facts = list(_about_some(parts, question))
    yield from facts
    if not facts and parts.subject:
        yield f"it is a drawing of {with_article(parts.subject)}"


def _about_some(parts: Parts, question: str) -> Iterator[str]:
    """Where the labels that a question names lead, and which labels lead to what it names."""
    labels = [one.label.text for one in parts.call_outs]
    if COUNT.search(question):
        yield count_of(len(labels), "label")
        return
    if match := IN_ORDER.search(question):
        yield f"{match[0].lower()}: {join_names(_in_order(parts, match[0][0] in 'lL'))}"
        return
    quoted = find_mentions(labels, question)
    for number in quoted[:MOST_NAMED]:
        one = parts.call_outs[number]
        yield _said(parts, one)
        if one.meaning:
            yield f"{one.label.text} stands for {one.meaning.text}"
    targets: dict[str, list[CallOut]] = {}
    for one in parts.call_outs:
        for name in {_kind(parts, one), parts.part(one).kind, parts.part(one).colour} - {PART}:
            targets.setdefault(name, []).append(one)
    names = list(targets)
    question = question.replace("grey", "gray")
    for number in find_mentions(names, question)[:MOST_NAMED] if not quoted else ():
        here = targets[names[number]]
        pointing = join_names(one.label.text for one in here)
        yield f"{pointing} point{'s' * (len(here) == 1)} to the {_called(names[number])}"
        yield from (f"the {names[number]} is {parts.part(one).colour}" for one in here[:1] if COLOUR.search(question))
    shades = [shade for shade in SHADES if shade not in targets]
    yield from (f"no label points to a {shades[number]} part" for number in find_mentions(shades, question))
    if match := OUTERMOST.search(question):
        axis, sign = EDGES[match[1].lower()]
        one = max(parts.call_outs, key=lambda one: sign * (one.label.box[axis] + one.label.box[axis + 2]))
        yield f"the {match[0].lower()} label is {one.label.text}"
        yield _said(parts, one)
    written = [label.text for label in parts.labels]
    yield from missing(written, question)
    yield from (f'there is no "{mark}"' for mark in MARK.findall(question) if mark not in labels)
    named = [*written, *(thing.kind for thing in parts.things)]
    is_named = all(is_name(one.label.text) or _kind(parts, one) != PART for one in parts.call_outs)
    for noun in NOUN.findall(question) if is_named and not quoted else ():
        if not (NO_PART.intersection(noun.split()) or noun.endswith("most") or find_mentions(named, noun)):
            yield f'there is no "{noun}"'
