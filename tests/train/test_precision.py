import pytest
import torch

from train.precision import autocast, faster_precision, lower_


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
