"""Slices of the batch on a pool of threads: the same readable work, on pieces that fit the cache.

The images of a batch do not know each other, so a slice of them can be computed by itself. NumPy lets other
threads run while it calculates. The matrix products inside are held to one thread each, or they would fight with
the pool for the cores. The slices and the order of their results depend on the shapes alone, and so does every bit
of a result: not on the number of threads.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import cache

from threadpoolctl import ThreadpoolController

SLICE_BYTES = 2**22  # what a slice may work on: near the cache, yet enough not to wait for the interpreter all the time

_inside = ContextVar("inside", default=False)  # a thread of the pool that waited for the pool would wait for ever


def batch_slices(count, bytes_each):
    """Cut `count` images that need `bytes_each` bytes each into slices of about `SLICE_BYTES`."""
    step = max(1, SLICE_BYTES // bytes_each)
    return [slice(start, start + step) for start in range(0, count, step)]


def over_slices(work, slices):
    """Return [work(s) for s in slices], computed side by side; one after the other inside such a slice."""
    if len(slices) == 1 or _inside.get():
        return [work(s) for s in slices]
    contexts = [copy_context() for _ in slices]  # a thread has none of its caller's, such as np.errstate
    for context in contexts:
        context.run(_inside.set, True)
    with _blas().limit(limits=1, user_api="blas"):
        return list(_pool().map(lambda context, s: context.run(work, s), contexts, slices))


@cache
def _pool():
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())


@cache
def _blas():
    return ThreadpoolController()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked process has none of its parent's threads
