"""What a question about a chart turns on, on bars (Mon 40, Tue 25, Wed 60) and on two lines (North, South)."""

import pytest

from tests.readings import axis, bar_chart, label, line_chart, pie_chart
from vlm.hints import question_facts

DAYS = ("Mon", "Tue", "Wed")
BARS = bar_chart(40, 25, 60, names=DAYS, title=label("Visits"), value_axis=axis("People"))
LINES = line_chart(North=(10, 20, 30), South=(25, 5, 15))


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("How much is Tue?", "Tue is 25"),
        ("How many people came on Tue?", "Tue is 25"),
        ("Is Mon higher than Wed?", "Mon is 40; Wed is 60; Mon is lower than Wed by 20"),
        ("What are Mon and Tue together?", "Mon is 40; Tue is 25; Mon is higher than Tue by 15; together 65"),
        ("Is Wed above 50?", "Wed is 60; Wed is above 50"),
        ("Which day is closest to 30?", "closest to 30 is Tue"),
        ("Which day comes right after Mon?", "Tue comes right after Mon"),
        ("What is before Wed?", "Tue comes right before Wed"),
        ("Is Mon to the left of Wed?", "Mon is left of Wed"),
        ("Which day has the most?", "the highest is Wed with 60"),
        ("How many bars are there?", "3 bars"),
        ("How many bars are above 30?", "2 above, 1 below; 3 bars"),
        ("What kind of chart is this?", "it is a bar chart"),
        ("What does the y-axis say?", 'the y axis says "People"'),
        ("What is the label of the x-axis?", "the x axis has no label"),
        ("What is the title?", 'the title is "Visits"'),
        ("What colour is Tue?", "Tue is red"),
        ("Is Tue blue?", "Tue is red"),
        ("Which day is red?", "Mon, Tue and Wed are red"),
        ("How much is Thursday 12?", 'there is no "Thursday 12"'),
    ],
)  # fmt: skip
def test_of_one_series(question, fact):
    assert question_facts([BARS], f"{question} Answer briefly.", len) == f"({fact})\n"


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("What is North for B?", "North for B is 20"),
        ("North for A or South for C: which is higher?",
         "North for A is 10; South for C is 15; South for C is higher than North for A by 5"),
        ("Does South rise from A to B?", "South for A is 25; South for B is 5; South goes down from A to B"),
        ("Which series is highest for B?", "highest for B: North 20"),
        ("Which category has the lowest value in South?", "lowest for South: B 5"),
        ("What category is nearest to 12 in South?", "closest to 12 is C"),
        ("Is South for B below 10?", "South for B is 5; South for B is below 10"),
        ("What of South?", "South from high to low: A 25, C 15, B 5; sum 45"),
        ("How many lines are there?", "2 lines"),
        ("How many series does it have?", "2 series"),
    ],
)  # fmt: skip
def test_of_several_series(question, fact):
    said = question_facts([LINES], f"{question} Answer briefly.", lambda text: len(text) // 3)
    assert said == f"({fact})\n"


def test_above_speaks_of_places_only_where_categories_stand_above_each_other():
    assert question_facts([BARS], "Is Mon above Wed?", len).startswith("(Mon is 40")
    across = bar_chart(40, 25, names=DAYS, horizontal=True)
    assert question_facts([across], "Is Mon above Tue?", len) == "(Mon is above Tue)\n"


def test_slices_are_told_in_per_cent():
    assert question_facts([pie_chart(75, 25)], "How large is B?", len) == "(B is 25%)\n"


def test_a_description_is_told_what_are_categories_and_what_are_series():
    def told(chart):
        return question_facts([chart], "Describe the chart.", len)

    assert "2 series: North and South" in told(line_chart(North=(1, 2), South=(3, 4)))
    assert told(bar_chart(3, 7, 5)) == "(values for A, B and C; B is the highest with 7)\n"
    assert told(pie_chart(60, 40)) == ""  # its block says all
