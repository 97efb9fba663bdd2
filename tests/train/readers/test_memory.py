"""A data set larger than memory can be read: what is kept is where its rows are."""

import csv
import json
import tracemalloc

import pyarrow
import pyarrow.parquet
import pytest

from train.file_source import FileSource
from train.readers import RowsConfig, open_rows
from train.readers.row import text_of

ROWS, LETTERS = 300, 20_000


def record(number):
    return {"question": f"What is {number}?", "answer": chr(97 + number % 26) * LETTERS}


def write_jsonl(path):
    path.write_text("".join(json.dumps(record(number)) + "\n" for number in range(ROWS)))


def write_json(path):
    path.write_text(json.dumps([record(number) for number in range(ROWS)]))


def write_csv(path):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("question", "answer"), *(record(number).values() for number in range(ROWS))])


@pytest.mark.parametrize(("name", "write"), [("a.jsonl", write_jsonl), ("a.json", write_json), ("a.csv", write_csv)])
def test_reading_keeps_a_small_share_of_the_file(tmp_path, name, write):
    path = tmp_path / name
    write(path)
    tracemalloc.start()
    reader = open_rows(RowsConfig(path=path))
    assert sum(len(text_of(row.messages[-1])) for row in reader.scan()) == ROWS * LETTERS
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < path.stat().st_size / 10


def test_rows_of_a_row_group_come_one_after_the_other_and_each_epoch_otherwise(tmp_path):
    rows = [record(number) for number in range(30)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=10)
    source = FileSource(RowsConfig(path=tmp_path / "a.parquet"))
    orders = []
    for epoch in range(2):
        order = [text_of(source.conversations(epoch * 30 + i)[0][0]) for i in range(30)]
        numbers = [int(text.split()[-1].rstrip("?")) for text in order]
        assert sorted(numbers) == list(range(30)) != numbers
        groups = [{number // 10 for number in numbers[start : start + 10]} for start in (0, 10, 20)]
        assert [len(group) for group in groups] == [1, 1, 1]
        orders.append(numbers)
    assert orders[0] != orders[1]
