"""Scenes and labelled drawings in words, and what a question about some of their things turns on."""

import re
from collections.abc import Iterator

from ..structure import Parts, Scene, Thing
from ..structure.colours import SHADES
from ..structure.scene_facts import counts_by_name, name_of
from ..structure.wording import join_names
from .mentions import find_mentions, missing

MOST_NAMED = 4
COUNT = re.compile(r"\b(?:how many|number of|count)\b", re.IGNORECASE)
SIZE = re.compile(r"\b(?:larg|small|big|tini|tiny|siz)", re.IGNORECASE)
SIDE = re.compile(r"\b(?:left|right|above|below|under|over|high|low|top|bottom)", re.IGNORECASE)
SHAPES = (  # that people ask after even where there is none
    "circle", "square", "rectangle", "triangle", "star", "pentagon", "hexagon", "oval", "diamond", "cross", "heart",
    "ring",
)  # fmt: skip
ACROSS, DOWN = ("left", "", "right"), ("top", "", "bottom")
MIDDLE = (0.4, 0.6)  # shares of the picture between which a thing stands in the middle


def place_of(thing: Thing, scene: Scene) -> str:
    """One of the nine places of a picture: "top left", "center"."""
    x, y = thing.centre[0] / scene.width, thing.centre[1] / scene.height
    column, row = ((share > MIDDLE[0]) + (share > MIDDLE[1]) for share in (x, y))
    return f"{DOWN[row]} {ACROSS[column]}".strip() or "center"


def describe_scene(scene: Scene) -> Iterator[str]:
    """Every thing with its place, largest first where not all can be told."""
    yield f"{len(scene.things)} things" + (f" on {scene.background}" if scene.background else "")
    yield ", ".join(f"{name_of(one)}{'' if one.is_sure else '?'} {place_of(one, scene)}" for one in scene.things)
    if len(scene.things) > 1:
        by_size = sorted(scene.things, key=lambda thing: -thing.area)
        yield f"large to small: {', '.join(name_of(thing) for thing in by_size)}"
    several = [f"{count} {name}s" for name, count in counts_by_name(scene).items() if count > 1]
    if several:
        yield ", ".join(several)


def about_scene(scene: Scene, question: str) -> Iterator[str]:
    """How many things are as the question says, where they are, and how two of them lie to each other."""
    groups = _groups(scene, question)
    single = [(name, things[0]) for name, things in groups if len(things) == 1]
    if len(groups) == 2 and len(single) == 2 and single[0][1] is not single[1][1]:
        yield from _compared(*single[0], *single[1], question)
        return
    for name, things in groups[:MOST_NAMED]:
        if not things:
            yield f"no {name}"
        else:
            places = ", ".join(f"{name_of(one)} {place_of(one, scene)}" for one in things)
            yield f"{len(things)} {name}: {places}" if len(things) > 1 else places
    if not groups and COUNT.search(question):
        yield f"{len(scene.things)} in all"


def _groups(scene: Scene, question: str) -> list[tuple[str, list[Thing]]]:
    """What the question speaks of, "red circle", "triangles" or "blue", each with the things that are so."""
    text = question.replace("grey", "gray")
    found: list[tuple[int, str, list[Thing]]] = []
    for kind in [*sorted({*SHAPES, *(thing.kind for thing in scene.things)}, key=len, reverse=True), ""]:
        for colour in [*SHADES, ""] if kind else SHADES:
            words = " ".join(filter(None, (colour, re.escape(kind))))
            for match in re.finditer(rf"\b{words}(?:s|es)?\b", text, re.IGNORECASE):
                text = text[: match.start()] + " " * len(match[0]) + text[match.end() :]
                same = [t for t in scene.things if colour in ("", t.colour) and kind in ("", t.kind)]
                found.append((match.start(), f"{colour} {kind}".strip(), same))
    return [(name, things) for _, name, things in sorted(found, key=lambda one: one[0])]


def _compared(one_name: str, one: Thing, other_name: str, other: Thing, question: str) -> Iterator[str]:
    (x, y), (u, v) = one.centre, other.centre
    across, down = "left of" if x < u else "right of", "above" if y < v else "below"
    if not SIZE.search(question):
        yield f"{one_name} is {across}, {down} {other_name}"
    if SIZE.search(question) or not SIDE.search(question):
        yield f"{one_name} is {'larger' if one.area > other.area else 'smaller'} than {other_name}"


def describe_parts(parts: Parts) -> Iterator[str]:
    """What is drawn, and what every label points to."""
    title = f' "{parts.title.text}"' if parts.title else ""
    yield f"drawing of a {parts.subject or 'thing'}{title} with {len(parts.call_outs)} labels"
    for one in parts.call_outs:
        meaning = f" ({one.meaning.text})" if one.meaning else ""
        yield f"{one.label.text}{meaning} to {name_of(parts.part(one))}"
    order = sorted(parts.call_outs, key=lambda one: one.label.box[1])
    yield f"labels top to bottom: {', '.join(one.label.text for one in order)}"
    order = sorted(parts.call_outs, key=lambda one: one.label.box[0])
    yield f"left to right: {', '.join(one.label.text for one in order)}"


def about_parts(parts: Parts, question: str) -> Iterator[str]:
    """Where the labels that a question names lead, and which labels lead to what it names."""
    labels = [one.label.text for one in parts.call_outs]
    quoted = find_mentions(labels, question)
    for number in quoted[:MOST_NAMED]:
        one = parts.call_outs[number]
        meaning = f", stands for {one.meaning.text}" if one.meaning else ""
        yield f"{one.label.text} points to {name_of(parts.part(one))}{meaning}"
    targets: dict[str, list[str]] = {}
    for one in parts.call_outs:
        thing = parts.part(one)
        for name in {thing.kind, thing.colour, one.meaning.text if one.meaning else thing.kind}:
            targets.setdefault(name, []).append(one.label.text)
    names = list(targets)
    for number in find_mentions(names, question.replace("grey", "gray"))[:MOST_NAMED]:
        yield f"to {names[number]}: {join_names(targets[names[number]])}"
    yield from missing(labels, question)
