import json
import re
from dataclasses import replace

import pytest
import torch
from PIL import Image

from tests.tiny import open_gates_
from tests.train.colours import config_for, write_rows
from train import before_after
from train.canary import looks
from train.checking.check import Limits, check
from train.compare import read_predictions
from train.curves import draw_curves
from train.data import build_rows
from train.evaluate import Item
from train.loop import train
from train.progress import read_metrics
from train.run_report import Finished, write_report
from train.trainable import add_adapters
from vlm.modeling_vlm import VlmForConditionalGeneration


def test_held_out_questions_are_asked_once_each_with_what_counts_as_right(tmp_path, tiny_processor):
    config = config_for(write_rows(tmp_path, 16), tmp_path / "run")
    groups = list(before_after.questions(build_rows(config, tiny_processor)[1], 10, config))
    items = [asked.item for group in groups for asked in group]
    assert len(items) == 4 == len({item.picture for item in items})
    assert {(item.prompt, item.type) for item in items} == {("Colour?", "other")}
    assert all(item.answers == (item.expected,) for item in items)
    assert all(len(asked.images) == 1 for group in groups for asked in group)


@pytest.mark.parametrize(("answer", "kind"), [("Yes.", "yes/no"), ("3", "number"), ("1,200", "number"), ("a", "other")])
def test_answers_are_sorted_as_vqav2_sorts_them(answer, kind):
    assert before_after.answer_type(answer) == kind


def test_a_run_leaves_a_report_with_the_answers_before_and_after(tmp_path, tiny_config, tiny_processor):
    config = config_for(write_rows(tmp_path, 16), tmp_path / "run", report_questions=3, max_steps=2)
    model = add_adapters(open_gates_(VlmForConditionalGeneration(tiny_config)), config)
    train(model, tiny_processor, config)
    before, after = (read_predictions(config.output_dir / name) for name in (before_after.BEFORE, before_after.AFTER))
    assert len(before) == 3 and before.keys() == after.keys()  # as `vlm eval --compare` reads them
    page = (config.output_dir / "report.html").read_text()
    assert "cannot be told" in page  # four held-out rows are too few for the canary
    assert "16 rows, 16 pictures" in page and "learning_rate: 0.02" in page and "attn_gate" in page
    assert "Rows to look at" in page and not list(config.output_dir.glob("data-check*"))


def test_held_out_questions_are_scored_during_training_as_well(tmp_path, tiny_config, tiny_processor, monkeypatch):
    monkeypatch.setattr("train.loop.ASKED", 3)
    config = config_for(write_rows(tmp_path, 32), tmp_path / "run", report_questions=8, metric="anls")
    monkeypatch.setattr("train.before_after.score", lambda metric, answer, right, prompt: float(right == ("red",)))
    model = add_adapters(open_gates_(VlmForConditionalGeneration(tiny_config)), config)
    train(model, tiny_processor, config)
    records = read_metrics(config.output_dir / "metrics.jsonl")
    first = before_after.read_answers(config.output_dir / "before.jsonl")[:3]
    expected = sum(item.expected == "red" for item in first) / 3
    assert [record.get("eval_anls") for record in records] == [None, pytest.approx(expected)] * 2


def test_answers_are_the_same_when_layers_are_computed_twice(tmp_path, tiny_config, tiny_processor):
    def answers(name, **values):
        settings = {"report_questions": 4, "max_steps": 1, **slow, **values}
        config = config_for(data, tmp_path / name, **settings)
        torch.manual_seed(0)
        train(add_adapters(open_gates_(VlmForConditionalGeneration(tiny_config)), config), tiny_processor, config)
        return [
            item.answer
            for file in (before_after.BEFORE, before_after.AFTER)
            for item in before_after.read_answers(config.output_dir / file)
        ]

    data = write_rows(tmp_path, 16)
    slow = {name: 1e-9 for name in ("learning_rate", "lora_learning_rate", "gate_learning_rate")}
    assert answers("once") == answers("twice", gradient_checkpointing=True)


@pytest.fixture
def finished(tmp_path):
    """A run in which one of two answers became right, and one wrong; its words are unfriendly to HTML."""
    config = config_for(write_rows(tmp_path, 6), tmp_path / "run", canary_steps=1)
    record = {"step": 1, "loss": 1.0, "tokens_per_second": 9.0, "memory_gb": 0.5, "eval_loss": 1.0,
              "eval_loss_wrong": 1.5, "eval_loss_blind": 1.4, "canary": 5.0, "canary_rows": 9}  # fmt: skip
    (config.output_dir / "metrics.jsonl").write_text(json.dumps(record) + "\n")
    draw_curves(config.output_dir / "metrics.jsonl")

    def item(picture, answer, expected):
        score = float(answer == expected)
        return Item("held out", picture, "other", "<b>What?</b>", expected, (), False, "exact", (expected,), answer, "",
                    score)  # fmt: skip

    before = [item("p", "<i>red</i>", "blue"), item("q", "red", "red")]
    after = [item("p", "blue", "blue"), item("q", "<script>", "red")]
    pictures = {name: [Image.new("RGB", (600, 20), "red")] for name in "pq"}
    reports = [check(source, None, Limits(), 1) for source in config.data]
    return Finished(config, [record], {"a.lora_A.weight": [2, 3]}, before, after, pictures, reports)


def test_the_page_tells_what_became_better_and_worse_and_needs_no_other_file(finished):
    page = write_report(finished).read_text()
    assert "The model uses the pictures" in page and "1 became better" in page and "1 became worse" in page
    assert "<b>1</b> tensors, 6 weights" in page
    assert "&lt;script&gt;" in page and "<script" not in page and "<i>" not in page
    sources = re.findall(r'(?:src|href|url)\s*[=(]\s*"?([^"\s>)]+)', page)
    assert {source[:10] for source in sources} == {"data:image"}
    assert page.count("data:image/jpeg") == 2 + 6  # of the gallery, and of the data


def test_a_run_that_does_not_look_is_told_in_the_report(finished):
    record = finished.records[0] | {"eval_loss_wrong": 1.0, "canary": 0.0}
    blind = replace(finished, records=[record], before=[], after=[])
    page = write_report(blind).read_text()
    assert '<p class="verdict bad">Nothing shows that the model learns from the pictures' in page
    assert "None were asked" in page


@pytest.mark.slow
def test_what_is_learnt_from_pictures_does_not_stop_a_run_and_shows_in_the_answers(
    tmp_path, tiny_config, tiny_processor
):
    torch.manual_seed(0)
    steps = {name: 160 for name in ("max_steps", "eval_every", "save_every", "canary_steps")}
    config = config_for(write_rows(tmp_path, 64), tmp_path / "run", report_questions=16, **steps)
    train(add_adapters(open_gates_(VlmForConditionalGeneration(tiny_config)), config), tiny_processor, config)
    last = read_metrics(config.output_dir / "metrics.jsonl")[-1]
    assert looks(last) and last["eval_loss"] < last["eval_loss_blind"]
    before, after = (
        before_after.read_answers(config.output_dir / name) for name in (before_after.BEFORE, before_after.AFTER)
    )
    assert sum(item.score for item in before) == 0
    assert sum(item.score for item in after) > 0.75 * len(after)
    assert "The model uses the pictures" in (config.output_dir / "report.html").read_text()
