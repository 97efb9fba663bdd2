"""What is drawn, in which colours and where, and which labels point to it: all of its looks but the spoiling."""

from random import Random
from typing import Literal, NamedTuple, get_args

from vlm.structure import Box, Label, Parts, Point, Thing

from .colours import NAMES, pick
from .family import Split, pick_for
from .held_out import HELD_OUT
from .lettering import Lettering, apart, pick_font, ruler
from .parts_drawings import DRAWINGS, MACHINE, MACHINES, machine, parse
from .parts_labels import Arrangement, PartsStyle, call_outs_for
from .shapes import size_for
from .tables_layout import PALETTES

MARKS = {"letters": "ABCDEFGHJK", "numbers": "123456789"}
FEWEST, MOST = 3, 7  # labels

Naming = Literal["words", "letters", "numbers"]


class DrawnParts(Parts):
    """A labelled drawing with its looks."""

    style: PartsStyle


class Plan(NamedTuple):
    """What is settled before anything has a place, and stays while places are tried."""

    subject: str
    shapes: dict[str, tuple[Point, ...]]  # name -> corners, in a square of 100 by 100
    labelled: tuple[str, ...]
    marks: dict[str, str]  # name of a labelled part -> what its label says
    legend: bool
    titled: bool


def plan(rng: Random) -> Plan:
    """Each number of labels is as likely, and each letter and number."""
    subject = MACHINE if rng.random() < MACHINES else rng.choice(list(DRAWINGS))
    drawn = machine(rng) if subject == MACHINE else DRAWINGS[subject]
    mirrored = rng.random() < 0.5
    shapes = {name: tuple((100 - x if mirrored else x, y) for x, y in parse(shape)) for name, shape in drawn.items()}
    labelled = tuple(rng.sample(list(shapes), rng.randint(FEWEST, MOST)))
    naming = rng.choice(get_args(Naming))
    texts = list(labelled) if naming == "words" else rng.sample(MARKS[naming], len(labelled))
    return Plan(
        subject=subject,
        shapes=shapes,
        labelled=labelled,
        marks=dict(zip(labelled, texts, strict=True)),
        legend=naming != "words" and (subject == MACHINE or rng.random() < 0.5),
        titled=rng.random() < 0.3,
    )


def pick_style(rng: Random, split: Split, colours: list[str]) -> PartsStyle:
    palette = pick_for(split, PALETTES, HELD_OUT.palettes, rng)
    return PartsStyle(
        font=pick_font(rng, split),
        size=rng.choice((11, 12, 13, 14, 16, 18, 20)),
        palette=palette,
        arrangement=pick_for(split, get_args(Arrangement), HELD_OUT.part_arrangements, rng),
        badge=rng.choice(("none", "none", "circle", "box")),
        elbow=rng.random() < 0.3,
        end=rng.choice(("dot", "arrow", "none")),
        thickness=rng.choice((1, 1, 2)),
        fills=tuple(pick(colour, rng) for colour in colours),
    )


def lay_out(rng: Random, split: Split) -> DrawnParts:
    chosen = plan(rng)
    colours = rng.sample(NAMES, len(chosen.shapes))
    while True:
        drawn = attempt(chosen, colours, pick_style(rng, split, colours), rng)
        if drawn:
            return drawn


def attempt(chosen: Plan, colours: list[str], style: PartsStyle, rng: Random) -> DrawnParts | None:
    """The drawing with its labels, or None where there is no room for them."""
    width, height = rng.randint(240, 640), rng.randint(180, 480)
    pen = ruler(style.font, style.size)
    margin = round(0.02 * width) + 3
    left, top, right, bottom = margin, margin, width - margin, height - margin
    title = None
    if chosen.titled:
        title = Label(text=chosen.subject, box=pen.box((width / 2, top), chosen.subject, "mt"))
        top = round(title.box[3]) + margin
    keys: dict[str, tuple[Label, Label]] = {}
    if chosen.legend:
        keys = _legend(chosen, pen, (right, (top + bottom) / 2))
        right = round(min(key.box[0] for key, _ in keys.values())) - 2 * margin
    texts = list(chosen.marks.values())
    frame = _frame((left, top, right, bottom), texts, pen, style, rng)
    if frame is None:
        return None
    things = _things(chosen, colours, frame, (width, height), rng)
    targets = {number: chosen.marks[thing.kind] for number, thing in enumerate(things) if thing.kind in chosen.marks}
    call_outs = call_outs_for(targets, things, (left, top, right, bottom), style, rng)
    if call_outs is None:
        return None
    if keys:
        explained = (keys[things[one.part].kind] for one in call_outs)
        call_outs = [
            one.model_copy(update={"key": key, "meaning": meaning})
            for one, (key, meaning) in zip(call_outs, explained, strict=True)
        ]
    drawn = DrawnParts(
        width=width, height=height, background=None, things=things, subject=chosen.subject, title=title,
        call_outs=tuple(call_outs), style=style,
    )  # fmt: skip
    inside = all(
        0 <= a and 0 <= b and c <= width and d <= height for a, b, c, d in (label.box for label in drawn.labels)
    )
    return drawn if inside and apart(label.box for label in drawn.labels) else None


def _legend(chosen: Plan, pen: Lettering, place: Point) -> dict[str, tuple[Label, Label]]:
    """Key and meaning of each label, one below the other, to the left of a place."""
    names = sorted(chosen.labelled, key=lambda name: chosen.marks[name])
    step = 1.7 * pen.extent("Hg")[1]
    x = place[0] - max(pen.extent(name)[0] for name in names)
    entries = {}
    for number, name in enumerate(names):
        y = round(place[1] + (number - (len(names) - 1) / 2) * step)
        key = Label(text=chosen.marks[name], box=pen.box((round(x - 0.7 * pen.size), y), chosen.marks[name], "rs"))
        entries[name] = key, Label(text=name, box=pen.box((round(x), y), name, "ls"))
    return entries


def _frame(area: Box, texts: list[str], pen: Lettering, style: PartsStyle, rng: Random) -> Box | None:
    """What is left for the drawing, with room for the labels on their sides; None where that is too little."""
    left, top, right, bottom = area
    across = max(pen.extent(text)[0] for text in texts) + 2 * style.padding + rng.uniform(1.0, 3.0) * style.size
    down = pen.extent("Hg")[1] + 2 * style.padding + rng.uniform(1.5, 3.0) * style.size
    if style.arrangement in ("sides", "left"):
        left += across
    if style.arrangement in ("sides", "right"):
        right -= across
    if style.arrangement in ("rows", "above"):
        top += down
    if style.arrangement == "rows":
        bottom -= down
    width, height = right - left, bottom - top
    if min(width, height) < 110 or max(width, height) > 3 * min(width, height):
        return None
    wide, high = min(width, 1.5 * height), min(height, 1.3 * width)
    x, y = left + rng.random() * (width - wide), top + rng.random() * (height - high)
    return x, y, x + wide, y + high


def _things(chosen: Plan, colours: list[str], frame: Box, size: tuple[int, int], rng: Random) -> tuple[Thing, ...]:
    left, top, right, bottom = frame
    things = []
    for (name, shape), colour in zip(chosen.shapes.items(), colours, strict=True):
        outline = tuple(
            (round(left + x / 100 * (right - left), 2), round(top + y / 100 * (bottom - top), 2)) for x, y in shape
        )
        xs, ys = zip(*outline, strict=True)
        share = (max(xs) - min(xs)) * (max(ys) - min(ys)) / (size[0] * size[1])
        things.append(Thing(kind=name, colour=colour, size=size_for(share), outline=outline))
    return tuple(things)
