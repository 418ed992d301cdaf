"""Standard output and standard error, closed, full, or left by their reader: the work goes on, and nobody complains."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from io import TextIOWrapper
from typing import Any, TextIO


class Forgiving:
    """A stream that drops what can no longer be written, and remembers why.

    Parameters
    ----------
    stream : file
        Where text goes.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost: OSError | ValueError | None = None  # why something was dropped

    def write(self, text: str) -> int:
        """Write text, or drop it."""
        try:
            self._stream.write(text)
        except (OSError, ValueError) as error:
            self.lost = self.lost or error
        return len(text)

    def flush(self) -> None:
        """Pass on what was written, or drop it."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self.lost = self.lost or error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def forgiving() -> Iterator[tuple[Forgiving, Forgiving]]:
    """Make standard output and standard error forgiving, and UTF-8, also where a terminal's own encoding has no σ.

    Where one of them is closed, what is written goes nowhere.
    """
    with ExitStack() as stack:
        streams = []
        for name, redirected in (("stdout", redirect_stdout), ("stderr", redirect_stderr)):
            stream: TextIO | None = getattr(sys, name)
            if stream is None:
                stream = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
            elif isinstance(stream, TextIOWrapper):
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")
            streams.append(Forgiving(stream))
            stack.enter_context(redirected(streams[-1]))
            stack.callback(_end, streams[-1])
        yield streams[0], streams[1]


def _end(stream: Forgiving) -> None:
    """Throw away what a stream still holds and cannot write, so that the interpreter does not complain at its end."""
    stream.flush()
    if stream.lost is not None:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
