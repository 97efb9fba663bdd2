"""Scenes in words, and what a question about some of their things turns on."""

import re
from collections.abc import Iterator

from ..structure import Scene, Thing
from ..structure.colours import SHADES
from ..structure.kinds import CATEGORIES, CATEGORY_OF, nouns
from ..structure.scene_facts import counts_by_name, name_of

MOST_NAMED = 4
COUNT = re.compile(r"\b(?:how many|number of|count)\b", re.IGNORECASE)
SIZE = re.compile(r"\b(?:larg|small|big|tini|tiny|siz)", re.IGNORECASE)
LARGEST = re.compile(r"\b(?:larg|small|bigg|tini)est\b", re.IGNORECASE)
SIDE = re.compile(r"\b(?:left|right|above|below|under|over|high|low|top|bottom)", re.IGNORECASE)
# "to the left of the cat", but not "on the left of the picture"
BESIDE = re.compile(
    r"\b(left of|right of|above|below|under|over)\b(?! the (?:picture|image|drawing|photo)\b)", re.IGNORECASE
)
PLACE = re.compile(r"\b(?:(top|bottom|upper|lower)[ -])?(left|right|cent(?:er|re)|middle|top|bottom)\b", re.IGNORECASE)
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
    groups, counts = _groups(scene, question), COUNT.search(question) is not None
    single = [(name, things[0]) for name, things in groups if len(things) == 1]
    compares = SIZE.search(question) or SIDE.search(question)
    if len(groups) == 2 and len(single) == 2 and single[0][1] is not single[1][1] and compares:
        yield from _compared(*single[0], *single[1], question)
        return
    for name, things in groups[:MOST_NAMED]:
        if not things:
            yield f"no {name}"
        else:
            places = ", ".join(f"{name_of(one)} {place_of(one, scene)}" for one in things)
            is_called_so = len(things) == 1 and not counts and name in name_of(things[0])
            yield places if is_called_so else f"{len(things)} {name}: {places}"
    if len(groups) == 1 and len(single) == 1 and (match := BESIDE.search(question)):
        yield _beside(scene, *single[0], match[1].lower())
    if LARGEST.search(question) and scene.things:
        by_size = sorted(scene.things, key=lambda thing: -thing.area)
        yield f"largest {name_of(by_size[0])}, smallest {name_of(by_size[-1])}"
    if not groups:
        yield from _in_all(scene, question)


def _groups(scene: Scene, question: str) -> list[tuple[str, list[Thing]]]:
    """What the question speaks of, "red circle", "triangles", "animals" or "blue", each with the things that are so."""
    text = question.replace("grey", "gray")
    found: list[tuple[int, str, list[Thing]]] = []
    pattern, meant = nouns()

    def blank(match: re.Match[str]) -> str:
        colour = (match[1] or "").lower()
        kind, noun = meant[match[2].casefold()]
        things = [t for t in scene.things if colour in ("", t.colour) and kind in (t.kind, CATEGORY_OF.get(t.kind))]
        found.append((match.start(), f"{colour} {kind if kind in CATEGORIES else noun}".strip(), things))
        return " " * len(match[0])

    text = pattern.sub(blank, text)
    for match in re.finditer(rf"\b({'|'.join(SHADES)})\b", text, re.IGNORECASE):
        found.append((match.start(), match[1].lower(), [t for t in scene.things if t.colour == match[1].lower()]))
    return [(name, things) for _, name, things in sorted(found, key=lambda one: one[0])]


def _compared(one_name: str, one: Thing, other_name: str, other: Thing, question: str) -> Iterator[str]:
    (x, y), (u, v) = one.centre, other.centre
    across, down = "left of" if x < u else "right of", "above" if y < v else "below"
    if not SIZE.search(question):
        yield f"{one_name} is {across}, {down} {other_name}"
    if SIZE.search(question) or not SIDE.search(question):
        yield f"{one_name} is {'larger' if one.area > other.area else 'smaller'} than {other_name}"


def _beside(scene: Scene, name: str, thing: Thing, side: str) -> str:
    """What lies on that side of a thing, the nearest first."""
    axis, sign = int(side not in ("left of", "right of")), -1 if side in ("left of", "above", "over") else 1
    away = [(sign * (one.centre[axis] - thing.centre[axis]), name_of(one)) for one in scene.things if one is not thing]
    return f"{side} {name}: {', '.join(other for apart, other in sorted(away) if apart > 0) or 'nothing'}"


def _in_all(scene: Scene, question: str) -> Iterator[str]:
    """Where the question names no thing: how many there are, what the only one is, what is at the place it names."""
    if COUNT.search(question):
        yield f"{len(scene.things)} in all"
    elif len(scene.things) == 1:
        yield f"{name_of(scene.things[0])} {place_of(scene.things[0], scene)}"
    elif match := PLACE.search(question):
        row = {"upper": "top", "lower": "bottom"}.get((match[1] or "").lower(), (match[1] or "").lower())
        side = match[2].lower()
        place = f"{row} {side}".strip() if side[0] not in "cm" else row or "center"
        there = [name_of(thing) for thing in scene.things if place_of(thing, scene) == place]
        yield f"{place}: {', '.join(there) or 'nothing'}"
