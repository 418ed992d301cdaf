"""A batch in pieces, side by side, that meet where one of them has to know something of all.

Images do not know each other, with one exception: batch normalisation needs the mean of the whole batch. So a piece
runs by itself up to such a place, and there it shares what it knows:

    moments = merge_moments(share(batch_norm_moments(x)))

`share` waits until all pieces have come and returns what they brought, in their order. Where there is only one piece,
it returns its argument in a list: the same line serves both.

Each piece has a thread, but only as many run at a time as there may be threads: the pieces are dealt out to that many
lanes, and whoever waits leaves its lane to the next. An exception in one piece releases the others.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from threading import Barrier, BrokenBarrierError, Lock
from typing import Any, TypeVar

from .slices import _inside
from .threads import HAVE_THREADS, cores, one_blas_thread, thread_count

T = TypeVar("T")
P = TypeVar("P")

PIECES = 4 if HAVE_THREADS else 1  # not as many as there are threads: no bit of a result may depend on that
FEWEST = 4  # images in a piece; with fewer, the interpreter is what takes the time


class Meeting:
    """Where the pieces of one batch meet.

    Parameters
    ----------
    pieces : int
        How many there are.
    lanes : int
        How many may run at a time.
    """

    def __init__(self, pieces: int, lanes: int) -> None:
        self.barrier = Barrier(pieces)
        self.lanes = [Lock() for _ in range(lanes)]
        self.brought: tuple[list[Any], list[Any]] = ([None] * pieces, [None] * pieces)  # this time, and the next

    def run(self, work: Callable[[P], T], at: int, piece: P) -> T:
        """Do the work of one piece, in its lane."""
        lane = at % len(self.lanes)
        if len(self.lanes) > 1:
            _keep_to(lane, len(self.lanes))
        _place.set(Place(self, at, self.lanes[lane]))
        with self.lanes[lane]:
            try:
                if self.barrier.broken:
                    raise BrokenBarrierError
                return work(piece)
            except BaseException:
                self.barrier.abort()  # or the others would wait for ever
                raise


class Place:
    """One piece's place in a meeting."""

    def __init__(self, meeting: Meeting, at: int, lane: Lock) -> None:
        self.meeting, self.at, self.lane = meeting, at, lane
        self.times = 0

    def share(self, value: T) -> list[T]:
        """Bring a value; wait for those of the others."""
        brought = self.meeting.brought[self.times % 2]  # nobody is two meetings ahead of anybody
        self.times += 1
        brought[self.at] = value
        self.lane.release()
        try:
            self.meeting.barrier.wait()
        finally:
            self.lane.acquire()
        return list(brought)


_place: ContextVar[Place | None] = ContextVar("place", default=None)


def share(value: T) -> list[T]:
    """Return what every piece of the batch brings to this point, in order; ``[value]`` where there is one piece."""
    place = _place.get()
    return [value] if place is None else place.share(value)


def is_first_piece() -> bool:
    """Tell whether this is the piece that writes down what all have found out together."""
    place = _place.get()
    return place is None or place.at == 0


def is_a_piece() -> bool:
    """Tell whether this runs in one of several pieces."""
    return _place.get() is not None


def piece_count(images: int) -> int:
    """Return the number of pieces that a batch is cut into."""
    return max(1, min(PIECES, images // FEWEST))


def run_pieces(work: Callable[[P], T], pieces: Sequence[P]) -> list[T]:
    """Return [work(piece) for piece in pieces], computed side by side; within `work`, pieces can `share`.

    The caller's thread takes the first piece.
    """
    with one_blas_thread():
        return [work(pieces[0])] if len(pieces) == 1 else _run_side_by_side(work, pieces)


def _run_side_by_side(work: Callable[[P], T], pieces: Sequence[P]) -> list[T]:
    meeting = Meeting(len(pieces), min(thread_count(), len(pieces)))
    context = copy_context()  # a thread has none of its caller's, such as np.errstate
    context.run(_inside.set, True)
    results: dict[int, T] = {}
    errors: dict[int, BaseException] = {}

    def run(at: int) -> None:
        try:
            results[at] = context.copy().run(meeting.run, work, at, pieces[at])
        except BaseException as error:  # raised below, by the caller's thread
            errors[at] = error

    with _crew(len(pieces) - 1) as crew:
        others = [crew.submit(run, at) for at in range(1, len(pieces))]
        try:
            with _own_cores():
                run(0)
            wait(others)
        finally:  # also when the user interrupts
            meeting.barrier.abort()
            wait(others)
    if errors:
        raise next((e for _, e in sorted(errors.items()) if not isinstance(e, BrokenBarrierError)), errors[min(errors)])
    return [results[at] for at in range(len(pieces))]


_idle: dict[int, list[ThreadPoolExecutor]] = {}  # crews by the number of their threads


@contextmanager
def _crew(count: int) -> Iterator[ThreadPoolExecutor]:
    """Lend `count` threads that nobody else uses: with fewer, the pieces could not all come to their meeting."""
    idle = _idle.setdefault(count, [])
    try:
        crew = idle.pop()
    except IndexError:
        crew = ThreadPoolExecutor(count)
    try:
        yield crew
    finally:
        idle.append(crew)


@contextmanager
def _own_cores() -> Iterator[None]:
    """Give the caller's thread its cores back at the end."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    try:
        yield
    finally:
        if before:
            with suppress(OSError):  # a sandbox may forbid it
                os.sched_setaffinity(0, before)


def _keep_to(lane: int, lanes: int) -> None:
    """Keep this thread to its lane's share of the cores: the system might put two lanes on one, see `helpers`."""
    mine = cores()[lane::lanes]
    if mine and hasattr(os, "sched_setaffinity"):
        with suppress(OSError):  # a sandbox may forbid it
            os.sched_setaffinity(0, mine)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # a forked process has none of its parent's threads
