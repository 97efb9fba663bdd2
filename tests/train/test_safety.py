import json
import math

import pytest
import torch
from safetensors.torch import load_file

from tests.tiny import open_gates_
from tests.train.colours import config_for, write_rows
from train import safety
from train.checkpoint import checkpoints
from train.data import build_rows
from train.loop import start, train, train_step
from train.safety import GateWatch, TrainingStopped, check_loss
from train.trainable import add_adapters
from vlm.modeling_vlm import VlmForConditionalGeneration


@pytest.fixture
def config(tmp_path):
    return config_for(write_rows(tmp_path, 8), tmp_path / "run", micro_batch_size=4, save_every=1, eval_every=100)


def test_a_loss_that_is_not_finite_stops_before_anything_is_spoilt(tiny_config, tiny_processor, config):
    config = config.model_copy(update={"learning_rate": 1e30, "lora_learning_rate": 1e30})
    model = add_adapters(open_gates_(VlmForConditionalGeneration(tiny_config)), config)
    with pytest.raises(TrainingStopped, match=r"(?s)step 2 is nan.*learning rates are too high.*warmup_steps"):
        train(model, tiny_processor, config)
    losses = [json.loads(line)["loss"] for line in (config.output_dir / "metrics.jsonl").read_text().splitlines()]
    assert len(losses) == 1 and math.isfinite(losses[0])
    (folder,) = checkpoints(config.output_dir)
    assert all(tensor.isfinite().all() for tensor in load_file(folder / "adapter_model.safetensors").values())


def test_frozen_weights_that_are_damaged_are_told_from_a_learning_rate(tiny_config, tiny_processor, config):
    model = VlmForConditionalGeneration(tiny_config)
    with torch.no_grad():
        model.language_model.model.norm.weight[0] = math.nan
    with pytest.raises(TrainingStopped, match=r"the first step already cannot be computed.*frozen weights"):
        train(add_adapters(model, config), tiny_processor, config)


def test_trained_weights_that_are_damaged_from_the_start_are_told(config):
    with pytest.raises(TrainingStopped, match="not finite from the start"):
        check_loss(math.nan, 1.0, 1, config, [torch.nn.Parameter(torch.tensor([math.inf]))])
    with pytest.raises(TrainingStopped, match=r"the gradient of step 7 is inf.*precision=fp32"):
        check_loss(0.5, math.inf, 7, config.model_copy(update={"precision": "bf16"}), [])


def test_a_loss_of_exactly_0_stops(config):
    check_loss(1e-9, 0.0, 5, config, [])
    with pytest.raises(TrainingStopped, match=r"exactly 0.*nothing to learn"):
        check_loss(0.0, 0.0, 5, config, [])


def test_rows_whose_labels_are_all_masked_stop_the_run(tiny_config, tiny_processor, config):
    model = add_adapters(VlmForConditionalGeneration(tiny_config), config)
    run, _ = start(model, tiny_processor, config)
    packed = [row for index in range(2) for row in build_rows(config, tiny_processor)[0][index]]
    train_step(run, packed[:1], 1, GateWatch(model, config))
    for row in packed[1:]:
        row.weights = [0.0] * len(row.weights)
    with pytest.raises(TrainingStopped, match=r"no word is to be learnt .* step 2.*chat template"):
        train_step(run, packed[1:], 2, GateWatch(model, config))


def closed(tiny_config, config):
    """Gates at zero, and nothing behind them: neither can move."""
    model = VlmForConditionalGeneration(tiny_config)
    with torch.no_grad():
        for block in model.cross_attention_blocks():
            block.out.weight.zero_()
    return add_adapters(model, config)


def test_gates_that_no_gradient_reaches_stop_the_run(tiny_config, tiny_processor, config, monkeypatch):
    monkeypatch.setattr(safety, "PATIENCE", 3)
    with pytest.raises(TrainingStopped, match=r"2 of 4 gates .* got no gradient in 3 steps.*attn_gate of layer 0"):
        train(closed(tiny_config, config), tiny_processor, config)
    assert [folder.name for folder in checkpoints(config.output_dir)] == ["step-000001", "step-000002"]


def test_gates_that_are_not_trained_may_stay_shut(tiny_config, tiny_processor, config, monkeypatch):
    monkeypatch.setattr(safety, "PATIENCE", 3)
    config = config.model_copy(update={"train_gates": False})
    model = closed(tiny_config, config)
    assert not [name for name, p in model.named_parameters() if p.requires_grad and name.endswith("_gate")]
    train(model, tiny_processor, config)


def test_gates_that_never_open_stop_the_run_after_the_warm_up(tiny_config, tiny_processor, config, monkeypatch):
    monkeypatch.setattr(safety, "PATIENCE", 2)
    config = config.model_copy(update={"gate_learning_rate": 1e-9, "warmup_steps": 2})
    with pytest.raises(TrainingStopped, match=r"still shut after 4 steps.*gate_learning_rate \(1e-09\) is too low"):
        train(add_adapters(VlmForConditionalGeneration(tiny_config), config), tiny_processor, config)
