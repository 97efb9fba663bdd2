from random import Random

import pytest

from tests.readings import notice
from train.seeing.scores import (
    Counts,
    Judgement,
    TrueChart,
    calibration_error,
    f1,
    judge_chart,
    judge_notice,
    judge_parts,
    judge_scene,
    judge_table,
    match_edges,
    match_points,
    plain,
    same_text,
    true_chart,
)
from vlm.structure import (
    Bar,
    CallOut,
    Cell,
    Chart,
    Colour,
    Dot,
    Edge,
    Graph,
    Label,
    Node,
    NumberStyle,
    Parts,
    Scene,
    Series,
    Table,
    Thing,
)

GREY = Colour(name=None, rgb=(9, 9, 9))
SIZE = {"width": 200, "height": 100}


def label(text):
    return Label(text=text, box=(0, 0, 10, 10))


def chart(values, names=(None,), kind="bar", points=()):
    """Bars {(category, series): value}, or points [(series, x, y)]."""
    categories = list(dict.fromkeys(category for category, _ in values))
    marks = [
        Bar(
            series=series, category=categories.index(category), value=value, colour=GREY, written=None, confidence=0.8,
            box=(0, 0, 1, 1), error=None,
        )
        for (category, series), value in values.items()
    ]  # fmt: skip
    marks += [
        Dot(series=s, category=None, value=y, colour=GREY, written=None, confidence=0.8, centre=(1, 1), x=x)
        for s, x, y in points
    ]
    return Chart(
        kind=kind, **SIZE, title=None, plot=(0, 0, 1, 1), horizontal=False, stacked=False, category_title=None,
        categories=tuple(map(label, categories)), value_axis=None, x_axis=None, legend=(), marks=tuple(marks),
        series=tuple(Series(name=label(name) if name else None, colour=None) for name in names), numbers=NumberStyle(),
    )  # fmt: skip


def rights(judged):
    return [one.right for one in judged]


def test_texts_match_without_case_spaces_and_punctuation():
    assert same_text("New York", "new-york ") and same_text("1,200", "1200") and same_text(None, "")
    assert not same_text("1.5", "2.5") and not same_text("A", "B") and plain("Café 7") == "café7"


def test_values_within_five_per_cent_of_the_axis_are_right():
    true = TrueChart("bar", False, False, {("a", None): 50.0, ("b", None): 20.0, ("c", None): 0.0}, (), 200.0, 1.0)
    assert rights(judge_chart(true, chart({("A", 0): 59.9, ("b", 0): 10.1, ("c", 0): 0.0}))) == [True] * 3
    assert rights(judge_chart(true, chart({("a", 0): 60.1, ("b", 0): 9.9}))) == [False] * 3
    assert judge_chart(true, chart({("a", 0): 50}))[1:] == [Judgement(False, None)] * 2
    assert judge_chart(true, None) == [Judgement(False, None)] * 3


def test_a_value_belongs_to_its_series():
    values = {("a", "x"): 1.0, ("a", "y"): 100.0}
    true = TrueChart("bar", True, False, values, (), 100.0, 1.0)
    assert rights(judge_chart(true, chart({("a", 0): 1, ("a", 1): 100}, names=("X", "Y")))) == [True, True]
    assert rights(judge_chart(true, chart({("a", 0): 1, ("a", 1): 100}, names=("Y", "X")))) == [False, False]


def test_a_lone_series_needs_no_name():
    true = TrueChart("bar", False, False, {("a", "x"): 1.0}, (), 1.0, 1.0)
    assert rights(judge_chart(true, chart({("a", 0): 1.0}))) == [True]


def test_the_truth_of_a_chart_is_right():
    drawn = chart({("a", 0): 1, ("b", 0): 2, ("a", 1): 3, ("b", 1): 4}, names=("x", "y"))
    true = true_chart(drawn)
    assert true.grouped and not true.stacked and true.reach == 100
    assert true.values == {("a", "x"): 1, ("b", "x"): 2, ("a", "y"): 3, ("b", "y"): 4}
    assert all(rights(judge_chart(true, drawn)))


def test_points_are_matched_once_and_within_both_axes():
    true = TrueChart("scatter", False, False, {}, ((None, 1.0, 10.0), (None, 9.0, 90.0)), 100.0, 10.0)
    read = chart({}, kind="scatter", points=[(0, 1.4, 14), (0, 1.1, 11), (0, 9.0, 84)])
    counts, judged = match_points(true, read)
    assert counts == Counts(2, 3, 1) and rights(judged) == [False, True, False]  # the nearer one; 84 is too far
    assert match_points(true, None) == (Counts(2, 0, 0), [])


def test_points_belong_to_their_series():
    true = TrueChart("scatter", False, False, {}, (("x", 1.0, 1.0), ("y", 9.0, 9.0)), 10.0, 10.0)
    both = [(0, 1, 1), (1, 9, 9)]
    assert match_points(true, chart({}, ("x", "y"), "scatter", both))[0].both == 2
    assert match_points(true, chart({}, ("y", "x"), "scatter", both))[0].both == 0


def graph(texts, edges, directed=True):
    nodes = tuple(Node(lines=(label(t),), shape="rectangle", box=(0, 0, 9, 9), colour=GREY) for t in texts)
    found = tuple(
        Edge(source=i, target=j, route=((0, 0), (1, 1)), label=None, directed=directed, confidence=0.7)
        for i, j in edges
    )
    return Graph(**SIZE, title=None, nodes=nodes, edges=found)


