"""How many threads may work: those of this package, and those that BLAS starts by itself.

NumPy lets other threads run while it calculates. Where this package runs several, the matrix products inside are held
to one thread each, or both would fight for the cores. Several callers may be at work at the same time, each in a thread
of its own: BLAS gets its own number of threads back when the last of them has finished.

No bit of a result depends on how many threads there are, ours or those of BLAS: slices and pieces are cut by the shapes
alone, their sums are taken in order, and every matrix product is calculated by one thread of BLAS. What may still
change bits is another BLAS, or the same one on another kind of processor (OPENBLAS_CORETYPE), for which it has other
kernels; another version of NumPy; and another batch size, since sums are then grouped in another way. `results/threads`
has the figures, from `python -m benchmarks.threads`.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from threading import Lock
from typing import Any

HAVE_THREADS = sys.platform not in ("emscripten", "wasi")  # in a browser there are none

_limit: ContextVar[int | None] = ContextVar("limit", default=None)


def thread_count() -> int:
    """Return how many threads may work at the same time."""
    return (_limit.get() or len(cores())) if HAVE_THREADS else 1


@cache
def cores() -> tuple[int, ...]:
    """Return the numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(os.getpid())))
    return tuple(range(os.cpu_count() or 1))


@contextmanager
def limit_threads(count: int) -> Iterator[None]:
    """Use at most `count` threads, in the matrix products as well; no bit of a result changes.

    Parameters
    ----------
    count : int
        At least 1.
    """
    if count < 1:
        raise ValueError(f"the number of threads is {count}, expected 1 or more")
    token = _limit.set(count)
    try:
        with limit_blas(count):
            yield
    finally:
        _limit.reset(token)


class BlasLimits:
    """The limits on BLAS's threads that are in force at a time: the smallest holds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._limits: list[int] = []
        self._before: list[int] = []  # how many threads each BLAS library had when nobody limited it

    def enter(self, count: int) -> None:
        """Put a limit in force."""
        with self._lock:
            if not self._limits:
                self._before = [library.num_threads for library in _blas()]
            self._limits.append(count)
            self._apply()

    def leave(self, count: int) -> None:
        """Take a limit back; what was found before the first one is restored after the last one."""
        with self._lock:
            self._limits.remove(count)
            self._apply()

    def _apply(self) -> None:
        for library, before in zip(_blas(), self._before, strict=True):
            _set_threads(library, min(self._limits, default=before))


def _set_threads(library: Any, count: int) -> None:
    """Set the number of a BLAS library's threads, whichever of our threads set it before."""
    if library.num_threads == count:
        return
    free = getattr(library, "clear_controlling_thread", None)  # threadpoolctl 3.8 lets only one thread of ours do it
    if free is None:
        library.set_num_threads(count)
    else:
        free(force=True)
        library.set_num_threads(count)
        free(force=True)


_limits = BlasLimits()


@contextmanager
def limit_blas(count: int) -> Iterator[None]:
    """Hold BLAS to `count` threads, until the last of those who ask for that has finished."""
    limits = _limits
    limits.enter(count)
    try:
        yield
    finally:
        limits.leave(count)


_one: ContextVar[bool] = ContextVar("one", default=False)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS multiply matrices with one thread: with several it cuts them up, and their number would change bits.

    Whoever multiplies matrices outside of slices and pieces, which hold BLAS to one thread already, does it in here.
    """
    if _one.get():
        yield
        return
    token = _one.set(True)
    try:
        with limit_blas(1):
            yield
    finally:
        _one.reset(token)


@cache
def _blas() -> list[Any]:
    """Return threadpoolctl's handles of the BLAS libraries that are loaded, none where it cannot be used."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:  # in a browser
        return []
    return ThreadpoolController().select(user_api="blas").lib_controllers


def blas_kernels() -> list[str]:
    """Return the names of the kernels that the BLAS libraries use on this processor, none where they do not tell."""
    return [getattr(library, "architecture", None) or "?" for library in _blas()]


def _forget_limits() -> None:
    """Start without limits in a forked process: those who asked for them are threads of its parent."""
    global _limits
    held, _limits = _limits, BlasLimits()
    _one.set(False)
    if held._limits:
        for library, before in zip(_blas(), held._before, strict=True):
            _set_threads(library, before)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_limits)
