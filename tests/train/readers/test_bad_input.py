"""What is wrong with captions, VQAv2 annotations, Parquet text and saved data sets is told with file and row."""

import json

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from train.readers import DataError, Problem, RowsConfig, open_rows
from train.readers.row import text_of


@pytest.fixture
def folder(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    return tmp_path


def problems(config):
    return {reader_number: str(row) for reader_number, row in numbered(config) if isinstance(row, Problem)}


def numbered(config):
    reader = open_rows(config)
    return [(reader.number(index), row) for index, row in enumerate(reader.scan())]


# Of a folder with captions.


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"no tab and no comma", "there is no tab"),
        (b"a.png\tK\xf6ter", "it is not UTF-8 text"),
    ],
)
def test_a_bad_line_of_captions_is_named_and_the_others_are_read(folder, line, words):
    (folder / "captions.txt").write_bytes(b"a.png\ta cat\n" + line + b"\na.png\ta dog\n")
    found = problems(RowsConfig(path=folder))
    assert list(found) == [2] and words in found[2]
    with pytest.raises(DataError, match=r"captions\.txt, line 2: "):
        open_rows(RowsConfig(path=folder)).read(1)


@pytest.mark.parametrize("data", [b"\xff\xfea\0", b"a\0b"])
def test_captions_that_are_no_text_are_named(folder, data):
    (folder / "captions.txt").write_bytes(data)
    with pytest.raises(DataError, match=r"captions\.txt is not UTF-8 text"):
        open_rows(RowsConfig(path=folder))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("captions.csv", "file_name,author\na.png,x\n", "there is no column for answer"),
        ("captions.jsonl", '{"file_name": "a.png"}\n', "there is no column for answer"),
        ("metadata.jsonl", '{"file_name": 5, "text": "x"}\n', "a picture is a path or its bytes"),
        ("labels.json", "[1", "must be a list of rows"),
    ],
)
def test_a_captions_file_of_another_form_is_named(folder, name, text, words):
    (folder / name).write_text(text)
    try:
        (found,) = problems(RowsConfig(path=folder)).values()
    except DataError as error:
        assert name in str(error)
        found = str(error)
    assert words in found


def test_a_captions_file_that_is_cut_off_loses_its_last_line_alone(folder):
    (folder / "captions.txt").write_bytes("a.png\ta cat\na.png\ta dög".encode()[:-2])
    assert problems(RowsConfig(path=folder)).keys() == {2}


# Of VQAv2.

QUESTION = {"question_id": 7, "image_id": 1, "question": "What?"}
ANNOTATION = {"question_id": 7, "image_id": 1, "multiple_choice_answer": "cat", "answers": [{"answer": "cat"}]}


def write_vqa(folder, annotation, question=QUESTION):
    (folder / "v2_OpenEnded_x_questions.json").write_text(json.dumps({"questions": [question]}))
    (folder / "v2_x_annotations.json").write_text(json.dumps({"annotations": [annotation]}))
    return RowsConfig(path=folder / "v2_OpenEnded_x_questions.json")


def test_a_good_annotation_is_read(folder):
    ((_, row),) = numbered(write_vqa(folder, ANNOTATION))
    assert text_of(row.messages[-1]) == "cat" and row.answers == ("cat",)


@pytest.mark.parametrize("answers", [5, "cat", {"answer": "cat"}, True])
def test_answers_that_are_no_list_are_named(folder, answers):
    found = problems(write_vqa(folder, {**ANNOTATION, "answers": answers}))
    assert "the answers of question 7 are a list" in found[1]


@pytest.mark.parametrize("answers", [[5], [{"answer": 5}], [None], [[]], [], None])
def test_single_answers_that_are_no_text_are_not_heeded(folder, answers):
    ((_, row),) = numbered(write_vqa(folder, {**ANNOTATION, "answers": answers}))
    assert text_of(row.messages[-1]) == "cat" and row.answers == ()


@pytest.mark.parametrize("answer", [None, 5, ["cat"], "\ud800"])
def test_the_answer_of_an_annotation_is_text(folder, answer):
    assert problems(write_vqa(folder, {**ANNOTATION, "multiple_choice_answer": answer})).keys() == {1}


