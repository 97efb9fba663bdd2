"""Which way a question goes: Start -> Ready? -> (yes) Send, (no) Repair -> Ready?; Send -> Done."""

import pytest

from vlm.hints import question_facts
from vlm.structure import Colour, Edge, Graph, Label, Node

NAMES = ("Start", "Ready?", "Send", "Repair", "Done")
COLOURS = {"red": (200, 0, 0), "white": (255, 255, 255)}


def label(text: str, x: float = 0, y: float = 0) -> Label:
    return Label(text=text, box=(x, y, x + 40, y + 10))


def flowchart(directed: bool = True) -> Graph:
    nodes = tuple(
        Node(
            lines=(label(name, 100 * (i % 2), 100 * i),), shape="rectangle",
            box=(100 * (i % 2), 100 * i, 100 * (i % 2) + 60, 100 * i + 30),
            colour=Colour(name="red" if name == "Send" else "white", rgb=COLOURS["red" if name == "Send" else "white"]),
        )
        for i, name in enumerate(NAMES)
    )  # fmt: skip
    arrows = (("Start", "Ready?", None), ("Ready?", "Send", "yes"), ("Ready?", "Repair", "no"),
              ("Repair", "Ready?", None), ("Send", "Done", None))  # fmt: skip
    edges = tuple(
        Edge(
            source=NAMES.index(one), target=NAMES.index(other), route=((0, 0), (9, 9)), directed=directed,
            label=label(said) if said else None,
        )
        for one, other, said in arrows
    )  # fmt: skip
    return Graph(width=400, height=600, title=label("Shipping"), nodes=nodes, edges=edges)


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ('What comes before "Done"?', '"Send" leads to "Done"'),
        ('Which steps lead directly to "Ready?"?', '"Start" and "Repair" lead to "Ready?"'),
        ("From which steps do arrows lead to Ready?", '"Start" and "Repair" lead to "Ready?"'),
        ('Which step does "Send" follow?', '"Ready?" leads to "Send"'),
        ('What precedes "Start"?', 'nothing leads to "Start"'),
        ('What comes right after "Send"?', '"Send" leads to "Done"'),
        ('Where do the arrows from "Ready?" lead?', '"Ready?" leads to "Send" (yes) and "Repair" (no)'),
        ("Which box does Repair point to?", '"Repair" leads to "Ready?"'),
        ("What follows Done?", '"Done" leads nowhere'),
        ('What happens after "no" at "Ready?"?', 'after "no" at "Ready?" comes "Repair"'),
        ('With which answer does "Ready?" lead to "Send"?', 'after "yes" at "Ready?" comes "Send"'),
        ('Is there an arrow from "Send" to "Done"?', 'an arrow leads from "Send" to "Done"'),
        ('Does "Done" come right after "Send"?', 'an arrow leads from "Send" to "Done"'),
        ('Is there an arrow from "Done" to "Send"?', 'no arrow leads from "Done" to "Send"'),
        ('Can "Done" be reached from "Start"?', 'a path leads from "Start" to "Done"'),
        ('Starting at "Done", can you reach "Start"?', 'no path leads from "Done" to "Start"'),
        ('How many steps are between "Start" and "Done"?', '3 steps from "Start" to "Done" via "Ready?" and "Send"'),
        ("Where does the flow start?", 'the first box is "Start"'),
        ("What is the last step?", 'the last box is "Done"'),
        ("Which box has no arrow leading away from it?", 'the last box is "Done"'),
        ("How many arrows are there?", "5 arrows"), ("How many boxes are there?", "5 boxes"),
        ("How many decisions are there?", "1 decision"),
        ("Which box is red?", 'the red box is "Send"'), ("What colour is Send?", '"Send" is a red rectangle'),
        ('Is "Send" above "Done"?', '"Send" is above "Done"'),
        ("What is the title?", 'the title is "Shipping"'),
        ('What follows "Pay"?', 'there is no "Pay"'),
        ("What do you see?", 'boxes: "Start", "Ready?", "Send", "Repair" and "Done"'),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_said_in_the_direction_of_the_question(question, fact):
    assert question_facts([flowchart()], f"{question} Answer briefly.", len) == f"({fact})\n"


def test_a_question_that_goes_neither_way_is_told_both():
    said = question_facts([flowchart()], "How is Send connected?", len)
    assert said == '("Send" leads to "Done"; "Ready?" leads to "Send")\n'


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("What is Send connected to?", '"Send" is connected to "Done" and "Ready?" (yes)'),
        ("Are Send and Done joined by a line?", 'a line joins "Send" and "Done"'),
        ('What stands at the line between "Ready?" and "Send"?',
         'a line joins "Ready?" and "Send"; at the line stands "yes"'),
        ("Is Start linked to Done?", 'no line joins "Start" and "Done"'),
    ],
)  # fmt: skip
def test_lines_without_heads_lead_both_ways(question, fact):
    assert question_facts([flowchart(directed=False)], question, len) == f"({fact})\n"
