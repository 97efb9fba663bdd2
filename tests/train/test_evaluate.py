import json

import pytest
import yaml

from train.evaluate import Item, main, table
from vlm.loading import save_checkpoint
from vlm.modeling_vlm import VlmForConditionalGeneration


@pytest.fixture
def config(tiny_config, tiny_processor, tmp_path):
    save_checkpoint(VlmForConditionalGeneration(tiny_config), tiny_processor, tmp_path / "model")
    path = tmp_path / "eval.yaml"
    suites = [{"name": "drawn", "family": "shapes", "pictures": 2}, {"name": "easy", "easy_vqa": True, "limit": 12}]
    folders = {"model": str(tmp_path / "model"), "output_dir": str(tmp_path / "out")}
    values = {**folders, "instruction": "Briefly.", "suites": suites}
    path.write_text(yaml.safe_dump(values))
    return str(path)


def test_every_question_is_asked_and_kept_with_both_answers(config, tmp_path, capsys):
    assert main([config]) == 0
    kept = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    easy = [item for item in kept if item["suite"] == "easy"]
    assert len(easy) == 12 and len(kept) > 20
    assert all(item["prompt"].endswith("Briefly.") for item in kept if not item["elements"])
    assert all(item["picture"] and item["expected"] for item in kept)
    assert {item["type"] for item in easy} == {"yes_no", "open"}
    assert (tmp_path / "out" / "table.md").read_text() in capsys.readouterr().out


def test_a_blind_answer_depends_on_the_question_alone(config, tmp_path):
    assert main([config]) == 0
    kept = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    answers = {}
    for item in kept:
        assert answers.setdefault((item["suite"], item["prompt"]), item["answer_blind"]) == item["answer_blind"]


def test_rows_of_ones_own_are_asked_and_scored_by_their_metric(config, tmp_path, picture, capsys):
    picture.save(tmp_path / "a.png")
    (tmp_path / "own.csv").write_text(
        "image,question,answer,type\na.png,Is it red?,yes,colour\na.png,Is it big?,no,size\n"
    )
    suite = "{name: own, data: {path: %s}, metric: yes_no, max_tokens: 3}" % (tmp_path / "own.csv")
    assert main([config, f"suites=[{suite}]"]) == 0
    kept = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    assert [(item["prompt"], item["expected"], item["type"], item["picture"]) for item in kept] == [
        ("Is it red? Briefly.", "yes", "colour", "a.png"),
        ("Is it big? Briefly.", "no", "size", "a.png"),
    ]
    told = capsys.readouterr().out
    assert all(f"| own ({name}) | 2 |" in told for name in ("accuracy", "precision", "recall", "F1", "yes ratio"))
    (tmp_path / "own.csv").write_text("image,question,answer\nnone.png,Is it red?,yes\n")
    assert main([config, f"suites=[{suite}]"]) == 2
    assert "own.csv, line 2: there is no picture 'none.png'" in capsys.readouterr().err


def test_the_table_has_a_row_for_the_whole_for_what_is_not_yes_no_and_for_every_type():
    right = Item("s", "p", "colour", "?", "red", (), False, "exact", (), "red", "blue", 1.0, 0.0)
    wrong = Item("s", "p", "exists", "?", "yes", (), True, "exact", (), "no", "yes", 0.0, 1.0)
    rows = [line.split(" | ") for line in table([right, right, right, wrong]).splitlines()[2:]]
    assert [(row[0].strip("| "), row[1], row[2], row[4].strip(" |")) for row in rows] == [
        ("s", "4", "75.0 %", "25.0 %"),
        ("s: not yes/no", "3", "100.0 %", "0.0 %"),
        ("s: colour", "3", "100.0 %", "0.0 %"),
        ("s: exists", "1", "0.0 %", "100.0 %"),
    ]


def test_a_model_that_is_missing_is_told_in_plain_words(config, capsys):
    assert main([config, "model=no/such"]) == 2
    assert capsys.readouterr().err.startswith("error: there is no model 'no/such'")
