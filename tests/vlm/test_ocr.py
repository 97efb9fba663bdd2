"""The text in pictures, read by the models that RapidOCR's wheel carries."""

import socket

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from train.data_engine import draw
from vlm import ocr, ocr_lines
from vlm.ocr import read_words, with_blurred
from vlm.ocr_glyphs import snapped
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


def test_letters_that_stand_alone_are_read():
    image = Image.new("RGB", (300, 130), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(12)
    places = {letter: (30 + 60 * (i % 5), 30 + 60 * (i // 5)) for i, letter in enumerate("AGD2JC7BHK")}
    for letter, (x, y) in places.items():
        pen.ellipse((x - 14, y - 14, x + 14, y + 14), "#109088", "#404040", 2)
        pen.text((x, y), letter, "white", font, anchor="mm")
    read = {word.text: middle(word.box) for word in read_words(image)}
    right = [letter for letter, (x, y) in places.items() if letter in read and abs(read[letter][0] - x) < 4]
    assert len(right) >= 9


def test_years_that_run_upwards_side_by_side_are_read_one_by_one():
    image = Image.new("RGB", (60, 240), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(11)
    for i in range(9):
        pen.text((15, 10 + 25 * i), str(1997 + i), "black", font)
    words = {word.text for word in read_words(image.transpose(Image.Transpose.ROTATE_90))}
    assert len(words & {str(1997 + i) for i in range(9)}) >= 8


def test_labels_that_the_detector_missed_are_found_in_smaller_copies():
    sample = draw("charts", 7008)  # six months that run upwards
    words = read_words(sample.image)
    months = {label.text for label in sample.truth.categories}
    assert not months <= {word.text for word in words}
    found = with_blurred(sample.image, words)
    assert months <= {word.text for word in found}
    assert len(found) == len({word.box for word in found}) < len(words) + 6


def test_of_two_readings_of_a_place_the_fuller_one_stays():
    words = [Label(text="SO", box=(0, 0, 20, 10), confidence=0.7), Label(text="September", box=(50, 0, 110, 10))]
    words += [Label(text=text, box=(x, 20, x + 40, 30), confidence=0.9) for text, x in (("Product", 0), ("A", 50))]
    found = [Label(text="$0", box=(1, 0, 20, 10), confidence=0.9), Label(text="tember", box=(70, 0, 110, 10))]
    found += [Label(text="Product A", box=(0, 20, 90, 30)), Label(text="May", box=(150, 0, 170, 10))]
    kept = ocr_lines.fuller(words, found)
    assert {one.text for one in kept} == {"$0", "September", "Product A", "May"}


def test_slanted_labels_whose_boxes_overlap_are_two():
    words = [Label(text="Toronto", box=(0, 0, 60, 40))]
    assert len(ocr_lines.fuller(words, [Label(text="New York", box=(30, 0, 100, 40))])) == 2


def test_short_slanted_labels_are_read():
    image = Image.new("RGB", (260, 60), "white")
    for i in range(4):
        mask = Image.new("L", (30, 30))
        ImageDraw.Draw(mask).text((15, 15), f"Q{i + 1}", 255, ImageFont.load_default(14), anchor="mm")
        image.paste("black", (20 + 60 * i, 15), mask.rotate(40, Image.Resampling.BICUBIC))
    assert {word.text for word in read_words(image)} == {"Q1", "Q2", "Q3", "Q4"}


@pytest.fixture
def strip():
    """A white strip with three black letters from column 40 to 135, rows 14 to 34."""
    pixels = np.full((48, 180, 3), 255, np.uint8)
    for left in (40, 75, 110):
        pixels[14:34, left : left + 25] = 0
    return pixels


LINE = ocr_lines.Line((90.0, 24.0), 0.0, 180.0, 48.0)  # one pixel of the strip is one of the picture


def label_of(strip, text, places, spaces=None):
    reading = ocr_lines.Reading(text, 1.0, places, spaces or (0.0,) * len(text))
    (label,) = ocr_lines.to_labels(LINE, reading, 0, strip)
    return label


@pytest.mark.parametrize(
    "place",
    [np.s_[42:, :], np.s_[:4, 60:], np.s_[3:5, :], np.s_[:, 170:], np.s_[40:42, 5:170]],
    ids=["a bar below", "a frame above", "a rule", "a border at the side", "a rule near the edge"],
)
def test_what_reaches_into_a_strip_is_not_in_the_box_of_its_text(strip, place):
    strip[place] = (40, 90, 200)
    assert label_of(strip, "abc", (50, 85, 120)).box == (40, 14, 135, 34)


def test_the_tip_of_an_arrow_is_no_letter(strip):
    strip[22:26, :32] = 0
    assert label_of(strip, "→abc", (16, 50, 85, 120)).text == "abc"


def test_a_swatch_beside_a_name_is_not_in_its_box(strip):
    strip[16:32, 5:28] = (200, 30, 40)  # the recogniser reads nothing there
    assert label_of(strip, "abc", (50, 85, 120)).box == (40, 14, 135, 34)
    strip[16:32, 150:160] = (30, 60, 200)
    assert label_of(strip, "abc", (50, 85, 120)).box == (40, 14, 135, 34)


def test_ink_that_was_read_is_in_the_box_however_far_it_stands(strip):
    strip[22:26, 5:28] = 0
    assert label_of(strip, "-abc", (16, 50, 85, 120)).box == (5, 14, 135, 34)


def test_a_border_is_no_letter(strip):
    strip[:, 15:22] = 0
    assert label_of(strip, "I abc", (18, 30, 50, 85, 120)).text == "abc"


def test_a_letter_at_the_edge_of_its_strip_stays(strip):
    strip[14:34, :32] = 0
    assert label_of(strip, "1abc", (16, 50, 85, 120)).text == "1abc"


def test_a_space_is_written_where_the_ink_shows_what_the_recogniser_held_possible(strip):
    strip[14:34, 100:110] = 0  # the second letter touches the third
    places = (50, 85, 120)
    assert label_of(strip, "a,b", places, (0.0, 0.2, 0.2)).text == "a ,b"
    assert label_of(strip, "a,b", places).text == "a,b"
    assert label_of(strip, "5kg", places).text == "5 kg"


@pytest.mark.parametrize(
    ("read", "written"), [("€O", "€0"), ("$l5", "$15"), ("1O%", "10%"), ("OK", "OK"), ("Il", "Il")]
)
def test_letters_in_numbers_are_digits(strip, read, written):
    assert label_of(strip, read, (50, 85, 120)[: len(read)]).text == written


def test_a_dash_joins_what_is_around_it():
    inked = np.zeros(100, bool)
    inked[[*range(5, 25), *range(45, 52), *range(72, 95)]] = True
    reading = ocr_lines.Reading("7 – 9", 1.0, (15, 35, 48, 60, 85), (0.0,) * 5)  # noqa: RUF001
    assert [text for text, _, _ in ocr_lines._pieces(reading, inked, 15)] == ["7 – 9"]  # noqa: RUF001


def test_what_is_marked_beyond_the_picture_is_no_letter():
    assert snapped(np.full((20, 20, 3), 255, np.uint8), ocr_lines.Line((-9.0, 26.0), 0.0, 4.0, 4.0)) is None


def test_a_letter_that_touches_what_is_below_keeps_its_ink(strip):
    strip[34:, 75:100] = 0
    label = label_of(strip, "abc", (50, 85, 120))
    assert label.text == "abc" and label.box == (40, 14, 135, 48)


@pytest.mark.parametrize(("accented", "plain", "text"), [(0.5, 0.4, "i"), (0.9, 0.05, "\u00ed"), (0.1, 0.8, "i")])
def test_a_letter_has_an_accent_only_where_that_is_far_likelier(accented, plain, text):
    characters = np.array(["", "i", "\u00ed", " "], object)
    engine = ocr.Engine(None, None, characters, np.ones(4, bool), np.array([0, 1, 1, 3]))
    reading = ocr._decode(engine, np.array([[1 - accented - plain, plain, accented, 0.0]]))
    assert reading.text == text
    assert reading.confidence == pytest.approx(accented + plain if accented == 0.5 else max(accented, plain))


def test_every_letter_is_known_without_its_accent():
    engine = ocr._load_engine(*ocr._find_models())
    pairs = {one: engine.characters[plain] for one, plain in zip(engine.characters, engine.plain, strict=True)}
    assert (pairs["\u00fa"], pairs["u"], pairs["\u00b0"], pairs["7"], pairs[""], pairs[" "]) == (
        "u", "u", "\u00b0", "7", "", " ",
    )  # fmt: skip
