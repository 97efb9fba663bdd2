import csv
import io
import json

import pytest

from tests.readings import (
    bar_chart,
    graph,
    label,
    line_chart,
    notice,
    parts,
    pie_chart,
    reading,
    scatter_plot,
    scene,
    table,
    thing,
)
from vlm.structure import Graph, Reading, export

EVERY = {
    "bar": bar_chart(3, 7), "line": line_chart(North=(1, 2), South=(3, None)), "pie": pie_chart(60, 40),
    "scatter": scatter_plot((1, 2)), "graph": graph("A-B:yes", lone="C"), "table": table("A|B", "1|"),
    "notice": notice((("item", "Tea"), ("price", "$3"))), "parts": parts(), "scene": scene(thing("red disc", 20, 30)),
}  # fmt: skip
EXPECTED = {
    "bar": [["category", "value"], ["A", "3"], ["B", "7"]],
    "line": [["category", "North", "South"], ["A", "1", "3"], ["B", "2", ""]],
    "pie": [["category", "value"], ["A", "60"], ["B", "40"]],
    "scatter": [["height", "weight"], ["1", "2"]],
    "graph": [["from", "to", "label", "arrow"], ["A", "B", "yes", "yes"], ["C", "", "", ""]],
    "table": [["A", "B"], ["1", ""]],
    "notice": [["row", "role", "text"], ["1", "item", "Tea"], ["1", "price", "$3"]],
    "parts": [
        ["label", "points to", "colour", "meaning"], ["A", "roof", "red", ""], ["B", "wall", "white", "front wall"],
    ],
    "scene": [
        ["kind", "colour", "size", "left", "top", "right", "bottom"], ["disc", "red", "small", "15", "25", "25", "35"],
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_every_structure_is_rows_and_csv_says_the_same(name):
    header, rows = export.to_rows(EVERY[name])
    assert [header, *rows] == EXPECTED[name]
    assert list(csv.reader(io.StringIO(export.to_csv(EVERY[name]), newline=""))) == EXPECTED[name]


def test_csv_is_that_of_rfc_4180():
    written = export.to_csv(table('a,b|say "hi"', "x|1\n2"))
    assert written == '"a,b","say ""hi"""\r\nx,1 2\r\n'


def test_what_is_unsure_is_marked_for_people_and_not_in_csv():
    chart = bar_chart(3, 7, unsure=(1,))
    assert export.to_csv(chart) == "category,value\r\nA,3\r\nB,7\r\n"
    assert "B            7?\n" in export.to_text(chart)
    assert "| B | 7? |" in export.to_markdown(chart)


@pytest.mark.parametrize(
    "structure",
    [graph("A-B", unsure="A"), table("H", "A", unsure=("A",)), parts().model_copy(update={
        "call_outs": (parts().call_outs[0].model_copy(update={"label": label("A", confidence=0.1)}),)
    })],
)  # fmt: skip
def test_an_unsure_word_is_marked_wherever_it_stands(structure):
    assert export.to_rows(structure, "?").rows[0][0] == "A?"


def test_text_is_aligned_with_numbers_to_the_right_and_wide_letters_counted():
    assert export.to_text(table("Name|Price", "茶|$3", "Milk|$1,200")) == (
        "Name   Price\n----  ------\n茶        $3\nMilk  $1,200\n"
    )


def test_a_table_without_rows_has_its_headings():
    assert export.to_text(table("A|Bc")) == "A  Bc\n-  --\n"
    assert export.to_markdown(table("A|Bc")) == "| A | Bc |\n| --- | --- |\n"


def test_markdown_obeys_nothing_that_was_read():
    assert export.to_markdown(table("a|b", "*x*|<b>")) == "| a | b |\n| --- | --- |\n| \\*x\\* | \\<b\\> |\n"
    assert export.escape_markdown("a|b") == "a\\|b"


def test_no_control_character_is_handed_on():
    rows = export.to_rows(table("a\x1b[31m", "x\x07\ty\u2028z")).rows
    assert rows == [["x y z"]]


def test_json_is_the_reading_itself():
    one = reading(EVERY["parts"])
    assert Reading.model_validate_json(export.to_json(one)) == one


def test_several_readings_are_one_list_with_the_names_of_the_pictures():
    values = json.loads(export.to_json_list([("a.png", reading(EVERY["graph"])), ("b.png", reading(None))]))
    assert [(one["picture"], one["family"]) for one in values] == [("a.png", "graphs"), ("b.png", "none")]
    assert Graph.model_validate(values[0]["structure"]) == EVERY["graph"]


@pytest.mark.parametrize("name", [name for name in EVERY if name != "graph"])
def test_what_cannot_be_mermaid_is_told_with_what_can(name):
    with pytest.raises(export.ExportError, match=r"only a node-link picture .* table, csv, json and markdown work"):
        export.graph_to_mermaid(EVERY[name])
