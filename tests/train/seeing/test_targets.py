from functools import cache
from random import Random

import pytest
import torch

from train.data_engine import draw
from train.seeing.config import SceneConfig
from train.seeing.loop import VOCABULARY
from train.seeing.nothing import draw_nothing
from train.seeing.pictures import picture
from train.seeing.targets import UNKNOWN, make_targets
from train.seeing.words import words_of
from vlm.scene_heads import FAMILIES, FORMS, RELATIONS, ROLES, UNIT

CONFIG = SceneConfig(families={"charts": 1}, output_dir="unused", max_steps=1)


@cache
def truths(family, number=20):
    return [draw(family, seed).truth for seed in range(number)]


def targets_of(family, truth, words=None, scale=1.0):
    words = words_of(truth) if words is None else words
    return make_targets(family, truth, words, scale, VOCABULARY.kinds, VOCABULARY.colours)


def centre(box):
    return torch.tensor([box[0] + box[2], box[1] + box[3]]) / 2


@pytest.mark.parametrize("family", ["charts", "graphs", "parts", "shapes"])
def test_everything_is_measured_in_pixels_of_the_input(family):
    for truth in truths(family)[:8]:
        whole, half = targets_of(family, truth), targets_of(family, truth, scale=0.5)
        names = ("anchors", "swatches", "node_boxes", "dots", "things", "tips", "boxes")
        pairs = [(getattr(whole, name), getattr(half, name)) for name in names]
        if whole.circle is not None:
            pairs += [(whole.circle, half.circle), (whole.edges * 0.5, half.edges * 0.25)]  # angles stay
        if whole.series is not None:
            names = ("anchors", "swatches", "end", "start", "across", "half")
            pairs += [(getattr(whole.series, name), getattr(half.series, name)) for name in names]
        assert all(torch.allclose(one * 0.5, two, equal_nan=True, atol=1e-3) for one, two in pairs)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family not in ("things", "none")])
def test_words_that_were_missed_leave_the_rest_as_it_was(family):
    for truth in truths(family)[:8]:
        words = words_of(truth)
        kept = [i for i in range(len(words)) if i % 3]
        whole, part = targets_of(family, truth), targets_of(family, truth, [words[i] for i in kept])
        assert torch.equal(whole.roles[kept], part.roles)
        assert torch.equal(whole.relations[kept][:, kept], part.relations)
        for name in ("node_boxes", "swatches"):
            assert torch.equal(getattr(whole, name)[kept].nan_to_num(-1), getattr(part, name).nan_to_num(-1))


@pytest.mark.parametrize("family", [family for family in FAMILIES if family not in ("things", "none")])
def test_without_words_there_is_still_something_to_learn(family):
    targets = targets_of(family, truths(family)[0], [])
    assert targets.roles.shape == (0,) and targets.relations.shape == (0, 0, len(RELATIONS)) and targets.series is None


def test_marks_end_where_their_values_are():
    checked = 0
    for chart in truths("charts"):
        targets = targets_of("charts", chart)
        if targets.series is None or chart.stacked or chart.value_axis is None:
            continue
        words = words_of(chart)
        for k, i in enumerate(targets.series.categories.tolist()):
            category = next(n for n, label in enumerate(chart.categories) if label.box == words[i].box)
            for q in range(len(targets.series.end)):
                if len(chart.series) > 1:
                    name = words[targets.series.legend[q]]
                    series = next(n for n, one in enumerate(chart.series) if one.name.text == name.text)
                else:
                    series = 0
                values = [m.value for m in chart.marks if (m.series, m.category) == (series, category)]
                assert [targets.series.end[q, k].item()] == pytest.approx(
                    [chart.value_axis.place(value) for value in values], abs=1.5
                )
                checked += 1
    assert checked > 50


def test_the_form_of_a_chart_is_its_kind_and_direction():
    for chart in truths("charts"):
        form = FORMS[targets_of("charts", chart).form]
        assert form.endswith("across") == chart.horizontal and form.startswith("stacked") == chart.stacked
        assert form.startswith(("stacked", chart.kind))


