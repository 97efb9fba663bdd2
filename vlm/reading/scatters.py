"""Scatter plots: points that were found, read on two scales."""

import math

import torch

from ..structure import Chart, Dot, NumberStyle, Series
from .axis import Scale, fit_scale
from .legend import clear_colour, legend_entries
from .peaks import find_peaks
from .seen import Seen, middle

LEAST_REACH, REACH = 5.0, 0.01  # in pixels and of the picture's longer side: how far a point's mark reaches


def read_scatter(seen: Seen) -> Chart | None:
    """None where one of the scales cannot be read."""
    ticks = seen.of_role("tick", "x tick")  # which are which shows also in what they agree on
    scale = fit_scale(seen.of_role("tick"), upright=True) or fit_scale(ticks, upright=True)
    x_scale = fit_scale(seen.of_role("x tick"), upright=False) or fit_scale(ticks, upright=False)
    places, sure = find_peaks(seen, "dot")
    if scale is None or x_scale is None or not len(places):
        return None
    entries = legend_entries(seen, seen.of_role("legend"))
    swatches = [torch.tensor(entry.colour.rgb, dtype=torch.float) for entry in entries]
    agreed = min(scale.confidence, x_scale.confidence)
    reach = max(LEAST_REACH, REACH * max(seen.image.size))
    dots = []
    for (x, y), chance in zip((places / seen.scale).tolist(), sure.tolist(), strict=True):
        if any(math.hypot(x - middle(e.box)[0], y - middle(e.box)[1]) < 8 for e in entries):
            continue  # the legend's own mark
        colour = clear_colour(seen, (x, y), reach)  # in the middle of a ring there is paper
        here = torch.tensor(colour.rgb, dtype=torch.float)
        series = min(range(len(swatches)), key=lambda i: float((swatches[i] - here).norm())) if len(swatches) > 1 else 0
        dots.append(
            Dot(
                series=series, category=None, value=scale.rounded(scale.value(y)), x=x_scale.rounded(x_scale.value(x)),
                colour=colour, written=None, centre=(x, y),
                confidence=seen.vocabulary.calibrated("dot", chance * agreed),
            )
        )  # fmt: skip
    if not dots:
        return None
    lefts, tops = ([dot.centre[i] for dot in dots] for i in (0, 1))
    xs = [*lefts, *_ends(x_scale)]
    ys = [*tops, *_ends(scale)]
    plot = (min(xs), min(ys), max(xs), max(ys) + 1)
    across, up = seen.of_role("category title"), seen.of_role("value title")
    many = len(entries) > 1
    lone = Series(name=entries[0].label if entries else None, colour=None)
    return Chart(
        kind="scatter", width=seen.image.width, height=seen.image.height, title=seen.title(), plot=plot,
        horizontal=False, stacked=False, category_title=None, categories=(),
        value_axis=scale.axis(up[0].label if up else None, (plot[3], plot[1])),
        x_axis=x_scale.axis(across[0].label if across else None, (plot[0], plot[2])),
        series=tuple(Series(name=entry.label, colour=entry.colour) for entry in entries) if many else (lone,),
        legend=tuple(entries), marks=tuple(dots), numbers=NumberStyle(),
    )  # fmt: skip


def _ends(scale: Scale) -> list[float]:
    return [scale.place(value) for value, _ in scale.ticks]
