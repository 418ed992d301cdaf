"""How much of an example a worksheet asks for: which numbers are blank, which are handed out, how long it takes."""

import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from ..calculation.trace import Trace

Index: TypeAlias = tuple[int, ...]
Blanks: TypeAlias = dict[str, tuple[Index, ...]]

LEVELS = {  # what is asked; the number goes into the seed, so that it must not change
    "quick": (0, "Channel 1 and one pixel"),  # of the same example as `forward`
    "forward": (0, "Forward"),
    "full": (1, "Forward and back"),
    "backward": (2, "The way back; the forward steps are given"),
}
CHANNEL, PIXEL = 0, (0, 0)  # what `quick` follows: channel 1 and pixel [1,1], as the slides do
DECIMALS = 3  # that are asked
RATE = 3  # numbers a minute
ROUND = 5  # minutes are said in fives


def blanks_of(trace: Trace, level: str) -> Blanks:
    """Return which entries a student fills in, by step, as 0-based indices.

    Parameters
    ----------
    trace : Trace
        The example.
    level : str
        One of `LEVELS`.

    Returns
    -------
    dict of str to tuple of tuple of int
        In the order of the trace.
    """
    if level == "quick":
        return _quick(trace)
    back = {"forward": (False,), "backward": (True,), "full": (False, True)}[level]
    return {
        step.name: tuple(np.ndindex(step.shape))
        for step in trace
        if not step.given and step.name.startswith("d") in back
    }


def _quick(trace: Trace) -> Blanks:
    """Ask for what leads to M_c[1], and for one pixel of everything after it."""
    one: dict[str, Index] = {name: (CHANNEL,) for name in ("z_avg", "z_max", "z_c", "M_c")}
    one.update(dict.fromkeys(("Fs_avg", "Fs_max", "z_s", "M_s"), PIXEL))
    pixel = tuple((c, *PIXEL) for c in range(trace["F"].shape[0]))
    found: Blanks = {}
    for step in trace:
        if step.given or step.name.startswith("d"):
            continue
        if step.name in ("F'", "F''"):
            found[step.name] = pixel
        else:
            found[step.name] = (one[step.name],) if step.name in one else tuple(np.ndindex(step.shape))
    return found


def handed_steps(trace: Trace, blanks: Blanks, level: str) -> list[str]:
    """Return the calculated steps of which the student is given what is not asked."""
    if level == "quick":
        return [name for name in ("M_c", "Fs_avg", "Fs_max") if len(blanks[name]) < math.prod(trace[name].shape)]
    if level == "backward":
        return [step.name for step in trace if not step.given and not step.name.startswith("d")]
    return []


def size_of(blanks: Mapping[str, tuple[Index, ...]]) -> int:
    """Count the numbers that the student fills in."""
    return sum(map(len, blanks.values()))


def minutes_of(blanks: Mapping[str, tuple[Index, ...]]) -> int:
    """Return the minutes that a worksheet takes at three numbers a minute, in fives."""
    return ROUND * math.ceil(size_of(blanks) / (ROUND * RATE))
