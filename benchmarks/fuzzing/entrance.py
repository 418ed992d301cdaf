"""What an entrance is, and what is a fault: all that is not a right answer or a sentence of the package's own."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import cbam_np

from .draws import Draws

Case: TypeAlias = dict[str, Any]
PACKAGE = str(Path(cbam_np.__file__).parent)
LONGEST = 1200  # characters of a sentence
RAW = ("Errno", "Traceback", "object at 0x", "NoneType", "unhashable", "could not be broadcast", "not subscriptable")
"""Words of Python's and NumPy's own messages, which tell a person nothing."""

USUAL = 5.0  # seconds of processor time that a case may take
REFUSED, TAKEN, RIGHT = "refused in a sentence", "read", "read, and compared with the truth"


class Fault(AssertionError):
    """What must not happen; the message says what did."""


class Entrance(NamedTuple):
    """One way into the package.

    Parameters
    ----------
    make : callable
        Draws a case: data that JSON can hold.
    run : callable
        Takes a case and an empty folder; returns one of `TAKEN` and `RIGHT`, or raises a `Fault`, or what the package
        raises.
    share : int
        How many of a thousand cases are this one's.
    own : tuple of exception types
        What the package may raise here.
    seconds : float
        Of processor time, that a case may take.
    block : int
        How many cases a process runs, one after the other: fewer where they take longer.
    """

    make: Callable[[Draws], Case]
    run: Callable[[Case, Path], str]
    share: int
    own: tuple[type[BaseException], ...]
    seconds: float = USUAL
    block: int = 2000


def tried(entrance: Entrance, case: Case, folder: Path) -> str:
    """Run a case; return what came of it, or raise a `Fault`."""
    try:
        return entrance.run(case, folder)
    except Fault:
        raise
    except entrance.own as error:
        check_sentence(error)
        return REFUSED
    except Exception as error:
        raise Fault(f"{_place(error)}: {type(error).__name__}: {_cut(error)}") from error


def check_sentence(error: BaseException) -> None:
    """Raise a `Fault` unless an exception was raised by the package itself, in a sentence for people."""
    text = str(error)
    if not Path(_innermost(error).filename).is_relative_to(PACKAGE):
        raise Fault(f"{_place(error)}: not the package's own: {type(error).__name__}: {_cut(error)}") from error
    check_words(text, _place(error))


def check_words(text: str, where: str) -> None:
    """Raise a `Fault` for a message that is empty, endless, or in words of Python's own."""
    raw = next((word for word in RAW if word in text), None)
    if raw or not text.strip() or len(text) > LONGEST:
        raise Fault(f"{where}: not a sentence for people: {_cut(text)}")


def demand(holds: bool, what: str) -> None:
    """Raise a `Fault` unless something holds."""
    if not holds:
        raise Fault(what)


def _innermost(error: BaseException) -> traceback.FrameSummary:
    return traceback.extract_tb(error.__traceback__)[-1]


def _place(error: BaseException) -> str:
    """Return the last line of the package's own that an exception came through."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(PACKAGE)]
    if not frames:
        return "outside"
    return f"{Path(frames[-1].filename).relative_to(PACKAGE)}, {frames[-1].name}"


def _cut(what: object) -> str:
    text = repr(str(what))
    return text if len(text) <= 300 else f"{text[:200]}…{text[-60:]}"
