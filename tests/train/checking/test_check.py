import json
import random

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from train.checking.blind import BlindBaseline
from train.checking.check import Limits, check
from train.data_engine.dataset import main
from train.readers import RowsConfig


def photo(seed, size=(240, 160)):
    """A picture that is like no other."""
    noise = random.Random(seed)
    small = Image.frombytes("RGB", (6, 4), bytes(noise.randrange(256) for _ in range(6 * 4 * 3)))
    return small.resize(size, Image.Resampling.BICUBIC)


def write(folder, rows, name="rows.jsonl"):
    """Rows of picture, question, answer."""
    lines = [
        {
            "messages": [
                {"role": "user", "content": [{"type": "image", "path": path}, {"type": "text", "text": question}]},
                {"role": "assistant", "content": answer},
            ]
        }
        for path, question, answer in rows
    ]
    (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return RowsConfig(path=folder / name)


@pytest.fixture
def folder(tmp_path):
    for number in range(4):
        photo(number).save(tmp_path / f"{number}.png")
    return tmp_path


def found(report):
    return {(finding.kind, finding.row) for finding in report.findings}


GOOD = [("0.png", "What is it?", "cat"), ("1.png", "What is it?", "dog")]


def test_good_rows_are_found_good(folder):
    report = check(write(folder, GOOD), None, Limits(), 1)
    assert report.is_usable and not report.findings
    assert (report.rows, report.pictures) == (2, 2)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (("none.png", "?", "x"), "missing"),
        (("../x.png", "?", "x"), "outside"),
        (("broken.png", "?", "x"), "unreadable"),
        (("0.png", "?", " "), "empty"),
    ],
)
def test_what_cannot_be_trained_on_is_an_error_with_its_row(folder, row, kind):
    (folder / "broken.png").write_bytes((folder / "0.png").read_bytes()[:60])
    (folder.parent / "x.png").write_bytes((folder / "0.png").read_bytes())
    report = check(write(folder, [GOOD[0], row, GOOD[1]]), None, Limits(), 1)
    assert found(report) == {(kind, 2)} and not report.is_usable and list(report.bad) == [2]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (GOOD[0], "duplicate"),
        (("0.png", "What is it?", "dog"), "contradiction"),
        (("2.png", "Is the red cat here a Red Cat?", "red cat."), "answer_in_question"),
    ],
)
def test_what_is_doubtful_is_a_note_with_its_row(folder, row, kind):
    report = check(write(folder, [*GOOD, row]), None, Limits(), 1)
    assert found(report) == {(kind, 3)} and report.is_usable


def test_what_is_no_slip_is_not_told(folder):
    rows = [
        ("0.png", "Is it red or blue?", "red"),
        ("0.png", "Is yes a word?", "yes"),
        ("0.png", "Is it scared?", "red"),
        ("1.png", "Tell.", "A cat on a mat."),
        ("1.png", "Tell.", "There is one cat."),
    ]
    assert not check(write(folder, rows), None, Limits(), 1).findings


def test_a_test_picture_is_found_in_the_training_set_also_when_it_was_saved_anew(folder):
    test = folder / "test"
    test.mkdir()
    (test / "same.png").write_bytes((folder / "1.png").read_bytes())
    photo(2).resize((180, 120)).save(test / "smaller.jpg", quality=70)
    photo(9).save(test / "other.png")
    rows = [(f"{number}.png", "?", "x") for number in range(4)]
    against = write(test, [(name, "?", "x") for name in ("other.png", "smaller.jpg", "same.png")])
    report = check(write(folder, rows), against, Limits(), 1)
    assert found(report) == {("leaked", 2), ("leaked_likely", 3)}
    assert not report.is_usable
    assert "line 3 of the test set" in next(f.message for f in report.findings if f.kind == "leaked")


def test_pictures_are_looked_at_the_same_in_one_process_and_in_several(folder):
    rows = [(f"many/{number}.png", "?", str(number)) for number in range(130)]
    (folder / "many").mkdir()
    for number in range(130):
        photo(number, (8 + number % 9, 8)).save(folder / f"many/{number}.png")
    (folder / "many/77.png").write_bytes(b"no picture")
    config = write(folder, rows)
    one, two = check(config, None, Limits(), 1), check(config, None, Limits(), 2)
    assert found(one) == found(two) == {("unreadable", 78)}
    assert one.histograms == two.histograms


def test_pictures_inside_of_rows_are_looked_at(folder):
    good = (folder / "0.png").read_bytes()
    images = [{"bytes": data} for data in (good, good[:50], good)]
    table = {"image": images, "question": ["a?", "b?", "c?"], "answer": ["x", "y", "z"]}
    pyarrow.parquet.write_table(pyarrow.table(table), folder / "rows.parquet")
    config = RowsConfig(path=folder / "rows.parquet")
    report = check(config, write(folder, [("0.png", "?", "x")]), Limits(), 1)
    assert found(report) == {("unreadable", 2), ("leaked", 1), ("leaked", 3)}


