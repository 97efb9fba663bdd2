"""Every format reads the same rows, and whatever is wrong with a file is a DataError with its file and row."""

import csv
import io
import json
import sys

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from train.readers import DataError, Problem, RowsConfig, open_picture, open_rows
from train.readers.row import pictures_of, text_of

ROWS = [("a.png", 'What is it, a "cat"?\n[or] {dog}', "Köter, <image>"), ("p/b.png", "And, this?", "7")]


def picture_file(name):
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (len(name), 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def write_jsonl(folder):
    lines = [
        {
            "messages": [
                {"role": "user", "content": [{"type": "image", "path": name}, {"type": "text", "text": question}]},
                {"role": "assistant", "content": answer},
            ]
        }
        for name, question, answer in ROWS
    ]
    (folder / "rows.jsonl").write_text("\n\n".join(map(json.dumps, lines)))
    return RowsConfig(path=folder / "rows.jsonl")


def conversation(name, question, answer):
    return [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": answer}]


def write_llava(folder):
    rows = [{"id": i, "image": row[0], "conversations": conversation(*row)} for i, row in enumerate(ROWS)]
    (folder / "rows.json").write_text(json.dumps(rows, indent=2))
    return RowsConfig(path=folder / "rows.json")


def write_sharegpt(folder):
    rows = [{"conversations": conversation(*row), "images": [row[0]]} for row in ROWS]
    (folder / "rows.json").write_text("\ufeff" + json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return RowsConfig(path=folder / "rows.json")


def write_messages_with_images(folder):
    rows = [
        {
            "messages": [
                {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]},
                {"role": "assistant", "content": [{"type": "text", "text": answer}]},
            ],
            "images": [name],
        }
        for name, question, answer in ROWS
    ]
    (folder / "rows.json").write_text(json.dumps(rows))
    return RowsConfig(path=folder / "rows.json")


def write_vqa(folder):
    for number, (name, _, _) in enumerate(ROWS):
        (folder / f"COCO_train2014_{number:012d}.jpg").write_bytes(picture_file(name))
    questions = [{"question_id": 10 - i, "image_id": i, "question": row[1]} for i, row in enumerate(ROWS)]
    answers = [
        {"question_id": 10 - i, "question_type": "what", "multiple_choice_answer": row[2], "answers": [{"answer": "x"}]}
        for i, row in reversed(list(enumerate(ROWS)))
    ]
    path = folder / "v2_OpenEnded_mscoco_train2014_questions.json"
    path.write_text(json.dumps({"info": {"questions": [1]}, "questions": questions, "data_subtype": "train2014"}))
    (folder / "v2_mscoco_train2014_annotations.json").write_text(json.dumps({"annotations": answers}))
    return RowsConfig(path=path)


def write_csv(folder):
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("image", "question", "answer"), *ROWS])
    return RowsConfig(path=folder / "rows.csv")


def write_other_columns(folder):
    with (folder / "rows.tsv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter="\t").writerows(
            [("foto", "n", "frage", "antwort"), *((a, 1, b, c) for a, b, c in ROWS)]
        )
    return RowsConfig(path=folder / "rows.tsv", columns={"image": "foto", "question": "frage", "answer": "antwort"})


def write_parquet(folder):
    images = [{"bytes": picture_file(name), "path": name} for name, _, _ in ROWS]
    table = {"image": images, "question": [row[1] for row in ROWS], "answer": [row[2] for row in ROWS]}
    pyarrow.parquet.write_table(pyarrow.table(table), folder / "rows.parquet", row_group_size=1)
    return RowsConfig(path=folder / "rows.parquet")


def write_parquet_conversations(folder):
    table = {"images": [[row[0]] for row in ROWS], "conversations": [conversation(*row) for row in ROWS]}
    pyarrow.parquet.write_table(pyarrow.table(table), folder / "rows.parquet")
    return RowsConfig(path=folder / "rows.parquet")


FORMATS = (
    write_jsonl,
    write_llava,
    write_sharegpt,
    write_messages_with_images,
    write_vqa,
    write_csv,
    write_other_columns,
    write_parquet,
    write_parquet_conversations,
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "p").mkdir()
    for name, _, _ in ROWS:
        (tmp_path / name).write_bytes(picture_file(name))
    return tmp_path


@pytest.mark.parametrize("write", FORMATS)
def test_every_format_reads_the_same_rows(folder, write):
    reader = open_rows(write(folder))
    assert len(reader) == len(ROWS)
    for index, (name, question, answer) in enumerate(ROWS):
        row = reader.read(index)
        assert [message["role"] for message in row.messages] == ["user", "assistant"]
        assert [text_of(message) for message in row.messages] == [question, answer]
        ((_, part),) = pictures_of(row.messages)
        assert open_picture(part, reader.folder).getpixel((0, 0)) == (len(name), 0, 0)


