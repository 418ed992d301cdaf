"""Memory that is given back is kept for the next array, instead of being fetched from the operating system again.

By default, the C library of Linux returns a freed block of some hundred kilobytes at once, and every page of the next
one costs an interrupt when it is first written to: for arrays of a mebibyte, more time than calculating. It learns
from what is freed, though (`mallopt(3)`, M_MMAP_THRESHOLD): having seen a large block come and go, it keeps smaller
ones. So we show it one. It is never written to, and so takes no memory.
"""

import numpy as np

LARGEST = 31 * 2**20  # bytes; from 32 MiB on, the C library learns nothing


def keep():
    """Let the process keep up to about twice `LARGEST` of what it frees; elsewhere than on Linux, nothing happens."""
    np.empty(LARGEST, np.uint8)