def test_a_row_that_is_too_long_is_told_with_what_would_be_lost(folder, tiny_processor):
    rows = [*GOOD, ("2.png", "What is it?", "A long story. " * 10 + "The end.")]
    report = check(write(folder, rows), None, Limits(max_tokens=120, processor=lambda: tiny_processor), 1)
    assert found(report) == {("too_long", 3)}
    assert "The end." in report.findings[0].message


def test_the_blind_baseline_answers_from_other_rows(folder):
    alike, different, noise = BlindBaseline(), BlindBaseline(), random.Random(1)
    for number in range(1000):
        alike.add(f"What number is {number % 5}?", "", str(number % 5))
        different.add(f"What is {number}?", "", str(number))
    assert alike.shares()["question"] == 1 and alike.shares()["whole"] < 0.3
    assert different.shares()["question"] == 0  # an answer of its own is not known beforehand
    coin = BlindBaseline()
    for _ in range(2000):
        coin.add("Heads?", "", noise.choice(("yes", "no")))
    assert 0.4 < coin.shares()["question"] < 0.6
    assert alike.shares_of(alike)["question"] == 1 and alike.shares_of(different)["question"] < 0.01


def test_questions_that_need_no_picture_are_told(folder):
    report = check(write(folder, [(f"{i % 4}.png", f"{i}?", "yes") for i in range(40)]), None, Limits(), 1)
    assert found(report) == {("imbalance", None), ("blind", None)}


def test_the_command_writes_a_report_and_a_page_and_its_exit_code_says_whether_to_train(folder, capsys):
    bad = ("none.png", "<script>alert(1)</script>", "x")
    config = write(folder, [*GOOD, bad, ("2.png", "<b>?</b>", "<i>")])
    page, kept = folder / "report.html", folder / "report.json"
    arguments = ["check", str(config.path), "--json", str(kept), "--html", str(page), "--workers", "1"]
    assert main(arguments) == 1
    report = json.loads(kept.read_text())
    assert report["findings"]["missing"]["rows"] == [3] and not report["usable"]
    assert (
        "error: 1 rows whose picture is not there\n  line 3: there is no picture 'none.png'" in capsys.readouterr().out
    )
    text = page.read_text()
    assert "&lt;b&gt;?&lt;/b&gt;" in text and "<b>?" not in text and "data:image/jpeg;base64," in text
    assert 'src="http' not in text and "href" not in text
    write(folder, GOOD)
    assert main(arguments) == 0


@pytest.mark.parametrize(
    ("rejected", "words"),
    [
        (None, "it has no rejected answer"),
        (" ", "it has no rejected answer"),
        ("x", "chosen and rejected are the same"),
    ],
)
def test_rows_that_are_no_pair_are_told_where_any_row_is_one(folder, rejected, words, capsys):
    rows = [{"image": "0.png", "question": f"{i}?", "chosen": "x", "rejected": "y"} for i in range(2)]
    rows[1]["rejected"] = rejected
    (folder / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert main(["check", str(folder / "pairs.jsonl"), "--workers", "1"]) == 1
    told = capsys.readouterr().out
    assert "error: 1 rows that are no pair" in told and f"line 2: {words}" in told


def test_one_split_of_a_data_set_is_checked_against_another(folder, capsys):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({n: datasets.Value("string") for n in ("image", "question", "answer")})

    def split(*names):
        rows = {"image": list(names), "question": ["?"] * len(names), "answer": ["x"] * len(names)}
        return datasets.Dataset.from_dict(rows, features=features)

    saved = folder / "saved"
    datasets.DatasetDict({"train": split("0.png", "1.png"), "test": split("2.png", "1.png")}).save_to_disk(saved)
    common = ["check", str(saved), "--images", str(folder), "--workers", "1"]
    for words in (["--against", str(saved), "--against-split", "test"], ["--against-split", "test"]):
        assert main([*common, *words]) == 1
        told = capsys.readouterr().out
        assert "error: 1 rows whose picture is in the test set\n  row 2: " in told and "row 2 of the test set" in told


def test_what_cannot_be_read_at_all_is_told_in_plain_words(tmp_path, capsys):
    assert main(["check", str(tmp_path / "none.jsonl")]) == 2
    assert capsys.readouterr().err.startswith("error: cannot read")
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    assert main(["check", str(tmp_path / "rows.csv"), "--columns", "image=a", "foo=b"]) == 2
    assert "found foo" in capsys.readouterr().err
