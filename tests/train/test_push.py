"""What is pushed to the hub, and what its card says: what is known, and nothing of this machine."""

import json

import pytest
import yaml
from huggingface_hub import ModelCard
from peft import LoraConfig, get_peft_model

from train import push
from train.config import TrainConfig
from vlm.loading import SMOLLM2, save_checkpoint

TABLE = "| suite | questions | score |\n|---|---|---|\n| own | 100 | 97.0 % |\n"


@pytest.fixture
def run(tiny_model, tmp_path):
    """A run's folder as `vlm train` leaves it."""
    folder = tmp_path / "run"
    step = folder / "step-000100"
    get_peft_model(tiny_model, LoraConfig(target_modules=r".*\.q_proj")).save_pretrained(step)
    adapter = json.loads((step / "adapter_config.json").read_text())
    (step / "adapter_config.json").write_text(json.dumps({**adapter, "base_model_name_or_path": "/home/me/cache/mini"}))
    for name in ("optimizer.safetensors", "state.json"):
        (step / name).write_text("{}")
    data = [{"path": "/home/me/secret/pets.jsonl"}, {"family": "shapes"}, {"dataset": "org/set"}]
    config = TrainConfig(model="mini", data=data, output_dir="/home/me/run", max_steps=100, lora={"rank": 4})
    (folder / "config.yaml").write_text(yaml.safe_dump(config.model_dump(mode="json")))
    records = ({"step": 50, "eval_loss": 0.9, "eval_loss_blind": 1.2}, {"step": 100, "loss": 0.1})
    (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return folder


@pytest.fixture
def report(tmp_path):
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "table.md").write_text(TABLE)
    return tmp_path / "eval"


def dry_run(tmp_path, *words):
    out = tmp_path / "out"
    assert push.main([*map(str, words), "--dry-run", str(out)]) == 0
    return out, (out / "README.md").read_text()


def test_an_adapter_goes_with_its_config_its_data_its_scores_and_its_licences(run, report, tmp_path):
    out, card = dry_run(tmp_path, run, "me/pets", "--eval", report)
    assert {path.name for path in out.iterdir()} == {"README.md", "adapter_config.json", "adapter_model.safetensors"}
    header = ModelCard(card).data
    assert (header.license, header.library_name, header.base_model) == ("apache-2.0", "peft", [SMOLLM2])
    for said in (
        "`pets.jsonl`", "family `shapes`", "huggingface.co/datasets/org/set", "rank: 4", "eval_loss_blind: 1.2",
        TABLE.strip(), f"| {SMOLLM2} | Apache-2.0", "hf download me/pets", "silence_unseeing_",
    ):  # fmt: skip
        assert said in card


def test_nothing_of_this_machine_is_pushed(run, tmp_path):
    out, card = dry_run(tmp_path, run, "me/pets")
    assert "/home/me" not in card + (out / "adapter_config.json").read_text()
    assert str(tmp_path) not in card


def test_a_checkpoint_goes_whole_and_what_is_not_known_is_said(tiny_model, tiny_processor, tmp_path):
    save_checkpoint(tiny_model, tiny_processor, tmp_path / "model")
    out, card = dry_run(tmp_path, tmp_path / "model", "me/model")
    assert {path.name for path in out.iterdir()} >= {
        "config.json", "model.safetensors", "tokenizer.json", "processor_config.json", "chat_template.jinja",
    }  # fmt: skip
    assert ModelCard(card).data.license == "other"
    assert "nothing is known of its training" in card and "has not been measured" in card


def test_a_checkpoint_of_other_parts_does_not_take_their_licences_for_known(run, tmp_path):
    config = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump({**config, "model": "org/base"}))
    _, card = dry_run(tmp_path, run, "me/pets")
    assert "| org/base | not known to this tool" in card
    assert (ModelCard(card).data.license, ModelCard(card).data.base_model) == ("other", ["org/base"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["RUN", "me/pets"], "there is no token"),
        (["RUN", "a/b/c"], "'a/b/c' is no name on the hub"),
        (["EMPTY", "me/pets"], "holds no model"),
        (["RUN", "me/pets", "--run", "EMPTY"], "there is no config.yaml"),
        (["RUN", "me/pets", "--eval", "EMPTY"], "there is no table.md"),
        (["RUN", "me/pets", "--dry-run", "RUN"], "is there already"),
    ],
)
def test_what_is_missing_is_told_in_plain_words(run, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.setattr(push, "get_token", lambda: None)
    (tmp_path / "empty").mkdir()
    places = {"RUN": str(run), "EMPTY": str(tmp_path / "empty")}
    assert push.main([places.get(word, word) for word in words]) == 2
    assert message in capsys.readouterr().err


def test_a_push_makes_the_repository_and_uploads_what_a_dry_run_shows(run, tmp_path, monkeypatch, capsys):
    calls = []

    class Hub:
        endpoint = "https://hub.example"

        def create_repo(self, repo, **options):
            calls.append((repo, options))

        def upload_folder(self, *, repo_id, folder_path, commit_message):
            calls.append((repo_id, {path.name: path.read_bytes() for path in folder_path.iterdir()}))

    monkeypatch.setattr(push, "HfApi", Hub)
    monkeypatch.setattr(push, "get_token", lambda: "hf_none")
    assert push.main([str(run), "me/pets", "--private"]) == 0
    assert capsys.readouterr().out == "pushed to https://hub.example/me/pets\n"
    out, _ = dry_run(tmp_path, run, "me/pets")
    assert calls[0] == ("me/pets", {"private": True, "exist_ok": True})
    assert calls[1:] == [("me/pets", {path.name: path.read_bytes() for path in out.iterdir()})]


def test_without_a_network_it_says_so(run, monkeypatch, capsys):
    monkeypatch.setattr(push, "get_token", lambda: "hf_none")
    assert push.main([str(run), "me/pets"]) == 2  # tests run with HF_HUB_OFFLINE
    assert "error: the Hugging Face hub cannot be reached" in capsys.readouterr().err
