"""Charts drawn by Vega-Lite (through vl-convert), in its own themes.

The domains of the scales are handed to it, rounded as it would round them, so that they are known.
"""

import math
from collections.abc import Sequence
from io import BytesIO
from random import Random
from typing import Any

from PIL import Image

from .charts_truth import TITLED, DrawnChart, chart_truth, points_truth, write, written_decimals
from .tables import Form, Points, Table
from .truth import ChartTruth, Range

# The other themes want fonts that vl-convert has not, and leave out the text, or colours on which none is legible.
THEMES = (
    None, None, None, "ggplot2", "quartz", "vox", "fivethirtyeight", "latimes", "dark", "excel", "googlecharts",
)  # fmt: skip
SCHEMES = (None, None, None, "category10", "dark2", "set1", "set2", "tableau20")
LIGHT_SCHEMES = ("set2", "set3", "pastel1", "tableau10")  # on which black is legible
Spec = dict[str, Any]


def draw(form: Form, table: Table | Points, rng: Random) -> DrawnChart:
    """A chart of this table, with its truth."""
    from vl_convert import vegalite_to_png

    spec, truth, theme = describe(form, table, rng)
    looks: Any = {"theme": theme, "scale": rng.choice((1.0, 1.15, 1.3)), "allowed_base_urls": []}  # no network
    png = vegalite_to_png(spec, **looks)
    picture = Image.open(BytesIO(png)).convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    return DrawnChart(Image.alpha_composite(paper, picture).convert("RGB"), truth, theme or "default")


def describe(form: Form, table: Table | Points, rng: Random) -> tuple[Spec, ChartTruth, str | None]:
    """The specification of a chart, its truth, and the theme to draw it in."""
    theme = rng.choice(THEMES)
    titled, ink = rng.random() < TITLED, "white" if theme == "dark" else "black"
    if isinstance(table, Points):
        spec, truth = _scatter(table, titled, rng)
    elif form.kind == "pie":
        spec, truth = _pie(form, table, titled, ink, rng)
    else:
        spec, truth = _categories(form, table, titled, ink, rng)
    if titled:
        spec["title"] = table.title
    legend = spec["encoding"].get("color", {}).get("legend", {})
    if theme == "latimes" and legend.get("orient") == "top":  # where it writes the title of the value axis
        legend["orient"] = "right"
    size = rng.choice((11, 12, 13))
    words = {"labelFontSize": size, "titleFontSize": size}
    spec["config"] = {"axis": words, "legend": words, "text": {"fontSize": size}, "title": {"fontSize": size + 3}}
    spec["padding"] = rng.choice((5, 10, 16))
    return spec, truth, theme


def nice(low: float, high: float, ticks: int) -> Range:
    """The range, widened to whole steps of 1, 2 or 5 times a power of ten, of which it holds about so many."""
    raw = (high - low) / ticks
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * next(step for step, most in ((1, math.sqrt(2)), (2, math.sqrt(10)), (5, math.sqrt(50)), (10, 99))
                        if raw / power <= most)  # fmt: skip
    return round(math.floor(low / step + 1e-9) * step, 9), round(math.ceil(high / step - 1e-9) * step, 9)


def _rows(table: Table, texts: Sequence[Sequence[str]]) -> list[Spec]:
    return [  # the number gives the order of stacking, within a category or around a pie
        {"category": category, "series": name, "number": i + j, "value": table.values[i][j], "text": texts[i][j]}
        for i, name in enumerate(table.series)
        for j, category in enumerate(table.categories)
    ]


def _colour(names: Sequence[str | None], field: str, rng: Random, written_on: bool = False) -> Spec:
    scale: Spec = {"domain": list(names)}
    if scheme := rng.choice(LIGHT_SCHEMES if written_on else SCHEMES):
        scale["scheme"] = scheme
    legend = {"orient": rng.choice(("right", "right", "right", "top", "bottom"))}
    return {"field": field, "type": "nominal", "scale": scale, "title": None, "legend": legend}


def _range(form: Form, table: Table, height: float, rng: Random) -> Range:
    """Bars start at zero, lines now and then elsewhere."""
    tops = map(sum, zip(*table.values, strict=True)) if form.stacked else (max(row) for row in table.values)
    low, high = 0.0, max(tops)
    if form.kind == "line" and rng.random() < 0.6:
        low = min(min(row) for row in table.values)
        if low == high:
            low = 0.0
    return nice(low, high * 1.04 if high > 0 else high, max(2, math.ceil(height / 40)))


