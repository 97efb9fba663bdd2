"""The table says what was measured, and whether it is enough."""

import json

import pytest

from vlm.bench.rows import HEAD, Row, as_cells, as_json, as_markdown, as_text, evaluate, in_rounds, spread

MORE = Row("speed", "tokens/s", "ours", "theirs", goal=2.0, floor=1.0)
SOONER = Row("first token", "s", "ours", "theirs", goal=2.0, floor=1.0, inverted=True)
LESS = Row("memory", "MB", "ours", None, goal=700, floor=1000, is_less_better=True)


def test_every_contender_is_measured_once_a_round_and_none_is_always_first():
    calls = []
    measures = {name: lambda name=name: calls.append(name) or float(len(calls)) for name in "abc"}
    assert in_rounds(measures, 2) == {"a": [1.0, 6.0], "b": [2.0, 5.0], "c": [3.0, 4.0]}
    assert calls == ["a", "b", "c", "c", "b", "a"]


@pytest.mark.parametrize(
    ("row", "ours", "theirs", "ratios", "verdict"),
    [
        (MORE, [30, 10, 40], [10, 10, 10], (3, 1, 4), "goal"),
        (MORE, [10, 20], [10, 20], (1, 1), "floor"),
        (MORE, [9], [10], (0.9,), "below the floor"),
        (SOONER, [1, 1], [3, 5], (3, 5), "goal"),
        (SOONER, [2], [1], (0.5,), "below the floor"),
        (SOONER, [1, 2, 1], [4], (4, 2, 4), "goal"),  # what takes minutes is measured once
        (LESS, [700], None, (700,), "goal"),
        (LESS, [1000], None, (1000,), "floor"),
        (LESS, [1001], None, (1001,), "below the floor"),
    ],
)
def test_a_ratio_is_that_of_each_round_and_is_judged_by_its_median(row, ours, theirs, ratios, verdict):
    measured = {"ours": ours} | ({} if theirs is None else {"theirs": theirs})
    (result,) = evaluate([row], measured)
    assert (result.values, result.verdict) == (ratios, verdict)


def test_what_was_not_measured_is_named_and_fails_nothing():
    results = evaluate([MORE, LESS], {"ours": [800.0]})
    assert [result.verdict for result in results] == ["not measured", "floor"]
    assert "needs theirs" in as_text(results)
    assert json.loads(json.dumps(as_json(results)))[0]["values"] == []


def test_a_value_is_shown_with_its_spread():
    assert spread([3.0, 1.0, 2.0]) == "2 (1 to 3)"
    assert spread([123.4]) == "123"
    assert spread([]) == "-"
    (result,) = evaluate([MORE], {"ours": [30.0, 20.0], "theirs": [10.0, 10.0]})
    cells = as_cells(result)
    assert len(cells) == len(HEAD)
    assert cells[1:5] == ["2.5 (2 to 3)x", "2x", "1x", "goal"]
    assert as_markdown(HEAD, [cells]).count("\n") == 2
