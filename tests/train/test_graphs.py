"""Flowcharts, trees and networks: what is drawn where."""

from collections import Counter
from itertools import pairwise, permutations
from math import hypot
from random import Random

import pytest
from PIL import ImageChops, ImageDraw

from tests.train.graph_samples import FAMILY, sample_graphs
from train.data_engine.colours import distance
from train.data_engine.graphs_geometry import inside
from train.data_engine.graphs_picture import ink_on
from train.data_engine.held_out import HELD_OUT
from train.data_engine.lettering import apart
from train.data_engine.tables_layout import LARGEST, SMALLEST
from vlm.structure import Colour, Edge, Graph, Label, Node


@pytest.fixture(scope="module")
def graphs():
    return sample_graphs()


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
    for held_out, name in ((HELD_OUT.fonts, "font"), (HELD_OUT.palettes, "palette"), (HELD_OUT.graph_heads, "head"),
                           (HELD_OUT.fonts, "title_font")):  # fmt: skip
        assert held_out.isdisjoint(getattr(style, name) for style in trained)
        assert held_out <= {getattr(style, name) for style in tested} or name == "title_font"
    flowing = [graph.style.direction for graph in graphs if graph.kind != "cycle"]
    assert HELD_OUT.graph_directions.isdisjoint(flowing)
    assert {style.direction for style in tested} >= HELD_OUT.graph_directions


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
