"""How the C library hands out memory to a process that trains."""

import ctypes
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
"""The numbers of these settings in glibc's malloc.h."""
NEVER = 2**31 - 1
LARGEST = (2**30, 2**25)
"""Bytes from which memory is asked of the system and given back; glibc before 2.35 refuses the first."""


def keep_freed_memory() -> bool:
    """Makes the process keep the memory it frees; returns whether its C library lets it.

    A training step frees and asks for the same large tensors again and again. glibc gives each of them back to the
    system, which then has to clear the pages of the next one: a tenth of a convolutional network's step (LOG.md,
    "allocator"). The process never shrinks below its peak afterwards, so this is for processes that only train.
    No numbers change. Forked processes inherit it.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    if not any(mallopt(MMAP_THRESHOLD, size) == 1 for size in LARGEST):
        return False  # with the other two alone glibc would no longer raise that size by itself
    return mallopt(TRIM_THRESHOLD, NEVER) == 1 and mallopt(TOP_PAD, 64 * 2**20) == 1
