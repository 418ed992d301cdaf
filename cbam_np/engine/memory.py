"""Memory that an array gives back is kept for the next one, instead of being fetched from the operating system again.

By default, the C library of Linux gives large blocks back at once, and the system then interrupts for every 4 KiB that
are first written to: with arrays of some mebibytes, that takes longer than to calculate. `mallopt(3)` says otherwise.
"""

import ctypes
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX, ARENA_MAX = -1, -2, -4, -8  # parameters of mallopt, from malloc.h


def keep() -> None:
    """Let the process keep what it frees; elsewhere than on Linux, nothing happens."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(TRIM_THRESHOLD, 2**31 - 1)
        mallopt(TOP_PAD, 2**26)
        mallopt(MMAP_MAX, 0)  # large blocks would come from the system one by one, and go back to it
        mallopt(ARENA_MAX, 1)  # threads would each have a store of their own, and give it back when it is empty
