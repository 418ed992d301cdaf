"""A student's function, called: what goes wrong in it is told in words."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

Argument = TypeVar("Argument", np.ndarray, dict[str, np.ndarray])

PACKAGE = str(Path(__file__).parents[2])
HINTS = (
    (
        "broadcast",
        "to be multiplied onto (N, C, H, W), M_c needs the shape (N, C, 1, 1) and M_s (N, 1, H, W): "
        "keepdims=True in the pools keeps such axes; and a convolution without padding makes its map smaller",
    ),
    (
        "must match the size of tensor",
        "to be multiplied onto (N, C, H, W), M_c needs the shape (N, C, 1, 1) and M_s (N, 1, H, W): keepdim=True in "
        "the pools keeps such axes; and a k×k convolution keeps the size of its map with an odd k and padding k // 2",
    ),
    ("matmul", "W0 is (C/r, C) and W1 (C, C/r): pooled vectors (N, C) go through them as v @ W0.T"),
    ("not aligned", "W0 is (C/r, C) and W1 (C, C/r): pooled vectors (N, C) go through them as v @ W0.T"),
)


class Unusable(Exception):
    """What a function did or returned cannot be compared; the message says why, to a person.

    Parameters
    ----------
    text : str
        The message.
    same : object, optional
        What the same failure has in common on other inputs, where the text may differ.
    """

    def __init__(self, text: str, same: object = None) -> None:
        super().__init__(text)
        self.same = same


def call(function: Callable, *arguments: Any, how: str, changed: list[str]) -> Any:
    """Call a function with copies of its arguments; add to `changed`, in words, those that it changes.

    `how` is the call as text, "f(x, params)". The cache is the function's own, to do with as it likes.
    """
    names = how.partition("(")[2].rstrip(")").split(", ")
    copies = [a if name == "cache" else _copied(a) for name, a in zip(names, arguments, strict=False)]
    try:
        result = function(*copies)
    except Unusable:
        raise
    except Exception as error:
        raise told(error, how) from None
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


def told(error: Exception, how: str) -> Unusable:
    """Return an exception in words: where it happened in the student's own lines, and what may be behind it."""
    hint = next((f" ({hint})" for word, hint in HINTS if word in str(error)), "")
    frames = traceback.extract_tb(error.__traceback__)[1:]
    if not frames:
        return Unusable(
            f"it cannot be called as {how}: {error}; if it takes other arguments, pass a lambda that calls it"
        )
    places = ("site-packages", "dist-packages", "<__array_function__", "<frozen", PACKAGE)
    own = [frame for frame in frames if not any(place in frame.filename for place in places)]
    last = (own or frames)[-1]
    line = f", `{last.line}`" if last.line else ""
    text = f"{type(error).__name__} in {last.name}, line {last.lineno}{line}: {error}{hint}"
    return Unusable(text, (type(error), last.filename, last.lineno))
