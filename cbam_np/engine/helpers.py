"""Threads that help the caller's own, on other cores than its own.

Linux likes to wake a thread on the core of the one that woke it, and may leave both there for milliseconds while other
cores are idle: two threads then take turns, and are no faster than one.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from threading import get_ident

try:
    from threading import get_native_id
except ImportError:  # where there are no threads, there is nothing to number
    get_native_id = get_ident

_getcpu = getattr(ctypes.CDLL(None), "sched_getcpu", None) if sys.platform == "linux" else None


class Helpers:
    """A pool of threads.

    Parameters
    ----------
    count : int
        How many.
    """

    def __init__(self, count: int) -> None:
        self._threads: list[int] = []  # the system's numbers; a thread begins when it is first needed
        self._pool = ThreadPoolExecutor(count, initializer=lambda: self._threads.append(get_native_id()))
        self._placed: tuple[int, int] | None = None

    def submit(self, work: Callable) -> Future:
        """Let a helper call `work`; return a future."""
        if _getcpu is not None:
            self._keep_off(_getcpu())
        return self._pool.submit(work)

    def _keep_off(self, core: int) -> None:
        """Leave the helpers all cores but this one; two system calls where something has changed, otherwise none."""
        placed = core, len(self._threads)
        if placed == self._placed:
            return
        self._placed = placed
        others = os.sched_getaffinity(0) - {core}
        if others:
            with suppress(OSError):  # a sandbox may forbid it
                for thread in self._threads:
                    os.sched_setaffinity(thread, others)


@cache
def helpers(count: int) -> Helpers:
    """Return the pool of `count` threads."""
    return Helpers(count)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=helpers.cache_clear)  # a forked process has none of its parent's threads
