"""Which things a picture shows, how often, how they are drawn and where; everything but the exact colours."""

from math import cos, hypot, radians, sin
from random import Random
from typing import Literal, get_args

from pydantic import Field

from vlm.structure import Point, Scene, Thing

from .colours import NAMES
from .family import Split, pick_for
from .held_out import HELD_OUT
from .lettering import apart
from .shapes import size_for, somewhere
from .things_glyphs import WEIGHTS, is_fillable, proportions
from .things_words import DRAWINGS, GROUPS

SMALLEST = 0.17  # longer side of a thing, as a share of the longer side of its picture
ALIKE = ("kind", "colour", "group")  # what repeats in a picture of several things, to be counted
MOST_ALIKE = 5

Pattern = Literal["plain", "gradient", "blotches", "grid", "horizon", "card", "stripes", "dots"]
Group = dict[str, str]  # a value of `CATEGORIES`, or one of `OTHERS`


class Icon(Thing):
    """A thing with its drawing. The outline is the drawing's box, turned with it, from its upper left corner on."""

    drawing: str  # one of `DRAWINGS[kind]`
    weight: int  # of the lines
    angle: float  # in degrees, clockwise
    mirrored: bool
    filled: bool  # whether its colour is that of what the lines enclose, not that of the lines


class IconScene(Scene):
    """Things with their drawings, on a background with a pattern."""

    things: tuple[Icon, ...] = Field(min_length=1)
    pattern: Pattern


def lay_out(rng: Random, split: Split) -> IconScene:
    """What is shown is settled first and stays while places are tried, or small numbers would be the more frequent."""
    chosen = choose(rng)
    pattern = pick_for(split, get_args(Pattern), HELD_OUT.thing_patterns, rng)
    filled = rng.choice((True, True, False, None))  # None: some are, some are not
    while True:
        width, height = rng.randint(200, 640), rng.randint(150, 480)
        things = _place(chosen, filled, width, height, split, rng)
        if things is not None:
            break
    background = None
    if pattern == "plain" and rng.random() < 0.7:
        background = rng.choice([name for name in NAMES if name not in {colour for _, colour in chosen}])
    return IconScene(width=width, height=height, background=background, things=things, pattern=pattern)


def choose(rng: Random) -> list[tuple[str, str]]:
    """Kind and colour of each thing.

    Groups are drawn evenly, and kinds evenly within them. In half of the pictures of several things one attribute is
    the same for 2 to 5 of them, each number as often; apart from that no two things share kind, colour or group. So a
    count has as often each answer, once it is asked for accordingly (see `FEW` in things_questions).
    """
    number = 1 if rng.random() < 0.3 else rng.randint(2, 6)
    kinds = [rng.choice(list(group)) for group in rng.sample(GROUPS, number)]
    colours = rng.sample(NAMES, number)
    if number > 1 and rng.random() < 0.5:
        attribute, alike = rng.choice(ALIKE), rng.randint(2, MOST_ALIKE)
        number = max(number, alike)
        repeated, *groups = rng.sample(GROUPS, number - alike + 1)
        if attribute == "colour":
            kinds = [rng.choice(list(group)) for group in rng.sample(GROUPS, number)]
        else:
            same = rng.choice(list(repeated))
            first = [same] * alike if attribute == "kind" else rng.sample(list(repeated), alike)
            kinds = [*first, *(rng.choice(list(group)) for group in groups)]
        colours = rng.sample(NAMES, number)
        if attribute == "colour" or (attribute == "kind" and rng.random() < 0.5):
            colours[:alike] = colours[:1] * alike
    chosen = list(zip(kinds, colours, strict=True))
    rng.shuffle(chosen)
    return chosen


def _place(
    chosen: list[tuple[str, str]], filled: bool | None, width: int, height: int, split: Split, rng: Random
) -> tuple[Icon, ...] | None:
    """Gives every thing a drawing and a place, or None where no room was found."""
    smallest = SMALLEST * max(width, height)
    largest = min(width, height) * (0.85 if len(chosen) == 1 else 1.05 / (len(chosen) + 1) ** 0.5)
    icons: list[Icon] = []
    for kind, colour in chosen:
        icon = _draw_alone(kind, filled, split, rng)
        for attempt in range(40):
            longer_side = rng.uniform(smallest, max(smallest, largest * 0.97**attempt))
            placed = _put(icon, colour, longer_side, width, height, rng)
            if placed and apart([other.box for other in icons] + [placed.box], gap=4):
                icons.append(placed)
                break
        else:
            return None
    return tuple(icons)


def _draw_alone(kind: str, filled: bool | None, split: Split, rng: Random) -> Icon:
    """A thing of this kind, 1 long, with no colour or place yet."""
    drawings = DRAWINGS[kind]
    held_out = set(HELD_OUT.thing_drawings).intersection(drawings)
    drawing = pick_for(split, drawings, held_out, rng) if held_out else rng.choice(drawings)
    weight = rng.choice(WEIGHTS)
    width, height = proportions(drawing, weight)
    return Icon(
        kind=kind,
        colour="",
        size="medium",
        outline=((0, 0), (width, 0), (width, height), (0, height)),
        drawing=drawing,
        weight=weight,
        angle=round(rng.uniform(-14, 14), 1) if rng.random() < 0.4 else 0.0,
        mirrored=rng.random() < 0.3,
        filled=is_fillable(drawing) and (rng.random() < 0.5 if filled is None else filled),
    )


def _put(icon: Icon, colour: str, longer_side: float, width: int, height: int, rng: Random) -> Icon | None:
    """The icon so long, turned, with a place in its picture, or None where it would be too large for it."""
    turned = [_turn((x * longer_side, y * longer_side), icon.angle) for x, y in icon.outline]
    xs, ys = zip(*turned, strict=True)
    room = width - (max(xs) - min(xs)), height - (max(ys) - min(ys))
    if min(room) < 4:
        return None
    left, top = somewhere(*room, rng)
    corners = tuple((round(x - min(xs) + left, 2), round(y - min(ys) + top, 2)) for x, y in turned)
    area = longer_side**2 * icon.area
    return icon.model_copy(update={"colour": colour, "outline": corners, "size": size_for(area / (width * height))})


def _turn(point: Point, angle: float) -> Point:
    """Clockwise about (0, 0)."""
    (x, y), turn = point, radians(angle)
    return x * cos(turn) - y * sin(turn), x * sin(turn) + y * cos(turn)


def extent(icon: Icon) -> tuple[int, int]:
    """Width and height of the drawing before it is turned."""
    (a, b), (c, d), (e, f), _ = icon.outline
    return max(1, round(hypot(c - a, d - b))), max(1, round(hypot(e - c, f - d)))
