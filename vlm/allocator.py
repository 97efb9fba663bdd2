"""How the C library keeps memory that was freed: glibc's is told to give back what a large picture took.

By itself it has a heap for every few threads, and learns from every large buffer that is freed to keep the next one of
that size. A server that reads pictures in threads then holds the largest of each thread for as long as it runs.
"""

import ctypes

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
