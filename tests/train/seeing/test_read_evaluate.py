import json

import pytest
from PIL import Image

from tests.oracle import Heads
from train.data_engine import draw
from train.seeing.evaluate import Item, ReadEvalConfig, _bootstrap, judge, run, table
from train.seeing.loop import VOCABULARY, new_reader
from train.seeing.scores import Counts, Judgement
from train.seeing.sheet import contact_sheet
from train.seeing.targets import make_targets
from train.seeing.words import words_of
from vlm.reading import Reader
from vlm.reading.weights import save_weights
from vlm.scene_encoder import input_scale
from vlm.structure import Label, Reading


def item(row, rights, family="charts", family_read="charts", counts=None, suite="own", confidence=0.9):
    judged = [Judgement(right, confidence) for right in rights]
    return Item(suite, "a/1", family, family_read, confidence, row, 0.5, judged, counts)


def cells(report, name):
    line = next(line for line in report.splitlines() if f"| {name} |" in line)
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_has_a_row_for_everything_that_was_asked():
    items = [
        item("bar", [True] * 9 + [False]), item("line", [True, False]), item("line", [True] * 8),
        item("scatter", [True] * 2 + [False], counts=Counts(4, 3, 2)),
        item("tables", [True], "tables", "none"), item("tables", [True], "tables", "tables", suite="transfer (x)"),
    ]  # fmt: skip
    report = table(items, {"network alone": [0.1, 0.3, 0.2], "with OCR": [1.0, 2.0]})
    assert cells(report, "800 x 600 chart, network alone")[2:5] == ["3", "", "0.20 s"]
    assert cells(report, "800 x 600 chart, with OCR")[2:5] == ["2", "", "1.50 s"]
    assert cells(report, "bar")[2:5] == ["1", "10", "90.0 %"]
    assert cells(report, "chart values")[2:5] == ["3", "20", "90.0 %"]  # without scatter plots
    assert cells(report, "scatter (F1)")[2:5] == ["1", "4", "57.1 %"]
    assert cells(report, "family")[2:5] == ["5", "5", "80.0 %"]
    assert sum("transfer (x)" in line for line in report.splitlines()) == 2 and "0.50 s" in report
    for line in report.splitlines()[2:-2]:
        if line.startswith("| own"):
            score, interval = line.split("|")[5:7]
            low, high = (float(side.strip(" %")) for side in interval.split("-"))
            assert 0 <= low <= float(score.strip(" %")) <= high <= 100


def test_calibration_errors_are_those_of_the_row():
    report = table([item("bar", [True] * 9 + [False]), item("line", [False] * 10)], {})
    assert cells(report, "bar")[6] == "0.000" and cells(report, "line")[6] == "0.900"
    assert cells(report, "family")[6] == "0.100"


def test_intervals_are_wider_for_fewer_pictures_and_hold_the_score():
    few, many = _bootstrap([(1, 2), (2, 2), (0, 2)]), _bootstrap([(1, 2), (2, 2), (0, 2)] * 30)
    assert few[0] < many[0] < 0.5 < many[1] < few[1]
    assert _bootstrap([(3, 3)] * 5) == (1, 1)


@pytest.mark.parametrize("family", ["charts", "graphs", "tables", "parts", "shapes", "things", "signs"])
def test_right_answers_get_full_marks(family, monkeypatch):
    sample = draw(family, 2)
    words = words_of(sample.truth)
    labels = tuple(Label(text=word.text, box=word.box) for word in words)
    monkeypatch.setattr("vlm.reading.reader.read_words", lambda image: labels)
    scale = input_scale(*sample.image.size)
    heads = Heads(make_targets(family, sample.truth, words, scale, VOCABULARY.kinds, VOCABULARY.colours))
    found = judge("own", "x", family, sample.image, sample.truth, Reader(heads, VOCABULARY))
    assert found.family_read == family and found.score == 1 and found.judged
    assert Reading.model_validate_json(found.reading).family == family


def test_every_prediction_is_kept(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("vlm.reading.reader.read_words", lambda image: ())
    monkeypatch.setattr("train.seeing.evaluate.TIMED", 1)
    save_weights(new_reader(0), VOCABULARY, tmp_path / "reader")
    pictures = {"charts": 2, "none": 1, "shapes": 1}
    run(ReadEvalConfig(reader=tmp_path / "reader", output_dir=tmp_path / "out", pictures=pictures))
    lines = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    assert [line["family"] for line in lines] == ["charts", "charts", "none", "shapes"]
    assert all(0 <= line["score"] <= 1 and json.loads(line["reading"])["family"] for line in lines)
    assert (tmp_path / "out" / "table.md").read_text() in capsys.readouterr().out
    with Image.open(tmp_path / "out" / "worst.png") as sheet:
        assert sheet.width > 0


def test_a_contact_sheet_shows_every_reading():
    reading = Reading(family="none", confidence=0.4, structure=None, words=())
    sheets = [contact_sheet([(Image.new("RGB", (900, 50), "red"), reading, "a")] * number) for number in (0, 1, 4, 5)]
    assert sheets[0].size == sheets[1].size == sheets[2].size and sheets[3].height == 2 * sheets[0].height
    assert (255, 0, 0) not in dict((c, n) for n, c in sheets[0].getcolors()) and sheets[1].getbbox() is not None
