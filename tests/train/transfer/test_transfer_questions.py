"""Every answer is worked out again here from the truth, from the words of the question alone."""

import re
from random import Random

import pytest

from train.transfer import charts_questions, graphs_questions
from train.transfer.balance import Balance
from train.transfer.graph_skeletons import SKELETONS
from train.transfer.truth import ChartTruth

TABLE = ChartTruth(
    kind="bar", horizontal=False, stacked=False, hole=False, title="Fruit", category_title="Kind",
    value_title="Crates", x_title=None, categories=("Plums", "Pears", "Figs", "Limes"), series=("May", "June"),
    values=((3.0, 8.0, 5.5, 1.0), (9.0, 2.0, 4.5, 7.0)), points=(), value_range=(0.0, 10.0), x_range=None, decimals=1,
)  # fmt: skip
VALUES = {f"{series} for {name}".lower(): value for series, row in zip(TABLE.series, TABLE.values, strict=True)
          for name, value in zip(TABLE.categories, row, strict=True)}  # fmt: skip
GROUPS = TABLE.model_copy(
    update={
        "kind": "scatter", "categories": (), "values": (), "decimals": None, "x_range": (0.0, 10.0),
        "points": (((1.0, 1.0), (5.0, 9.0)), ((9.0, 4.0), (4.0, 3.0))),
    }
)  # fmt: skip


def asked(truth, ask, count=150):
    balance = Balance()
    return [question for seed in range(count) for question in ask(truth, balance, Random(seed))]


def named(text: str) -> list[tuple[str, float]]:
    """The marks that a question names, in order."""
    return sorted(((name, value) for name, value in VALUES.items() if name in text.lower()),
                  key=lambda pair: text.lower().index(pair[0]))  # fmt: skip


def test_the_values_of_a_chart_are_computed_right():
    seen = set()
    for question in asked(TABLE, charts_questions.ask):
        marks = named(question.text)
        if question.type == "value":
            assert question.answer == f"{marks[0][1]:.1f}"
        elif question.type in ("sum", "difference"):
            (_, a), (_, b) = marks
            assert question.answer == f"{a + b if question.type == 'sum' else abs(a - b):.1f}"
        elif question.type in ("compare_two", "is_more"):
            (one, a), (other, b) = marks
            more = re.search("larger|higher|smaller|lower", question.text)[0] in ("larger", "higher")
            best = one if (a > b) == more else other
            expected = best if question.type == "compare_two" else "yes" if best == one else "no"
            assert question.answer == expected
        elif question.type in ("largest", "smallest"):
            row = TABLE.values["June" in question.text]
            extreme = (max if question.type == "largest" else min)(row)
            assert question.answer == TABLE.categories[row.index(extreme)].lower()
        elif question.type == "threshold":
            level = float(re.search(r"([\d.]+)\W*$", question.text)[1].rstrip("."))
            assert question.answer == ("yes" if (marks[0][1] > level) == ("above" in question.text) else "no")
        seen.add(question.type)
    assert seen >= {"title", "axis_label", "value", "sum", "difference", "largest", "smallest", "compare_two",
                    "is_more", "threshold", "count", "kind"}  # fmt: skip


def test_values_that_are_not_written_are_not_asked_for():
    types = {question.type for question in asked(TABLE.model_copy(update={"decimals": None}), charts_questions.ask)}
    assert not types & {"value", "sum", "difference"}
    assert "largest" in types


def test_values_that_look_the_same_are_not_compared():
    flat = TABLE.model_copy(update={"decimals": None, "values": ((5.0, 5.1, 5.2, 5.1),) * 2})
    types = {question.type for question in asked(flat, charts_questions.ask)}
    assert not types & {"compare_two", "is_more", "largest", "smallest"}


def test_the_outermost_points_are_found():
    expected = {"leftmost": "may", "rightmost": "june", "lowest": "may", "highest": "may"}
    found = {re.search("|".join(expected), q.text)[0]: q.answer for q in asked(GROUPS, charts_questions.ask)
             if q.type == "outermost"}  # fmt: skip
    assert found == expected
    beside = {("right" in q.text, q.answer) for q in asked(GROUPS, charts_questions.ask) if q.type == "is_beside"}
    assert beside == {(True, "yes"), (False, "no")}


def walks(links: set[tuple[str, str]], one: str, other: str) -> bool:
    """By squaring the relation until it stays the same, which the code under test does not."""
    while True:
        more = links | {(a, d) for a, b in links for c, d in links if b == c}
        if more == links:
            return (one, other) in links
        links = more


@pytest.mark.parametrize("kind", SKELETONS)
def test_the_questions_of_a_graph_are_answered_right(kind):
    seen = set()
    for seed in range(40):
        truth = SKELETONS[kind](Random(seed)).truth
        names = [name.lower() for name in truth.nodes]
        links = {(names[a], names[b]) for a, b in truth.edges}
        links |= set() if truth.directed else {link[::-1] for link in links}
        for question in graphs_questions.ask(truth, Balance(), Random(seed)):
            quoted = [text.lower() for text in re.findall('"([^"]+)"', question.text)]
            if question.type == "edge":
                backwards = re.search("^is .* directly after|^does .* come right after", question.text, re.IGNORECASE)
                link = tuple(quoted[::-1] if backwards else quoted)
                assert question.answer == ("yes" if link in links else "no")
            elif question.type == "path":
                backwards = re.search("can .* be reached from|^is .* reachable from", question.text, re.IGNORECASE)
                one, other = quoted[::-1] if backwards else quoted
                assert question.answer == ("yes" if walks(links, one, other) else "no")
            elif question.type == "follows":
                assert [b for a, b in links if a == quoted[0]] == [question.answer]
            elif question.type == "precedes":
                assert [a for a, b in links if b == quoted[0]] == [question.answer]
            elif question.type == "first":
                assert {a for a, _ in links} | set(names) - {b for _, b in links} >= {question.answer}
                assert question.answer not in {b for _, b in links}
            elif question.type == "last":
                assert question.answer not in {a for a, _ in links}
            elif question.type.startswith("count"):
                assert question.answer == str(len(names if question.type == "count_boxes" else truth.edges))
            elif question.type == "neighbours":
                assert set(re.split(", | and ", question.answer)) == {b for a, b in links if a == quoted[0]}
            elif question.type == "branch":
                named = set(names) & set(quoted)
                label = next(word for word in ("yes", "no", "true", "false") if f'"{word}"' in question.text.lower())
                found = [names[b] for (a, b), text in zip(truth.edges, truth.edge_labels, strict=True)
                         if names[a] in named and text and text.lower() == label]  # fmt: skip
                assert found == [question.answer]
            seen.add(question.type)
    assert {"edge", "count_boxes", "count_lines"} <= seen


def test_yes_and_no_are_equally_often():
    balance = Balance()
    for seed in range(60):
        charts_questions.ask(TABLE, balance, Random(seed))
        graphs_questions.ask(SKELETONS["network"](Random(seed)).truth, balance, Random(seed))
    for type in {type for type, _ in balance.answered}:
        assert abs(balance.answered[type, True] - balance.answered[type, False]) <= 1
