"""How memory that was freed goes back to the system: glibc's malloc is told to give back what a large picture took.

By itself it has a heap for every few threads, and learns from every large buffer that is freed to keep the next one of
that size. A server that reads pictures in threads then holds the largest of each thread for as long as it runs.
"""

import ctypes
import functools
import mmap
import sys
from contextlib import suppress

# Numbers of glibc's malloc.h (https://man7.org/linux/man-pages/man3/mallopt.3.html).
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
HEAPS = 1
LARGE = 4 * 2**20  # bytes from which a buffer is memory of its own, and goes back when it is freed


def give_back_freed_memory() -> bool:
    """Call before much is loaded; False where the C library is another one."""
    try:
        mallopt = _libc().mallopt
    except (AttributeError, OSError, TypeError):
        return False
    settings = ((ARENA_MAX, HEAPS), (MMAP_THRESHOLD, LARGE), (TRIM_THRESHOLD, LARGE))
    return all([mallopt(name, value) == 1 for name, value in settings])


def give_back_gaps() -> None:
    """Give back what was freed between things that are still in use, which takes glibc some hundredths of a second."""
    with suppress(AttributeError, OSError, TypeError):  # another C library
        _libc().malloc_trim(0)


def let_go(address: int, size: int) -> bool:
    """Give the memory of whole pages back; they are then as new: zeros, or as their file has them. False: they stay."""
    if sys.platform != "linux":
        return False
    return _libc().madvise(ctypes.c_void_p(address), ctypes.c_size_t(size), mmap.MADV_DONTNEED) == 0


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
