"""Someone else's code, run so that whatever it does comes out as a sentence: exceptions, exits, endless loops."""

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from ...engine.threads import HAVE_THREADS
from .calling import Unusable, told

Argument = TypeVar("Argument", np.ndarray, dict[str, np.ndarray])

AGAIN = 0.5  # seconds, after which code that caught what stops it is stopped again


class _TooLong(BaseException):
    """Raised within code that takes too long; ordinary handlers of exceptions do not catch it."""


class Clock:
    """How many seconds a check may still spend in someone else's code."""

    def __init__(self, seconds: float) -> None:
        self.allowed = self.left = seconds


_clock: ContextVar[Clock | None] = ContextVar("clock", default=None)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Let someone else's code take so many seconds in all."""
    token = _clock.set(Clock(seconds))
    try:
        yield
    finally:
        _clock.reset(token)


class Foreign:
    """Run someone else's code in a `with`: all that it may do becomes an `Unusable`, except that Ctrl-C stays itself.

    Code is stopped between two of its lines, so one call of a library that takes for ever is not.

    Parameters
    ----------
    how : str
        The call as text, such as "f(x, params)".
    """

    def __init__(self, how: str) -> None:
        self.how, self.clock = how, _clock.get()
        self.over, self.stopped, self.lock = threading.Event(), False, threading.Lock()

    def __enter__(self) -> Self:
        if self.clock is not None and HAVE_THREADS:
            if self.clock.left <= 0:
                raise self._too_long()
            thread = threading.Thread(target=self._watch, args=(threading.get_ident(), self.clock.left), daemon=True)
            thread.start()
        self.start = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.lock:
            self.over.set()
        if self.clock is not None:
            self.clock.left -= time.monotonic() - self.start
        if self.stopped:
            _let_it_arrive()
            raise self._too_long() from None
        if error is not None and not isinstance(error, Unusable | KeyboardInterrupt):
            raise told(error, self.how) from None

    def _watch(self, thread: int, seconds: float) -> None:
        """Stop the code when its time is over, again and again until it has stopped."""
        while not self.over.wait(seconds):
            with self.lock:
                if not self.over.is_set():
                    self.stopped = True
                    _raise_in(thread, _TooLong)
            seconds = AGAIN

    def _too_long(self) -> Unusable:
        assert self.clock is not None
        self.clock.left = 0
        return Unusable(
            f"{self.how} takes longer than the {self.clock.allowed:g} s that it is given: is there a loop without an "
            "end in it? If it is only slow, give it longer with seconds=",
            "too long",
        )


def _raise_in(thread: int, kind: type[BaseException]) -> None:
    """Raise an exception in another thread, at its next line of Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(kind))


def _let_it_arrive() -> None:
    """Take in an exception that was on its way when the code ended by itself."""
    try:
        for _ in range(100):
            time.sleep(0.0001)
    except _TooLong:
        pass


def call(function: Callable, *arguments: Any, how: str, changed: list[str]) -> Any:
    """Call a function with copies of its arguments; add to `changed`, in words, those that it changes.

    `how` is the call as text, "f(x, params)". The cache is the function's own, to do with as it likes.
    """
    names = how.partition("(")[2].rstrip(")").split(", ")
    copies = [a if name == "cache" else _copied(a) for name, a in zip(names, arguments, strict=False)]
    with Foreign(how):
        result = function(*copies)
    changed += [
        f"the function has changed its argument {name}: write `a = a * b`, which makes a new array, not `a *= b`"
        for name, before, after in zip(names, arguments, copies, strict=False)
        if name != "cache" and not _same(before, after)
    ]
    return result


def _copied(argument: Argument) -> Argument:
    if isinstance(argument, np.ndarray):
        return argument.copy()
    return {name: array.copy() for name, array in argument.items()}


def _same(before: Argument, after: Argument) -> bool:
    if isinstance(before, np.ndarray) and isinstance(after, np.ndarray):
        return np.array_equal(before, after)
    return before.keys() == after.keys() and all(np.array_equal(before[name], after[name]) for name in before)
