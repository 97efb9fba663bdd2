import pytest

from tests.readings import bar_chart, graph, label, notice, parts, reading, scene, table, thing
from vlm.structure import facts

STRUCTURES = [bar_chart(3, 7), graph("A-B"), table("A|B", "1|2"), notice((("body", "Hi"),)), parts(), scene()]


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda one: type(one).__name__)
def test_every_structure_is_described(structure):
    lines = facts.describe(reading(structure))
    assert lines and all(line.strip() and "\n" not in line for line in lines)


def test_where_there_is_no_structure_nothing_else_is_said():
    assert facts.describe(reading(None)) == [facts.NOTHING]


def test_a_kind_of_picture_that_is_known_is_named_though_nothing_could_be_read():
    (line,) = facts.describe(reading(None).model_copy(update={"family": "charts"}))
    assert line.startswith("a chart, but nothing in it can be read")


def test_what_is_uncertain_is_counted_last():
    assert facts.describe(reading(bar_chart(3, 7, 5, unsure=(0, 2))))[-1] == "2 elements of it are uncertain"
    assert facts.describe(reading(graph("A-B", unsure="A")))[-1] == "1 element of it is uncertain"
    assert not any("uncertain" in line for line in facts.describe(reading(bar_chart(3, 7))))


def test_a_word_in_two_places_is_one_element():
    word = label("A", confidence=0.1)
    chart = bar_chart(3, 7, title=word, category_title=word)
    assert sum(not one.is_sure for one in facts.elements(chart)) == 1


def test_elements_are_found_at_any_depth():
    assert sum(one.confidence == 0.25 for one in facts.elements(scene(thing("red disc", 50, 50, confidence=0.25)))) == 1