def test_legend_entries_point_to_their_colours():
    for chart in truths("charts"):
        words, targets = words_of(chart), targets_of("charts", chart)
        for entry in chart.legend:
            i = next(i for i, word in enumerate(words) if word.box == entry.label.box)
            assert torch.allclose(centre(words[i].box) + UNIT * targets.swatches[i], centre(entry.box), atol=1e-2)


def test_words_point_to_the_outline_of_their_box():
    for graph in truths("graphs")[:8]:
        words, targets = words_of(graph), targets_of("graphs", graph)
        for node in graph.nodes:
            i = next(i for i, word in enumerate(words) if word.box == node.lines[0].box)
            around = torch.tensor(words[i].box) + UNIT * targets.node_boxes[i] * torch.tensor([-1, -1, 1, 1])
            assert torch.allclose(around, torch.tensor(node.box), atol=1e-2)


def test_an_arrow_leads_one_way_and_a_plain_line_both():
    kinds = set()
    for graph in truths("graphs"):
        links = targets_of("graphs", graph).links
        pairs = {(edge.source, edge.target) for edge in graph.edges}
        pairs |= {(edge.target, edge.source) for edge in graph.edges if not edge.directed}
        assert set(map(tuple, links.nonzero().tolist())) == pairs
        kinds.add(targets_of("graphs", graph).directed)
    assert {0, 1} <= kinds


def test_cells_share_rows_and_columns():
    row, column = RELATIONS.index("row"), RELATIONS.index("column")
    for table in truths("tables")[:5]:
        words, relations = words_of(table), targets_of("tables", table).relations
        place = {
            cell.label.box: (i, j)
            for i, cells in enumerate((table.header, *table.rows)) for j, cell in enumerate(cells) if cell.label
        }  # fmt: skip
        for a, one in enumerate(words):
            for b, two in enumerate(words):
                if one.box in place and two.box in place:
                    assert relations[a, b, row] == (place[one.box][0] == place[two.box][0])
                    assert relations[a, b, column] == (place[one.box][1] == place[two.box][1])


def test_rows_are_not_spoken_of_where_there_are_none():
    for family in ("charts", "graphs"):
        relations = targets_of(family, truths(family)[0]).relations
        assert (relations[..., :2] == UNKNOWN).all() and (relations[..., 2] != UNKNOWN).all()


def test_call_outs_lead_to_their_tips():
    for parts in truths("parts")[:8]:
        words, targets = words_of(parts), targets_of("parts", parts)
        said = {words[word].text: targets.tips[tip].tolist() for word, tip in targets.leads.tolist()}
        assert said == {one.label.text: pytest.approx(list(one.target)) for one in parts.call_outs}
        assert {ROLES[targets.roles[word]] for word, _ in targets.leads.tolist()} == {"call-out"}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_is_decided_by_its_number(family):
    given, targets = picture(family, 5, "train", CONFIG, VOCABULARY)
    again, same = picture(family, 5, "train", CONFIG, VOCABULARY)
    assert torch.equal(given.pixels, again.pixels) and torch.equal(targets.roles, same.roles)
    other, _ = picture(family, 6, "train", CONFIG, VOCABULARY)
    assert given.pixels.shape != other.pixels.shape or not torch.equal(given.pixels, other.pixels)
    assert len(given.boxes) == len(targets.roles) and targets.family == FAMILIES.index(family)


def test_pictures_of_nothing_are_of_many_kinds():
    pictures = [draw_nothing(Random(seed)) for seed in range(30)]
    assert all(one.mode == "RGB" and 160 <= min(one.size) and max(one.size) <= 520 for one in pictures)
    plain = sum(len(one.getcolors(one.width * one.height)) == 1 for one in pictures)
    assert 0 < plain < 15
    assert draw_nothing(Random(3)).tobytes() == pictures[3].tobytes()
