"""The weights that come with the package, on drawn pictures of the test split, with the true words for OCR's."""

from random import Random

import pytest
import skimage.data
from PIL import Image

from train.data_engine import draw
from train.seeing.evaluate import graph_parts
from train.seeing.scores import f1, judge_chart, judge_table, match_edges, true_chart
from train.seeing.words import words_of
from vlm.ocr import read_words
from vlm.reading import load_reader
from vlm.reading.reader import inside
from vlm.scene_encoder import MOST_WORDS
from vlm.structure import Chart, Graph, Label, Scene, Table
from vlm.structure.base import SURE
from vlm.structure.overlay import draw_overlay


@pytest.fixture
def read(monkeypatch):
    def read(sample):
        words = tuple(Label(text=word.text, box=word.box) for word in words_of(sample.truth))
        monkeypatch.setattr("vlm.reading.reader.read_words", lambda image: words)
        return load_reader().read(sample.image).structure

    return read


def test_values_of_bars_are_read(read):
    samples = [draw("charts", seed, "test") for seed in range(16)]
    judged = [
        one
        for sample in samples
        if sample.truth.kind == "bar" and not sample.truth.stacked
        for structure in [read(sample)]
        for one in judge_chart(true_chart(sample.truth), structure if isinstance(structure, Chart) else None)
    ]
    assert len(judged) > 30 and sum(one.right for one in judged) > 0.85 * len(judged)


def test_arrows_are_read(read):
    counts = []
    for seed in range(6):
        sample = draw("graphs", seed, "test")
        structure = read(sample)
        assert isinstance(structure, Graph)
        counts.append(match_edges(*graph_parts(sample.truth), structure)[0])
    assert f1(counts) > 0.7


def test_cells_are_read(read):
    judged = []
    for seed in range(5):
        sample = draw("tables", seed, "test")
        structure = read(sample)
        assert isinstance(structure, Table)
        judged += judge_table(sample.truth, structure)
    assert sum(one.right for one in judged) > 0.85 * len(judged)


@pytest.mark.parametrize("degrees", [0, 7, -7, 90, 180])
def test_a_scan_that_is_askew_is_turned_and_read_and_what_is_wrong_is_not_sure(degrees):
    """With real OCR, as a scanner's glass or a phone has it."""
    right = total = 0
    for seed in (1, 4):
        sample = draw("charts", seed, "test")
        image = sample.image.rotate(degrees, expand=True, fillcolor=sample.image.getpixel((0, 0)))
        reading = load_reader().read(image)
        assert (reading.turned + degrees) % 360 == 0
        assert isinstance(reading.structure, Chart)
        judged = judge_chart(true_chart(sample.truth), reading.structure)
        assert all(one.right for one in judged if one.confidence is not None and one.confidence >= SURE)
        assert degrees % 90 == 0 or not any(mark.is_sure for mark in reading.structure.marks)
        right, total = right + sum(one.right for one in judged), total + len(judged)
        assert draw_overlay(image, reading).size == (reading.structure.width, reading.structure.height)
    assert right > 0.85 * total


@pytest.mark.parametrize("family", ["tables", "graphs", "parts", "signs"])
def test_what_is_level_is_not_turned(family):
    for seed in range(2):
        image = draw(family, seed, "test").image
        words = read_words(image)
        reading = load_reader().read(image, words)
        assert reading.turned == 0 and reading.words == tuple(inside(word, image.size) for word in words[:MOST_WORDS])


@pytest.mark.parametrize("size", [(1, 1), (12_000, 40), (300, 200)])
def test_where_there_is_nothing_nothing_is_made_up(size):
    reading = load_reader().read(Image.new("RGB", size, "white"), ())
    assert reading.structure is None and reading.family == "none"


def test_one_shape_that_fills_a_small_picture_is_read():
    """Drawn ones of the test split, in which the network is not sure of anything, but surest of this."""
    for seed in (4, 49, 76, 196):
        sample = draw("shapes", seed, "test")
        (thing,) = load_reader().read(sample.image, ()).structure.things
        assert (thing.kind, thing.colour) == (sample.truth.things[0].kind, sample.truth.things[0].colour)


def test_reading_twice_gives_the_same(read):
    sample = draw("charts", Random(3).randrange(50), "test")
    assert read(sample) == read(sample)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "camera", "rocket"])
def test_in_a_photograph_no_data_is_found(name):
    reading = load_reader().read(Image.fromarray(getattr(skimage.data, name)()))
    assert reading.structure is None or isinstance(reading.structure, Scene)
    assert not any(thing.is_sure for thing in getattr(reading.structure, "things", ()))


def test_a_chart_without_its_tick_labels_has_no_values_that_are_sure():
    for seed in (1, 4, 6, 13):
        sample = draw("charts", seed, "test")
        image, kept = sample.image.copy(), []
        for word in words_of(sample.truth):
            if word.role in ("tick", "written"):
                box = tuple(map(round, word.box))
                image.paste(image.getpixel((2, 2)), box)
            else:
                kept.append(Label(text=word.text, box=word.box))
        structure = load_reader().read(image, kept).structure
        assert structure is None or not any(mark.is_sure for mark in structure.marks)
