import math

import pytest
import torch
from safetensors.torch import load_file

from tests.tiny import open_gates_
from tests.train.colours import config_for, write_rows
from train.loop import train
from train.precision import autocast, faster_precision, lower_
from train.progress import read_metrics
from train.trainable import add_adapters, trainable_parameters
from vlm.modeling_vlm import VlmForConditionalGeneration


@pytest.mark.parametrize(("bf16", "expected"), [(0.1, "bf16"), (0.3, "fp32")])
def test_the_faster_precision_is_measured(monkeypatch, bf16, expected):
    monkeypatch.setattr("train.precision._seconds", {torch.bfloat16: bf16, torch.float32: 0.2}.__getitem__)
    assert faster_precision(torch.device("cpu")) == expected


def test_frozen_weights_are_lowered_and_trained_ones_are_not():
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4).requires_grad_(False))
    lower_(model, "bf16")
    assert [layer.weight.dtype for layer in model] == [torch.float32, torch.bfloat16]
    with autocast(torch.device("cpu"), "bf16"):
        model(torch.ones(1, 4)).sum().backward()
    assert model[0].weight.grad.dtype == torch.float32


@pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")  # of norms: slower, and as right
def test_a_run_in_bf16_learns_with_frozen_weights_of_half_the_size_and_writes_fp32(
    tmp_path, tiny_config, tiny_processor
):
    values = {"precision": "bf16", "max_steps": 16, "eval_every": 16, "save_every": 16, "report_questions": 2}
    config = config_for(write_rows(tmp_path, 16), tmp_path / "run", canary="warn", **values)
    model = add_adapters(open_gates_(VlmForConditionalGeneration(tiny_config)), config)
    folder = train(model, tiny_processor, config)
    decoder = model.get_base_model().language_model.get_decoder()
    assert decoder.layers[1].mlp.up_proj.weight.dtype == torch.bfloat16
    assert {parameter.dtype for _, parameter in trainable_parameters(model)} == {torch.float32}
    assert {tensor.dtype for tensor in load_file(folder / "adapter_model.safetensors").values()} == {torch.float32}
    losses = [record["loss"] for record in read_metrics(config.output_dir / "metrics.jsonl")]
    assert all(map(math.isfinite, losses)) and losses[-1] < 0.7 * losses[0]
