import json

import pytest

from train.evaluate import main


def write(folder, rows):
    folder.mkdir()
    lines = [
        {
            "suite": "s",
            "picture": f"{i}.png",
            "prompt": prompt,
            "expected": "yes",
            "answer": answer,
            "score": float(answer == "yes"),
        }
        for i, (prompt, answer) in enumerate(rows)
    ]
    (folder / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(folder)


def test_the_rows_that_changed_are_shown_and_written(tmp_path, capsys):
    one = write(tmp_path / "a", [("p?", "yes"), ("q?", "no"), ("r?", "no"), ("gone?", "no")])
    two = write(tmp_path / "b", [("p?", "no"), ("q?", "yes"), ("r?", "nope"), ("new?", "no")])
    assert main(["--compare", one, two, "--out", str(tmp_path / "changed.jsonl")]) == 0
    told = capsys.readouterr().out
    assert "| s | 3 | 33.3 % | 33.3 % | +0.0 % |" in told and "| 1 | 1 | 1 (McNemar's exact test) |" in told
    assert "1 became better:\n  1.png: 'q?' ('yes'): 'no' -> 'yes'" in told and "1 rows of" in told
    changed = [json.loads(line) for line in (tmp_path / "changed.jsonl").read_text().splitlines()]
    assert [(row["prompt"], row["answer_a"], row["answer_b"]) for row in changed] == [
        ("p?", "yes", "no"), ("q?", "no", "yes"), ("r?", "no", "nope"),
    ]  # fmt: skip


def test_the_same_question_asked_twice_is_compared_twice(tmp_path, capsys):
    one, two = (tmp_path / name for name in "ab")
    for folder, answers in ((one, ("yes", "no")), (two, ("yes", "yes"))):
        write(folder, [("p?", answer) for answer in answers])
        text = (folder / "predictions.jsonl").read_text().replace("1.png", "0.png")
        (folder / "predictions.jsonl").write_text(text)
    assert main(["--compare", str(one), str(two)]) == 0
    assert "| s | 2 | 50.0 % | 100.0 % | +50.0 % |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "line 1 is no prediction"), ('{"suite": 1}', "line 1 is no prediction"), ("", "no question in common")],
)
def test_what_is_no_prediction_is_told_in_plain_words(tmp_path, capsys, text, words):
    one = write(tmp_path / "a", [("p?", "yes")])
    (tmp_path / "b.jsonl").write_text(text)
    assert main(["--compare", one, str(tmp_path / "b.jsonl")]) == 2
    assert words in capsys.readouterr().err
    assert main(["--compare", one, str(tmp_path / "none")]) == 2
    assert "cannot read" in capsys.readouterr().err
