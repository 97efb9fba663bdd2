"""Scenes of one to six coloured shapes: the first family of pictures."""

from random import Random

from PIL import Image

from vlm.structure import Box, Point, Scene, Size, Thing

from .colours import NAMES
from .family import Question, Split
from .shapes_kinds import HELD_OUT_SHAPES, SMALLEST_PIXELS, SMALLEST_SHARE, WEIGHTS, outline
from .shapes_picture import paint
from .shapes_questions import ask

BACKGROUNDS = ("white", "white", *NAMES)  # white is the usual paper


class Shapes:
    """The family `shapes`."""

    name = "shapes"

    def sample(self, rng: Random, split: Split) -> Scene:
        width, height = _picture_size(rng)
        while True:
            things = _place(_choose(rng, split), width, height, rng)
            if things is not None:
                break
        taken = {thing.colour for thing in things}
        free = [name for name in BACKGROUNDS if name not in taken]
        background = rng.choice(free) if rng.random() < 0.45 else None
        return Scene(width=width, height=height, background=background, things=things)

    def render(self, truth: Scene, rng: Random) -> Image.Image:
        return paint(truth, rng)

    def ask(self, truth: Scene, rng: Random) -> list[Question]:
        return ask(truth, rng)


def _picture_size(rng: Random) -> tuple[int, int]:
    """Width and height from 48 to 448 pixels, half of the pictures square, none longer than 2:1."""
    longer = rng.choice((64, 128, 224, 256)) if rng.random() < 0.2 else round(48 * (448 / 48) ** rng.random())
    if rng.random() < 0.5:
        return longer, longer
    shorter = max(48, round(longer * rng.uniform(0.5, 1.0)))
    return rng.choice(((longer, shorter), (shorter, longer)))


def _choose(rng: Random, split: Split) -> list[tuple[str, str]]:
    """Kind and colour of each thing; a third of the scenes repeat a kind and a third a colour, to be counted."""
    count = 1 if rng.random() < 0.35 else rng.randint(2, 6)
    repeated = rng.choice(("kinds", "colours", None))
    while True:
        kinds = rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=count)
        colours = rng.choices(NAMES, k=count)
        alike = rng.randint(2, 5)
        if repeated == "kinds":
            kinds[:alike] = kinds[:1] * len(kinds[:alike])
        elif repeated == "colours":
            colours[:alike] = colours[:1] * len(colours[:alike])
        chosen = list(zip(kinds, colours, strict=True))
        if split == "test" or HELD_OUT_SHAPES.isdisjoint(chosen):
            rng.shuffle(chosen)
            return chosen


def _place(chosen: list[tuple[str, str]], width: int, height: int, rng: Random) -> tuple[Thing, ...] | None:
    """Gives every thing an outline and a place, or None where no room was found."""
    side = min(width, height)
    largest = 0.9 if len(chosen) == 1 else 1.05 / (len(chosen) + 1) ** 0.5  # 0.61 of the side for two, 0.4 for six
    things: list[Thing] = []
    for kind, colour in chosen:
        for attempt in range(40):
            smallest = max(SMALLEST_SHARE[kind], SMALLEST_PIXELS[kind] / side)
            share = rng.uniform(smallest, max(smallest, largest * 0.97**attempt))
            thing = _thing(kind, colour, share * side, width, height, rng)
            if all(_apart(thing, other) for other in things):
                things.append(thing)
                break
        else:
            return None
    return tuple(things)


def _thing(kind: str, colour: str, longer_side: float, width: int, height: int, rng: Random) -> Thing:
    points = outline(kind, longer_side, rng)
    inner_width, inner_height = max(x for x, _ in points), max(y for _, y in points)
    left, top = somewhere(width - inner_width, height - inner_height, rng)
    moved = tuple((round(x + left, 2), round(y + top, 2)) for x, y in points)
    size = size_for(inner_width * inner_height / (width * height))
    return Thing(kind=kind, colour=colour, size=size, outline=moved)


def somewhere(width: float, height: float, rng: Random) -> Point:
    """Often near one of nine places (corners, edges, centre), so that each of them is the answer now and then."""
    left, top = rng.random(), rng.random()
    if rng.random() < 0.6:
        left, top = (0.5 * rng.randrange(3) + rng.uniform(-0.08, 0.08) for _ in range(2))
    return min(max(left, 0.01), 0.99) * width, min(max(top, 0.01), 0.99) * height


def size_for(share: float) -> Size:
    """How something is called that covers this share of its picture."""
    return "small" if share**0.5 < 0.2 else "large" if share**0.5 > 0.4 else "medium"


def _apart(one: Thing, other: Thing) -> bool:
    """Things of one colour keep a gap, or they would melt together; others may hide a corner of each other."""
    (a, b, c, d), (e, f, g, h) = one.box, other.box
    if one.colour == other.colour:
        gap = 0.1 * max(one.longer_side, other.longer_side)
        return _overlap((a - gap, b - gap, c + gap, d + gap), other.box) == 0
    return _overlap(one.box, other.box) <= 0.06 * min((c - a) * (d - b), (g - e) * (h - f))


def _overlap(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
