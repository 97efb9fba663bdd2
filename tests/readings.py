"""Small structures of every family, as reading a picture of 200 x 100 pixels could return them."""

import itertools

from vlm.structure import (
    Axis,
    Bar,
    CallOut,
    Cell,
    Chart,
    Colour,
    Dot,
    Edge,
    Entry,
    Graph,
    Label,
    Node,
    Notice,
    NumberStyle,
    Parts,
    Reading,
    Scene,
    Series,
    Slice,
    Structure,
    Table,
    Thing,
)

SIZE = {"width": 200, "height": 100}
RED = Colour(name="red", rgb=(200, 0, 0))
FAMILIES = {Chart: "charts", Graph: "graphs", Table: "tables", Notice: "signs", Parts: "parts", Scene: "shapes"}


def label(text: str, box=(10, 10, 30, 20), confidence: float = 1.0) -> Label:
    return Label(text=text, box=box, confidence=confidence)


def reading(structure: Structure | None, **changes) -> Reading:
    family = "none" if structure is None else FAMILIES[type(structure)]
    return Reading(
        **{"family": family, "confidence": 0.9, "structure": structure, "words": (label("word"),), **changes}
    )


def axis(title: str | None = None, unit: str = "") -> Axis:
    title_label = label(title) if title else None
    return Axis(title=title_label, unit=unit, ticks=(), low=0, high=100, low_place=90, high_place=10)


def chart(kind: str, marks, **changes) -> Chart:
    usual = {
        "kind": kind, **SIZE, "title": None, "plot": (20, 10, 180, 90), "horizontal": False, "stacked": False,
        "category_title": None, "categories": (), "value_axis": axis(), "x_axis": None,
        "series": (Series(name=None, colour=None),), "legend": (), "marks": tuple(marks), "numbers": NumberStyle(),
    }  # fmt: skip
    return Chart(**{**usual, **changes})


def bar_chart(*values: float, names="ABCDEFGH", unsure=(), **changes) -> Chart:
    """One series; `unsure` are the numbers of bars whose value is."""
    marks = [
        Bar(
            series=0, category=i, value=value, colour=RED, written=None, box=(20 + 20 * i, 90 - value, 35 + 20 * i, 90),
            error=None, confidence=0.2 if i in unsure else 0.9,
        )
        for i, value in enumerate(values)
    ]  # fmt: skip
    return chart("bar", marks, categories=tuple(map(label, names[: len(values)])), **changes)


def line_chart(**series: tuple[float | None, ...]) -> Chart:
    """line_chart(North=(1, 2), South=(3, None)): a line for each series; None where it has no point."""
    marks = [
        Dot(series=i, category=j, value=value, colour=RED, written=None, centre=(20 + 30 * j, 90 - value), x=None)
        for i, values in enumerate(series.values())
        for j, value in enumerate(values)
        if value is not None
    ]
    names = "ABCDEFGH"[: max(map(len, series.values()))]
    named = tuple(Series(name=label(name), colour=RED) for name in series)
    return chart("line", marks, categories=tuple(map(label, names)), series=named)


def pie_chart(*values: float) -> Chart:
    starts = list(itertools.accumulate((value * 3.6 for value in values), initial=0.0))
    marks = [
        Slice(
            series=0, category=i, value=value, colour=RED, written=None, centre=(100, 50), radius=40, hole=0,
            start=starts[i], end=starts[i + 1],
        )
        for i, value in enumerate(values)
    ]  # fmt: skip
    return chart("pie", marks, categories=tuple(map(label, "ABCDEFGH"[: len(values)])), value_axis=None)


def scatter_plot(*points: tuple[float, float]) -> Chart:
    marks = [
        Dot(series=0, category=None, value=y, colour=RED, written=None, centre=(20 + x, 90 - y), x=x) for x, y in points
    ]
    return chart("scatter", marks, value_axis=axis("weight"), x_axis=axis("height"))


def graph(*links: str, shapes=None, directed: bool = True, lone: str = "", unsure: str = "") -> Graph:
    """graph("A-B", "B-C:yes"): boxes in the order of their names; `shapes` by name; `unsure` names unsure boxes."""
    names: dict[str, None] = {}
    for link in links:
        names.update(dict.fromkeys(link.partition(":")[0].split("-")))
    order = [*names, *lone]
    nodes = [
        Node(
            lines=(label(name),), shape=(shapes or {}).get(name, "rectangle"), box=(10, 10 + 9 * i, 60, 17 + 9 * i),
            colour=RED, confidence=0.3 if name in list(unsure) else 0.9,
        )
        for i, name in enumerate(order)
    ]  # fmt: skip
    edges = []
    for link in links:
        ends, _, text = link.partition(":")
        source, target = (order.index(name) for name in ends.split("-"))
        route = (nodes[source].centre, nodes[target].centre)
        written = label(text) if text else None
        edges.append(Edge(source=source, target=target, route=route, label=written, directed=directed))
    return Graph(**SIZE, title=None, nodes=tuple(nodes), edges=tuple(edges))


def table(*rows: str, unsure=(), **changes) -> Table:
    """table("Name|Price", "Tea|3"): the headings first; `unsure` holds texts of cells that are."""
    cells = [
        tuple(
            Cell(
                label=label(text) if text else None, box=(10 + 40 * j, 10 + 12 * i, 50 + 40 * j, 22 + 12 * i),
                confidence=0.1 if text in unsure else 0.9,
            )
            for j, text in enumerate(row.split("|"))
        )
        for i, row in enumerate(rows)
    ]  # fmt: skip
    usual = {**SIZE, "title": None, "header_column": False, "total_row": False}
    return Table(**{**usual, "header": cells[0], "rows": tuple(cells[1:]), **changes})


def thing(name: str, x: float, y: float, **changes) -> Thing:
    colour, kind = name.split()
    outline = ((x - 5, y - 5), (x + 5, y - 5), (x + 5, y + 5), (x - 5, y + 5))
    return Thing(**{"kind": kind, "colour": colour, "size": "small", "outline": outline, **changes})


def scene(*things: Thing) -> Scene:
    return Scene(**SIZE, background=None, things=things)


def parts() -> Parts:
    things = (thing("red roof", 100, 20), thing("white wall", 100, 60))
    marks = [
        CallOut(label=label("A"), part=0, route=((20, 15), (100, 20)), key=None, meaning=None),
        CallOut(label=label("B"), part=1, route=((20, 65), (100, 60)), key=label("B"), meaning=label("front wall")),
    ]
    return Parts(**SIZE, background=None, things=things, subject=None, title=label("House"), call_outs=tuple(marks))


def notice(*rows: tuple[tuple[str, str], ...]) -> Notice:
    """notice((("item", "Tea"), ("price", "$3"))): rows of (role, text)."""
    entries = [Entry(role=role, row=i, label=label(text)) for i, row in enumerate(rows) for role, text in row]
    usual = {"kind": "receipt", "box": (0, 0, 200, 100), "background": None, "ink": None}
    return Notice(**SIZE, **usual, entries=tuple(entries))
