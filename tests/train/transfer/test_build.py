"""The set itself, in the small: a few pictures of every kind, drawn by the real programs."""

import shutil
from collections import Counter
from random import Random

import numpy as np
import pytest
from PIL import Image

from train.data_engine import dataset
from train.transfer import build, graphviz_graphs, matplotlib_charts, tables_sklearn, tables_vega, vega_charts
from train.transfer.build import COUNTS, DatasetError
from train.transfer.tables import FORMS, MIN_SLICE, choose
from train.transfer.truth import read

for name in ("matplotlib", "vl_convert", "vega_datasets", "sklearn"):
    pytest.importorskip(name)
if not shutil.which("dot"):
    pytest.skip("Graphviz is not installed", allow_module_level=True)

FEW = {"matplotlib": 13, "vega-lite": 13, "graphviz": 15}  # one of every form


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("transfer") / "set"
    build.build(out, FEW)
    return out


@pytest.fixture(scope="module")
def real():
    tables = [*tables_vega.tables(), *tables_sklearn.tables()]
    return tables, [*tables_vega.points(), *tables_sklearn.points()]


def test_every_kind_of_picture_is_there(folder):
    pictures = read(folder)
    assert Counter(picture.source.renderer for picture in pictures) == FEW
    charts = [picture.truth for picture in pictures if picture.family == "charts"]
    assert Counter(chart.kind for chart in charts) == {"bar": 14, "line": 4, "pie": 4, "scatter": 4}
    assert {(c.horizontal, c.stacked, len(c.series) > 1) for c in charts if c.kind == "bar"} == {
        (across, *rest) for across in (False, True) for rest in ((False, False), (False, True), (True, True))
    }
    graphs = [picture.truth for picture in pictures if picture.family == "graphs"]
    assert {graph.directed for graph in graphs} == {True, False}
    assert all(4 <= len(set(graph.nodes)) == len(graph.nodes) <= 12 for graph in graphs)
    assert any(graph.decisions for graph in graphs)


def test_the_whole_set_is_as_large_as_promised(folder):
    questions = sum(len(picture.questions) for picture in read(folder)) / sum(FEW.values())
    assert sum(COUNTS.values()) >= 400
    assert questions * sum(COUNTS.values()) >= 2000
    assert all(COUNTS[renderer] % count == 0 for renderer, count in FEW.items())  # all forms equally often


def test_the_pictures_are_there_and_the_folder_can_be_shown(folder):
    for picture in read(folder):
        with Image.open(folder / picture.file) as image:
            assert (image.mode, min(image.size) >= 200, max(image.size) <= 1100) == ("RGB", True, True)
        assert 2 <= len(picture.questions) <= 7
        assert len({question.text for question in picture.questions}) == len(picture.questions)
    assert dataset.main(["show", str(folder)]) == 0


def test_the_set_is_the_same_every_time(folder, tmp_path):
    build.build(tmp_path / "again", FEW)
    for path in sorted(folder.rglob("*.*")):
        if path.name != dataset.PAGE:
            assert path.read_bytes() == (tmp_path / "again" / path.relative_to(folder)).read_bytes(), path


def test_an_interrupted_build_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(graphviz_graphs, "draw", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build.build(tmp_path / "set", {"matplotlib": 1, "graphviz": 1})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_alone(folder):
    with pytest.raises(DatasetError, match="exists already"):
        build.build(folder, FEW)


@pytest.mark.parametrize("missing", ["matplotlib", "dot"])
def test_what_is_missing_is_named_with_the_command_that_brings_it(tmp_path, monkeypatch, capsys, missing):
    find, which = build.importlib.util.find_spec, shutil.which
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else which(name))
    assert dataset.main(["transfer", "--out", str(tmp_path / "set")]) == 2
    command = "pip install 'regard[transfer]'" if missing == "matplotlib" else "apt-get install graphviz"
    assert command in capsys.readouterr().err


def test_the_bars_of_matplotlib_are_as_high_as_the_truth_says(real, monkeypatch):
    """The axes that were drawn on, looked at from outside."""
    drawn = []
    legible = matplotlib_charts._is_legible
    monkeypatch.setattr(matplotlib_charts, "_is_legible", lambda f, axes: drawn.append(axes) or legible(f, axes))
    for number, form in enumerate(FORMS):
        rng, chart = Random(number), None
        while chart is None:
            chart = matplotlib_charts.draw(form, choose(form, *real, rng), rng)
        axes, truth = drawn[-1], chart.truth
        if form.kind == "bar":
            lengths = [patch.get_width() if form.horizontal else patch.get_height() for patch in axes.patches]
            assert lengths == pytest.approx([value for row in truth.values for value in row])
            names = axes.get_yticklabels() if form.horizontal else axes.get_xticklabels()
            assert [name.get_text() for name in names] == list(truth.categories)
            assert truth.value_range == (axes.get_xlim() if form.horizontal else axes.get_ylim())
        elif form.kind == "line":
            assert [tuple(line.get_ydata()) for line in axes.lines] == list(truth.values)
            assert truth.value_range == axes.get_ylim()
        elif form.kind == "scatter":
            assert [[tuple(point) for point in group.get_offsets()] for group in axes.collections] == [
                list(group) for group in truth.points
            ]
            assert (truth.x_range, truth.value_range) == (axes.get_xlim(), axes.get_ylim())
        else:
            shares = [(wedge.theta2 - wedge.theta1) / 3.6 for wedge in axes.patches]
            assert np.abs(shares) == pytest.approx(truth.values[0], abs=1e-3)


