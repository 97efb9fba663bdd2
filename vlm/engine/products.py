"""Matrix products whose rows do not depend on each other, not even in the last bit.

An answer must not depend on what else is in the batch, nor on which part of a prompt was cached. Measured here: torch's
packed int4 and int8 kernels give a row the same bits whatever the other rows and however many they are; fp32 products
(MKL) do so where their number of rows is a multiple of four for each thread, and for one to three rows not. So rows of
fp32 products are filled up with zeros. tests/vlm/engine/test_products.py holds the library to it.

Shape letters: R rows, K input features, N output features.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..lora import LoraLinear
from ..quantization import Int4Linear, Int8Linear, QuantizedLinear

Product = Callable[[Tensor], Tensor]  # fp32 [R, K] -> fp32 or bf16 [R, N]


def row_block() -> int:
    """What the number of rows of an fp32 product must be a multiple of."""
    return 4 * torch.get_num_threads()


def fill_rows(x: Tensor, block: int) -> Tensor:
    """x [R, K] with rows of zeros after it, up to a multiple of `block`."""
    missing = -x.shape[0] % block
    return F.pad(x, (0, 0, 0, missing)) if missing else x


def base_of(linear: nn.Module) -> nn.Module:
    """The layer itself, without the low-rank update beside it."""
    return linear.base_layer if isinstance(linear, LoraLinear) else linear


def is_fp32(linear: nn.Module) -> bool:
    """Whether `product` of this layer needs rows that are filled up."""
    linear = base_of(linear)
    return isinstance(linear, nn.Linear) and linear.weight.dtype == torch.float32


def can_be_fused(linear: nn.Module) -> bool:
    """Whether `product` knows this kind of layer."""
    return is_fp32(linear) or isinstance(base_of(linear), Int4Linear | Int8Linear)


def product(linears: Sequence[nn.Module], order: Tensor | None = None) -> Product:
    """One product for several layers of one kind and one input: their outputs side by side, in `order` [N] if given.

    The layers stay as they are; low-rank updates beside them are left out (see `Update`).
    """
    linears = [base_of(linear) for linear in linears]
    bias = None if linears[0].bias is None else torch.cat([linear.bias for linear in linears]).detach()
    if order is not None and bias is not None:
        bias = bias[order]
    first = linears[0]
    if not isinstance(first, QuantizedLinear):
        weight = torch.cat([linear.weight for linear in linears]).detach()
        weight = weight if order is None else weight[order]
        return lambda x: F.linear(x, weight, bias)
    if len(linears) == 1 and order is None:
        return _quantized(first, first._get_kernel(), bias)
    fused = type(first)(first.in_features, sum(linear.out_features for linear in linears), bias=False)
    for name, buffer in fused.named_buffers():
        rows = torch.cat([linear.get_buffer(name) for linear in linears])
        buffer.copy_(rows if order is None else rows[order])
    kernel = fused._prepare_kernel()
    if isinstance(first, Int4Linear):
        fused.qweight = fused.qweight.new_empty(0)  # the kernel's own layout is all that is needed
    return _quantized(fused, kernel, bias)


def _quantized(linear: QuantizedLinear, kernel: Any, bias: Tensor | None) -> Product:
    if bias is None:
        return lambda x: linear._multiply(x, kernel)
    return lambda x: linear._multiply(x, kernel).float() + bias


class Update:
    """The low-rank updates that stand beside some of several layers of one input, as one; in the order of `product`."""

    def __init__(self, linears: Sequence[nn.Module], order: Tensor | None = None):
        updates = [linear for linear in linears if isinstance(linear, LoraLinear)]
        self.down = torch.cat([linear.down for linear in updates]).detach()  # [r, K], r of all of them
        ups = [
            linear.up if isinstance(linear, LoraLinear) else torch.empty(linear.out_features, 0) for linear in linears
        ]
        up = torch.block_diag(*ups).detach()  # [N, r]
        self.up = up if order is None else up[order].contiguous()
        self.block = row_block()

    def add(self, y: Tensor, x: Tensor, sees: Tensor, rows: Tensor | None) -> Tensor:
        """x [R, K] and its product y [R, N] -> fp32 [R, N] with the update of `rows`, of all where they are None.

        sees [rows, 1]: 1 where a token sees a picture, else 0.
        """
        if rows is None:
            return torch.addcmul(y.float(), self._of(x), sees)
        y = y.float()
        y[rows] = torch.addcmul(y[rows], self._of(x[rows]), sees)
        return y

    def _of(self, x: Tensor) -> Tensor:
        return F.linear(F.linear(fill_rows(x, self.block), self.down), self.up)[: len(x)]
