import json
import shutil

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from tests.train.colours import config_for, write_rows
from train.data import build_rows
from train.file_source import FileSource
from train.readers import DataError, RowsConfig


def line(paths, answer="yes", text="?"):
    content = [*({"type": "image", "path": path} for path in paths), {"type": "text", "text": text}]
    return {"messages": [{"role": "user", "content": content}, {"role": "assistant", "content": answer}]}


def source(folder, lines, seed=0):
    path = folder / "data.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return FileSource(RowsConfig(path=path), seed)


def pictures(folder, count):
    for number in range(count):
        Image.new("RGB", (4, 4), (number, 0, 0)).save(folder / f"{number}.png")


def shown(part):
    """The pixels of every row of a source, with its answer."""
    rows = [messages for index in range(len(part)) for messages in part.conversations(index)]
    return {
        (
            messages[-1]["content"][0]["text"],
            *(p["image"].tobytes() for p in messages[0]["content"] if p["type"] == "image"),
        )
        for messages in rows
    }


def test_every_row_is_on_one_side_and_a_share_is_held_out(tmp_path):
    pictures(tmp_path, 40)
    train, held_out = source(tmp_path, [line([f"{n}.png"], str(n)) for n in range(40)]).split(0.1)
    assert (len(train), len(held_out)) == (36, 4)
    assert not shown(train) & shown(held_out) and len(shown(train) | shown(held_out)) == 40


def test_which_rows_are_held_out_is_of_their_pictures_and_the_seed_not_of_their_order(tmp_path):
    pictures(tmp_path, 40)
    lines = [line([f"{n}.png"], str(n)) for n in range(40)]
    one, turned, other = (
        shown(source(tmp_path, rows, seed).split(0.1)[1]) for rows, seed in ((lines, 0), (lines[::-1], 0), (lines, 1))
    )
    assert one == turned != other


def test_a_picture_is_on_one_side_whatever_its_file_is_called_and_whichever_rows_have_it(tmp_path):
    pictures(tmp_path, 30)
    lines = [line([f"{n}.png"], str(n)) for n in range(30)]
    for n in range(0, 30, 3):
        shutil.copy(tmp_path / f"{n}.png", tmp_path / f"copy{n}.png")
        lines += [line([f"copy{n}.png"], f"copy {n}"), line([f"{n + 1}.png", f"{n}.png"], f"both {n}")]
    train, held_out = source(tmp_path, lines).split(0.2)
    seen, unseen = ({pixels for _, *several in shown(part) for pixels in several} for part in (train, held_out))
    assert seen and unseen and not seen & unseen


def test_rows_that_hold_their_pictures_are_told_apart_by_their_bytes(tmp_path):
    pictures(tmp_path, 10)
    data = [(tmp_path / f"{n % 10}.png").read_bytes() for n in range(30)]
    table = {"image": data, "question": ["?"] * 30, "answer": [str(n) for n in range(30)]}
    pyarrow.parquet.write_table(pyarrow.table(table), tmp_path / "a.parquet", row_group_size=7)
    train, held_out = FileSource(RowsConfig(path=tmp_path / "a.parquet")).split(0.3)
    seen, unseen = ({pixels for _, pixels in shown(part)} for part in (train, held_out))
    assert len(unseen) == 3 and len(seen) == 7 and not seen & unseen


def test_where_all_rows_share_a_picture_nothing_is_held_out(tmp_path):
    pictures(tmp_path, 4)
    train, held_out = source(tmp_path, [line(["0.png", f"{n}.png"], str(n)) for n in range(1, 4)]).split(0.25)
    assert held_out is None and len(train) == 3


def test_of_a_few_rows_the_smallest_set_is_held_out(tmp_path):
    pictures(tmp_path, 3)
    lines = [line([f"{n}.png"], f"{n} {i}") for n, count in enumerate((2, 2, 1)) for i in range(count)]
    train, held_out = source(tmp_path, lines).split(0.1)
    assert len(shown(held_out)) == 1 and len(shown(train)) == 4
    assert source(tmp_path, lines).split(0.0)[1] is None


def test_text_without_pictures_trains_a_lora_alone(tmp_path, tiny_processor):
    path = tmp_path / "text.jsonl"
    path.write_text("\n".join(json.dumps(line([], "yes", f"Is {n}?")) for n in range(20)))
    config = config_for(path, tmp_path / "run")
    with pytest.raises(DataError, match=r"no row of .*text.jsonl has a picture.*trainable=\[\]"):
        build_rows(config, tiny_processor)
    train, held_out = build_rows(config.model_copy(update={"trainable": ()}), tiny_processor)
    assert not train[0][0].images and not held_out[0][0].images


def test_nothing_held_out_is_said(tmp_path, tiny_processor, caplog):
    config = config_for(write_rows(tmp_path, 1), tmp_path / "run")
    train, held_out = build_rows(config, tiny_processor)
    assert train[0][0].input_ids == held_out[0][0].input_ids
    assert "no rows are held out" in caplog.text
