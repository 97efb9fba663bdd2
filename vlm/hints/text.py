"""Hints as text: one block for each picture, and the facts that a question turns on."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from ..objects import NamedObject, in_plain_words
from ..structure import Chart, Graph, Notice, Parts, Reading, Scene, Structure, Table
from . import chart_questions, charts, graph_questions, graphs, notices, parts, scenes, tables

BLOCK_TOKENS = 160  # that the block about a picture may take
FACT_TOKENS = 80  # that the facts about a question may take
PICTURE = re.compile(
    r"\b(first|second|third|last|1st|2nd|3rd)\s+(?:picture|image|photo|one)\b|\bpicture\s+(\d)", re.IGNORECASE
)
NUMBERS = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "last": -1}

CountTokens = Callable[[str], int]
Describe = Callable[[Any], Iterator[str]]
About = Callable[[Any, str], Iterator[str]]

FAMILIES: Mapping[type[Structure], tuple[Describe, About]] = {
    Chart: (charts.describe, chart_questions.about),
    Graph: (graphs.describe, graph_questions.about),
    Table: (tables.describe_table, tables.about_table),
    Notice: (notices.describe_notice, notices.about_notice),
    Parts: (parts.describe_parts, parts.about_parts),
    Scene: (scenes.describe_scene, scenes.about_scene),
}


def picture_hint(reading: Reading, objects: Sequence[NamedObject], count_tokens: CountTokens) -> str:
    """The block about one picture, "" where nothing was seen. What is wanted most comes first and stays."""
    lines = list(describe(reading.structure) if is_said(reading.structure) else _of_photograph(reading, objects))
    text = _fitting(lines, BLOCK_TOKENS, count_tokens)
    return f"[seen: {text}]\n" if text else ""


def question_facts(structures: Sequence[Structure | None], question: str, count_tokens: CountTokens) -> str:
    """What follows, for what a question names, from the picture that it is about: "" where nothing does.

    That is the picture which it names ("the first picture"), or else the last one.
    """
    if not structures:
        return ""
    structure = structures[_which(question, len(structures))]
    facts = list(dict.fromkeys(about(structure, question))) if is_said(structure) else []
    text = _fitting(facts, FACT_TOKENS, count_tokens)
    return f"({text})\n" if text else ""


def _which(question: str, count: int) -> int:
    match = PICTURE.search(question)
    if not match:
        return -1
    number = NUMBERS[match[1].lower()] if match[1] else int(match[2]) - 1
    return number if number < count else -1


def is_said(structure: Structure | None) -> TypeGuard[Structure]:
    """Whether there is something that hints are made of."""
    return isinstance(structure, tuple(FAMILIES))


def describe(structure: Structure) -> Iterator[str]:
    """What a structure says, in short pieces, in the order in which they are wanted."""
    return _family(structure)[0](structure)


def about(structure: Structure, question: str) -> Iterator[str]:
    """What a structure says of the things that a question names."""
    return _family(structure)[1](structure, question)


def _family(structure: Structure) -> tuple[Describe, About]:
    return next(FAMILIES[kind] for kind in type(structure).__mro__ if kind in FAMILIES)


def _of_photograph(reading: Reading, objects: Sequence[NamedObject]) -> Iterator[str]:
    """What stands in for a structure: names from the classifier, words from OCR."""
    if objects:
        yield f"looks like {', '.join(f'{in_plain_words(one.name)} {one.probability:.0%}' for one in objects)}"
    if reading.words:
        yield f"words: {' / '.join(word.text for word in reading.words)}"
    if not objects and not reading.words:
        yield "nothing that is recognized"


def _fitting(lines: Sequence[str], limit: int, count_tokens: CountTokens) -> str:
    """As many whole lines as fit; of the first that does not, as many words. What a picture says stays on one line."""
    text = ""
    for line in lines:
        line = plain(line)
        longer = f"{text}; {line}" if text else line
        if count_tokens(longer) <= limit:
            text = longer
            continue
        words, start = line.split(" "), f"{text}; " if text else ""
        while words and count_tokens(f"{start}{' '.join(words)} ...") > limit:
            del words[-max(1, len(words) // 8) :]
        return f"{start}{' '.join(words)} ..." if words else text
    return text


def plain(text: str) -> str:
    """Without what ends a line or a block: text found in a picture is data and cannot close what it stands in."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.replace("[", "(").replace("]", ")").split())
