import json
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml
from transformers import SiglipVisionModel

from tests.tiny import tiny_vision_config
from tests.train.colours import write_rows
from train import sft
from train.checkpoint import checkpoints
from train.loop import train
from train.sft import main
from vlm.loading import SMOLLM2, ComposeConfig, compose_from_config, load, save_checkpoint
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.quantization import quantization_of


@pytest.fixture
def base(tiny_config, tiny_processor, tmp_path):
    """A saved tiny model."""
    save_checkpoint(VlmForConditionalGeneration(tiny_config), tiny_processor, tmp_path / "base")
    return str(tmp_path / "base")


@pytest.fixture
def data(tmp_path, picture):
    picture.save(tmp_path / "a.png")
    content = [{"type": "image", "path": "a.png"}, {"type": "text", "text": "What?"}]
    messages = [{"role": "user", "content": content}, {"role": "assistant", "content": "a thing"}]
    path = tmp_path / "data.jsonl"
    path.write_text((json.dumps({"messages": messages}) + "\n") * 2)
    return str(path)


@pytest.fixture
def config(tmp_path, base, data):
    def write(**values):
        values = {
            "model": base, "data": [{"path": data}], "output_dir": str(tmp_path / "run"), "max_steps": 2,
            "global_batch_size": 1, "save_every": 1, "eval_every": 100, "eval_rows": 1,
            "report_questions": 0, **values,
        }  # fmt: skip
        path = tmp_path / "train.yaml"
        path.write_text(yaml.safe_dump(values))
        return str(path)

    return write


def test_a_run_leaves_an_adapter_that_load_takes_and_its_resolved_config(config, tmp_path, base, picture):
    assert main([config(), "learning_rate=0.01"]) == 0
    kept = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert (kept["learning_rate"], kept["max_steps"]) == (0.01, 2)
    adapter = checkpoints(tmp_path / "run")[-1]
    assert isinstance(load(base, adapter=str(adapter)).ask(picture, "What?", max_new_tokens=2), str)


def test_a_folder_of_another_run_is_not_touched(config, tmp_path, capsys):
    assert main([config()]) == 0
    before = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert main([config(), "seed=1"]) == 2
    assert "holds a run with another config" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == before


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model": "no/such"}, "there is no model 'no/such'"),
        ({"data": [{"path": "none.jsonl"}]}, "cannot read none.jsonl"),
        ({"global_batch_size": 3, "micro_batch_size": 2}, "must be a multiple of"),
        ({"alignment_steps": 1}, "alignment_steps needs a data source with a `family`"),
        ({"data": [{}]}, "either `family`"),
    ],
)
def test_what_cannot_be_trained_is_told_in_plain_words(config, capsys, values, words):
    assert main([config(**values)]) == 2
    error = capsys.readouterr().err
    assert "error: " in error and words in error


def test_a_picture_that_cannot_be_read_stops_a_run_before_its_first_step_or_is_left_out(
    config, tmp_path, data, picture, capsys, caplog
):
    picture.save(tmp_path / "b.png")
    with open(data) as file:
        line = file.readline()
    with open(data, "w") as file:
        file.write(line + line.replace("a.png", "b.png"))
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:50])
    assert main([config()]) == 2
    error = capsys.readouterr().err
    assert f"error: {data} has 1 of 2 rows that cannot be trained on:\n  line 2: the picture 'b.png'" in error
    assert "Traceback" not in error and not (tmp_path / "run" / "metrics.jsonl").exists()
    assert main(["--skip-bad", config()]) == 0  # in the same folder: the run is the same one
    assert "going on without 1 of 2 rows" in caplog.text
    assert "2 rows, 1 of them left out (skip_bad)" in (tmp_path / "run" / "report.html").read_text()


def test_vlm_train_keeps_the_language_model_in_nf4_and_the_adapter_fits_the_model(
    config, tmp_path, base, picture, monkeypatch
):
    found = []

    def watched(model, *rest):
        found.append(quantization_of(model))
        return train(model, *rest)

    monkeypatch.setattr(sft, "train", watched)
    assert main([config(quantization="nf4", lora={"rank": 2})]) == 0
    assert found == ["nf4"]
    adapter = checkpoints(tmp_path / "run")[-1]
    assert isinstance(load(base, adapter=str(adapter)).ask(picture, "What?", max_new_tokens=2), str)


@pytest.mark.slow
def test_a_killed_run_that_is_started_again_ends_with_exactly_the_same_adapter(config, tmp_path):
    data, lora = write_rows(tmp_path, 12), {"rank": 2, "dropout": 0.1}

    def start(folder):
        values = {"data": [{"path": str(data)}], "lora": lora, "global_batch_size": 2, "canary": "warn"}
        arguments = [config(max_steps=12, **values), f"output_dir={tmp_path / folder}"]
        return subprocess.Popen([sys.executable, "-m", "train.sft", *arguments], start_new_session=True)

    assert start("whole").wait(1800) == 0
    killed = start("killed")
    while len(checkpoints(tmp_path / "killed")) < 2 and killed.poll() is None:
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert start("killed").wait(1800) == 0
    results = [
        (tmp_path / folder / "step-000012" / "adapter_model.safetensors").read_bytes() for folder in ("whole", "killed")
    ]
    assert results[0] == results[1]
    whole, resumed = (
        [json.loads(line) for line in (tmp_path / folder / "metrics.jsonl").read_text().splitlines()]
        for folder in ("whole", "killed")
    )
    assert [record["step"] for record in resumed] == list(range(1, 13))  # none doubled, none missing
    assert [record["loss"] for record in resumed] == [record["loss"] for record in whole]  # so the rows are, too
    assert not list((tmp_path / "killed").glob("partial-*"))


@pytest.mark.slow
@pytest.mark.parametrize("fusion", ["cross_attention", "prefix", "both"])
def test_a_random_siglip_and_smollm2_compose_train_and_generate(config, tmp_path, picture, fusion):
    SiglipVisionModel(tiny_vision_config()).save_pretrained(tmp_path / "tower")
    parts = tmp_path / "parts.yaml"
    network = {"fusion": fusion, "cross_attention_layers": [25]}
    parts.write_text(
        yaml.safe_dump({"vision_tower": str(tmp_path / "tower"), "language_model": SMOLLM2, "network": network})
    )
    assert main([config(model=str(parts))]) == 0
    adapter = str(checkpoints(tmp_path / "run")[-1])
    model, processor = compose_from_config(
        ComposeConfig(vision_tower=str(tmp_path / "tower"), language_model=SMOLLM2, adapter=adapter, network=network)
    )
    messages = [{"role": "user", "content": [{"type": "image", "image": picture}, {"type": "text", "text": "What?"}]}]
    inputs = processor.apply_chat_template(messages)
    assert model.generate(**inputs, max_new_tokens=3, do_sample=False).shape[1] > inputs["input_ids"].shape[1]