@pytest.mark.parametrize("write", FORMATS)
def test_a_scan_sees_what_reading_sees_but_for_embedded_bytes(folder, write):
    def text(row):
        return row.number, [text_of(message) for message in row.messages], len(pictures_of(row.messages))

    reader = open_rows(write(folder))
    assert [text(row) for row in reader.scan()] == [text(reader.read(index)) for index in range(len(reader))]


@pytest.mark.parametrize("write", FORMATS)
def test_a_truncated_file_is_named_and_no_whole_row_is_lost(folder, write):
    config = write(folder)
    data = config.path.read_bytes()
    for kept in range(0, len(data), max(1, len(data) // 40)):
        config.path.write_bytes(data[:kept])
        try:
            rows = list(open_rows(config).scan())
        except DataError as error:
            assert str(config.path) in str(error)
        else:
            good = [row for row in rows if not isinstance(row, Problem)]
            assert len(rows) - len(good) <= 2  # a cell of a table may have two lines
            assert len(good) < len(ROWS) or text_of(good[-1].messages[-1]) in (ROWS[-1][2], "")


@pytest.mark.parametrize("write", FORMATS)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-le"])
def test_a_text_file_in_another_encoding_is_named(folder, write, encoding):
    config = write(folder)
    if config.path.suffix == ".parquet":
        pytest.skip("has no text encoding")
    config.path.write_bytes(config.path.read_text(encoding="utf-8").encode(encoding))
    with pytest.raises(DataError, match="is not UTF-8 text"):
        open_rows(config)


@pytest.mark.parametrize("write", [write_sharegpt, write_csv])
def test_a_row_in_another_encoding_is_named_and_the_others_are_read(folder, write):
    config = write(folder)
    config.path.write_bytes(config.path.read_bytes().replace("ö".encode(), b"\xf6"))
    first, second = open_rows(config).scan()
    assert first.kind == "encoding" and "UTF-8" in str(first)
    assert text_of(second.messages[1]) == "7"
    with pytest.raises(DataError, match=rf"rows\.\w+, (row|line) {open_rows(config).number(0)}: "):
        open_rows(config).read(0)


@pytest.mark.parametrize(
    "name", ["rows.jsonl", "rows.json", "rows.csv", "rows.parquet", "captions.txt", "rows.xyz", "rows"]
)
@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"hello", b"\x89PNG\r\n\x1a\n\0\0", b"[" * 5000, b"PAR1" * 10, b'{"a": "', b"[1 2"]
)
def test_a_file_of_nonsense_is_a_data_error_or_has_only_bad_rows(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    try:
        assert all(isinstance(row, Problem) for row in open_rows(RowsConfig(path=tmp_path / name)).scan())
    except DataError as error:
        assert name in str(error)


@pytest.mark.parametrize(
    "row",
    [
        "5",
        '"x"',
        "null",
        "[1]",
        "true",
        "{}",
        '{"messages": 3}',
        '{"messages": [{"role": 1, "content": 2}]}',
        '{"messages": [{"role": "user", "content": [5]}]}',
        '{"messages": [{"role": "user", "content": [{"type": "text"}]}]}',
        '{"messages": [{"role": "user", "content": [{"type": "image", "path": 5}]}]}',
        '{"messages": []}',
        '{"messages": [{"role": "user", "content": [{"type": "image"}]}]}',
        '{"conversations": [{"from": "cat", "value": "x"}]}',
        '{"conversations": "x"}',
        '{"conversations": [{"from": ["human"], "value": 5}]}',
        '{"question": 5, "answer": {"a": 1}}',
        '{"question": "x", "answer": null}',
        '{"image": {}, "question": "x", "answer": "y"}',
        '{"messages": [{"role": "assistant", "content": "\\ud800"}]}',
        '{"messages": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"a": ' + "9" * 5000 + "}",
        '{"question": "x", "answer": ' + "[" * 600 + '"y"' + "]" * 600 + "}",
        '{"question": "x", "chosen": "y", "rejected": "\\ud800"}',
        '{"question": "x", "chosen": "y", "rejected": 5}',
        '{"question": "x", "chosen": "y", "rejected": [{"role": "assistant"}]}',
        '{"prompt": [{"role": "user"}], "chosen": "y", "rejected": "z"}',
        '{"prompt": [5], "chosen": "y", "rejected": "z"}',
        '{"conversations": 5, "chosen": "y", "rejected": "z"}',
        '{"conversations": [5], "chosen": {"value": 5}, "rejected": "z"}',
        '{"image": "data:image/png;base64,!", "question": "x", "answer": "y"}',
    ],
)
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
def test_a_row_of_the_wrong_type_is_named_and_the_others_are_read(folder, name, row):
    good = json.dumps({"question": "x", "answer": "y"})
    text = "\n".join((good, row, good)) if name.endswith("l") else f"[{good}, {row}, {good}]"
    (folder / name).write_text(text)
    rows = list(open_rows(RowsConfig(path=folder / name)).scan())
    assert [isinstance(row, Problem) for row in rows] == [False, True, False]
    assert rows[2].number == 3


@pytest.mark.parametrize("value", ["no mark", "<image> <image>"])
def test_pictures_and_their_marks_must_be_as_many(folder, value):
    row = {"image": "a.png", "conversations": [{"from": "human", "value": value}, {"from": "gpt", "value": "x"}]}
    (folder / "rows.json").write_text(json.dumps([row]))
    (problem,) = open_rows(RowsConfig(path=folder / "rows.json")).scan()
    assert problem.kind == "placeholders" and "1 picture(s)" in str(problem)


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_a_missing_column_is_named_with_those_that_are_there(folder, write):
    config = write(folder).model_copy(update={"columns": {"answer": "said", "image": "image"}})
    with pytest.raises(DataError, match=r"no column for answer \(said\); the columns are image, question, answer"):
        open_rows(config)


def test_labels_without_a_question_want_one(folder):
    (folder / "rows.csv").write_text("image,label\na.png,cat\n")
    with pytest.raises(DataError, match="no column for question"):
        open_rows(RowsConfig(path=folder / "rows.csv"))
    row = open_rows(RowsConfig(path=folder / "rows.csv", question="What is it?")).read(0)
    assert [text_of(message) for message in row.messages] == ["What is it?", "cat"]


def test_a_quote_that_is_never_closed_costs_one_line(folder):
    (folder / "rows.csv").write_text('image,question,answer\na.png,"x,y\na.png,b,c\na.png,d,e\n')
    rows = list(open_rows(RowsConfig(path=folder / "rows.csv")).scan())
    assert [isinstance(row, Problem) for row in rows] == [True, False, False]
    assert [row.number for row in rows[1:]] == [3, 4]


@pytest.mark.parametrize("cells", ["a.png,x", "a.png,x,y,z"])
def test_a_row_with_other_cells_than_the_header_is_named(folder, cells):
    (folder / "rows.csv").write_text(f"image,question,answer\n{cells}\na.png,b,c\n")
    first, second = open_rows(RowsConfig(path=folder / "rows.csv")).scan()
    assert "the header names 3 columns" in str(first) and second.number == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("captions.txt", "a.png\tA cat, grey.\n"),
        ("captions.csv", 'file_name,caption\na.png,"A cat, grey."\n'),
        ("metadata.jsonl", '{"file_name": "a.png", "text": "A cat, grey."}'),
    ],
)
def test_a_folder_with_captions_asks_what_is_in_the_picture(folder, name, text):
    (folder / name).write_text(text)
    (row,) = open_rows(RowsConfig(path=folder)).scan()
    assert [text_of(message) for message in row.messages] == ["Describe this picture.", "A cat, grey."]


