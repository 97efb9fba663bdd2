import pytest
import torch
from PIL import Image, ImageDraw

from vlm.reading.peaks import LEAST, MOST, find_peaks
from vlm.reading.scenes import _each_once, _of_one_sort, call_outs, colour_around, end_of, part_at, size_for
from vlm.reading.seen import Seen, SeenWord
from vlm.scene_heads import PEAKS
from vlm.structure import Label, Thing


class Maps:
    """A network that sees these peaks {kind: {(column, row): logit}}."""

    def __init__(self, peaks):
        self.peaks, self.found = self, peaks

    def maps(self, scene):
        logits, offsets = torch.full((len(PEAKS), 12, 16), -8.0), torch.full((2, 12, 16), 0.5)
        for kind, places in self.found.items():
            for (column, row), logit in places.items():
                logits[PEAKS.index(kind), row, column] = logit
        offsets[:, 5, 7] = torch.tensor([0.25, 3.0])
        return logits, offsets


def peaks(found, kind="thing"):
    places, sure = find_peaks(Seen(None, Maps(found), None, None, 1.0, (), torch.zeros(0)), kind)
    return places.tolist(), sure.tolist()


def test_peaks_are_found_with_their_places_the_surest_first():
    places, sure = peaks({"thing": {(7, 5): 2.0, (2, 3): 4.0, (12, 1): -1.0}, "tip": {(9, 9): 9.0}})
    assert places == [[10.0, 14.0], [29.0, 24.0]]  # an offset stays within its cell
    assert sure == sorted(sure, reverse=True) and min(sure) >= LEAST
    assert peaks({"tip": {(9, 9): 9.0}}, "tip")[0] == [[38.0, 38.0]] and peaks({}, "dot") == ([], [])


def test_beside_a_peak_there_is_none():
    assert peaks({"thing": {(7, 5): 4.0, (8, 5): 3.0, (8, 6): 2.0}})[0] == [[29.0, 24.0]]


def test_there_are_not_more_peaks_than_can_be():
    everywhere = {(c, r): 1.0 + c / 100 + r / 1000 for c in range(0, 16, 2) for r in range(0, 12, 2)}
    assert len(peaks({"dot": everywhere}, "dot")[0]) == len(everywhere) <= MOST


def thing(left, top, right, bottom):
    outline = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Thing(kind="part", colour="red", size="small", outline=outline)


@pytest.mark.parametrize(("place", "part"), [((50, 50), 1), ((20, 20), 0), ((300, 310), 2), ((150, 50), 0)])
def test_a_line_ends_on_the_smallest_part_there_or_the_nearest(place, part):
    things = [thing(0, 0, 100, 100), thing(40, 40, 60, 60), thing(280, 280, 290, 290)]
    assert part_at(things, place) == part


def test_sizes_are_shares_of_the_picture():
    assert [size_for(share) for share in (0.01, 0.05, 0.5)] == ["small", "medium", "large"]


def test_of_two_labels_that_say_the_same_the_one_with_the_surer_line_is_a_call_out():
    words = [SeenWord(Label(text=text, box=(0, 0, 5, 5)), "call-out", i) for i, text in enumerate(("A", "B", "A", "C"))]
    chances = torch.tensor([[0.3, 0.2], [0.1, 0.9], [0.1, 0.8], [0.5, 0.5]])
    labels, left = _each_once(words, chances)
    assert [one.token for one in labels] == [1, 2, 3] and left.tolist() == chances[1:].tolist()


def word(text, role, token, height=8.0):
    return SeenWord(Label(text=text, box=(20 * token, 0, 20 * token + 9, height)), role, token)


def test_labels_are_all_of_one_sort():
    words = [word(text, "call-out", i) for i, text in enumerate(("roof", "wall", "7", "\u00e8"))]
    chances = torch.tensor([[0.9], [0.8], [0.95], [0.9]])
    labels, left = _of_one_sort(words, chances)
    assert [one.label.text for one in labels] == ["roof", "wall"] and left.tolist() == chances[:2].tolist()


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        ([word("House", "title", 0), word("roof", "call-out", 1)], ["roof"]),
        ([word("relay", "title", 0), word("fan", "title", 1)], ["relay", "fan"]),  # side by side: none of them a title
        ([word("J", "title", 0), word("J", "key", 1), word("candle", "meaning", 2)], ["J"]),
        ([word("roof", "call-out", 0), word("wall", "call-out", 1), word("0", "call-out", 2, 90.0)], ["roof", "wall"]),
    ],
)
def test_what_has_a_line_is_told_by_what_else_is_written(words, labels):
    seen = Seen(None, None, None, None, 1.0, tuple(words), torch.zeros(0))
    assert [one.label.text for one in call_outs(seen)] == labels


def test_what_a_line_points_to_is_the_commonest_colour_around_its_end():
    """Not the dot that the line ends with, nor the page beside a narrow part."""
    image = Image.new("RGB", (400, 300), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((224, 100, 236, 200), (200, 30, 30))
    pen.line((20, 150, 230, 150), "black", 2)
    pen.ellipse((227, 147, 233, 153), "black")
    seen = Seen(image, None, None, None, 1.0, (), torch.zeros(0))
    assert colour_around(seen, (230, 150)) == "red"
    assert colour_around(seen, (0, 299)) == "white"  # in a corner


def test_a_line_ends_at_a_tip_that_was_seen_on_it():
    peaks = torch.tensor([[100.0, 53.0], [125.0, 70.0], [20.0, 50.0]])
    assert end_of([(10.0, 50.0), (120.0, 50.0)], peaks) == (100.0, 53.0)
    assert end_of([(10.0, 50.0), (300.0, 50.0)], peaks) == (300.0, 50.0)  # none near its end
    assert end_of([(10.0, 50.0), (110.0, 50.0), (110.0, 300.0)], peaks) == (100.0, 53.0)  # no bend, but an edge
