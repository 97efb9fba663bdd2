"""What the engine leans on: a row of a product has the same bits whatever the other rows and their number."""

import inspect
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from vlm.engine.products import can_be_fused, fill_rows, product, row_block
from vlm.quantization import BnbInt8Linear, Int4Linear, Int8Linear

KINDS = {"fp32": None, "int4": Int4Linear, "int8": Int8Linear}


def linear(kind, in_features, out_features, bias=False):
    plain = nn.Linear(in_features, out_features, bias=bias).requires_grad_(False)
    if KINDS[kind] is None:
        return plain
    quantized = KINDS[kind](in_features, out_features, bias)
    quantized.quantize_(plain.weight)
    quantized.bias = plain.bias
    return quantized


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_a_row_does_not_depend_on_the_others(kind, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        multiply, block = product([linear(kind, 64, 96)]), row_block() if kind == "fp32" else 1
        x = torch.randn(200, 64)
        expected = multiply(x)
        for count in (1, 2, 3, 5, 8, 17, 33, 130):
            for start in (0, 7):
                rows = slice(start, start + count)
                assert torch.equal(multiply(fill_rows(x[rows], block))[:count], expected[rows]), (count, start)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_several_layers_are_one_product_in_the_order_asked_for(kind, bias):
    layers = [linear(kind, 64, size, bias) for size in (32, 16, 48)]
    x = torch.randn(8, 64)
    order = torch.randperm(96)
    expected = torch.cat([layer(x) for layer in layers], dim=-1)
    torch.testing.assert_close(product(layers)(x).float(), expected, atol=1e-2 if kind != "fp32" else 1e-5, rtol=1e-2)
    assert torch.equal(product(layers, order)(x), product(layers)(x)[:, order])


def test_the_layers_stay_as_they_are():
    layer = linear("int4", 64, 32)
    before = layer.qweight.clone()
    product([layer])
    assert torch.equal(layer.qweight, before) and layer.qweight.shape[0] == 32


def test_layers_of_other_kinds_are_told_apart():
    assert all(can_be_fused(linear(kind, 64, 32)) for kind in KINDS)
    assert not can_be_fused(BnbInt8Linear(64, 32, False))
    assert not can_be_fused(nn.Linear(64, 32).to(torch.bfloat16))


def products() -> None:
    """In a process of its own: what an int4 layer gives, and whether a row depends on the others."""
    import sys

    import torch

    from vlm.quantization import Int4Linear

    torch.manual_seed(0)
    layer = Int4Linear(128, 96, False)
    layer.quantize_(torch.randn(96, 128))
    x = torch.randn(40, 128)
    together, kernel = layer._multiply(x, layer._get_kernel()), layer._get_kernel()
    alone = torch.cat([layer._multiply(row[None], kernel) for row in x])
    is_alike, mean = torch.equal(together, alone), together.float().abs().mean().item()
    sys.stdout.write(f"{torch.backends.cpu.get_cpu_capability()} {is_alike} {mean}")


@pytest.mark.parametrize(("capability", "named"), [("avx2", "AVX2"), ("default", "DEFAULT")])
def test_without_wide_vectors_products_are_the_same_up_to_rounding(capability, named):
    code = f"{inspect.getsource(products)}\nproducts()"
    found = []
    for environment in ({"ATEN_CPU_CAPABILITY": capability}, {}):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
        found.append(done.stdout.split())
    assert found[0][0] == named and found[0][1] == "True"
    assert float(found[0][2]) == pytest.approx(float(found[1][2]), rel=1e-3)