def test_a_folder_without_captions_says_what_to_add(folder):
    with pytest.raises(DataError, match=r"add captions\.csv"):
        open_rows(RowsConfig(path=folder))


def test_vqa_answers_of_all_people_are_kept_and_missing_ones_named(folder):
    config = write_vqa(folder)
    assert open_rows(config).read(0).answers == ("x",)
    assert open_rows(config).read(0).type == "what"
    annotations = folder / "v2_mscoco_train2014_annotations.json"
    kept = json.loads(annotations.read_text())
    annotations.write_text(json.dumps({"annotations": kept["annotations"][:1]}))
    first, _ = open_rows(config).scan()
    assert "no annotation for question_id 10" in str(first)
    annotations.write_text(json.dumps({"annotations": [{"question_id": "x"}]}))
    with pytest.raises(DataError, match=r"annotations\.json, row 1: question_id is a number, found text 'x'"):
        open_rows(config)
    annotations.unlink()
    with pytest.raises(DataError, match="name the file of their answers with `annotations`"):
        open_rows(config)


def test_a_damaged_row_group_costs_its_rows_alone(folder):
    config = write_parquet(folder)
    column = pyarrow.parquet.ParquetFile(config.path).metadata.row_group(0).column(2)
    data = bytearray(config.path.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    data[start : start + 20] = b"\xff" * 20
    config.path.write_bytes(data)
    first, second = open_rows(config).scan()
    assert "row group 1" in str(first) and text_of(second.messages[1]) == "7"


def test_the_library_of_data_sets_is_named_when_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"pip install 'regard\[datasets\]'"):
        open_rows(RowsConfig(dataset="owner/name"))


def test_a_saved_data_set_reads_as_files_do(folder):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "question": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["cat", "dog"]),
        }
    )
    table = {"image": [str(folder / "a.png"), None], "question": ["What?", "And?"], "label": [1, 0]}
    datasets.Dataset.from_dict(table, features=features).save_to_disk(folder / "saved")
    reader = open_rows(RowsConfig(path=folder / "saved"))
    assert [len(pictures_of(row.messages)) for row in reader.scan()] == [1, 0]
    row = reader.read(0)
    assert text_of(row.messages[1]) == "dog"
    assert open_picture(pictures_of(row.messages)[0][1], reader.folder).size == (4, 4)
    with pytest.raises(DataError, match="cannot load"):
        open_rows(RowsConfig(dataset=str(folder / "nothing")))
