"""Scenes and labelled drawings: things at the peaks of a map, and what the labels' lines lead to."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..structure import CallOut, Parts, Point, Scene, Size, Thing
from ..structure.colours import colour_name
from ..structure.parts import PART, is_name
from .colours import background, commonest
from .leads import find_leads
from .matching import best_pairs
from .parts import name_parts
from .peaks import find_peaks
from .seen import Seen, SeenWord, middle

SMALL, LARGE = 0.035, 0.12  # shares of the picture
FAINT, STANDS_OUT = 0.18, 0.6  # chance of a thing that is the only one; what any other may have, of that
LEAST_TIP = 0.1  # chance of a tip: there is one for every label
UNLIKELY = 0.02  # a label without any likely tip takes none from another label
TALLEST = 3.0  # times the height of most words
AROUND = 0.02  # of a picture's longer side: within it there is more of a part than of the line that ends on it
FOLLOWED = 0.95  # chance of a line that could be followed
SAME_TIP = 0.03  # of a picture's longer side
ON_LINE, NEAR_END = 5.0, 40.0  # pixels: a tip that is so near to a line and to its end is that end
TIP = 3.0  # pixels of the input: half the side of the box that stands for a tip


def things_at_peaks(seen: Seen) -> list[Thing]:
    centres, sure = _thing_peaks(seen)
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


def _thing_peaks(seen: Seen) -> tuple[Tensor, Tensor]:
    """The middles of things; of one that fills a small picture the network is less sure, but of nothing else at all."""
    centres, sure = find_peaks(seen, "thing")
    if not len(centres):
        centres, sure = find_peaks(seen, "thing", FAINT)
        if len(sure) > 1 and sure[1] > STANDS_OUT * sure[0]:
            return centres[:0], sure[:0]
    return centres, sure


def size_for(share: float) -> Size:
    """The size of a thing that takes up this share of its picture."""
    return "small" if share < SMALL else "large" if share > LARGE else "medium"


def read_scene(seen: Seen) -> Scene | None:
    things = things_at_peaks(seen)
    if not things:
        return None
    return Scene(
        width=seen.image.width, height=seen.image.height, background=background(seen.image), things=tuple(things)
    )  # fmt: skip


def read_parts(seen: Seen) -> Parts | None:
    things = things_at_peaks(seen)
    labels, tips, chances = with_tips(seen)
    if not labels or not len(tips) or not things:
        return None
    labels, chances = _each_once(*_of_one_sort(labels, chances))
    costs = -chances.clamp(min=UNLIKELY).log()
    pairs = best_pairs({(i, j): float(costs[i, j]) for i in range(len(labels)) for j in range(len(tips))})
    ends = {number: (float(tips[tip, 0]), float(tips[tip, 1])) for number, tip in sorted(pairs.items())}
    subject, names = name_parts(seen.image, [word.label for word in seen.words], list(ends.values()))
    found, pointed = [], list[Thing]()
    for (number, place), name in zip(ends.items(), names, strict=True):
        word = labels[number]
        meaning = _meaning(seen, word)
        raw = min(1.0, float(chances[number, pairs[number]]) * word.label.confidence)
        kind = PART if is_name(word.label.text) else name
        part = things[part_at(things, place)].model_copy(update={"kind": kind, "colour": colour_around(seen, place)})
        if part not in pointed:
            pointed.append(part)
        found.append(
            CallOut(
                label=word.label, part=pointed.index(part), route=(middle(word.label.box), place), key=None,
                meaning=meaning.label if meaning else None, confidence=seen.vocabulary.calibrated("call-out", raw),
            )
        )  # fmt: skip
    return Parts(
        width=seen.image.width, height=seen.image.height, background=None, things=tuple(pointed), subject=subject,
        title=None if any(word.role == "title" for word in labels) else seen.title(), call_outs=tuple(found),
    )  # fmt: skip


def with_tips(seen: Seen) -> tuple[list[SeenWord], Tensor, Tensor]:
    """Labels, tips of lines [M, 2] in pixels of the picture, and the chances [labels, M] that they belong together.

    A line that can be followed from a word makes it a label, and says where it ends; of the labels and tips that are
    left the network says which belong together.
    """
    leads = dict(zip(seen.words, find_leads(seen.image, [word.label.box for word in seen.words]), strict=True))
    labels = call_outs(seen)
    labels += [word for word in seen.words if leads[word] and word not in labels]
    peaks, sure = find_peaks(seen, "tip", LEAST_TIP)
    likely = torch.zeros(len(labels), len(peaks))
    if likely.numel():
        likely = _lead_chances(seen, labels, peaks) * sure.sqrt()
    peaks = peaks / seen.scale
    followed = {number: lead for number, word in enumerate(labels) if (lead := leads[word])}
    ends = torch.tensor([end_of(lead, peaks) for lead in followed.values()]).reshape(-1, 2)
    left = (torch.cdist(peaks, ends) > SAME_TIP * max(seen.image.size)).all(dim=1)
    known = torch.zeros(len(labels), len(ends))
    for column, row in enumerate(followed):
        likely[row], known[row, column] = 0, FOLLOWED
    return labels, torch.cat([peaks[left], ends]), torch.cat([likely[:, left], known], dim=1)


def end_of(route: Sequence[Point], peaks: Tensor) -> Point:
    """Where a line ends: at a tip [M, 2] that the network saw on it near its end, else near its bend, if at any."""
    return _seen_on(route[-2], route[-1], peaks) or _seen_on(route[0], route[1], peaks) or route[-1]


def _seen_on(start: Point, end: Point, peaks: Tensor) -> Point | None:
    """The tip nearest to the end of a straight line, of those on it."""
    length = math.dist(start, end) or 1.0
    across, down = ((there - here) / length for here, there in zip(start, end, strict=True))
    from_start = peaks - torch.tensor(start)
    beside = (from_start @ torch.tensor([-down, across])).abs()
    beyond = (from_start @ torch.tensor([across, down]) - length).abs()
    near = ((beside < ON_LINE) & (beyond < NEAR_END)).nonzero()[:, 0].tolist()
    best = min(near, key=lambda number: float(beyond[number]), default=None)
    return None if best is None else (float(peaks[best, 0]), float(peaks[best, 1]))


def call_outs(seen: Seen) -> list[SeenWord]:
    """Labels with a line; several titles side by side are some, and so is one that the legend explains.

    What is many times as high as the other words is a part that OCR takes for a letter.
    """
    titles, keys = seen.of_role("title"), {word.label.text for word in seen.of_role("key")}
    several = [word for word in titles if len(titles) > 1 or word.label.text in keys]
    heights = sorted(word.label.box[3] - word.label.box[1] for word in seen.words)
    return [
        word for word in (*seen.of_role("call-out"), *several)
        if word.label.box[3] - word.label.box[1] <= TALLEST * heights[len(heights) // 2]
    ]  # fmt: skip


def colour_around(seen: Seen, place: Point) -> str:
    """The commonest colour around the end of a line: what it points to, not its dot or its arrow head."""
    return colour_name(commonest(seen.image, place, AROUND * max(seen.image.size)))


def _lead_chances(seen: Seen, labels: list[SeenWord], tips: Tensor) -> Tensor:
    """[labels, tips]: of every label, to which of the tips its line leads."""
    boxes = torch.tensor([word.label.box for word in labels]) * seen.scale
    ends = torch.cat([tips - TIP, tips + TIP], dim=-1)
    shape = (len(labels), len(tips), 4)
    logits = seen.network.leads(
        seen.scene, boxes[:, None].expand(shape).flatten(0, 1), ends[None].expand(shape).flatten(0, 1)
    )
    return logits.reshape(shape[:2]).softmax(dim=-1)


def _of_one_sort(labels: list[SeenWord], chances: Tensor) -> tuple[list[SeenWord], Tensor]:
    """Labels are all numbers, all letters or all words: what is of another sort than most is none."""
    sorts = ["number" if one.label.text.isdigit() else str(len(one.label.text) == 1) for one in labels]
    weights = {sort: 0.0 for sort in sorts}
    for i, (sort, word) in enumerate(zip(sorts, labels, strict=True)):
        weights[sort] += float(chances[i].max()) * word.label.confidence
    usual = max(weights, key=weights.__getitem__)
    kept = [i for i, sort in enumerate(sorts) if sort == usual]
    return [labels[i] for i in kept], chances[kept]


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
