import json
import os
import subprocess
import sys

import pytest
import yaml

from tests.train.colours import write_rows
from train.checkpoint import checkpoints
from vlm.loading import save_checkpoint
from vlm.modeling_vlm import VlmForConditionalGeneration

PLAIN = ["--cpu", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
FSDP = ["--use_fsdp", "--fsdp_version", "2", "--fsdp_auto_wrap_policy", "TRANSFORMER_BASED_WRAP"]
FSDP += ["--fsdp_transformer_layer_cls_to_wrap", "LlamaDecoderLayer", "--fsdp_cpu_ram_efficient_loading", "false"]


@pytest.fixture
def start(tmp_path, tiny_config, tiny_processor):
    """Runs 20 steps in so many processes; returns their losses and the folder."""
    save_checkpoint(VlmForConditionalGeneration(tiny_config), tiny_processor, tmp_path / "base")
    data = write_rows(tmp_path, 24)

    def run(name, processes, *options):
        config = {
            "model": str(tmp_path / "base"), "data": [{"path": str(data)}], "output_dir": str(tmp_path / name),
            "max_steps": 20, "global_batch_size": 4, "micro_batch_size": 2, "eval_every": 10, "save_every": 20,
            "canary": "warn", "initial_attn_gate": 0.3, "report_questions": 0, "lora": {"rank": 2},
        }  # fmt: skip
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(config))
        launch = [sys.executable, "-m", "accelerate.commands.launch", *PLAIN, "--num_processes", str(processes)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(
            [*launch, *options, "-m", "train.sft", str(path)], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        records = [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        assert [record["step"] for record in records] == list(range(1, 21))
        return records, tmp_path / name

    return run


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(start):
    (one, _), (two, folder) = start("one", 1), start("two", 2)
    assert max(abs(a["loss"] - b["loss"]) for a, b in zip(one, two, strict=True)) < 1e-5
    for name in ("eval_loss", "eval_loss_wrong", "eval_loss_blind"):
        assert one[-1][name] == pytest.approx(two[-1][name], abs=1e-4)
    assert [path.name for path in checkpoints(folder)] == ["step-000020"]


@pytest.mark.slow
def test_a_model_in_parts_has_the_losses_of_a_whole_one(start):
    (one, _), (two, folder) = start("one", 1), start("parts", 2, *FSDP)
    assert max(abs(a["loss"] - b["loss"]) for a, b in zip(one, two, strict=True)) < 1e-5
    assert (checkpoints(folder)[-1] / "adapter_model.safetensors").stat().st_size > 1000
