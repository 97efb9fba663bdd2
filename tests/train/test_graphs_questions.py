"""Questions about graphs: answers looked up again in a set of pairs of labels."""

import re
from collections import Counter, defaultdict
from itertools import combinations
from random import Random

import pytest

from tests.train.folding import folded
from tests.train.graph_samples import FAMILY, sample_graphs
from train.data_engine.graphs_facts import Facts
from train.data_engine.graphs_questions import MAKERS
from train.data_engine.graphs_words import ENDS, STARTS
from vlm.structure import Graph

YES_NO = ("edge", "edge_not", "path", "position", "exists")


@pytest.fixture(scope="module")
def graphs():
    return sample_graphs()


@pytest.fixture(scope="module")
def asked(graphs):
    """(graph, question) for all that can be asked, several times over."""
    found = []
    for i, graph in enumerate(graphs):
        for turn in range(2):
            rng = Random(f"{i} {turn}")
            facts = Facts(graph, rng)
            found += [(graph, folded(question)) for make in MAKERS for question in make(facts, rng)]
    return found


def of_type(asked, *types):
    found = [(graph, question) for graph, question in asked if question.type in types]
    assert len(found) > 60
    return found


def pairs(graph: Graph) -> set[tuple[str, str]]:
    """Labels of boxes of which the first leads to the second, in small letters."""
    texts = [node.text.lower() for node in graph.nodes]
    there = {(texts[edge.source], texts[edge.target]) for edge in graph.edges}
    return there | {(b, a) for a, b in there} if not graph.edges[0].directed else there


def quoted(question) -> list[str]:
    return re.findall(r'"(.*?)"', question.text.lower())


def boxes_in(graph: Graph, question) -> list[str]:
    """The labels that the question names, without answers at exits."""
    texts = [node.text.lower() for node in graph.nodes]
    return [text for text in quoted(question) if text in texts]


def following(graph: Graph, one: str) -> set[str]:
    return {b for a, b in pairs(graph) if a == one}


def reached(graph: Graph, one: str) -> set[str]:
    found = following(graph, one)
    for _ in graph.nodes:
        found = found | {b for a, b in pairs(graph) if a in found}
    return found


def test_steps_before_and_after_are_right(asked):
    for graph, question in of_type(asked, "follows"):
        assert following(graph, *boxes_in(graph, question)) == {question.answer}
    for graph, question in of_type(asked, "precedes"):
        (it,) = boxes_in(graph, question)
        assert {a for a, b in pairs(graph) if b == it} == {question.answer}


def test_lists_of_neighbours_are_complete(asked):
    for graph, question in of_type(asked, "leads_to", "led_to", "neighbours"):
        (it,) = boxes_in(graph, question)
        found = {a for a, b in pairs(graph) if b == it} if question.type == "leads_to" else following(graph, it)
        answered = re.split(r", | and (?=[^,]*$)", question.answer)
        if len(found) == 1 or not any(" and " in text for text in found):  # "swap a and b" cannot be split
            assert set(answered if len(found) > 1 else [question.answer]) == found, question
        assert all(f'"{text}"' in question.sentence.lower() for text in found)


def test_arrows_and_paths_are_there_or_not(asked):
    for graph, question in of_type(asked, "edge", "edge_not", "path"):
        one, other = boxes_in(graph, question)
        if question.text.lower().startswith(("is", "does", "starting", "can", "are", "in the", "following")):
            backwards = "come right after" in question.text or "directly after" in question.text
            backwards |= "reached from" in question.text or "reachable from" in question.text
            one, other = (other, one) if backwards else (one, other)
        there = other in (reached(graph, one) if question.type == "path" else following(graph, one))
        assert question.answer == ("yes" if there != (question.type == "edge_not") else "no"), question


def test_answers_at_exits_and_texts_at_lines_are_right(asked):
    for graph, question in of_type(asked, "branch", "exit", "line_text"):
        texts = [node.text.lower() for node in graph.nodes]
        if question.type == "branch":
            (answer,) = set(quoted(question)) - set(texts)
            ends = {(texts[e.source], e.label.text.lower()): texts[e.target] for e in graph.edges if e.label}
            (it,) = boxes_in(graph, question)
            assert ends[it, answer] == question.answer
        else:
            it, other = boxes_in(graph, question)
            found = [e.label.text.lower() for e in graph.edges if (texts[e.source], texts[e.target]) == (it, other)]
            assert found == [question.answer]


def test_counts_are_right(asked):
    for graph, question in of_type(asked, "count_boxes", "count_lines", "count_decisions"):
        decisions = sum(node.shape == "diamond" for node in graph.nodes)
        counts = {"count_boxes": len(graph.nodes), "count_lines": len(graph.edges), "count_decisions": decisions}
        assert question.answer == str(counts[question.type])


def test_the_first_has_nothing_before_it_and_the_last_nothing_after(asked):
    for graph, question in of_type(asked, "first", "last"):
        side = question.type == "first"
        texts = {node.text.lower() for node in graph.nodes}
        assert texts - {pair[side] for pair in pairs(graph)} == {question.answer}