@pytest.mark.parametrize("number", ["7", None, 7.5, True, 2**70])
def test_numbers_of_questions_are_numbers(folder, number):
    with pytest.raises(DataError, match=r"v2_x_annotations\.json, row 1: question_id is a number"):
        open_rows(write_vqa(folder, {**ANNOTATION, "question_id": number}))
    assert problems(write_vqa(folder, ANNOTATION, {**QUESTION, "question_id": number})).keys() == {1}
    assert problems(write_vqa(folder, ANNOTATION, {**QUESTION, "image_id": number})).keys() == {1}


@pytest.mark.parametrize("annotation", [5, "x", None, [ANNOTATION]])
def test_an_annotation_is_an_object(folder, annotation):
    with pytest.raises(DataError, match=r"v2_x_annotations\.json, row 1: it is not an object"):
        open_rows(write_vqa(folder, annotation))


def test_a_file_of_annotations_that_is_cut_off_or_no_text_is_named(folder):
    config = write_vqa(folder, ANNOTATION)
    path = folder / "v2_x_annotations.json"
    for data in (path.read_bytes()[:-5], path.read_text().encode("utf-16"), b"", b"[]"):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"v2_x_annotations\.json"):
            open_rows(config)


# Of Parquet.


def write_parquet(folder, cells):
    """Text of which the library has not looked whether it is UTF-8."""
    offsets = pyarrow.py_buffer(b"".join(sum(map(len, cells[:i])).to_bytes(4, "little") for i in range(len(cells) + 1)))
    answers = pyarrow.StringArray.from_buffers(len(cells), offsets, pyarrow.py_buffer(b"".join(cells)))
    table = pyarrow.table({"question": ["?"] * len(cells), "answer": answers})
    pyarrow.parquet.write_table(table, folder / "rows.parquet")
    return RowsConfig(path=folder / "rows.parquet")


def test_text_of_parquet_that_is_not_utf_8_costs_its_row_alone(folder):
    config = write_parquet(folder, [b"one", b"K\xf6ter", b"three"])
    found = problems(config)
    assert list(found) == [2] and "it is not UTF-8 text" in found[2]
    assert [text_of(row.messages[-1]) for _, row in numbered(config)[::2]] == ["one", "three"]
    with pytest.raises(DataError, match=r"rows\.parquet, row 2: it is not UTF-8 text"):
        open_rows(config).read(1)
    assert open_rows(config).read(2).number == 3


# Of data sets as the library `datasets` saves them.


@pytest.fixture
def saved(folder):
    datasets = pytest.importorskip("datasets")

    def save(**columns):
        datasets.Dataset.from_dict(columns).save_to_disk(folder / "saved")
        return RowsConfig(path=folder / "saved", images=folder)

    return save


def test_a_saved_data_set_without_the_columns_is_named_with_those_that_it_has(saved):
    config = saved(image=["a.png"], said=["cat"])
    with pytest.raises(DataError, match=r"saved: there is no column for answer.*the columns are image, said"):
        open_rows(config)


def test_a_split_that_a_saved_data_set_has_not_is_named(folder):
    datasets = pytest.importorskip("datasets")
    one = datasets.Dataset.from_dict({"question": ["?"], "answer": ["x"]})
    datasets.DatasetDict({"test": one}).save_to_disk(folder / "saved")
    with pytest.raises(DataError, match="no split 'train'; there are test"):
        open_rows(RowsConfig(path=folder / "saved"))


@pytest.mark.parametrize("name", ["data-00000-of-00001.arrow", "state.json", "dataset_info.json"])
def test_a_saved_data_set_that_is_cut_off_is_named(saved, folder, name):
    config = saved(question=["?"] * 100, answer=["x"] * 100)
    path = folder / "saved" / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"cannot load .*saved"):
        open_rows(config)


def test_rows_of_a_saved_data_set_that_are_empty_are_named(saved):
    found = problems(saved(question=["?", None, "?"], answer=["x", "y", None]))
    assert list(found) == [2, 3] and "the question must be text" in found[2] and "the answer must be text" in found[3]
