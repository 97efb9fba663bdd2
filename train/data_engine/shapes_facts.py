"""What anybody would agree on about a scene: places, sides and sizes; nothing is said where two people might differ."""

from collections.abc import Callable
from typing import Protocol

from vlm.structure import Box, Point, Scene, Thing

# the nine places, row by row -> how a sentence says them
PLACES = {
    "top left": "in the top left corner", "top": "at the top", "top right": "in the top right corner",
    "left": "on the left", "center": "in the center", "right": "on the right",
    "bottom left": "in the bottom left corner", "bottom": "at the bottom", "bottom right": "in the bottom right corner",
}  # fmt: skip
OPPOSITE = {"left": "right", "right": "left", "top": "bottom", "bottom": "top", "above": "below", "below": "above"}


class Placed(Protocol):
    """What lies somewhere in a picture."""

    @property
    def box(self) -> Box: ...

    @property
    def centre(self) -> Point: ...


class Sized(Protocol):
    """A picture's truth."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...


def clear_sides(thing: Thing, scene: Scene) -> tuple[str | None, str | None]:
    """Where it is across ("left", "middle", "right") and down ("top", "middle", "bottom"); None for in between."""
    left, top, right, bottom = thing.box
    across = _third(left / scene.width, right / scene.width, "left", "right")
    return across, _third(top / scene.height, bottom / scene.height, "top", "bottom")


def _third(start: float, end: float, low: str, high: str) -> str | None:
    """By the middle of what it covers; what reaches far over to the other side is on neither."""
    centre = (start + end) / 2
    if centre < 0.36 and end < 0.65:
        return low
    if centre > 0.64 and start > 0.35:
        return high
    return "middle" if 0.44 < centre < 0.56 else None


def clear_place(thing: Thing, scene: Scene) -> str | None:
    """One of `PLACES`, or None where it is unclear."""
    across, down = clear_sides(thing, scene)
    if across is None or down is None:
        return None
    return " ".join(side for side in (down, across) if side != "middle") or "center"


def nearest_sides(thing: Thing, scene: Scene) -> tuple[str, str]:
    """Where it is across ("left", "center", "right") and down ("top", "center", "bottom"), as well as one can say."""
    x, y = thing.centre
    column, row = ((share > 0.4) + (share > 0.6) for share in (x / scene.width, y / scene.height))
    return ("left", "center", "right")[column], ("top", "center", "bottom")[row]


def nearest_place(thing: Thing, scene: Scene) -> str:
    """The best one of `PLACES` for a description, where every thing is somewhere; a clear place is the nearest."""
    across, down = nearest_sides(thing, scene)
    return " ".join(side for side in (down, across) if side != "center") or "center"


def excludes(place: str, other: str) -> bool:
    """Whether nothing is at both places: "top left" and "right", but not "top left" and "top"."""
    one, two = set(place.split()), set(other.split())
    return not (one <= two or two <= one)


def clear_relations(one: Placed, two: Placed, scene: Sized) -> list[str]:
    """On which sides of `two` it is that `one` lies: "left" or "right", "above" or "below", both or neither."""
    sides = []
    for axis, length, low, high in ((0, scene.width, "left", "right"), (1, scene.height, "above", "below")):
        apart = one.centre[axis] - two.centre[axis]
        extent = sum(thing.box[axis + 2] - thing.box[axis] for thing in (one, two)) / 2
        if abs(apart) > max(0.12 * length, 0.4 * extent):
            sides.append(low if apart < 0 else high)
    return sides


def clearly_larger(one: Thing, two: Thing) -> bool:
    """By area and by length, so that long and thin things are not argued about."""
    return one.area > 1.6 * two.area and one.longer_side > 1.2 * two.longer_side


def clearly_smaller(one: Thing, two: Thing) -> bool:
    return clearly_larger(two, one)


def standing_out(scene: Scene, compare: Callable[[Thing, Thing], bool]) -> Thing | None:
    """The thing that compares so with every other one, as the largest does; None where there is no such thing."""
    for thing in scene.things:
        if all(compare(thing, other) for other in scene.things if other is not thing):
            return thing
    return None
