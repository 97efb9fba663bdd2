"""Flowcharts, trees and networks: what is drawn where, and answers looked up again in a set of pairs of labels."""

import re
from collections import Counter, defaultdict
from itertools import combinations, pairwise, permutations
from math import hypot
from random import Random

import pytest
from PIL import ImageChops, ImageDraw

from train.data_engine.colours import distance
from train.data_engine.graphs import Graphs
from train.data_engine.graphs_facts import Facts
from train.data_engine.graphs_geometry import inside
from train.data_engine.graphs_picture import ink_on
from train.data_engine.graphs_questions import MAKERS
from train.data_engine.graphs_style import HELD_OUT_DIRECTIONS, HELD_OUT_HEADS
from train.data_engine.graphs_words import ENDS, STARTS
from train.data_engine.lettering import HELD_OUT_FONTS, apart
from train.data_engine.tables_layout import HELD_OUT_PALETTES, LARGEST, SMALLEST
from vlm.structure import Colour, Edge, Graph, Label, Node

FAMILY = Graphs()
YES_NO = ("edge", "edge_not", "path", "position", "exists")


@pytest.fixture(scope="module")
def graphs():
    return [FAMILY.sample(Random(f"graph {i}"), "train") for i in range(450)]


@pytest.fixture(scope="module")
def asked(graphs):
    """(graph, question) for all that can be asked, several times over."""
    found = []
    for i, graph in enumerate(graphs):
        for turn in range(2):
            rng = Random(f"{i} {turn}")
            facts = Facts(graph, rng)
            found += [(graph, question) for make in MAKERS for question in make(facts, rng)]
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


def dotted(route, gap):
    """Points along a route, no further apart than that."""
    for (x, y), (u, v) in pairwise(route):
        steps = int(hypot(u - x, v - y) / gap) + 1
        yield from ((x + (u - x) * i / steps, y + (v - y) * i / steps) for i in range(steps + 1))


def test_a_truth_comes_back_from_its_json(graphs):
    for graph in graphs[:30]:
        assert type(graph).model_validate_json(graph.model_dump_json()) == graph


def test_everything_is_inside_and_texts_and_boxes_are_apart(graphs):
    for graph in graphs:
        assert SMALLEST[0] <= graph.width <= LARGEST[0] and SMALLEST[1] <= graph.height <= LARGEST[1]
        assert apart(label.box for label in graph.labels)
        assert apart([node.box for node in graph.nodes] + [edge.label.box for edge in graph.edges if edge.label], 2)
        for left, top, right, bottom in [label.box for label in graph.labels] + [node.box for node in graph.nodes]:
            assert 0 <= left < right <= graph.width and 0 <= top < bottom <= graph.height
        for x, y in [point for edge in graph.edges for point in edge.route]:
            assert 0 <= x <= graph.width and 0 <= y <= graph.height


def test_texts_stand_within_the_outlines_of_their_boxes_on_at_most_three_lines(graphs):
    for node in [node for graph in graphs for node in graph.nodes]:
        assert len(node.lines) <= 3
        for left, top, right, bottom in [line.box for line in node.lines]:
            for corner in ((left, top), (right, top), (right, bottom), (left, bottom)):
                middle = tuple(0.93 * a + 0.07 * b for a, b in zip(corner, node.centre, strict=True))
                assert inside(node.shape, node.box, middle), node


def test_lines_run_from_outline_to_outline_and_through_no_other_box(graphs):
    for graph in graphs:
        for edge in graph.edges:
            for box, end in ((edge.source, edge.route[0]), (edge.target, edge.route[-1])):
                left, top, right, bottom = graph.nodes[box].box
                grown = (left - 1.5, top - 1.5, right + 1.5, bottom + 1.5)
                shrunk = (left + 1.5, top + 1.5, right - 1.5, bottom - 1.5)
                assert inside(graph.nodes[box].shape, grown, end) and not inside(graph.nodes[box].shape, shrunk, end)
            for node in graph.nodes:
                left, top, right, bottom = node.box
                shrunk = (left + 2, top + 2, right - 2, bottom - 2)
                assert not any(inside(node.shape, shrunk, point) for point in dotted(edge.route, 3)), (edge, node)


def test_lines_are_apart_where_they_begin_and_end(graphs):
    """But for those that a parent sends to its children together."""
    for graph in graphs:
        for edge, other in permutations(graph.edges, 2):
            if graph.kind in ("tree", "layers") and edge.source == other.source:
                continue
            for x, y in (edge.route[0], edge.route[-1]):
                assert min(hypot(u - x, v - y) for u, v in dotted(other.route, 2)) > 4, (edge, other)


def test_no_line_runs_under_what_is_written_at_another(graphs):
    for graph in graphs:
        for edge, other in [(e, o) for e in graph.edges for o in graph.edges if e.label and o is not e]:
            left, top, right, bottom = edge.label.box
            assert not any(left < x < right and top < y < bottom for x, y in dotted(other.route, 2)), (edge, other)


def test_every_number_of_boxes_is_as_likely(graphs):
    counts = Counter(len(graph.nodes) for graph in graphs)
    assert set(counts) == set(range(4, 11)) and max(counts.values()) < 1.2 / 7 * len(graphs) + len(graphs) ** 0.5
    for graph in graphs:
        assert len({node.text for node in graph.nodes}) == len(graph.nodes)
        assert len({(edge.source, edge.target) for edge in graph.edges}) == len(graph.edges)


def test_decisions_and_nothing_else_are_diamonds_with_two_answers(graphs):
    for graph in graphs:
        for i, node in enumerate(graph.nodes):
            answers = [edge.label.text for edge in graph.edges if edge.source == i and edge.label]
            assert (node.shape == "diamond") == node.text.endswith("?")
            assert node.shape != "diamond" or len(set(answers)) == 2
    assert {graph.kind for graph in graphs} == {"flow", "layers", "tree", "cycle", "ring", "grid"}


