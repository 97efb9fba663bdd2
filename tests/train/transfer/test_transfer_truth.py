import pytest
from pydantic import ValidationError

from train.transfer.truth import ChartTruth, GraphTruth

CHART = {
    "kind": "bar", "horizontal": False, "stacked": False, "hole": False, "title": None, "category_title": None,
    "value_title": None, "x_title": None, "categories": ("a", "b"), "series": (None,), "values": ((1.0, 2.0),),
    "points": (), "value_range": (0.0, 3.0), "x_range": None, "decimals": None,
}  # fmt: skip
LOOP = GraphTruth(
    title=None, nodes=("a", "b", "c"), decisions=(), edges=((0, 1), (1, 2), (2, 1)), edge_labels=(None,) * 3,
    directed=True,
)  # fmt: skip


def test_a_truth_survives_json():
    truth = ChartTruth(**CHART)
    assert ChartTruth.model_validate_json(truth.model_dump_json()) == truth


@pytest.mark.parametrize(
    "change", [{"values": ((1.0,),)}, {"value_range": None}, {"kind": "scatter"}, {"series": ("x", "y")}]
)
def test_a_chart_that_does_not_fit_together_is_refused(change):
    with pytest.raises(ValidationError, match="do not fit together"):
        ChartTruth(**(CHART | change))


def test_a_line_without_a_head_leads_both_ways():
    lines = LOOP.model_copy(update={"directed": False})
    assert (LOOP.following(1), lines.following(1)) == ({2}, {0, 2})
    assert (LOOP.preceding(1), LOOP.reachable(0), LOOP.reachable(2)) == ({0, 2}, {1, 2}, {1, 2})


def test_an_edge_to_nowhere_is_refused():
    with pytest.raises(ValidationError, match="not there"):
        GraphTruth(title=None, nodes=("a", "b"), decisions=(), edges=((0, 2),), edge_labels=(None,), directed=True)
