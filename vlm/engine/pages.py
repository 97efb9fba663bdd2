"""Tensors that take the memory of what is written in them: torch writes every zero of `torch.zeros` at once."""

import math
import mmap
import sys
from collections.abc import Sequence

import torch
from torch import Tensor

from ..allocator import let_go


def untouched_zeros(shape: Sequence[int]) -> Tensor:
    """Zeros, fp32. A page of them takes memory from when something is written there."""
    kind = {} if sys.platform == "win32" else {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS}
    count = math.prod(shape)
    pages = mmap.mmap(-1, 4 * max(1, count), **kind)
    return torch.frombuffer(pages, dtype=torch.float32)[:count].view(*shape)


def untouch_(zeros: Tensor) -> None:
    """Make a part of `untouched_zeros` what it was: zeros that take no memory, where it is whole pages in one piece."""
    size = 4 * zeros.numel()
    is_whole = zeros.is_contiguous() and zeros.data_ptr() % mmap.PAGESIZE == size % mmap.PAGESIZE == 0
    if not (is_whole and let_go(zeros.data_ptr(), size)):
        zeros.zero_()
