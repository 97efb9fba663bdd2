"""The words of a drawn picture with their roles, and what OCR would make of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from vlm.reading.notices import settle_roles
from vlm.structure import Box, Chart, Entry, Graph, Label, Notice, Parts, Structure, Table

NOTICE_ROLES = {
    "heading": "heading", "title": "heading", "name": "heading", "item": "item", "place": "item", "day": "item",
    "price": "price", "hours": "price", "departure": "price", "distance": "price", "amount": "price", "total": "total",
}  # fmt: skip

MISSED, MISREAD, SPLIT, MERGED = 0.04, 0.06, 0.04, 0.03  # how often OCR does so to a word
CONFUSED = {
    "0": "O",
    "O": "0",
    "1": "l",
    "l": "1",
    "I": "l",
    "5": "S",
    "S": "5",
    "8": "B",
    "o": "0",
    ",": ".",
    ".": ",",
}


@dataclass(frozen=True)
class Word:
    """A piece of text in a picture: what it is there for, and which label of the truth it comes from."""

    text: str
    box: Box
    role: str | None  # None where nobody could say: two pieces run together
    label: tuple[str, Box] | None


def roles_as_read(truth: Notice) -> tuple[Entry, ...]:
    """The entries of a notice in the roles that reading tells: the network's, and then by the form of the texts."""
    return settle_roles([one.model_copy(update={"role": NOTICE_ROLES.get(one.role, "text")}) for one in truth.entries])


def key(label: Label) -> tuple[str, Box]:
    return label.text, label.box


def words_of(truth: Structure) -> list[Word]:
    """Every written label once, in its role; the first one that fits."""
    found: dict[tuple[str, Box], Word] = {}
    for role, label in _roles(truth):
        if label is not None:
            found.setdefault(key(label), Word(label.text, label.box, role, key(label)))
    return list(found.values())


def _roles(truth: Structure) -> Iterator[tuple[str, Label | None]]:
    if isinstance(truth, Chart):
        yield from _chart_roles(truth)
    elif isinstance(truth, Graph):
        yield "title", truth.title
        yield from (("node", line) for node in truth.nodes for line in node.lines)
        yield from (("edge", edge.label) for edge in truth.edges)
    elif isinstance(truth, Table):
        yield "title", truth.title
        yield from (("header", cell.label) for cell in truth.header)
        yield from (("cell", cell.label) for row in truth.rows for cell in row)
    elif isinstance(truth, Parts):
        yield "title", truth.title
        for one in truth.call_outs:
            yield from (("call-out", one.label), ("key", one.key), ("meaning", one.meaning))
    elif isinstance(truth, Notice):
        yield from ((NOTICE_ROLES.get(entry.role, "text"), entry.label) for entry in truth.entries)


def _chart_roles(chart: Chart) -> Iterator[tuple[str, Label | None]]:
    yield from (("title", chart.title), ("category title", chart.category_title))
    if chart.value_axis:
        yield "value title", chart.value_axis.title
        yield from (("tick", tick.label) for tick in chart.value_axis.ticks)
    if chart.x_axis:
        yield "category title", chart.x_axis.title
        yield from (("x tick", tick.label) for tick in chart.x_axis.ticks)
    yield from (("legend", entry.label) for entry in chart.legend)
    yield from (("legend", series.name) for series in chart.series)
    yield from (("category", label) for label in chart.categories)
    yield from (("written", mark.written) for mark in chart.marks)


def spoil_words(words: list[Word], rng: Random) -> list[Word]:
    """Some are missed, misread, split at a space or run together; boxes are a little off."""
    spoiled: list[Word] = []
    for word in words:
        if rng.random() < MISSED:
            continue
        if rng.random() < MISREAD:
            word = replace(word, text=misread(word.text, rng))
        pieces = _split(word) if " " in word.text and rng.random() < SPLIT else [word]
        spoiled += [replace(piece, box=_shifted(piece.box, rng)) for piece in pieces]
    spoiled = _merged(spoiled, rng)
    rng.shuffle(spoiled)
    return spoiled


def misread(text: str, rng: Random) -> str:
    place = rng.randrange(len(text))
    letter = CONFUSED.get(text[place], rng.choice(("", "r", "t", "-")))
    return text[:place] + letter + text[place + 1 :] or text


def _split(word: Word) -> list[Word]:
    """At its spaces; every piece gets its share of the box. Text that runs upwards is left as it is."""
    left, top, right, bottom = word.box
    if bottom - top > right - left:
        return [word]
    found, place = [], 0
    for piece in word.text.split(" "):
        start, end = (left + (right - left) * i / len(word.text) for i in (place, place + len(piece)))
        found.append(replace(word, text=piece, box=(start, top, end, bottom)))
        place += len(piece) + 1
    return [piece for piece in found if piece.text]


def _shifted(box: Box, rng: Random) -> Box:
    height = min(box[3] - box[1], box[2] - box[0])
    left, top, right, bottom = (edge + rng.gauss(0, 0.08 * height) for edge in box)
    grown = rng.uniform(-0.05, 0.2) * height
    return left - grown, top - grown, max(right, left + 1) + grown, max(bottom, top + 1) + grown


def _merged(words: list[Word], rng: Random) -> list[Word]:
    """Sometimes two neighbours in a line are read as one."""
    found = list(words)
    for one in words:
        if rng.random() > MERGED or one not in found:
            continue
        height = one.box[3] - one.box[1]
        near = [
            other for other in found
            if other is not one and abs(other.box[1] - one.box[1]) < 0.3 * height
            and 0 < other.box[0] - one.box[2] < 1.5 * height
        ]  # fmt: skip
        if near:
            two = near[0]
            box = (one.box[0], min(one.box[1], two.box[1]), two.box[2], max(one.box[3], two.box[3]))
            role = one.role if one.role == two.role else None
            found = [word for word in found if word is not one and word is not two]
            found.append(Word(f"{one.text} {two.text}", box, role, None))
    return found