def _categories(form: Form, table: Table, titled: bool, ink: str, rng: Random) -> tuple[Spec, ChartTruth]:
    width, height = rng.randint(400, 660), rng.randint(250, 420)
    decimals = written_decimals(form, table, rng)
    axis_titles = rng.random() < 0.75
    low, high = _range(form, table, width if form.horizontal else height, rng)
    texts = [["" if decimals is None else write(v, decimals, "bar") for v in row] for row in table.values]
    category: Spec = {"field": "category", "type": "ordinal" if form.kind == "line" else "nominal", "sort": None}
    value: Spec = {"field": "value", "type": "quantitative", "scale": {"domain": [low, high], "nice": False}}
    if low > 0:
        value["scale"]["zero"] = False
    category["title"], value["title"] = (
        (table.category_title, table.value_title) if axis_titles else (None, None)
    )  # fmt: skip
    if not form.horizontal:
        category["axis"] = _tilt(table.categories, width, rng)
    along, up, offset = ("y", "x", "yOffset") if form.horizontal else ("x", "y", "xOffset")
    encoding = {along: category, up: value}
    if len(table.series) > 1:
        encoding["color"] = _colour(table.series, "series", rng, form.stacked and decimals is not None)
        if form.stacked:  # or bars and texts would be stacked in different orders
            encoding["order"] = {"field": "number", "type": "quantitative"}
        elif form.kind == "bar":
            encoding[offset] = {"field": "series", "type": "nominal", "sort": None}
    mark: Spec = {"type": form.kind}
    if form.kind == "line":
        mark["point"] = rng.random() < 0.6
    spec: Spec = {"data": {"values": _rows(table, texts)}, "width": width, "height": height}
    if decimals is None:
        spec |= {"mark": mark, "encoding": encoding}
    else:
        spec["encoding"] = encoding
        spec["layer"] = [{"mark": mark}, _written(form, ink)]
        if form.stacked:
            spec["layer"][1]["encoding"][up] = {**value, "stack": "zero", "bandPosition": 0.5}
    return spec, chart_truth(form, table, titled, axis_titles, decimals, (low, high))


def _written(form: Form, ink: str) -> Spec:
    """The layer with the values at the marks."""
    mark: Spec = {"type": "text"}
    if form.horizontal and not form.stacked:
        mark |= {"align": "left", "baseline": "middle", "dx": 4}
    elif not form.stacked:
        mark |= {"baseline": "bottom", "dy": -5 if form.kind == "line" else -3}
    colour = {"value": "black" if form.stacked else ink}
    return {"mark": mark, "encoding": {"text": {"field": "text"}, "color": colour, "detail": {"field": "series"}}}


def _tilt(names: Sequence[str], width: float, rng: Random) -> Spec:
    """Labels below the axis are turned where they would run into each other, and now and then elsewhere."""
    if max(map(len, names)) * 7.5 * len(names) < width and rng.random() < 0.8:
        return {"labelAngle": 0}
    return {"labelAngle": -45} if rng.random() < 0.65 else {}  # as it turns them itself: upright


def _pie(form: Form, table: Table, titled: bool, ink: str, rng: Random) -> tuple[Spec, ChartTruth]:
    size = rng.randint(280, 400)
    decimals = written_decimals(form, table, rng)
    texts = [["" if decimals is None else write(share, decimals, "pie") for share in table.shares]]
    outside = rng.random() < 0.6  # where the values stand
    radius = size / 2 - (32 if decimals is not None and outside else 4)
    arc: Spec = {"type": "arc", "outerRadius": radius}
    if form.hole:
        arc["innerRadius"] = round(radius * rng.uniform(0.4, 0.6))
    if rng.random() < 0.4:
        arc |= {"stroke": "white", "strokeWidth": 2}
    encoding = {
        "theta": {"field": "value", "type": "quantitative", "stack": True},
        "color": _colour(table.categories, "category", rng, decimals is not None and not outside),
        "order": {"field": "number", "type": "quantitative"},
    }
    spec: Spec = {"data": {"values": _rows(table, texts)}, "width": size + rng.randint(0, 160), "height": size}
    spec |= {"encoding": encoding, "layer": [{"mark": arc}]}
    if decimals is not None:
        where = radius + 22 if outside else radius * (0.78 if form.hole else 0.65)
        text: Spec = {"mark": {"type": "text", "radius": where}, "encoding": {"text": {"field": "text"}}}
        text["encoding"] |= {"color": {"value": ink if outside else "black"}, "detail": {"field": "category"}}
        spec["layer"].append(text)
    return spec, chart_truth(form, table, titled, False, decimals, None)


def _scatter(table: Points, titled: bool, rng: Random) -> tuple[Spec, ChartTruth]:
    width, height = rng.randint(380, 620), rng.randint(260, 420)
    xs, ys = zip(*(point for group in table.points for point in group), strict=True)
    zero = rng.random() < 0.4 and all(min(ones) < 0.35 * max(ones) for ones in (xs, ys))  # or points would crowd
    x_range = nice(min(0.0, *xs) if zero else min(xs), max(xs), math.ceil(width / 40))
    y_range = nice(min(0.0, *ys) if zero else min(ys), max(ys), math.ceil(height / 40))
    rows = [
        {"x": x, "y": y, "series": name}
        for name, group in zip(table.series, table.points, strict=True)
        for x, y in group
    ]
    encoding: Spec = {
        "x": {"field": "x", "type": "quantitative", "title": table.x_title,
              "scale": {"domain": x_range, "nice": False, "zero": False}},
        "y": {"field": "y", "type": "quantitative", "title": table.y_title,
              "scale": {"domain": y_range, "nice": False, "zero": False}},
    }  # fmt: skip
    if len(table.series) > 1:
        encoding["color"] = _colour(table.series, "series", rng)
        if rng.random() < 0.4:
            encoding["shape"] = {**encoding["color"], "scale": {"domain": list(table.series)}}
    mark: Spec = {"type": rng.choice(("point", "circle")), "size": rng.choice((50, 70))}
    if "shape" in encoding:
        mark["type"] = "point"
    spec = {"data": {"values": rows}, "width": width, "height": height, "mark": mark, "encoding": encoding}
    return spec, points_truth(table, titled, y_range, x_range)
