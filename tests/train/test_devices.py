import json
import os
import subprocess
import sys

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import nn
from torch.distributed.fsdp import fully_shard

from tests.train.colours import config_for, write_rows
from train.checkpoint import adapter_weights, checkpoints, is_in_parts, optimizer_state, resume_optimizer
from train.trainable import add_adapters
from vlm.loading import save_checkpoint
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.run_config import configs_dir


@pytest.fixture
def run(tmp_path, tiny_config, tiny_processor):
    """Runs 20 steps in one process, or in two by a shipped file; returns metrics, folder and what was said."""
    save_checkpoint(VlmForConditionalGeneration(tiny_config), tiny_processor, tmp_path / "base")
    data = write_rows(tmp_path, 24)

    def run(launcher=None):
        folder = tmp_path / f"run-{launcher}"
        config = {
            "model": str(tmp_path / "base"), "data": [{"path": str(data)}], "output_dir": str(folder),
            "max_steps": 20, "global_batch_size": 4, "micro_batch_size": 2, "eval_every": 10, "save_every": 20,
            "canary": "warn", "initial_attn_gate": 0.3, "report_questions": 3, "lora": {"rank": 2},
        }  # fmt: skip
        path = tmp_path / f"{launcher}.yaml"
        path.write_text(yaml.safe_dump(config))
        place = str(configs_dir() / "accelerate" / f"{launcher}.yaml")
        launch = ["-m", "accelerate.commands.launch", "--config_file", place, "--main_process_port", "0"]
        command = [sys.executable, *(launch if launcher else []), "-m", "train.sft", str(path)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        assert [record["step"] for record in records] == list(range(1, 21))
        return records, folder, done.stderr

    return run


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(run):
    (one, _, _), (two, folder, said) = run(), run("ddp")
    assert said.count("INFO train.devices: on 2 processes") == 1
    assert max(abs(a["loss"] - b["loss"]) for a, b in zip(one, two, strict=True)) < 1e-5
    for name in ("eval_loss", "eval_loss_wrong", "eval_loss_blind"):
        assert one[-1][name] == pytest.approx(two[-1][name], abs=1e-4)
    assert [path.name for path in checkpoints(folder)] == ["step-000020"]
    assert (folder / "report.html").is_file()


@pytest.mark.slow
def test_fsdp_on_a_cpu_is_told_to_be_copies_of_the_whole(run):
    _, folder, said = run("fsdp")
    assert said.count("WARNING train.devices: FSDP was asked for") == 1 and (folder / "report.html").is_file()


def test_what_is_put_together_is_what_peft_saves(tmp_path, tiny_config):
    parts = ("multi_modal_projector", "cross_attention", "vision_tower")
    config = config_for(tmp_path / "none.jsonl", tmp_path / "run", trainable=parts, lora={"rank": 2, "use_dora": True})
    model = add_adapters(VlmForConditionalGeneration(tiny_config), config)
    model.save_pretrained(tmp_path / "plain")
    model.save_pretrained(tmp_path / "together", state_dict=adapter_weights(model))
    plain, together = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("plain", "together"))
    assert plain.keys() == together.keys() and len(plain) > 50
    assert all(torch.equal(value, together[name]) for name, value in plain.items())


def _model() -> nn.ModuleDict:
    torch.manual_seed(0)
    return nn.ModuleDict({"lora_A": nn.Linear(4, 3), "frozen": nn.Linear(3, 2).requires_grad_(False)})


def _step(model: nn.ModuleDict) -> torch.optim.AdamW:
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], foreach=False)
    model["frozen"](model["lora_A"](torch.ones(2, 4))).sum().backward()
    optimizer.step()
    return optimizer


def _in_parts(rank, folder):
    """Of two processes, with half of every weight: what is written is what one process would write."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    alone, model = _model(), _model()
    mesh = torch.distributed.init_device_mesh("cpu", (2,))
    for layer in model.values():
        fully_shard(layer, mesh=mesh)
    expected, optimizer = _step(alone), _step(model)
    weights, state = adapter_weights(model), optimizer_state(model, optimizer)
    assert set(weights) == {"lora_A.weight", "lora_A.bias"} and is_in_parts(model) and not is_in_parts(alone)
    for name, value in weights.items():
        torch.testing.assert_close(value, alone.state_dict()[name])
    states = optimizer_state(alone, expected)
    assert states.keys() == state.keys()
    for name, value in states.items():
        torch.testing.assert_close(state[name], value)
    place = folder / str(rank)
    place.mkdir()
    save_file(state, place / "optimizer.safetensors")
    (place / "state.json").write_text('{"step": 1}')
    again = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad])
    assert resume_optimizer(place, model, again) == 1
    for name, value in optimizer_state(model, again).items():
        torch.testing.assert_close(value, state[name])
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_a_checkpoint_of_a_model_in_parts_is_whole(tmp_path):
    torch.multiprocessing.spawn(_in_parts, args=(tmp_path,), nprocs=2)  # raises what one of them raises
    assert [(tmp_path / str(rank) / "state.json").is_file() for rank in range(2)] == [True, True]