def marks_of(group, marktype: str) -> list[dict]:
    """The rectangles or the texts of a Vega scene graph's marks, wherever they are nested."""
    ours = group.get("marktype") == marktype and str(group.get("name")).endswith("marks")
    items = group.get("items", [])
    return [*(items if ours else []), *(mark for item in items for mark in marks_of(item, marktype))]


def scene_of(form, real, rng):
    from vl_convert import vegalite_to_scenegraph

    spec, truth, theme = vega_charts.describe(form, choose(form, *real, rng), rng)
    return spec, truth, vegalite_to_scenegraph(spec, theme=theme)["scenegraph"]


BARS = [number for number, form in enumerate(FORMS) if form.kind == "bar"]


@pytest.mark.parametrize("number", BARS)
def test_the_bars_of_vega_lite_are_as_long_as_the_truth_says(real, number):
    form = FORMS[number]
    for seed in range(4):
        spec, truth, scene = scene_of(form, real, Random(seed))
        side, length = ("width", spec["width"]) if form.horizontal else ("height", spec["height"])
        low, high = truth.value_range
        drawn = sorted(bar.get(side, 0) / length * (high - low) for bar in marks_of(scene, "rect"))
        assert drawn == pytest.approx(sorted(value for row in truth.values for value in row), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("number", BARS)
def test_what_vega_lite_writes_at_a_bar_is_its_value(real, number):
    """Each text lies within its bar, or right beside its end; where bars are stacked, in the same order."""
    form, seed = FORMS[number], 0
    while True:
        spec, truth, scene = scene_of(form, real, Random(seed))
        if truth.decimals is not None:
            break
        seed += 1
    side, length = ("width", spec["width"]) if form.horizontal else ("height", spec["height"])
    low, high = truth.value_range
    texts, bars = marks_of(scene, "text"), marks_of(scene, "rect")
    assert len(texts) == len(bars) == len(truth.categories) * len(truth.series)
    for text in texts:

        def distance(bar, text=text):
            x = bar.get("x", 0) + bar["width"] / (2 if form.stacked or not form.horizontal else 1)
            y = bar.get("y", 0) + bar["height"] / (2 if form.stacked or form.horizontal else np.inf)
            return abs(x - text.get("x", 0)) + abs(y - text.get("y", 0))

        bar = min(bars, key=distance)
        assert distance(bar) < 12
        value = bar[side] / length * (high - low)
        assert text["text"] == f"{value:,.{truth.decimals}f}"


def test_graphviz_is_told_what_the_truth_says():
    for number, form in enumerate(graphviz_graphs.FORMS):
        graph = graphviz_graphs.draw(form, Random(number))
        plain = graphviz_graphs.run(form[1], graph.dot, "plain").decode().replace("\\\n", "").splitlines()
        nodes = {line.split()[1] for line in plain if line.startswith("node")}
        edges = Counter(tuple(line.split()[1:3]) for line in plain if line.startswith("edge"))
        assert nodes == {f"n{i}" for i in range(len(graph.truth.nodes))}
        assert edges == Counter((f"n{a}", f"n{b}") for a, b in graph.truth.edges)


def test_a_line_that_crosses_a_box_is_seen():
    head = "graph 1 8 8\nnode n0 1 1 1 .5 a\nnode n1 7 1 1 .5 b\nnode n2 4 {} 1 .5 c\n"
    edge = "edge n0 n1 4 1.5 1 3 1 5 1 6.5 1 solid black\nstop\n"
    assert graphviz_graphs.is_readable(head.format(5) + edge)
    assert not graphviz_graphs.is_readable(head.format(1) + edge)


def test_the_parts_of_real_tables_can_be_seen(real):
    for number in range(130):
        form = FORMS[number % len(FORMS)]
        table = choose(form, *real, Random(number))
        if form.kind == "scatter":
            assert 3 <= sum(map(len, table.points)) <= 40
        else:
            assert form.categories[0] <= len(table.categories) <= form.categories[1]
            assert form.series[0] <= len(table.series) <= form.series[1]
            assert form.kind != "pie" or min(table.shares) >= MIN_SLICE


@pytest.mark.parametrize(
    ("low", "high", "ticks", "expected"), [(0, 9.4, 5, (0, 10)), (22.6, 29.6, 8, (22, 30)), (0, 1210, 6, (0, 1400))]
)
def test_scales_end_at_round_numbers(low, high, ticks, expected):
    assert vega_charts.nice(low, high, ticks) == expected
