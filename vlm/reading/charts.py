"""Charts: places that the heads found, turned into a table of values through the scales that were read."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from ..scene_heads import FORMS, UNIT, SeriesPlaces
from ..structure import Axis, Bar, Box, Chart, ChartKind, Dot, Label, Series, Structure
from .axis import Scale, fit_scale, number_style
from .groups import find_bars, stand_side_by_side
from .legend import colour_evidence, legend_entries
from .lines import trace_lines
from .pies import read_pie
from .roles import settle_roles
from .scatters import read_scatter
from .seen import LEADING, Seen, SeenWord, joined, middle
from .spelling import like_the_others, nearest_reading, number_readings
from .stacks import find_segments

WINDOW = 2  # places beside the likeliest one that belong to it
NEAR_WRITTEN = 0.08  # of the axis: a value written at a mark is so near what the mark says
INSIDE = 2.0  # pixels of the picture from the end of a bar to where its colour is looked up
OWN = 0.5  # weight of what the network says of a mark's series, beside its colour
MIDDLES = 0.8  # text heights between the middles of two lines of one label
SECOND_LINES = 2  # words below labels that are no title
MOST_AGREE = 3  # written values that make a scale
CLEARLY = 0.97  # the network is sure of a form
WHOLE = 97.0  # per cent: what the slices of a pie are together, if none is missing
WIDE = 1.4  # times the least gap between labels: there is one missing
TOO_CLOSE = 0.4  # of a category's width: two labels of one category


def read_chart(seen: Seen) -> Chart | None:
    """None where no value can be read: nothing is made up where there is no scale."""
    chances = seen.network.form(seen.scene.summary).softmax(dim=-1)
    if len(seen.of_role("category")) > 1:  # a scatter plot has none
        chances[FORMS.index("scatter")] = 0
    form = FORMS[int(chances.argmax())]
    seen = settle_roles(seen, form)
    if form == "pie":
        return read_pie(seen)
    if form == "scatter":
        return read_scatter(seen)
    upright = not form.endswith("across")
    categories = find_categories(seen, upright)
    legend = [word for word in seen.of_role("legend")]
    scale = fit_scale(seen.of_role("tick"), upright)
    if not categories:
        return None
    form = piled(seen, form, chances, categories, legend)
    found = look(seen, form, categories, legend if len(legend) > 1 else [])
    marks = _marks(seen, form, found, categories, scale or scale_of_written(seen, form, found, categories))
    if not marks:
        return None
    plot = _plot(seen, categories, marks, upright)
    value_axis = None
    if scale is not None:
        value_title = seen.of_role("value title")
        ends = (plot[3], plot[1]) if upright else (plot[0], plot[2])
        value_axis = scale.axis(value_title[0].label if value_title else None, ends)
    return make_chart(
        seen, kind="line" if form == "line" else "bar", horizontal=not upright, stacked=form.startswith("stacked"),
        categories=[word.label for word, _ in categories], legend=legend, plot=plot, value_axis=value_axis, marks=marks,
    )  # fmt: skip


def is_gappy(chart: Structure | None) -> bool:
    """Whether labels seem to be missing: nothing was read, no scale, or not what stands in a gap between others."""
    if not isinstance(chart, Chart):
        return True
    if chart.kind == "pie":
        return sum(mark.value for mark in chart.marks) < WHOLE
    if chart.value_axis is None or (chart.kind == "scatter" and chart.x_axis is None):
        return not any(mark.written for mark in chart.marks)
    places = sorted(middle(label.box)[1 if chart.horizontal else 0] for label in chart.categories)
    gaps = sorted(b - a for a, b in pairwise(places))
    return chart.kind != "scatter" and (not gaps or gaps[-1] > WIDE * gaps[0])


def make_chart(
    seen: Seen,
    *,
    kind: ChartKind,
    marks: Sequence[Bar | Dot],
    plot: Box,
    legend: list[SeenWord],
    categories: list[Label],
    value_axis: Axis | None = None,
    horizontal: bool = False,
    stacked: bool = False,
) -> Chart:
    """A chart of all that was found, with the words around it."""
    titles = seen.of_role("category title")
    entries = legend_entries(seen, legend)
    many = len(entries) > 1
    lone = Series(name=entries[0].label if entries else None, colour=None)
    return Chart(
        kind=kind, width=seen.image.width, height=seen.image.height, title=seen.title(), plot=plot,
        horizontal=horizontal, stacked=stacked, category_title=titles[0].label if titles and categories else None,
        categories=tuple(categories), value_axis=value_axis, x_axis=None,
        series=tuple(Series(name=entry.label, colour=entry.colour) for entry in entries) if many else (lone,),
        legend=tuple(entries), marks=tuple(marks), numbers=number_style(value_axis),
    )  # fmt: skip


def find_categories(seen: Seen, upright: bool) -> list[tuple[SeenWord, float]]:
    """The categories' labels in their order, each with the place of its marks on the axis, in input pixels."""
    axis = 0 if upright else 1
    found = []
    words = seen.of_role("category")
    for word in in_one_row(lines_joined(words)) if upright else words:
        away = seen.network.words.anchor(seen.scene.words[word.token])[axis]
        found.append((word, float(seen.centre_px(word)[axis] + UNIT * away)))
    found.sort(key=lambda one: one[1])
    if len(found) > 2:  # two that stand for one place: the surer one stays
        gaps = sorted(b[1] - a[1] for a, b in pairwise(found))
        least = TOO_CLOSE * gaps[len(gaps) // 2]
        kept: list[tuple[SeenWord, float]] = []
        for one in found:
            if kept and one[1] - kept[-1][1] < least:
                kept[-1] = max(kept[-1], one, key=lambda item: item[0].label.confidence)
            else:
                kept.append(one)
        found = kept
    texts = like_the_others([word.label.text for word, _ in found])
    return [
        (replace(word, label=word.label.model_copy(update={"text": text})), place)
        for (word, place), text in zip(found, texts, strict=True)
    ]


def lines_joined(words: list[SeenWord]) -> list[SeenWord]:
    """Labels below an axis in two lines, "Q3" over "2023", were read as two words: each pair becomes one."""
    left = sorted(words, key=lambda word: word.label.box[1])
    pairs: list[tuple[SeenWord, list[SeenWord]]] = []
    while left:
        upper = left.pop(0)
        height = upper.label.box[3] - upper.label.box[1]
        below = [
            word
            for word in left
            if abs(middle(word.label.box)[0] - middle(upper.label.box)[0]) < MIDDLES * height
            and -0.3 * height < word.label.box[1] - upper.label.box[3] < LEADING * height
        ]
        pairs.append((upper, below[:1]))
        left = [word for word in left if word not in below[:1]]
    if sum(len(below) for _, below in pairs) < min(SECOND_LINES, len(pairs) / 2):  # what stands below one is the title
        return [upper for upper, _ in pairs]
    found = []
    for upper, below in pairs:
        label = joined([upper, *below])
        assert label is not None
        found.append(SeenWord(label, upper.role, upper.token))
    return found


def in_one_row(words: list[SeenWord]) -> list[SeenWord]:
    """Without what stands below most of the labels under an axis, or above them: that is a title, or of a legend."""
    if len(words) < 3:
        return words
    tops, bottoms = (sorted(word.label.box[i] for word in words) for i in (1, 3))
    top, bottom = tops[len(tops) // 2], bottoms[len(bottoms) // 2]
    return [word for word in words if word.label.box[1] < bottom and word.label.box[3] > top]


def band_of(anchors: Tensor, extent: float) -> float:
    """The width of a category: the median distance of neighbours, or a third of the picture for a lone one."""
    if len(anchors) < 2:
        return extent / 3
    return max(4.0, anchors.sort().values.diff().median().item())


class Found(NamedTuple):
    """Where marks end, start and stand across [Q, K], in pixels of the input, and how sure that is."""

    end: Tensor
    start: Tensor
    across: Tensor
    sure: Tensor


def look(seen: Seen, form: str, categories: list[tuple[SeenWord, float]], legend: list[SeenWord]) -> Found:
    upright = not form.endswith("across")
    anchors, band = _anchors(seen, upright, categories)
    swatches = torch.stack([seen.swatch_px(word) for word in legend]) if legend else torch.zeros(0, 2)
    named = [word for word, _ in categories]
    tokens = [torch.tensor([word.token for word in words], dtype=torch.long) for words in (named, legend)]
    places = seen.network.series(seen.scene, anchors, band, upright, tokens[0], tokens[1], swatches)
    if not legend:
        end, which, sure = likeliest(places.end, places)
        start, _, sure_start = likeliest(places.start, places)
        across = places.across[torch.arange(len(anchors)), which]
        return Found(end, start, across, sure * sure_start if form.startswith("stacked") else sure)
    colours = [entry.colour for entry in legend_entries(seen, legend)]
    if form.startswith("stacked"):
        segments = find_segments(seen, places, anchors, band, upright, colours)
        return Found(segments.end, segments.start, anchors.expand_as(segments.end), segments.sure)
    if form == "line":
        end, sure = trace_lines(seen, by_colour(seen, places, legend, upright).end, places.along, anchors, colours)
        return Found(end, end, anchors.expand_as(end), sure)
    return Found(*find_bars(seen, places, anchors, band, upright, colours))


def _anchors(seen: Seen, upright: bool, categories: list[tuple[SeenWord, float]]) -> tuple[Tensor, float]:
    anchors = torch.tensor([place for _, place in categories])
    return anchors, band_of(anchors, seen.scene.fine.shape[3 if upright else 2] * 4)


def piled(
    seen: Seen, form: str, chances: Tensor, categories: list[tuple[SeenWord, float]], legend: list[SeenWord]
) -> str:
    """The form, of grouped and stacked the one that the colours show where the network is not sure."""
    across = " across" if form.endswith("across") else ""
    alone, other = (float(chances[FORMS.index(name + across)]) for name in ("bar", "stacked"))
    if form in ("line", "pie", "scatter") or len(legend) < 2 or max(alone, other) > CLEARLY * (alone + other):
        return form
    colours = [entry.colour for entry in legend_entries(seen, legend)]
    upright = not across
    is_grouped = stand_side_by_side(seen, *_anchors(seen, upright, categories), upright, colours)
    return ("bar" if is_grouped else "stacked") + across


def by_colour(seen: Seen, places: SeriesPlaces, legend: list[SeenWord], upright: bool) -> SeriesPlaces:
    """Marks are where any series has one; whose it is, the colour there tells as well as the network."""
    colours = [entry.colour for entry in legend_entries(seen, legend)]
    shape = places.end.shape[1:]  # [K, L, P]
    found = []
    down = INSIDE if upright else -INSIDE  # values run up, or to the right
    for logits, inwards in ((places.end, down), (places.start, -down)):
        along = places.along / seen.scale + inwards
        across = (places.across / seen.scale)[..., None].expand(shape)
        points = torch.stack([across, along.expand(shape)], dim=-1)
        evidence = colour_evidence(seen, colours, points if upright else points.flip(-1))
        chances = logits.flatten(2).log_softmax(dim=-1).unflatten(-1, shape[1:])
        found.append(chances.logsumexp(dim=0) + OWN * chances + evidence)
    return places._replace(end=found[0], start=found[1])


def likeliest(logits: Tensor, places: SeriesPlaces) -> tuple[Tensor, Tensor, Tensor]:
    """Logits [Q, K, L, P] -> place along and which place across [Q, K], and the chance that a mark ends near there."""
    chances = logits.flatten(2).softmax(dim=-1).unflatten(-1, logits.shape[2:])
    along = chances.sum(dim=2)  # [Q, K, P]
    best = along.argmax(dim=-1, keepdim=True)
    numbers = torch.arange(along.shape[-1])
    near = along * ((numbers - best).abs() <= WINDOW)
    mass = near.sum(dim=-1)
    place = (near * places.along).sum(dim=-1) / mass.clamp(min=1e-6)
    across = chances.gather(3, best[..., None].expand(*chances.shape[:3], 1))[..., 0].argmax(dim=-1)
    return place, across, mass


def _marks(
    seen: Seen, form: str, marks: Found, categories: list[tuple[SeenWord, float]], scale: Scale | None
) -> list[Bar | Dot]:  # fmt: skip
    upright = not form.endswith("across")
    is_stacked = form.startswith("stacked")
    mark_kind = "line" if form == "line" else "stacked" if is_stacked else "grouped" if len(marks.end) > 1 else "bar"
    written = seen.of_role("written")
    band = seen.to_picture(band_of(torch.tensor([p for _, p in categories]), 3 * UNIT))
    found: list[Bar | Dot] = []
    for q in range(len(marks.end)):
        for k, (word, _) in enumerate(categories):
            end, start, beside = (seen.to_picture(float(part[q, k])) for part in marks[:3])
            x, y = (beside, end) if upright else (end, beside)
            inside = (beside, (start + end) / 2) if upright else ((start + end) / 2, beside)
            label = nearest_written(written, inside if is_stacked else (x, y), upright, band)
            value, chance = mark_value(form, scale, start, end, label)
            if value is None:
                continue
            raw = min(1.0, chance * float(marks.sure[q, k]) * word.label.confidence)
            confidence = seen.vocabulary.calibrated(mark_kind, raw)
            if form == "line":
                found.append(
                    Dot(
                        series=q, category=k, value=value, colour=seen.colour_at(x, y), written=label,
                        confidence=confidence, centre=(x, y), x=None,
                    )
                )  # fmt: skip
                continue
            half = 0.3 * band / (1 if is_stacked else len(marks.end))
            low, high = sorted((start, end))
            box = (x - half, low, x + half, high) if upright else (low, y - half, high, y + half)
            found.append(
                Bar(
                    series=q, category=k, value=value, colour=seen.colour_at(*inside), written=label,
                    confidence=confidence, box=box, error=None,
                )
            )  # fmt: skip
    return found


def scale_of_written(seen: Seen, form: str, found: Found, categories: list[tuple[SeenWord, float]]) -> Scale | None:
    """Where no axis was read, what is written at the marks tells which value stands where: of most of them."""
    if form.startswith("stacked"):
        return None
    upright = not form.endswith("across")
    written = seen.of_role("written")
    band = seen.to_picture(band_of(torch.tensor([place for _, place in categories]), 3 * UNIT)) / len(found.end)
    said = []
    for end, beside in zip(found.end.flatten().tolist(), found.across.flatten().tolist(), strict=True):
        place = seen.to_picture(beside), seen.to_picture(end)
        x, y = place if upright else place[::-1]
        label = nearest_written(written, (x, y), upright, band)
        if label is not None:
            said.append(SeenWord(label.model_copy(update={"box": (x - 1, y - 1, x + 1, y + 1)}), "written", 0))
    scale = fit_scale(said, upright)
    return scale if scale is not None and len(scale.ticks) >= max(MOST_AGREE, len(said) / 2) else None


def mark_value(
    form: str, scale: Scale | None, start: float, end: float, written: Label | None
) -> tuple[float | None, float]:
    """The value of a mark and how sure the scale is of it; what is written at the mark settles it."""
    if scale is None:
        said = number_readings(written.text) if written else []
        return (said[0], written.confidence) if said and written else (None, 0.0)
    value = scale.value(end)
    if form.startswith("stacked"):
        value -= scale.value(start)
    ticks = [tick for tick, _ in scale.ticks]
    near = nearest_reading(written.text, value, NEAR_WRITTEN * (max(ticks) - min(ticks))) if written else None
    if near is not None:
        return near, 1.0
    return scale.rounded(value), scale.confidence


def nearest_written(written: list[SeenWord], place: tuple[float, float], upright: bool, band: float) -> Label | None:
    """The value that is written in the band of a mark, the nearest to its end (in a stack: to its middle)."""
    near = []
    for word in written:
        x, y = middle(word.label.box)
        beside, along = (abs(x - place[0]), abs(y - place[1])) if upright else (abs(y - place[1]), abs(x - place[0]))
        if beside < 0.5 * band:
            near.append((beside + along, word.label))
    return min(near, key=lambda one: one[0])[1] if near else None


def _plot(seen: Seen, categories: list[tuple[SeenWord, float]], marks: Sequence[Bar | Dot], upright: bool) -> Box:
    """About where the marks are: across all categories, and along the value axis as far as ticks and marks reach."""
    places = [seen.to_picture(place) for _, place in categories]
    half = (max(places) - min(places)) / max(1, 2 * (len(places) - 1)) or 20.0
    ticks = [middle(word.label.box)[1 if upright else 0] for word in seen.of_role("tick")]
    for mark in marks:
        ticks += [mark.box[1], mark.box[3]] if isinstance(mark, Bar) and upright else []
        ticks += [mark.box[0], mark.box[2]] if isinstance(mark, Bar) and not upright else []
        ticks += [mark.centre[1]] if isinstance(mark, Dot) else []
    low, high, left, right = min(ticks), max(ticks) + 1, min(places) - half, max(places) + half
    return (left, low, right, high) if upright else (low, left, high, right)
