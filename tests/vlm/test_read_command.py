"""vlm read with a reader that has its answers ready; how a real one reads is tested in tests/vlm/reading."""

import json

import pytest
from PIL import Image

from vlm import cli
from vlm.structure import Cell, Label, Reading, Table


def cell(text: str) -> Cell:
    return Cell(label=Label(text=text, box=(0, 0, 5, 5)), box=(0, 0, 9, 9))


TABLE = Table(
    width=40, height=30, title=None, header=(cell("Name"), cell("Price")), rows=((cell("Tea"), cell("3,50")),),
    header_column=False, total_row=False,
)  # fmt: skip
FOUND = Reading(family="tables", confidence=0.9, structure=TABLE, words=())
NOTHING = Reading(family="none", confidence=0.9, structure=None, words=())


class ReadyReader:
    def __init__(self, reading: Reading):
        self.reading, self.asked = reading, []

    def read(self, image, words=None):
        self.asked.append(words)
        return self.reading


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "table.png"
    Image.new("RGB", (40, 30), "white").save(path)
    return str(path)


@pytest.fixture
def reader(monkeypatch):
    reader = ReadyReader(FOUND)
    monkeypatch.setattr("vlm.reading.load_reader", lambda: reader)
    return reader


def test_into_a_file_goes_csv(reader, picture, capsys):
    assert cli.main(["read", picture]) == 0
    assert capsys.readouterr().out == 'Name,Price\nTea,"3,50"\n'
    assert reader.asked == [None]


def test_json_is_the_whole_reading(reader, picture, capsys):
    assert cli.main(["read", picture, "--format", "json", "--no-ocr"]) == 0
    assert Reading.model_validate_json(capsys.readouterr().out) == FOUND
    assert reader.asked == [()]


def test_that_words_cannot_be_read_is_said(reader, picture, capsys, monkeypatch):
    monkeypatch.setattr("vlm.ocr._find_models", lambda: None)
    assert cli.main(["read", picture]) == 0
    assert "pip install 'regard[read]'" in capsys.readouterr().err
    assert cli.main(["read", picture, "--no-ocr"]) == 0
    assert capsys.readouterr().err == ""


def test_several_pictures_come_with_their_names(reader, picture, capsys):
    assert cli.main(["read", picture, picture, "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    assert cli.main(["read", picture, picture, "--format", "table"]) == 0
    assert capsys.readouterr().out.count("Tea") >= 2


def test_markdown_has_a_heading_for_each_of_several_pictures(reader, picture, capsys):
    assert cli.main(["read", picture, picture, "--format", "markdown"]) == 0
    out = capsys.readouterr().out
    assert out.count("## ") == 2 and out.count("| Tea | 3,50 |\n\n") == 2


def test_to_a_terminal_goes_a_table_with_facts(reader, picture, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert cli.main(["read", picture]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Name  Price\n") and "table: 2 columns, 1 row\n" in out


def test_csv_is_for_one_picture(reader, picture, capsys):
    assert cli.main(["read", picture, picture]) == 2
    assert "csv is for one picture, found 2" in capsys.readouterr().err


def test_where_nothing_was_found_the_exit_code_says_so_and_nothing_is_made_up(reader, picture, capsys):
    reader.reading = NOTHING
    assert cli.main(["read", picture]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "no structure found" in err


def test_a_chart_without_values_is_still_called_a_chart(reader, picture, capsys):
    reader.reading = NOTHING.model_copy(update={"family": "charts"})
    assert cli.main(["read", picture]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "a chart, but nothing in it can be read" in err


def test_what_cannot_be_mermaid_is_told(reader, picture, capsys):
    assert cli.main(["read", picture, "--format", "mermaid"]) == 2
    assert "error:" in capsys.readouterr().err


def test_an_overlay_is_drawn_at_the_size_of_the_picture(reader, picture, tmp_path, capsys):
    assert cli.main(["read", picture, "--overlay", str(tmp_path / "out.png")]) == 0
    with Image.open(tmp_path / "out.png") as drawn:
        assert drawn.size == (40, 30)
    assert cli.main(["read", picture, "--overlay", str(tmp_path / "no" / "out.png")]) == 2
    assert "cannot be written" in capsys.readouterr().err
