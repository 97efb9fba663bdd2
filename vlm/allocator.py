"""Memory that is taken when it is needed, and given back when it is not.

By itself glibc has a heap for every few threads, and learns from every large buffer that is freed to keep the next one
of that size. A server that reads pictures in threads then holds the largest of each thread for as long as it runs. And
torch writes every zero of a tensor of zeros, which takes all its memory at once.
"""

import ctypes
import functools
import math
import mmap
import sys
from collections.abc import Sequence

import torch
from torch import Tensor

# Numbers of glibc's malloc.h (https://man7.org/linux/man-pages/man3/mallopt.3.html).
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
HEAPS = 1
LARGE = 4 * 2**20  # bytes from which a buffer is memory of its own, and goes back when it is freed


def give_back_freed_memory() -> bool:
    """Call before much is loaded; False where the C library is another one."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    settings = ((ARENA_MAX, HEAPS), (MMAP_THRESHOLD, LARGE), (TRIM_THRESHOLD, LARGE))
    return all([mallopt(name, value) == 1 for name, value in settings])


def untouched_zeros(shape: Sequence[int]) -> Tensor:
    """Zeros, fp32. A page of them takes memory from when something is written there."""
    kind = {} if sys.platform == "win32" else {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS}
    count = math.prod(shape)
    pages = mmap.mmap(-1, 4 * max(1, count), **kind)
    return torch.frombuffer(pages, dtype=torch.float32)[:count].view(*shape)


def untouch_(zeros: Tensor) -> None:
    """Make a part of `untouched_zeros` what it was: zeros that take no memory, where it is whole pages in one piece."""
    size = 4 * zeros.numel()
    if not (zeros.is_contiguous() and zeros.data_ptr() % mmap.PAGESIZE == size % mmap.PAGESIZE == 0):
        zeros.zero_()
    elif size and not let_go(zeros.data_ptr(), size):
        zeros.zero_()


def let_go(address: int, size: int) -> bool:
    """Give the memory of whole pages back; they are then as new: zeros, or as their file has them. False: they stay."""
    if sys.platform != "linux":
        return False
    return _libc().madvise(ctypes.c_void_p(address), ctypes.c_size_t(size), mmap.MADV_DONTNEED) == 0


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
