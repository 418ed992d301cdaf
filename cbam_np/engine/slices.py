"""Slices of the batch on a pool of threads: the same readable work, on pieces that fit the cache.

The images of a batch do not know each other, so a slice of them can be computed by itself. NumPy lets other
threads run while it calculates. The matrix products inside are held to one thread each, or they would fight with
the pool for the cores. The slices and the order of their results depend on the shapes alone, and so does every bit
of a result: not on the number of threads.
"""

import os
from concurrent.futures import wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import cache, partial
from itertools import pairwise
from threading import Lock

from threadpoolctl import ThreadpoolController

from .threads import Helpers

SLICE_BYTES = (
    6 * 2**20
)  # what a slice may work on: near the cache, yet enough not to wait for the interpreter all the time
ALONE = 2**22  # bytes; for less, to wake another thread takes longer than it helps

_limit = ContextVar("limit", default=None)  # of threads
_inside = ContextVar("inside", default=False)  # a thread of the pool that waited for the pool would wait for ever


def batch_slices(count, bytes_each):
    """Cut `count` images that need `bytes_each` bytes each into an even number of slices, as equal as can be."""
    if count * bytes_each < min(ALONE, SLICE_BYTES):
        return [slice(0, count)]
    pieces = -(-count * bytes_each // SLICE_BYTES)
    if not _inside.get():
        pieces += pieces % 2
    pieces = min(count, pieces)
    bounds = [piece * count // pieces for piece in range(pieces + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds)]


def over_slices(work, slices):
    """Return [work(s) for s in slices], computed side by side; one after the other inside such a slice.

    The caller's thread works, too: it would only have to be woken up in the end.
    """
    if len(slices) == 1 or _inside.get():
        return [work(s) for s in slices]
    results, errors, todo, turn = {}, {}, iter(range(len(slices))), Lock()

    def take_turns():
        while not errors:
            with turn:
                at = next(todo, None)
            if at is None:
                return
            try:
                results[at] = work(slices[at])
            except Exception as error:  # raised below, by the caller's thread
                errors[at] = error

    context = copy_context()  # a thread has none of its caller's, such as np.errstate
    context.run(_inside.set, True)
    helpers = min(_threads(), len(slices)) - 1
    with _blas().limit(limits=1, user_api="blas"):
        helping = [_helpers(helpers).submit(partial(context.copy().run, take_turns)) for _ in range(helpers)]
        try:
            context.run(take_turns)
        finally:
            wait(helping)
    if errors:
        raise errors[min(errors)]
    return [results[at] for at in range(len(slices))]


@contextmanager
def limit_threads(count):
    """Hold slices, and matrix products outside of them, to a number of threads; no bit of a result changes."""
    token = _limit.set(count)
    try:
        with _blas().limit(limits=count, user_api="blas"):
            yield
    finally:
        _limit.reset(token)


def _threads():
    return _limit.get() or _cores()


@cache
def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@cache
def _helpers(count):
    return Helpers(count)


@cache
def _blas():
    return ThreadpoolController()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helpers.cache_clear)  # a forked process has none of its parent's threads
