"""Scenes of shapes or everyday things in words, and what a question about some of them turns on."""

import re
from collections.abc import Iterator

from ..structure import Scene, Thing
from ..structure.colours import SHADES
from ..structure.kinds import CATEGORIES, CATEGORY_OF, nouns, plural
from ..structure.scene_facts import counts_by_name, name_of
from ..structure.wording import count_of, join_names, with_article
from .asked import COUNT, GROUND
from .comparing import asks_place, compare, place

MOST_NAMED = 4
SIZE = re.compile(r"(?i)\b(?:larg|small|big|tini|tiny|siz)")
EXTREME = re.compile(r"(?i)\b(?:largest|biggest|smallest|tiniest)\b")
# "to the left of the cat", but not "on the left of the picture"
BESIDE = re.compile(r"(?i)\b(left of|right of|above|below|under|over)\b(?! the (?:picture|image|drawing|photo)\b)")
PLACE = re.compile(r"(?i)\b(?:(top|bottom|upper|lower)[ -])?(left|right|cent(?:er|re)|middle|top|bottom)\b")
ACROSS, DOWN = ("left", "", "right"), ("top", "", "bottom")
MIDDLE = (0.4, 0.6)  # shares of the picture between which a thing stands in the middle


def place_of(thing: Thing, scene: Scene) -> str:
    """One of the nine places of a picture: "top left", "center"."""
    x, y = thing.centre[0] / scene.width, thing.centre[1] / scene.height
    column, row = ((share > MIDDLE[0]) + (share > MIDDLE[1]) for share in (x, y))
    return f"{DOWN[row]} {ACROSS[column]}".strip() or "center"


def describe_scene(scene: Scene) -> Iterator[str]:
    """Every thing with its place."""
    yield count_of(len(scene.things), "thing") + (f" on {scene.background}" if scene.background else "")
    yield ", ".join(f"{name_of(one)}{'' if one.is_sure else '?'} {place_of(one, scene)}" for one in scene.things)
    several = [_counted(count, name) for name, count in counts_by_name(scene).items() if count > 1]
    if several:
        yield ", ".join(several)


def about_scene(scene: Scene, question: str) -> Iterator[str]:
    """How many things are as the question says, where they are, and how two of them lie to each other."""
    if GROUND.search(question):
        yield f"the background is {scene.background or 'of several colors'}"
        return
    groups, counts = _groups(scene, question), COUNT.search(question) is not None
    if " and " not in question and any(things for _, things in groups):  # of what it offers that which is there
        groups = [(name, things) for name, things in groups if things]
    single = [(name, things[0]) for name, things in groups if len(things) == 1]
    if len(groups) == 2 and len(single) == 2 and single[0][1] is not single[1][1]:
        yield from _compared(scene, question, *single)
        return
    for name, things in groups[:MOST_NAMED]:
        yield _found(scene, name, things, counts)
    if len(groups) == 1 and len(single) == 1 and (match := BESIDE.search(question)):
        yield _beside(scene, *single[0], match[1].lower())
    if EXTREME.search(question) and scene.things:
        by_size = sorted(scene.things, key=lambda thing: -thing.area)
        yield f"largest {name_of(by_size[0])}, smallest {name_of(by_size[-1])}"
    if not groups:
        yield from _in_all(scene, question)


def _found(scene: Scene, name: str, things: list[Thing], counts: bool) -> str:
    """What the question calls so: that there is none, how many there are, or what and where it is."""
    if not things:
        return _counted(0, name) if counts else f"there is no {name}"
    if counts:
        return _counted(len(things), name)
    if len(things) > 1:
        listed = join_names(f"{name_of(one)} {place_of(one, scene)}" for one in things)
        return f"{name}: {listed}"
    one, at = things[0], place_of(things[0], scene)
    if name.endswith(one.kind):
        return f"the {name} is {'there' if name.startswith(one.colour) else one.colour}, {at}"
    return f"the {name} is {with_article(name_of(one))}, {at}"


def _counted(number: int, name: str) -> str:
    return count_of(number, name, plural(name))


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
        colour = match[1].lower()
        found.append((match.start(), f"{colour} thing", [t for t in scene.things if t.colour == colour]))
    return [(name, things) for _, name, things in sorted(found, key=lambda one: one[0])]


def _compared(scene: Scene, question: str, *pair: tuple[str, Thing]) -> Iterator[str]:
    """How two things lie to each other, or which is the larger one; else what they are."""
    (one_name, one), (other_name, other) = pair
    (x, y), (u, v) = one.centre, other.centre
    if SIZE.search(question):
        yield compare(question, one_name, other_name, one.area > other.area)
    elif asks_place(question):
        yield place(question, one_name, other_name, x < u, y < v)
    else:
        yield from (_found(scene, name, [thing], counts=False) for name, thing in pair)


def _beside(scene: Scene, name: str, thing: Thing, side: str) -> str:
    """What lies on that side of a thing, the nearest first."""
    axis, sign = int(side not in ("left of", "right of")), -1 if side in ("left of", "above", "over") else 1
    away = [(sign * (one.centre[axis] - thing.centre[axis]), name_of(one)) for one in scene.things if one is not thing]
    return f"{side} the {name}: {', '.join(other for apart, other in sorted(away) if apart > 0) or 'nothing'}"


def _in_all(scene: Scene, question: str) -> Iterator[str]:
    """Where the question names no thing: how many there are, what the only one is, what is at the place it names."""
    if COUNT.search(question):
        yield f"{len(scene.things)} in all"
    elif len(scene.things) == 1:
        yield f"it is a {name_of(scene.things[0])}, {place_of(scene.things[0], scene)}"
    elif match := PLACE.search(question):
        row = {"upper": "top", "lower": "bottom"}.get((match[1] or "").lower(), (match[1] or "").lower())
        side = match[2].lower()
        at = f"{row} {side}".strip() if side[0] not in "cm" else row or "center"
        there = [name_of(thing) for thing in scene.things if place_of(thing, scene) == at]
        yield f"{at}: {', '.join(there) or 'nothing'}"
