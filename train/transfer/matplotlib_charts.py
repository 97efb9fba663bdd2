"""Charts drawn by matplotlib, in its own style sheets and mostly as it draws them when nobody asks otherwise."""

from collections.abc import Sequence
from itertools import combinations
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from .charts_truth import TITLED, DrawnChart, chart_truth, points_truth, write, written_decimals
from .tables import Form, Points, Table

STYLES = (
    "default", "ggplot", "seaborn-v0_8-whitegrid", "bmh", "fivethirtyeight", "dark_background", "default",
    "seaborn-v0_8-darkgrid", "Solarize_Light2", "seaborn-v0_8-ticks", "tableau-colorblind10", "classic",
    "seaborn-v0_8-pastel", "petroff10", "seaborn-v0_8-muted", "seaborn-v0_8-white",
)  # fmt: skip
# Only what comes with matplotlib itself, so that it does not matter which fonts a machine has.
FONTS = ("DejaVu Sans", "DejaVu Sans", "DejaVu Sans", "DejaVu Serif", "STIXGeneral", "DejaVu Sans Mono")
MARKERS = ("o", "s", "^", "D")


def draw(form: Form, table: Table | Points, rng: Random) -> DrawnChart | None:
    """A chart of this table, with its truth; None where not all that is written can be read."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.style import context

    style = rng.choice(STYLES)
    family, size = rng.choice(FONTS), rng.choice((9, 10, 10, 11))
    look: Any = {f"{name}.labelsize": "medium" for name in ("axes", "xtick", "ytick")}
    look |= {"legend.fontsize": "medium", "axes.titlesize": "large", "font.family": family}
    look["font.size"] = size + 2 * (family == "STIXGeneral")  # which is small for its size
    with context(style), rc_context(look):
        inches = rng.uniform(5.2, 8.6), rng.uniform(3.8, 5.6)
        figure: Any = Figure(inches, dpi=100, layout="constrained")
        figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
        canvas = FigureCanvasAgg(figure)
        axes = figure.subplots()
        titled = rng.random() < TITLED
        if isinstance(table, Points):
            truth = _scatter(axes, table, titled, rng)
        elif form.kind == "pie":
            truth = _pie(axes, form, table, titled, rng)
        else:
            truth = _categories(axes, form, table, titled, rng)
        if titled:
            axes.set_title(table.title)
        canvas.draw()
        image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    if not isinstance(table, Points) and form.kind != "pie":
        low, high = axes.get_xlim() if form.horizontal else axes.get_ylim()
        truth = truth.model_copy(update={"value_range": (float(low), float(high))})
    return DrawnChart(image, truth, style) if _is_legible(figure, axes) else None


def _is_legible(figure: Any, axes: Any) -> bool:
    """Whether nothing is cut off, and no two of the texts that stand upright lie on each other."""
    around, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    if around.x0 < 0 or around.y0 < 0 or around.x1 > width or around.y1 > height:
        return False
    texts = list(axes.texts)
    for number, axis in enumerate((axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())  # there are labels beyond, which are not drawn
        texts += [label for label in axis.get_ticklabels() if low <= label.get_position()[number] <= high]
    boxes = [text.get_window_extent() for text in texts if text.get_text() and text.get_rotation() in (0, 90)]
    if any(one.overlaps(other) for one, other in combinations(boxes, 2)):
        return False
    legend = axes.get_legend()  # the ones of the figure stand outside the plot
    marks = [patch.get_window_extent() for patch in axes.patches]
    points = [line.get_xydata() for line in axes.lines] + [group.get_offsets() for group in axes.collections]
    around = legend.get_window_extent() if legend else None
    places = [place for group in points for place in axes.transData.transform(group)]
    return not around or not (
        any(around.overlaps(box) for box in (*boxes, *marks)) or any(around.contains(x, y) for x, y in places)
    )


def _ink(colour: Any) -> str:
    """The colour of letters on this one."""
    red, green, blue = colour[:3]
    return "white" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.4 else "black"


def _categories(axes: Any, form: Form, table: Table, titled: bool, rng: Random) -> Any:
    """Bars or lines; the range of the value axis is known when all is drawn, so it is a guess here."""
    decimals = written_decimals(form, table, rng)
    axis_titles = rng.random() < 0.75
    places = list(range(len(table.categories)))
    if form.kind == "line":
        _lines(axes, table, decimals, rng)
    else:
        _bars(axes, form, table, decimals, rng)
    across, up = (axes.set_yticks, axes.invert_yaxis) if form.horizontal else (axes.set_xticks, None)
    across(places, labels=table.categories, **({} if form.horizontal else _tilt(axes, table.categories, rng)))
    if up and rng.random() < 0.7:
        up()
    if axis_titles:
        (axes.set_xlabel if form.horizontal else axes.set_ylabel)(table.value_title)
        (axes.set_ylabel if form.horizontal else axes.set_xlabel)(table.category_title)
    if rng.random() < 0.3:
        axes.grid(axis="x" if form.horizontal else "y", alpha=0.5)
        axes.set_axisbelow(True)
    outside = _legend(axes, len(table.series), rng)
    if decimals is not None or (len(table.series) > 1 and not outside):
        low, high = axes.get_xlim() if form.horizontal else axes.get_ylim()
        room = high + (0.08 if outside or len(table.series) == 1 else 0.3) * (high - low)
        (axes.set_xlim if form.horizontal else axes.set_ylim)(low, room)
    return chart_truth(form, table, titled, axis_titles, decimals, (0.0, 1.0))


def _tilt(axes: Any, names: Sequence[str], rng: Random) -> dict[str, Any]:
    """Labels below the axis are turned where they would run into each other."""
    inches = axes.figure.get_size_inches()[0] * 0.8
    if sum(len(name) + 2 for name in names) * 0.085 < inches:
        return {}
    turned = rng.choice((30, 45, 45, 90))
    return {"rotation": turned} if turned == 90 else {"rotation": turned, "ha": "right", "rotation_mode": "anchor"}


def _bars(axes: Any, form: Form, table: Table, decimals: int | None, rng: Random) -> None:
    thickness = rng.uniform(0.55, 0.85) / (1 if form.stacked else len(table.series))
    looks: dict[str, Any] = {"edgecolor": "black", "linewidth": 0.8} if rng.random() < 0.2 else {}
    if len(table.series) == 1:
        looks["color"] = f"C{rng.choice((0, 0, 0, 1, 2))}"
    base = [0.0] * len(table.categories)
    for number, (name, row) in enumerate(zip(table.series, table.values, strict=True)):
        shift = 0.0 if form.stacked else (number - (len(table.series) - 1) / 2) * thickness
        places = [i + shift for i in range(len(row))]
        if form.horizontal:
            bars = axes.barh(places, row, thickness, left=base, label=name, **looks)
        else:
            bars = axes.bar(places, row, thickness, bottom=base, label=name, **looks)
        if form.stacked:
            base = [below + value for below, value in zip(base, row, strict=True)]
        if decimals is not None:
            texts = [write(value, decimals, "bar") for value in row]
            where = {"label_type": "center", "padding": 0} if form.stacked else {"padding": 2}
            labels = axes.bar_label(bars, texts, fontsize="small", **where)
            for label in labels if form.stacked else ():
                label.set_color(_ink(bars[0].get_facecolor()))


def _lines(axes: Any, table: Table, decimals: int | None, rng: Random) -> None:
    marked, dashed = rng.random() < 0.6, rng.random() < 0.25
    for number, (name, row) in enumerate(zip(table.series, table.values, strict=True)):
        dash = ("-", "--", "-.", ":")[number] if dashed else "-"
        marker = (MARKERS[number] if rng.random() < 0.4 else "o") if marked else None
        axes.plot(range(len(row)), row, dash, marker=marker, label=name)
        for i, value in enumerate(row if decimals is not None else ()):
            axes.annotate(write(value, decimals or 0, "line"), (i, value), (0, 5), textcoords="offset points",
                          ha="center", va="bottom", fontsize="small")  # fmt: skip


def _legend(axes: Any, series: int, rng: Random) -> bool:
    """A legend where there are several series; whether it stands outside the plot."""
    if series == 1:
        return False
    place = rng.choice(("best", "best", "right", "below"))
    if place == "right":
        axes.figure.legend(loc="outside right upper")
    elif place == "below":
        axes.figure.legend(loc="outside lower center", ncols=min(series, 4))
    else:
        axes.legend(loc="best")
    return place != "best"


def _pie(axes: Any, form: Form, table: Table, titled: bool, rng: Random) -> Any:
    decimals = written_decimals(form, table, rng)
    texts = iter([write(share, decimals or 0, "pie") for share in table.shares])
    explained = rng.random() < 0.35  # by a legend
    looks: dict[str, Any] = {"startangle": rng.choice((0, 90, 90)), "counterclock": rng.random() < 0.6}
    if decimals is not None:
        looks["autopct"] = lambda _: next(texts)
        looks["pctdistance"] = 0.78 if form.hole else 0.65
    if form.hole:
        looks["wedgeprops"] = {"width": rng.uniform(0.35, 0.5)}
    drawn = axes.pie(table.values[0], labels=None if explained else table.categories, **looks)
    if explained:
        wedges = getattr(drawn, "wedges", None) or drawn[0]
        axes.figure.legend(wedges, table.categories, loc="outside right center")
    percentages = [text for text in axes.texts if text.get_text().endswith("%")]
    for text, wedge in zip(percentages, axes.patches, strict=False):
        text.set_color(_ink(wedge.get_facecolor()))
    return chart_truth(form, table, titled, False, decimals, None)


def _scatter(axes: Any, table: Points, titled: bool, rng: Random) -> Any:
    varied = rng.random() < 0.4
    for number, (name, group) in enumerate(zip(table.series, table.points, strict=True)):
        xs, ys = zip(*group, strict=True)
        marker = MARKERS[number] if varied else "o"
        axes.scatter(xs, ys, s=rng.choice((25, 36, 45)), marker=marker, label=name, color=f"C{number}")
    axes.set_xlabel(table.x_title)
    axes.set_ylabel(table.y_title)
    if not _legend(axes, len(table.series), rng) and len(table.series) > 1:
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.3 * (high - low))
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    return points_truth(table, titled, (float(low), float(high)), (float(left), float(right)))
