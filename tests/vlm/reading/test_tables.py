import pytest
import torch
from PIL import Image

from vlm.reading.notices import read_notice
from vlm.reading.seen import Seen, SeenWord
from vlm.reading.tables import _level, read_table, whole_columns
from vlm.reading.weights import Vocabulary
from vlm.scene_heads import RELATIONS
from vlm.structure import Label

ROW, COLUMN = RELATIONS.index("row"), RELATIONS.index("column")


PAGE = Image.new("RGB", (400, 200), "white")


def seen(words, apart=()):
    """Words (text, role, row, column); `apart` are pairs of which the network does not see that they share a column."""
    found, number = [], len(words)
    relations = torch.zeros(number, number, len(RELATIONS))
    for i, (text, role, row, column) in enumerate(words):
        left, top = 100 * column, 30 * row
        found.append(SeenWord(Label(text=text, box=(left, top, left + 40, top + 10)), role, i))
        for j, (_, _, other_row, other_column) in enumerate(words):
            relations[i, j, ROW], relations[i, j, COLUMN] = row == other_row, column == other_column
    for i, j in apart:
        relations[i, j, COLUMN] = relations[j, i, COLUMN] = 0
    return Seen(PAGE, None, Vocabulary((), ()), None, 1.0, tuple(found), relations)


TABLE = [
    ("Who", "header", 1, 0), ("When", "header", 1, 1), ("a", "cell", 2, 0), ("1", "cell", 2, 1), ("b", "cell", 3, 0),
    ("2", "cell", 3, 1),
]  # fmt: skip


@pytest.mark.parametrize("order", [range(6), (5, 3, 0, 1, 4, 2)])
def test_cells_stand_in_rows_and_columns_whatever_order_they_were_read_in(order):
    assert read_table(seen([TABLE[i] for i in order])).strings == (("Who", "When"), ("a", "1"), ("b", "2"))


def test_a_cell_that_was_not_read_is_empty():
    table = read_table(seen(TABLE[:5]))
    assert table.strings == (("Who", "When"), ("a", "1"), ("b", "")) and table.rows[1][1].label is None


def test_what_stands_alone_above_a_table_is_its_title():
    table = read_table(seen([("Days", "cell", 0, 0), *TABLE]))
    assert table.title.text == "Days" and table.strings[0] == ("Who", "When")
    table = read_table(seen([("Days", "title", 0, 0), *TABLE]))
    assert table.title.text == "Days" and table.strings[0] == ("Who", "When")


@pytest.mark.parametrize("words", [[], TABLE[:1], TABLE[:2], [TABLE[0], TABLE[2]]])
def test_one_row_or_one_column_is_no_table(words):
    assert read_table(seen(words)) is None


def test_columns_that_stand_over_each_other_are_one():
    apart = [(1, 3), (1, 5)]  # the heading and its cells
    assert read_table(seen(TABLE, apart)).strings == (("Who", "When"), ("a", "1"), ("b", "2"))


def test_columns_side_by_side_stay_apart():
    words = seen(TABLE).words
    left, right, row = [words[0], words[2]], [words[3]], [list(words[0:2]), list(words[2:4])]
    assert whole_columns([left, right], row) == [left, right]


def word(left, top, right, bottom):
    return SeenWord(Label(text="x", box=(left, top, right, bottom)), "cell", 0)


def test_words_in_a_line_are_level_however_tall_they_are():
    digit, tall, dash = word(0, 10, 10, 18), word(50, 7, 90, 25), word(95, 13, 99, 15)
    assert _level(tall, [digit], 1) and _level(digit, [tall], 1) and _level(dash, [digit], 1)
    assert not _level(word(50, 22, 90, 32), [digit], 1) and not _level(dash, [word(0, 20, 9, 30)], 1)


def test_a_heading_and_short_numbers_are_in_one_column_though_a_gap_is_between_them():
    heading = word(100, 0, 140, 10)
    assert _level(word(144, 20, 152, 30), [heading], 0) and not _level(word(170, 20, 190, 30), [heading], 0)


def test_a_notice_is_read_line_by_line():
    words = [("Tea", "item", 1, 0), ("Menu", "heading", 0, 0), ("2.50", "price", 1, 2), ("Cake", "item", 2, 0)]
    notice = read_notice(seen(words))
    assert notice.lines == ("Menu", "Tea 2.50", "Cake")
    assert notice.beside(notice.of_role("item")[0], "price").label.text == "2.50"
    assert read_notice(seen([])) is None