def test_training_never_shows_what_is_held_out_and_testing_shows_all_of_it(graphs):
    trained = [graph.style for graph in graphs]
    tested = [FAMILY.sample(Random(f"test {i}"), "test").style for i in range(80)]
    for held_out, name in ((HELD_OUT_FONTS, "font"), (HELD_OUT_PALETTES, "palette"), (HELD_OUT_HEADS, "head"),
                           (HELD_OUT_FONTS, "title_font")):  # fmt: skip
        assert held_out.isdisjoint(getattr(style, name) for style in trained)
        assert held_out <= {getattr(style, name) for style in tested} or name == "title_font"
    flowing = [graph.style.direction for graph in graphs if graph.kind != "cycle"]
    assert HELD_OUT_DIRECTIONS.isdisjoint(flowing)
    assert {style.direction for style in tested} >= HELD_OUT_DIRECTIONS


def test_pixels_show_boxes_ink_and_arrows_where_the_truth_has_them(graphs):
    unspoiled = Random(1)
    unspoiled.random = lambda: 0.99  # spoils nothing
    for graph in graphs[:60]:
        picture = FAMILY.render(graph, unspoiled)
        assert picture.size == (graph.width, graph.height)
        for node in graph.nodes:
            line = node.lines[0].box
            x, y = round(node.centre[0]), round((node.box[1] + line[1]) / 2)
            if line[1] - node.box[1] > 10:
                assert picture.getpixel((x, y)) == node.colour.rgb
            colours = {colour for _, colour in picture.crop(line).getcolors(100000)}
            ink = ink_on(node.colour.rgb, graph.style.ink)
            assert min(distance(colour, ink) for colour in colours) < 200 and distance(ink, node.colour.rgb) > 200
        for edge in graph.edges:
            if edge.directed and graph.style.head in ("filled", "slim"):
                (x, y), (u, v) = edge.route[-1], edge.route[-2]
                part = 4 / max(hypot(u - x, v - y), 4)
                at = int(x + (u - x) * part), int(y + (v - y) * part)
                near = {picture.getpixel((at[0] + i, at[1] + j)) for i in (-1, 0, 1) for j in (-1, 0, 1)}
                assert any(distance(p, graph.style.line) < distance(p, graph.style.page) for p in near), edge


def test_what_is_drawn_lies_where_the_truth_says(graphs):
    """Painted over with the page at every place of the truth, nothing of the picture is left."""
    unspoiled = Random(1)
    unspoiled.random = lambda: 0.99
    for graph in graphs[:20]:
        picture, page = FAMILY.render(graph, unspoiled), graph.style.page
        draw = ImageDraw.Draw(picture)
        for left, top, right, bottom in [label.box for label in graph.labels] + [node.box for node in graph.nodes]:
            draw.rectangle((left - 2, top - 2, right + 2, bottom + 2), page)
        for edge in graph.edges:
            draw.line(edge.route, page, 12, joint="curve")
        blank = picture.copy()
        blank.paste(page, (0, 0, *picture.size))
        assert ImageChops.difference(picture, blank).getbbox() is None


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


def drawn(*links: tuple[int, int], directed: bool = True) -> Graph:
    """Boxes in a row, named by letters."""

    def node(i):
        box = (10.0 + 40 * i, 10.0, 30.0 + 40 * i, 30.0)
        return Node(
            lines=(Label(text="ABCDE"[i], box=box),), shape="oval", box=box, colour=Colour(name=None, rgb=(1, 2, 3))
        )

    edges = [Edge(source=i, target=j, route=((0, 0), (9, 9)), label=None, directed=directed) for i, j in links]
    return Graph(width=240, height=40, title=None, nodes=[node(i) for i in range(5)], edges=edges)


def test_steps_and_paths_of_a_known_graph():
    graph = drawn((0, 1), (1, 2), (2, 1), (3, 1))
    assert [graph.following(i) for i in range(5)] == [(1,), (2,), (1,), (1,), ()]
    assert [graph.preceding(i) for i in range(5)] == [(), (0, 2, 3), (1,), (), ()]
    assert [graph.reachable(i) for i in range(5)] == [{1, 2}, {1, 2}, {1, 2}, {1, 2}, set()]


def test_lines_without_heads_lead_both_ways():
    graph = drawn((0, 1), (1, 2), directed=False)
    assert graph.following(1) == graph.preceding(1) == (0, 2)
    assert graph.reachable(0) == {0, 1, 2}


def test_an_edge_to_nowhere_is_refused():
    with pytest.raises(ValueError, match="from node 0 to node 5, but there are 5 nodes"):
        drawn((0, 5))


def test_a_label_joins_its_lines():
    lines = (Label(text="Pack", box=(5, 0, 20, 9)), Label(text="parcel", box=(2, 12, 23, 20)))
    node = Node(lines=lines, shape="oval", box=(0, 0, 25, 21), colour=Colour(name=None, rgb=(0, 0, 0)))
    assert node.label == Label(text="Pack parcel", box=(2, 0, 23, 20)) and node.text == "Pack parcel"


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


@pytest.mark.parametrize(
    ("type", "number"), [("count_boxes", 7), ("count_lines", 8), ("count_decisions", 3), ("shape", 6), ("color", 12)]
)
def test_no_open_answer_is_much_more_frequent_than_the_others(asked, type, number):
    answers = Counter(question.answer for _, question in of_type(asked, type))
    error = (number * answers.total() / 2) ** -0.5  # a picture is asked twice here
    assert len(answers) == number
    assert max(answers.values()) / answers.total() < 1.2 / number + 2 * error, answers


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
