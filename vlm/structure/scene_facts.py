"""What follows from the things of a scene: counts and order; and from call-outs: what each points to."""

from collections import Counter
from collections.abc import Sequence

from .parts import CallOut, Parts
from .scene import Scene, Thing
from .wording import count_of, find_name

MOST_IN_ORDER = 12  # things that a line of text lists


def name_of(thing: Thing) -> str:
    return f"{thing.colour} {thing.kind}".strip()


def counts_by_kind(scene: Scene) -> dict[str, int]:
    """Most frequent first."""
    return dict(Counter(thing.kind for thing in scene.things).most_common())


def counts_by_colour(scene: Scene) -> dict[str, int]:
    return dict(Counter(thing.colour for thing in scene.things).most_common())


def counts_by_name(scene: Scene) -> dict[str, int]:
    return dict(Counter(name_of(thing) for thing in scene.things).most_common())


def is_left_of(one: Thing, other: Thing) -> bool:
    """By their middles; `is_left_of(other, one)` is right of."""
    return one.centre[0] < other.centre[0]


def is_above(one: Thing, other: Thing) -> bool:
    return one.centre[1] < other.centre[1]


def from_left_to_right(things: Sequence[Thing]) -> tuple[Thing, ...]:
    return tuple(sorted(things, key=lambda thing: thing.centre[0]))


def from_top_to_bottom(things: Sequence[Thing]) -> tuple[Thing, ...]:
    return tuple(sorted(things, key=lambda thing: thing.centre[1]))


def find_call_out(parts: Parts, text: str) -> CallOut | None:
    number = find_name([one.label.text for one in parts.call_outs], text)
    return None if number is None else parts.call_outs[number]


def targets(parts: Parts) -> dict[str, str]:
    """What each call-out points to: the meaning that the legend gives, else the part itself."""
    return {one.label.text: one.meaning.text if one.meaning else name_of(parts.part(one)) for one in parts.call_outs}


def describe_scene(scene: Scene) -> list[str]:
    if not scene.things:
        return ["scene: nothing in it"]
    counts = (name if number == 1 else f"{name} ({number})" for name, number in counts_by_name(scene).items())
    facts = [f"scene: {count_of(len(scene.things), 'thing')}: {', '.join(counts)}"]
    if 1 < len(scene.things) <= MOST_IN_ORDER:
        facts.append(f"from left to right: {', '.join(map(name_of, from_left_to_right(scene.things)))}")
        facts.append(f"from top to bottom: {', '.join(map(name_of, from_top_to_bottom(scene.things)))}")
    return facts


def describe_parts(parts: Parts) -> list[str]:
    name = parts.title.text if parts.title else parts.subject
    title = f' "{name}"' if name else ""
    facts = [f"labelled drawing{title}: {count_of(len(parts.call_outs), 'call-out')}"]
    return facts + [f"{label} points to: {target}" for label, target in targets(parts).items()]