def test_looks_and_places_are_those_of_the_truth(asked):
    for graph, question in of_type(asked, "shape", "color", "by_color", "position_choice"):
        nodes = {node.text.lower(): node for node in graph.nodes}
        if question.type == "by_color":
            name = nodes[question.answer].colour.name
            assert name in question.text and sum(node.colour.name == name for node in graph.nodes) == 1
        elif question.type == "position_choice":
            (other,) = (nodes[it] for it in boxes_in(graph, question) if it != question.answer)
            one = nodes[question.answer]
            axis = "right" in question.text or "left" in question.text
            less = "left" in question.text or "higher" in question.text
            assert (one.centre[not axis] < other.centre[not axis]) == less, question
        else:
            node = nodes[boxes_in(graph, question)[0]]
            assert question.answer == (node.shape if question.type == "shape" else node.colour.name)


def test_positions_hold(asked):
    for graph, question in of_type(asked, "position"):
        nodes = {node.text.lower(): node.centre for node in graph.nodes}
        (x, y), (u, v) = (nodes[it] for it in boxes_in(graph, question))
        (word,) = re.findall(r"\b(left|right|above|below)\b", template(question))
        holds = {"left": x < u, "right": x > u, "above": y < v, "below": y > v}[word]
        assert question.answer == ("yes" if holds else "no"), question


def test_what_does_not_exist_is_not_there(asked):
    for graph, question in of_type(asked, "exists", "cannot_tell"):
        if question.type == "exists":
            assert question.answer == ("yes" if boxes_in(graph, question) else "no")
        else:
            assert ("there is no" in question.sentence) != bool(boxes_in(graph, question))


def test_no_answer_is_a_box_that_needs_no_looking(asked):
    for _, question in asked:
        if question.type not in ("describe", "title", "line_text"):
            assert question.answer not in {text.lower() for text in (*STARTS, *ENDS)}, question


def test_descriptions_name_title_boxes_and_arrows(asked):
    for graph, question in of_type(asked, "describe"):
        expected = [node.text for node in graph.nodes] + ([graph.title.text] if graph.title else [])
        assert sorted(question.elements) == sorted(expected)
        assert all(element in question.sentence for element in question.elements)


def template(question) -> str:
    """The question without the labels that it names."""
    return re.sub(r'".*?"', "X", question.text.lower()).rstrip("?.")


def test_yes_and_no_cannot_be_guessed(asked):
    for type in YES_NO:
        answers = Counter(question.answer for _, question in of_type(asked, type))
        assert max(answers.values()) / answers.total() < 0.55 + answers.total() ** -0.5, (type, answers)
    by_template: dict[str, Counter[str]] = defaultdict(Counter)
    for _, question in asked:
        if question.type in YES_NO:
            by_template[template(question)][question.answer] += 1
    guessed = sum(max(answers.values()) for answers in by_template.values() if answers.total() > 30)
    number = sum(answers.total() for answers in by_template.values() if answers.total() > 30)
    assert guessed / number < 0.6  # the larger half of each, which chance alone makes some 54 %


def test_a_label_gives_no_answer_away(asked):
    """Whether boxes with a question mark are said to lead somewhere as often as the others."""
    for type in ("edge", "path"):
        counts: dict[tuple[bool, ...], Counter[str]] = defaultdict(Counter)
        for graph, question in of_type(asked, type):
            counts[tuple(text.endswith("?") for text in boxes_in(graph, question))][question.answer] += 1
        for marks, answers in counts.items():
            assert max(answers.values()) / answers.total() < 0.55 + 1.5 * answers.total() ** -0.5, (
                type,
                marks,
                answers,
            )


def test_the_two_exits_are_as_likely(asked):
    answers = Counter(question.answer for _, question in of_type(asked, "exit"))
    for pair in (("yes", "no"), ("true", "false"), ("ok", "failed")):
        one, other = (answers[answer] for answer in pair)
        assert abs(one - other) < 4 * (one + other) ** 0.5


def test_the_way_straight_on_is_as_often_yes_as_no(graphs):
    drawn_first = Counter(
        next(edge.label.text.lower() for edge in graph.edges if edge.source == i)
        for graph in graphs
        for i, node in enumerate(graph.nodes)
        if node.shape == "diamond"
    )
    assert abs(drawn_first["yes"] - drawn_first["no"]) < 2.5 * (drawn_first["yes"] + drawn_first["no"]) ** 0.5


def test_labels_cannot_be_guessed(asked):
    for type in ("follows", "precedes", "branch", "first", "last", "leads_to", "led_to", "by_color"):
        answers = Counter(question.answer for _, question in of_type(asked, type))
        assert max(answers.values()) / answers.total() < 0.08, (type, answers.most_common(3))


def test_choices_cannot_be_guessed_from_the_order_of_mention(asked):
    questions = of_type(asked, "position_choice")
    first = sum(boxes_in(graph, question)[0] == question.answer for graph, question in questions)
    assert abs(first / len(questions) - 0.5) < 0.05 + len(questions) ** -0.5


def test_questions_are_filled_in_and_never_twice(graphs):
    for i, graph in enumerate(graphs):
        questions = FAMILY.ask(graph, Random(i))
        assert len({question.text for question in questions}) == len(questions) <= 12
        assert not any(re.search(r"[{}]", f"{question.text}{question.sentence}") for question in questions)


def test_labels_are_drawn_from_all_over_their_pools(graphs):
    """No two labels stand next to each other more often than others do."""
    counts = Counter(pair for graph in graphs if graph.topic == "letters" for pair in pairs(graph))
    assert counts.total() > 40 and max(counts.values()) / counts.total() < 0.1
    assert len({frozenset(pair) for pair in counts}) > 0.3 * len(list(combinations("ABCDEFGHIJKLMN", 2)))
