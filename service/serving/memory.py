"""What the C library holds of memory that was given back, which in a process that serves would be tens of megabytes."""

from __future__ import annotations

import ctypes
from contextlib import suppress

# From malloc.h of glibc; another C library does without.
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
LARGE = 2**20  # Bytes from which on memory is asked of the system, and given back to it, piece by piece.


def hold_little() -> None:
    """Let all threads share one heap, and give back at once what is large. To be called before there are threads; children inherit it."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for name, value in ((ARENA_MAX, 1), (MMAP_THRESHOLD, LARGE), (TRIM_THRESHOLD, LARGE)):
            library.mallopt(name, value)


def give_back() -> None:
    """Give back what is held and not in use."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
