"""Scenes and labelled drawings: things at the peaks of a map, and what the labels' lines lead to."""

import torch
from torch import Tensor

from ..structure import CallOut, Parts, Scene, Size, Thing
from .colours import background
from .matching import best_pairs
from .peaks import find_peaks
from .seen import Seen, SeenWord, middle

SMALL, LARGE = 0.035, 0.12  # shares of the picture
LEAST_TIP = 0.1  # chance of a tip: there is one for every label
UNLIKELY = 0.02  # a label without any likely tip takes none from another label
TIP = 3.0  # pixels of the input: half the side of the box that stands for a tip


def read_things(seen: Seen) -> list[Thing]:
    centres, sure = find_peaks(seen, "thing")
    if not len(centres):
        return []
    sizes, kinds, colours = seen.network.peaks.things(seen.scene, centres)
    found = []
    for (x, y), (w, h), chance, kind, colour in zip(
        (centres / seen.scale).tolist(), (sizes / seen.scale).tolist(), sure.tolist(),
        kinds.softmax(-1), colours.softmax(-1), strict=True,
    ):  # fmt: skip
        left, right = max(0.0, x - w / 2), min(float(seen.image.width), x + w / 2)
        top, bottom = max(0.0, y - h / 2), min(float(seen.image.height), y + h / 2)
        found.append(
            Thing(
                kind=seen.vocabulary.kinds[int(kind.argmax())], colour=seen.vocabulary.colours[int(colour.argmax())],
                size=size_for((right - left) * (bottom - top) / (seen.image.width * seen.image.height)),
                outline=((left, top), (right, top), (right, bottom), (left, bottom)),
                confidence=seen.vocabulary.calibrated("thing", min(1.0, chance * float(kind.max() * colour.max()))),
            )
        )  # fmt: skip
    return found


def size_for(share: float) -> Size:
    """The size of a thing that takes up this share of its picture."""
    return "small" if share < SMALL else "large" if share > LARGE else "medium"


def read_scene(seen: Seen) -> Scene | None:
    things = read_things(seen)
    if not things:
        return None
    return Scene(
        width=seen.image.width, height=seen.image.height, background=background(seen.image), things=tuple(things)
    )  # fmt: skip


def read_parts(seen: Seen) -> Parts | None:
    labels, (tips, sure) = seen.of_role("call-out"), find_peaks(seen, "tip", LEAST_TIP)
    things = read_things(seen)
    if not labels or not len(tips) or not things:
        return None
    chances = _lead_chances(seen, labels, tips) * sure.sqrt()
    labels, chances = _each_once(labels, chances)
    costs = -chances.clamp(min=UNLIKELY).log()
    pairs = best_pairs({(i, j): float(costs[i, j]) for i in range(len(labels)) for j in range(len(tips))})
    found = []
    for number, word in enumerate(labels):
        if number not in pairs:
            continue
        x, y = (tips[pairs[number]] / seen.scale).tolist()
        meaning = _meaning(seen, word)
        raw = min(1.0, float(chances[number, pairs[number]]) * word.label.confidence)
        found.append(
            CallOut(
                label=word.label, part=part_at(things, (x, y)), route=(middle(word.label.box), (x, y)), key=None,
                meaning=meaning.label if meaning else None, confidence=seen.vocabulary.calibrated("call-out", raw),
            )
        )  # fmt: skip
    return Parts(
        width=seen.image.width, height=seen.image.height, background=None, things=tuple(things), subject=None,
        title=seen.title(), call_outs=tuple(found),
    )  # fmt: skip


def _lead_chances(seen: Seen, labels: list[SeenWord], tips: Tensor) -> Tensor:
    """[labels, tips]: of every label, to which of the tips its line leads."""
    boxes = torch.tensor([word.label.box for word in labels]) * seen.scale
    ends = torch.cat([tips - TIP, tips + TIP], dim=-1)
    shape = (len(labels), len(tips), 4)
    logits = seen.network.leads(
        seen.scene, boxes[:, None].expand(shape).flatten(0, 1), ends[None].expand(shape).flatten(0, 1)
    )
    return logits.reshape(shape[:2]).softmax(dim=-1)


def _each_once(labels: list[SeenWord], chances: Tensor) -> tuple[list[SeenWord], Tensor]:
    """Of labels that say the same only the one that surest has a line: the other explains it in a list."""
    surest: dict[str, int] = {}
    for i, word in enumerate(labels):
        best = surest.setdefault(word.label.text, i)
        if chances[i].max() * word.label.confidence > chances[best].max() * labels[best].label.confidence:
            surest[word.label.text] = i
    kept = sorted(surest.values())
    return [labels[i] for i in kept], chances[kept]


def part_at(things: list[Thing], place: tuple[float, float]) -> int:
    """The smallest thing that a place lies in, else the nearest."""
    x, y = place
    inside = [i for i, one in enumerate(things) if one.box[0] <= x <= one.box[2] and one.box[1] <= y <= one.box[3]]
    if inside:
        return min(inside, key=lambda i: things[i].area)
    return min(range(len(things)), key=lambda i: (things[i].centre[0] - x) ** 2 + (things[i].centre[1] - y) ** 2)


def _meaning(seen: Seen, label: SeenWord) -> SeenWord | None:
    """What the legend says of a label: the meaning beside the same text."""
    for word in seen.of_role("key"):
        if word.label.text == label.label.text:
            level = middle(word.label.box)[1]
            near = [m for m in seen.of_role("meaning") if abs(middle(m.label.box)[1] - level) < 8]
            return min(near, key=lambda m: abs(m.label.box[0] - word.label.box[2]), default=None)
    return None
