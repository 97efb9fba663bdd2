"""The text in pictures, read by the models that RapidOCR's wheel carries."""

import socket

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from train.data_engine import draw
from vlm import ocr, ocr_lines
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
    inked = np.zeros(100, bool)
    inked[[*range(5, 25), *range(30, 50), *range(80, 95)]] = True
    reading = ocr_lines.Reading("ab cd 7", 1.0, (10, 20, 28, 35, 45, 60, 88), (0.0,) * 7)
    assert list(ocr_lines._pieces(reading, inked, 20)) == [("ab cd ", 0, 65), ("7", 65, 100)]


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (4000, 20)])
def test_pictures_of_any_size_are_read(size):
    assert read_words(Image.new("RGB", size, "white")) == ()


def test_without_the_models_there_are_no_words(monkeypatch):
    monkeypatch.setattr(ocr, "_find_models", lambda: None)
    assert read_words(Image.new("RGB", (50, 50))) is None


def test_control_characters_are_not_handed_on():
    line = ocr_lines.Line((50.0, 10.0), 0.0, 80.0, 10.0)
    strip = np.full((48, 384, 3), 255, np.uint8)
    strip[12:36, 40:340] = 0
    reading = ocr_lines.Reading("a\x1b\x07b", 1.0, (60, 100, 140, 180), (0.0,) * 4)
    labels = list(ocr_lines.to_labels(line, reading, 0, strip))
    assert [type(label) for label in labels] == [Label] and labels[0].text == "a b"


def test_boxes_lie_close_around_the_ink(table):
    sample, words = table
    texts = [label.text for label in sample.truth.labels]
    read = {word.text: word.box for word in words if texts.count(word.text) == 1}
    errors = [
        abs(a - b)
        for label in sample.truth.labels
        for a, b in zip(label.box, read.get(label.text, label.box), strict=True)
    ]
    assert np.quantile(errors, 0.9) < 3


def test_text_that_runs_upwards_is_read():
    image = Image.new("RGB", (300, 60), "white")
    ImageDraw.Draw(image).text((20, 15), "Rainfall", "black", ImageFont.load_default(24))
    assert [word.text for word in read_words(image.transpose(Image.Transpose.ROTATE_90))] == ["Rainfall"]
