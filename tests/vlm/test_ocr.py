"""The text in pictures, read by the models that RapidOCR's wheel carries."""

import socket

import pytest
from PIL import Image

from train.data_engine import draw
from vlm import ocr
from vlm.ocr import read_words
from vlm.reading.seen import middle
from vlm.structure import Label


@pytest.fixture(scope="module")
def table():
    sample = draw("tables", 1, "test")
    return sample, read_words(sample.image)


def test_most_cells_of_a_drawn_table_are_read_where_they_stand(table):
    sample, words = table
    read = {word.text.casefold().replace(" ", ""): word for word in words}
    found = [(label, read.get(label.text.casefold().replace(" ", ""))) for label in sample.truth.labels]
    right = [(label, word) for label, word in found if word is not None]
    assert len(right) > 0.8 * len(found)
    unique = [(a, b) for a, b in right if sum(x.text == a.text for x, _ in found) == 1]
    assert unique and all(abs(middle(a.box)[0] - middle(b.box)[0]) < 6 for a, b in unique)
    assert all(abs(middle(a.box)[1] - middle(b.box)[1]) < 6 for a, b in unique)


def test_reading_opens_no_connection_and_is_the_same_each_time(table, monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert read_words(table[0].image) == table[1]


def test_labels_of_an_axis_are_read_one_by_one():
    words = [word.text for word in read_words(draw("charts", 5, "test").image)]
    assert {"0", "5", "10", "15", "20", "25", "30"} <= set(words)


def test_a_wide_gap_divides_a_line_and_a_space_does_not():
    close = ocr.Reading("ab cd", 1.0, (0.1, 0.2, 0.28, 0.36, 0.46))
    apart = ocr.Reading("ab cd", 1.0, (0.1, 0.2, 0.5, 0.8, 0.9))
    assert ocr._pieces(close, 4.0) == [(0, 4)]
    assert ocr._pieces(apart, 4.0) == [(0, 1), (3, 4)]


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (4000, 20)])
def test_pictures_of_any_size_are_read(size):
    assert read_words(Image.new("RGB", size, "white")) == ()


def test_without_the_models_there_are_no_words(monkeypatch):
    monkeypatch.setattr(ocr, "_find_models", lambda: None)
    assert read_words(Image.new("RGB", (50, 50))) is None


def test_control_characters_are_not_handed_on():
    line = ocr.Line((50.0, 10.0), (1.0, 0.0), 80.0, 10.0)
    labels = ocr._split(line, ocr.Reading("a\x1b\x07b", 1.0, (0.1, 0.2, 0.3, 0.4)), 0)
    assert [type(label) for label in labels] == [Label] and labels[0].text == "a b"
