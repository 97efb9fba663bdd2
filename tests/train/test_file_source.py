import json
import logging

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from train.checking.check import Limits
from train.file_source import FileSource
from train.readers import DataError, RowsConfig


def write(folder, *lines):
    Image.new("RGB", (4, 4)).save(folder / "a.png")
    path = folder / "data.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return RowsConfig(path=path)


def line(path="a.png", answer="yes", role="assistant", system=None):
    content = [{"type": "image", "path": path}, {"type": "text", "text": "?"}]
    messages = [{"role": "user", "content": content}, {"role": role, "content": answer}]
    return {"messages": [{"role": "system", "content": system}, *messages] if system else messages}


def answers(source, epoch=0):
    rows = [source.conversations(epoch * len(source) + index) for index in range(len(source))]
    return [[messages[-1]["content"][0]["text"] for messages in row] for row in rows]


def test_lines_about_the_same_picture_make_one_row_and_an_epoch_has_every_row(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "b.png")
    source = FileSource(write(tmp_path, line(), line("b.png"), line(answer="no")))
    for epoch in (0, 1):
        assert sorted(answers(source, epoch)) == [["yes"], ["yes", "no"]]


def test_rows_with_another_system_message_do_not_share_a_row(tmp_path):
    source = FileSource(write(tmp_path, line(), line(system="Be kind."), line(system="Be kind.", answer="no")))
    assert sorted(answers(source)) == [["yes"], ["yes", "no"]]


def test_the_order_is_of_the_seed_and_the_epoch_and_of_nothing_else(tmp_path):
    for number in range(20):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{number}.png")
    rows = write(tmp_path, *(line(f"{number}.png", str(number)) for number in range(20)))
    one, again, other = FileSource(rows), FileSource(rows), FileSource(rows, seed=1)
    assert answers(one, 1) == answers(again, 1) != answers(again, 0)
    assert answers(one) == answers(again) != answers(other)
    assert sorted(answers(one)) == sorted(answers(other))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("{", r"line 2: it is not JSON"),
        ({"text": "x"}, r"line 2: it has neither `messages` nor `conversations`"),
        (line("missing.png"), r"line 2: there is no picture 'missing.png'"),
        (line("../a.png"), r"line 2: the picture '../a.png' is outside of the data folder"),
        (line(role="user"), r"line 2: the last message must be the assistant's"),
        (line(answer=" "), r"line 2: an answer is empty"),
    ],
)
def test_every_unusable_line_is_named_before_training_or_left_out(tmp_path, bad, message, caplog):
    rows = write(tmp_path, line(), bad)
    with pytest.raises(DataError, match=message):
        FileSource(rows)
    with caplog.at_level(logging.WARNING):
        source = FileSource(rows, skip_bad=True)
    assert answers(source) == [["yes"]]
    assert "going on without 1 of 2 rows" in caplog.text


def test_a_row_with_more_pictures_than_the_model_can_tell_apart_is_named(tmp_path):
    content = [{"type": "image", "path": "a.png"}] * 3 + [{"type": "text", "text": "?"}]
    rows = write(tmp_path, line(), {"messages": [{"role": "user", "content": content}, line()["messages"][1]]})
    assert len(FileSource(rows, limits=Limits(max_pictures=3))) == 2
    with pytest.raises(DataError, match="line 2: it has 3 pictures, and the model can tell 2 apart"):
        FileSource(rows, limits=Limits(max_pictures=2))


def test_a_file_that_is_missing_or_empty_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        FileSource(RowsConfig(path=tmp_path / "none.jsonl"))
    with pytest.raises(DataError, match="it is empty"):
        FileSource(write(tmp_path, ""))


def test_many_bad_rows_are_counted_and_the_first_are_named(tmp_path):
    with pytest.raises(DataError, match=r"(?s)50 of 51 rows.*line 2: .*and 30 more"):
        FileSource(write(tmp_path, line(), *["{"] * 50))


def test_a_broken_picture_is_named_with_its_row_before_training_or_left_out(tmp_path, caplog):
    rows = write(tmp_path, line("b.png", "no"), line())
    (tmp_path / "b.png").write_bytes(b"no picture")
    with pytest.raises(
        DataError, match=r"1 of 2 rows that cannot be trained on:\n  line 1: the picture 'b\.png' cannot"
    ):
        FileSource(rows)
    source = FileSource(rows, skip_bad=True)
    assert answers(source) == [["yes"]] and list(source.report.bad) == [1]
    assert "going on without 1 of 2 rows" in caplog.text
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match="has no rows that can be trained on"):
        FileSource(rows, skip_bad=True)


def test_a_picture_inside_a_row_is_decoded_before_training(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    good = (tmp_path / "a.png").read_bytes()
    table = {"image": [good, good[:40]], "question": ["a?", "b?"], "answer": ["x", "y"]}
    pyarrow.parquet.write_table(pyarrow.table(table), tmp_path / "rows.parquet")
    with pytest.raises(DataError, match="row 2: the picture in the row cannot be read"):
        FileSource(RowsConfig(path=tmp_path / "rows.parquet"))


def test_a_picture_that_vanishes_during_the_run_is_named(tmp_path):
    source = FileSource(write(tmp_path, line()))
    (tmp_path / "a.png").unlink()
    with pytest.raises(DataError, match=r"data\.jsonl, line 1: there is no picture 'a\.png'"):
        source.conversations(0)