def test_an_arrow_has_a_direction_and_a_plain_line_has_none():
    texts, edges = ["A", "B", "C"], [(0, 1), (1, 2)]
    assert match_edges(texts, edges, True, graph("abc", [(0, 1), (2, 1)]))[0] == Counts(2, 2, 1)
    assert match_edges(texts, edges, False, graph("abc", [(1, 0), (2, 1)], directed=False))[0] == Counts(2, 2, 2)


def test_arrows_for_lines_are_wrong_and_the_other_way_round():
    for directed in (True, False):
        counts, judged = match_edges("AB", [(0, 1)], directed, graph("AB", [(0, 1)], not directed))
        assert counts == Counts(1, 1, 0) and judged == [Judgement(False, 0.7)]


def test_boxes_in_another_order_are_the_same():
    counts, judged = match_edges("ABC", [(0, 1), (0, 2)], True, graph("CAB", [(1, 2), (1, 0), (2, 0)]))
    assert counts == Counts(2, 3, 2) and rights(judged) == [True, True, False]
    assert match_edges("ABC", [(0, 1)], True, None) == (Counts(1, 0, 0), [])


def table(*rows):
    cells = [tuple(Cell(label=label(t) if t else None, box=(0, 0, 1, 1), confidence=0.9) for t in row) for row in rows]
    return Table(**SIZE, title=None, header=cells[0], rows=tuple(cells[1:]), header_column=False, total_row=False)


def test_cells_are_right_in_their_place():
    true = table(("A", "B"), ("1", ""), ("2", "x y"))
    assert judge_table(true, true) == [Judgement(True, 0.9)] * 5
    assert rights(judge_table(true, table(("A", "B"), ("2", ""), ("1", "xy")))) == [True, True, False, False, True]
    assert rights(judge_table(true, table(("A",), ("1",)))) == [True, False, True, False, False]
    assert judge_table(true, None) == [Judgement(False, None)] * 5


def thing(x, y, kind="circle", colour="red", half=10):
    box = ((x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half))
    return Thing(kind=kind, colour=colour, size="small", outline=box, confidence=0.6)


def scene(*things):
    return Scene(**SIZE, background=None, things=things)


def test_things_are_right_at_their_place_with_kind_and_colour():
    true = scene(thing(20, 20), thing(80, 50, "square", "blue"))
    assert rights(judge_scene(true, scene(thing(83, 52, "square", "blue"), thing(22, 20)))) == [True, True]
    assert rights(judge_scene(true, scene(thing(30, 20), thing(80, 50, "square", "red")))) == [False, False]
    assert judge_scene(true, None) == [Judgement(False, None)] * 2


def test_one_thing_is_not_found_twice():
    assert rights(judge_scene(scene(thing(20, 20), thing(20, 20)), scene(thing(20, 20)))) == [True, False]


def parts(target, part):
    """A call-out in a drawing of a small circle in front of a large one."""
    call_out = CallOut(label=label("A"), part=part, route=((0, 0), target), key=None, meaning=None, confidence=0.5)
    things = (thing(50, 50, half=30), thing(50, 50))
    return Parts(**SIZE, background=None, things=things, subject=None, title=None, call_outs=(call_out,))


def test_a_call_out_is_right_where_it_ends_or_on_the_part_in_front_there():
    true = parts((50, 50), 1)
    assert rights(judge_parts(true, parts((54, 52), 1))) == [True]  # near
    assert rights(judge_parts(true, parts((58, 42), 0))) == [True]  # farther, but on the same part
    assert rights(judge_parts(true, parts((70, 70), 0))) == [False]  # on the part behind
    assert judge_parts(true, None) == [Judgement(False, None)]


def test_f1_is_over_all_pictures_together():
    assert f1([Counts(2, 2, 2)]) == 1 and f1([Counts(2, 0, 0)]) == f1([]) == 0
    assert f1([Counts(1, 1, 1), Counts(9, 9, 0)]) == pytest.approx(0.1)
    assert f1([Counts(4, 2, 2)]) == pytest.approx(2 * 1 * 0.5 / 1.5)


def test_confidences_that_come_true_have_no_calibration_error():
    judged = [Judgement(i < 10 * share, share) for share in (0.1, 0.5, 0.8, 1.0) for i in range(10)]
    Random(0).shuffle(judged)
    assert calibration_error(judged) == pytest.approx(0)
    assert calibration_error([*judged, *[Judgement(False, None)] * 20]) == pytest.approx(0)


def test_calibration_error_is_how_far_confidence_is_off():
    assert calibration_error([Judgement(i < 5, 0.9) for i in range(10)]) == pytest.approx(0.4)
    assert calibration_error([Judgement(True, 0.25)] * 4) == pytest.approx(0.75)
    mixed = [Judgement(False, 0.95)] * 5 + [Judgement(True, 0.05)] * 5  # errors do not cancel
    assert calibration_error(mixed) == pytest.approx(0.95)
    assert calibration_error([]) == 0


def test_the_texts_of_a_notice_are_right_with_what_they_are_there_for():
    true = notice((("title", "Menu"),), (("item", "Tea"), ("price", "$3")), (("item", "Tea"), ("price", "$4")))
    read = notice((("heading", "MENU"),), (("item", "tea"), ("text", "$3")), (("item", "Tea"),))
    assert rights(judge_notice(true, read)) == [True, True, False, True, False]
    assert [one.confidence for one in judge_notice(true, read)] == [1, 1, 1, 1, None]
    assert judge_notice(true, None) == [Judgement(False, None)] * 5
