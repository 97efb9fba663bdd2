"""Every decoder, fed with right answers to every question (`tests/oracle.py`), finds what was drawn."""

from functools import cache
from random import Random

import pytest

from tests.oracle import read_rightly
from train.data_engine import FAMILIES, draw
from train.seeing.evaluate import graph_parts
from train.seeing.scores import (
    f1,
    judge_chart,
    judge_parts,
    judge_scene,
    judge_table,
    match_edges,
    match_points,
    plain,
    true_chart,
)
from train.seeing.words import spoil_words, words_of
from vlm.structure import Chart

JUDGES = {"tables": judge_table, "parts": judge_parts, "shapes": judge_scene}
ASKED = sorted({*FAMILIES} - {"things"})  # these are found by a network of their own (test_things.py)
PICTURES = 40


@cache
def samples(family):
    return [draw(family, seed, "test") for seed in range(PICTURES)]


@cache
def charts(kind):
    return [one for one in samples("charts") if one.truth.kind == kind]


def read(family, sample, monkeypatch):
    reading = read_rightly(family, sample.image, sample.truth, monkeypatch)
    assert reading.family == family and isinstance(sample.truth, type(reading.structure))
    return reading.structure


@pytest.mark.parametrize("kind", ["bar", "line", "pie"])
def test_values_of_charts_are_what_was_drawn(kind, monkeypatch):
    judged = []
    for one in charts(kind):
        structure = read("charts", one, monkeypatch)
        assert (structure.kind, structure.horizontal, structure.stacked) == (
            kind,
            one.truth.horizontal,
            one.truth.stacked,
        )
        judged += judge_chart(true_chart(one.truth), structure)
    assert len(judged) > 25 and sum(one.right for one in judged) >= 0.97 * len(judged)


def test_points_of_scatter_plots_are_what_was_drawn(monkeypatch):
    counts = [match_points(true_chart(s.truth), read("charts", s, monkeypatch))[0] for s in charts("scatter")]
    assert sum(one.true for one in counts) > 25 and f1(counts) >= 0.97


def test_edges_of_graphs_are_what_was_drawn(monkeypatch):
    counts = [match_edges(*graph_parts(s.truth), read("graphs", s, monkeypatch))[0] for s in samples("graphs")]
    assert f1(counts) >= 0.97


@pytest.mark.parametrize(
    ("family", "least"), [(family, 0.92 if family == "parts" else 0.98) for family in JUDGES]
)  # lines of call-outs are followed by their ink, whatever the heads say
def test_elements_are_what_was_drawn(family, least, monkeypatch):
    judged = [one for s in samples(family) for one in JUDGES[family](s.truth, read(family, s, monkeypatch))]
    assert len(judged) >= 10 and sum(one.right for one in judged) >= least * len(judged)


def test_lines_of_notices_are_what_was_drawn(monkeypatch):
    for sample in samples("signs"):
        said = read("signs", sample, monkeypatch)
        assert sorted(plain(line) for line in said.lines) == sorted(plain(line) for line in sample.truth.lines)


@pytest.mark.parametrize(("family", "least"), [("tables", 0.86), ("parts", 0.82), ("charts", 0.82)])
def test_words_that_are_missed_or_misread_spoil_little_else(family, least, monkeypatch):
    """About one word in ten is lost or wrong, and what it names with it."""
    judged = []
    for number, sample in enumerate(samples(family)):
        words = spoil_words(words_of(sample.truth), Random(number))
        structure = read_rightly(family, sample.image, sample.truth, monkeypatch, words).structure
        if family != "charts":
            judged += JUDGES[family](sample.truth, structure)
        elif sample.truth.kind != "scatter":
            judged += judge_chart(true_chart(sample.truth), structure)
    assert sum(one.right for one in judged) >= least * len(judged)


@pytest.mark.parametrize("family", ASKED)
def test_right_answers_are_given_with_confidence(family, monkeypatch):
    structure = read(family, samples(family)[0], monkeypatch)
    named = ("marks", "edges", "entries", "things", "call_outs")
    elements = [one for name in named for one in getattr(structure, name, ())]
    assert all(element.confidence > 0.5 for element in elements)


def test_words_and_title_of_a_chart_are_found_in_their_roles(monkeypatch):
    for sample in samples("charts")[:12]:
        said = read("charts", sample, monkeypatch)
        assert isinstance(said, Chart)
        assert [plain(one.label.text) for one in said.legend] == [plain(o.label.text) for o in sample.truth.legend]
        assert plain(said.title.text if said.title else "") == plain(
            sample.truth.title.text if sample.truth.title else ""
        )
