"""Where labels stand around a drawing, and which way their lines go: across no label and across no other line."""

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from random import Random
from typing import Literal

from vlm.structure import Box, CallOut, Label, Point, Structure, Thing

from .colours import RGB
from .lettering import Lettering, ruler
from .parts_lines import cross, encloses, touches

CLEARANCE = 3.0  # pixels around the end of a line that are of the part it points to
TRIES = 12

Arrangement = Literal["sides", "left", "right", "rows", "above"]
Side = Literal["left", "right", "above", "below"]


class PartsStyle(Structure):
    """What drawing needs beyond the places in the truth."""

    font: str
    size: int
    palette: str
    arrangement: Arrangement  # of the labels around the drawing
    badge: Literal["none", "circle", "box"]  # around each label
    elbow: bool  # whether lines leave their labels straight, and then bend
    end: Literal["dot", "arrow", "none"]  # of a line, at its part
    thickness: int
    fills: tuple[RGB, ...]  # of the parts

    @property
    def padding(self) -> float:
        """From the ink of a label to what stands around it, and to its line."""
        return 3.0 if self.badge == "none" else 0.4 * self.size

    def badge_of(self, label: Label) -> Box:
        """The box of a label with what stands around it."""
        left, top, right, bottom = label.box
        wide, high = (right - left) / 2 + self.padding, (bottom - top) / 2 + self.padding
        if self.badge == "circle" and len(label.text) == 1:
            wide = high = max(wide, high)
        x, y = (left + right) / 2, (top + bottom) / 2
        return x - wide, y - high, x + wide, y + high


def call_outs_for(
    targets: Mapping[int, str], things: Sequence[Thing], area: Box, style: PartsStyle, rng: Random
) -> list[CallOut] | None:
    """A call-out with this text for each of these parts, on the edge of the area, or None where no way was found."""
    pen = ruler(style.font, style.size)
    for _ in range(TRIES):
        spots = {part: spot for part in targets if (spot := spot_on(part, things, rng))}
        if len(spots) < len(targets):
            return None
        found: list[CallOut] = []
        for side, parts in _sides(spots, style.arrangement).items():
            labels = _row([targets[part] for part in parts], [spots[part] for part in parts], side, area, style, pen)
            if labels is None:
                return None
            found += [
                CallOut(label=label, part=part, route=_route(label, spots[part], side, style), key=None, meaning=None)
                for label, part in zip(labels, parts, strict=True)
            ]
        if is_clear(found, style):
            rng.shuffle(found)
            return found
    return None


def spot_on(part: int, things: Sequence[Thing], rng: Random) -> Point | None:
    """Somewhere on a part, not at its edge and not behind another part."""
    left, top, right, bottom = things[part].box
    hidden_by = [thing.outline for thing in things[part + 1 :]]
    for _ in range(40):
        x, y = round(rng.uniform(left, right), 1), round(rng.uniform(top, bottom), 1)
        around = [(x + i * CLEARANCE, y + j * CLEARANCE) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        if all(encloses(things[part].outline, point) for point in around) and not any(
            encloses(outline, point) for outline in hidden_by for point in around
        ):
            return x, y
    return None


def _sides(spots: Mapping[int, Point], arrangement: Arrangement) -> dict[Side, list[int]]:
    """The parts whose labels stand on each side, in the order of their places along it."""
    across = arrangement in ("rows", "above")
    order = sorted(spots, key=lambda part: spots[part][1 if across else 0])
    half = len(order) // 2
    sides: dict[Side, list[int]]
    if arrangement == "sides":
        sides = {"left": order[:half], "right": order[half:]}
    elif arrangement == "rows":
        sides = {"above": order[:half], "below": order[half:]}
    else:
        sides = {arrangement: order}
    along = 0 if across else 1
    return {side: sorted(parts, key=lambda part: spots[part][along]) for side, parts in sides.items()}


def _row(
    texts: list[str], spots: list[Point], side: Side, area: Box, style: PartsStyle, pen: Lettering
) -> list[Label] | None:
    """Labels along one side, each as near to what it points to as the others let it be."""
    upright = side in ("left", "right")
    badges = [style.badge_of(Label(text=text, box=(0, 0, *pen.extent(text)))) for text in texts]
    lengths = [box[3] - box[1] if upright else box[2] - box[0] for box in badges]
    places = _spread([spot[int(upright)] for spot in spots], lengths, area[int(upright)], area[2 + int(upright)])
    if places is None:
        return None
    labels = []
    widest = max((box[2] - box[0] for box in badges), default=0.0)
    for text, place, (left, top, right, bottom) in zip(texts, places, badges, strict=True):
        wide, high = right - left, bottom - top
        x = {"left": area[0] + wide / 2, "right": area[2] - widest + wide / 2}.get(side, place)
        y = {"above": area[1] + high / 2, "below": area[3] - high / 2}.get(side, place)
        labels.append(Label(text=text, box=pen.box((round(x), round(y)), text, "mm")))
    return labels


def _spread(wanted: list[float], lengths: list[float], low: float, high: float, gap: float = 6.0) -> list[float] | None:
    """Places near those wanted, in their order and with a gap between them; None where they do not fit."""
    places = list(wanted)
    steps = [(one + two) / 2 + gap for one, two in pairwise(lengths)]
    for number, place in enumerate(places):
        least = places[number - 1] + steps[number - 1] if number else low + lengths[0] / 2
        places[number] = max(place, least)
    for number in reversed(range(len(places))):
        last = number == len(places) - 1
        most = high - lengths[-1] / 2 if last else places[number + 1] - steps[number]
        places[number] = min(places[number], most)
    return places if not places or places[0] >= low + lengths[0] / 2 else None


def _route(label: Label, spot: Point, side: Side, style: PartsStyle) -> tuple[Point, ...]:
    left, top, right, bottom = style.badge_of(label)
    x, y = (left + right) / 2, (top + bottom) / 2
    starts: dict[Side, Point] = {"left": (right, y), "right": (left, y), "above": (x, bottom), "below": (x, top)}
    a, b = starts[side]
    if not style.elbow:
        return (a, b), spot
    knee = (0.7 * a + 0.3 * spot[0], b) if side in ("left", "right") else (a, 0.7 * b + 0.3 * spot[1])
    return (a, b), knee, spot


def is_clear(call_outs: list[CallOut], style: PartsStyle) -> bool:
    """Whether no line runs across another line or too near to the label of another."""
    for one, other in combinations(call_outs, 2):
        if cross(one.route, other.route):
            return False
        for route, label in ((one.route, other.label), (other.route, one.label)):
            if touches(route, style.badge_of(label), gap=2):
                return False
    return True
