import json

import pytest
import torch
import yaml
from PIL import Image
from pydantic import ValidationError

from tests.adapters import WHOLE, save_adapter
from tests.tiny import open_gates_
from train.bundled_photographs import names_one_of, photographs
from train.evaluate import GREY, EvalConfig, harm, main, run, table
from train.suites import Item, SuiteConfig, transfer_items
from vlm.loading import load, load_checkpoint, save_checkpoint
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.run_config import ConfigError


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


def test_a_model_that_uses_hints_is_asked_in_every_way(config, tmp_path, tiny_processor):
    tiny_processor.hints = True
    tiny_processor.save_pretrained(tmp_path / "model")
    suite = "{name: drawn, family: shapes, pictures: 9, every: 8, limit: 6, also: [words, none, truth, spoilt]}"
    assert main([config, f"suites=[{suite}]"]) == 0
    kept = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    assert len(kept) == 6
    assert all([*item["other_answers"]] == [*item["other_scores"]] for item in kept)
    assert all({*item["other_answers"]} == {"words", "none", "truth", "spoilt"} for item in kept)
    assert "| drawn, without structure | 6 |" in (tmp_path / "out" / "table.md").read_text()


def test_harm_counts_right_answers_that_a_wrong_hint_made_wrong():
    def item(differs, **scores):
        return Item("s", "p", "t", "?", "red", (), False, other_scores=scores, spoilt_differs=differs)

    items = [
        item(True, truth=1.0, none=1.0, spoilt=0.0),
        item(True, truth=1.0, none=0.0, spoilt=1.0),
        item(True, truth=0.0, none=1.0, spoilt=0.0),
        item(False, truth=1.0, none=1.0, spoilt=0.0),
    ]
    truth, none = harm(items)
    assert "Of 2 answers" in truth and "50.0 %" in truth
    assert "Of 2 answers" in none and "100.0 %" in none
    assert harm([]) == []


def test_a_model_that_is_missing_is_told_in_plain_words(config, capsys):
    assert main([config, "model=no/such"]) == 2
    assert capsys.readouterr().err.startswith("error: there is no model 'no/such'")


def test_a_trained_adapter_is_measured_without_merging_it(config, tmp_path, tiny_config):
    torch.manual_seed(0)
    base, _ = load_checkpoint(str(tmp_path / "model"))
    adapter = save_adapter(open_gates_(base), tmp_path / "adapter", trainable=WHOLE, targets=r".*\.(q|v)_proj")
    easy = "suites=[{name: easy, easy_vqa: true, limit: 4}]"
    assert main([config, easy, f"adapter={adapter}"]) == 0
    kept = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    assistant = load(str(tmp_path / "model"), adapter=str(adapter))
    assert main([config, easy]) == 0
    without = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    assert [item["answer"] for item in kept] != [item["answer"] for item in without]
    blind = assistant.ask(GREY, kept[0]["prompt"], max_new_tokens=40)
    assert kept[0]["answer_blind"] == blind


def test_a_device_that_is_not_there_is_told(config, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main([config, "device=cuda"]) == 2
    assert "torch finds no such GPU here" in capsys.readouterr().err
    assert main([config, "device=cuda", "quantization=int4"]) == 2
    assert "int4 runs on the CPU, not on cuda" in capsys.readouterr().err


def test_the_transfer_set_is_a_suite(tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "one.png")
    row = {"messages": [user_says("What?")], "images": ["one.png"], "type": "what", "answer": "yes"}
    lines = [json.dumps(row | {"images": [name]}) for name in ("one.png", "one.png", "two.png")]
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    suite = SuiteConfig(name="file", transfer=tmp_path, every=2)
    (asked,) = transfer_items(suite, "Briefly.")
    assert asked.image.size == (8, 8)
    assert [(item.prompt, item.expected, item.yes_no) for item in asked.items] == [("What? Briefly.", "yes", True)] * 2


def user_says(question):
    return {"role": "user", "content": [{"type": "image", "path": "one.png"}, {"type": "text", "text": question}]}


def test_the_bundled_photographs_are_there_and_each_has_words_for_it():
    found = list(photographs())
    assert len(found) >= 15
    assert all(path.is_file() and words for path, words in found)


def test_a_photograph_is_named_by_a_word_of_its_own():
    assert names_one_of("It is a tabby cat.", ("cat", "kitten")) == 1
    assert names_one_of("a caterpillar", ("cat", "kitten")) == 0


@pytest.mark.parametrize("origin", [{}, {"family": "shapes", "easy_vqa": True}, {"photographs": True, "transfer": "x"}])
def test_a_suite_has_one_origin(origin):
    with pytest.raises(ValidationError, match="one of"):
        SuiteConfig(name="x", **origin)


def test_a_missing_transfer_set_is_named_before_anything_is_asked(tmp_path):
    suite = SuiteConfig(name="others", transfer=tmp_path / "nowhere")
    config = EvalConfig(model="not loaded", output_dir=tmp_path / "out", instruction="", suites=(suite,))
    with pytest.raises(ConfigError, match="Run `vlm data transfer"):
        run(config)
    assert not (tmp_path / "out").exists()
