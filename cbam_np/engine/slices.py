"""Slices of the batch on a pool of threads: the same readable work, on parts that fit the cache.

The images of a batch do not know each other, so a slice of them can be computed by itself. The slices and the order of
their results depend on the shapes alone, and so does every bit of a result: not on the number of threads.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import wait
from contextvars import ContextVar, copy_context
from functools import partial
from itertools import pairwise
from threading import Lock
from typing import Any, TypeVar

from .helpers import helpers
from .threads import one_blas_thread, thread_count

S = TypeVar("S")
T = TypeVar("T")

SLICE_BYTES = 6 * 2**20  # what a slice may work on: near the cache, yet large next to what the interpreter takes
ALONE = 2**22  # bytes; for less, to wake another thread takes longer than it helps

_inside: ContextVar[bool] = ContextVar("inside", default=False)  # a pool's thread that waited for it would never end


def batch_slices(count: int, bytes_each: int, at_least: int = 0) -> list[slice]:
    """Cut `count` images that need `bytes_each` bytes each into an even number of slices, as equal as can be.

    They work on about `SLICE_BYTES` each, or on `at_least`, if that is more.
    """
    if count * bytes_each < min(ALONE, SLICE_BYTES):
        return [slice(0, count)]
    parts = -(-count * bytes_each // max(SLICE_BYTES, at_least))
    if not _inside.get():
        parts += parts % 2
    return equal_slices(count, parts)


def equal_slices(count: int, parts: int) -> list[slice]:
    """Cut `count` images into `parts` slices as equal as can be, none of them empty."""
    parts = max(1, min(count, parts))
    bounds = [part * count // parts for part in range(parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds)]


def over_slices(work: Callable[[S], T], slices: Sequence[S]) -> list[T]:
    """Return [work(s) for s in slices], computed side by side; one after the other inside such a slice.

    The caller's thread works, too: it would only have to be woken up in the end.
    """
    if len(slices) == 1 or _inside.get():
        return [work(s) for s in slices]
    results: dict[int, Any] = {}
    errors: dict[int, BaseException] = {}
    todo, turn = iter(range(len(slices))), Lock()

    def take_turns() -> None:
        while not errors:
            with turn:
                at = next(todo, None)
            if at is None:
                return
            try:
                results[at] = work(slices[at])
            except BaseException as error:  # raised below, by the caller's thread
                errors[at] = error

    helping = min(thread_count(), len(slices)) - 1
    with one_blas_thread():
        context = copy_context()  # a thread has none of its caller's, such as np.errstate
        context.run(_inside.set, True)
        pool = helpers(thread_count() - 1) if helping else None
        futures = [pool.submit(partial(context.copy().run, take_turns)) for _ in range(helping)] if pool else []
        try:
            context.run(take_turns)
        except BaseException as error:  # Ctrl-C between two slices: the helpers stop at it
            errors[-1] = error
        finally:
            wait(futures)
    if errors:
        raise errors[min(errors)]
    return [results[at] for at in range(len(slices))]
