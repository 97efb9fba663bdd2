import pytest

from tests.readings import axis, bar_chart, label, line_chart, pie_chart, scatter_plot
from vlm.structure import chart_facts as facts


def names(found):
    return [one.name for one in found]


def test_order_goes_from_high_to_low_and_keeps_equal_ones_in_their_order():
    assert names(facts.ranked(facts.values(bar_chart(3, 7, 3, 5)))) == ["B", "D", "A", "C"]


def test_an_extreme_is_shared_by_all_that_reach_it():
    found = facts.values(bar_chart(7, 3, 7, 3, 0.1 + 0.2, 0.3))
    assert names(facts.highest(found)) == ["A", "C"]
    assert names(facts.lowest(found)) == ["E", "F"]  # equal but for how a float holds them
    assert facts.highest([]) == facts.lowest([]) == ()


def test_sum_difference_and_comparison():
    one, other, third = facts.values(bar_chart(40, 25, 25))
    assert facts.total([one, other, third]) == 90
    assert facts.difference(one, other) == 15 and facts.difference(other, one) == -15
    assert [facts.compare(*pair) for pair in ((one, other), (other, one), (other, third))] == [
        "higher",
        "lower",
        "equal",
    ]


def test_values_are_told_by_series():
    chart = line_chart(North=(1, 2), South=(30, None))
    assert names(facts.values(chart)) == ["A (North)", "B (North)", "A (South)"]
    assert [one.value for one in facts.values(chart, series=1)] == [30]


def test_of_two_bars_for_one_category_the_surer_counts():
    chart = bar_chart(10, 20, unsure=(0,))
    twice = chart.model_copy(
        update={"marks": (*chart.marks, chart.marks[0].model_copy(update={"value": 11.0, "confidence": 0.8}))}
    )
    assert [one.value for one in facts.values(twice)] == [11, 20]
    assert [one.is_sure for one in facts.values(chart)] == [False, True]


def test_a_bar_chart_in_words():
    chart = bar_chart(3, 7, 5.5, title=label("Fruit"), value_axis=axis(unit="kg"))
    assert facts.describe_chart(chart) == [
        'bar chart "Fruit": 3 categories',
        "highest: B, 7 kg",
        "lowest: A, 3 kg",
        "from high to low: B 7 kg, C 5.5 kg, A 3 kg",
        "sum: 15.5 kg",
    ]


def test_a_chart_of_several_series_in_words():
    assert facts.describe_chart(line_chart(North=(1, 2), South=(2, None))) == [
        "line chart: 2 categories; 2 series: North and South",
        "highest: B (North) and A (South), 2",
        "lowest: A (North), 1",
        "sum of North: 3",
    ]


def test_a_pie_whose_slices_do_not_make_a_whole_says_so():
    assert not any("instead of 100" in fact for fact in facts.describe_chart(pie_chart(50, 30, 20.4)))
    assert "the slices make up 80 % instead of 100 %: some are misread or missing" in facts.describe_chart(
        pie_chart(50, 30)
    )


def test_a_scatter_plot_in_words():
    assert facts.describe_chart(scatter_plot((1, 5), (3, 2))) == [
        "scatter plot: 2 points",
        "height: from 1 to 3",
        "weight: from 2 to 5",
    ]


@pytest.mark.parametrize("chart", [bar_chart(4), pie_chart(100), scatter_plot((1, 1)), line_chart(North=(1,))])
def test_one_value_is_neither_highest_nor_lowest(chart):
    assert not any(word in fact for fact in facts.describe_chart(chart) for word in ("highest", "sum", "from"))
