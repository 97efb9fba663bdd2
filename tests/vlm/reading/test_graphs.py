import torch

from vlm.reading.graphs import _route, _to_segment, _with_labels, is_directed, mean_box, overlap
from vlm.structure import Edge, Label


def edge(start, end):
    return Edge(source=0, target=1, route=(start, end), label=None, directed=True)


def label(text, x, y):
    return Label(text=text, box=(x - 10, y - 5, x + 10, y + 5))


def test_boxes_overlap_by_their_share():
    box = (0, 0, 10, 10)
    assert overlap(box, box) == 1 and overlap(box, (10, 0, 20, 10)) == 0 and overlap(box, (50, 50, 60, 60)) == 0
    assert overlap(box, (5, 0, 15, 10)) == overlap((5, 0, 15, 10), box) == 50 / 150
    assert mean_box([box, (2, 4, 12, 20)]) == (1, 2, 11, 15)


def test_lines_that_lead_both_ways_have_no_arrow_heads():
    chances = torch.tensor([[0.0, 0.9, 0.1], [0.1, 0.0, 0.8], [0.0, 0.1, 0.0]])
    assert is_directed(chances) and not is_directed((chances + chances.T).clamp(max=0.9))
    assert not is_directed(torch.zeros(3, 3))


def test_a_route_leads_from_outline_to_outline():
    assert _route((0, 0, 20, 10), (100, 0, 120, 10)) == ((20, 5), (100, 5))
    assert _route((0, 0, 20, 10), (0, 60, 20, 70)) == ((10, 10), (10, 60))


def test_distance_from_a_line_that_ends():
    assert _to_segment((5, 3), (0, 0), (10, 0)) == 3 and _to_segment((14, 3), (0, 0), (10, 0)) == 5
    assert _to_segment((3, 4), (0, 0), (0, 0)) == 5


def test_every_text_goes_to_the_nearest_line_and_every_line_has_one_at_most():
    edges = [edge((0, 0), (100, 0)), edge((0, 50), (100, 50)), edge((0, 500), (100, 500))]
    labels = [label("lower", 50, 44), label("upper", 50, 6), label("far", 50, 250), label("second", 50, 20)]
    assert [one.label and one.label.text for one in _with_labels(edges, labels)] == ["upper", "lower", None]
