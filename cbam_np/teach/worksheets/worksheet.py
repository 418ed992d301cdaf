"""New examples to work out by hand, each with its key, from a seed."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from os import PathLike
from typing import Any

import numpy as np

from ...ops.checks import check_option
from ..calculation import notation
from ..calculation.trace import Trace
from ..check import check
from ..report.report import Report
from .drawing import friendly
from .levels import DECIMALS, LEVELS, Blanks, blanks_of, handed_steps
from .telling_apart import unlike

FINER = 4  # decimals of calculated numbers that are handed out
CANDIDATES = 40  # friendly examples to choose from


@dataclass(frozen=True)
class Worksheet:
    """An example to work out by hand.

    Parameters
    ----------
    seed : int
        What it was made from.
    level : {"quick", "forward", "full", "backward"}
        How much is asked, see `worksheet`.
    options : dict
        What else it was made with, where that differs from the default.
    trace : Trace
        The key: every step with its exact value.
    printed : dict of str to list
        What the student is given, as text; "" where a step is given in part and the rest is asked.
    blanks : dict of str to tuple of tuple of int
        What the student fills in: 0-based indices by step.
    alike : tuple of (str, str)
        Mistakes that give the same numbers in this example, or ("...", "") for one that does not show; mostly empty.
    """

    seed: int
    level: str
    options: dict[str, Any]
    trace: Trace = field(repr=False)
    printed: dict[str, Any] = field(repr=False)
    blanks: Blanks = field(repr=False)
    alike: tuple[tuple[str, str], ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """The steps that the student fills in, wholly or in part."""
        return tuple(self.blanks)

    @cached_property
    def entries(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """The numbers that the student fills in, by name: "M_c[1]" is (step, 0-based index)."""
        return {
            self.trace[name].entry(tuple(i + 1 for i in index)).name: (name, index)
            for name, indices in self.blanks.items()
            for index in indices
        }

    @property
    def handed(self) -> dict[str, Any]:
        """The calculated numbers that the student is given to start from, as text."""
        return {name: value for name, value in self.printed.items() if not self.trace[name].given}

    def check(self, answers: Mapping[str, object] | str | PathLike[str]) -> Report:
        """Compare answers with the key.

        Parameters
        ----------
        answers : mapping of str to object, or path-like
            As for `cbam_np.check`.

        Returns
        -------
        Report
            Every answer judged.

        Raises
        ------
        AnswerError
            If the answers cannot be read.
        """
        return check(answers, self.trace, handed=self.handed, decimals=DECIMALS)


def worksheet(
    seed: int,
    level: str = "forward",
    *,
    channels: int = 3,
    size: int = 3,
    hidden: int = 2,
    kernel_size: int = 3,
    bias: bool = False,
    ties: bool = False,
) -> Worksheet:
    """Make a worksheet: small whole numbers, friendly weights, and mistakes that can be told apart.

    Examples are drawn until no maximum is shared, no sigmoid is saturated, and every mistake of the catalogue that can
    occur changes some number, in another way than every other mistake. The same arguments give the same worksheet.
    "quick" asks for a part of the example that "forward" asks for as a whole, too few numbers to tell all mistakes
    apart.

    Parameters
    ----------
    seed : int
        Which worksheet.
    level : {"quick", "forward", "full", "backward"}
        How much is asked. "quick": what leads to M_c[1], then one pixel of F''; about ten minutes. "forward": all of
        F''. "full": that and the way back. "backward": the way back alone, with the forward steps given.
    channels : int
        C.
    size : int
        H and W.
    hidden : int
        Hidden units of the shared MLP, C/r; at least 2, since with one ReLU does all or nothing.
    kernel_size : int
        3, so that it can be done by hand; 7 as on the slides.
    bias : bool
        Whether the MLP has biases.
    ties : bool
        Whether a maximum is reached twice in some channel, so that a rule must say who gets its gradient.

    Returns
    -------
    Worksheet
        The example and its key.

    Raises
    ------
    ValueError
        If a size is out of range or the level is unknown.

    Examples
    --------
    >>> sheet = worksheet(7, "quick")
    >>> sheet.trace["F"].shape
    (3, 3, 3)
    >>> sheet.check({"F_max": [str(value) for value in sheet.trace["F_max"].value]}).ok
    True
    """
    check_option(level, "level", tuple(LEVELS))
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed is {seed!r}, expected a whole number from 0 on")
    for name, value, least, most in (
        ("channels", channels, 2, 6),
        ("size", size, 2, 5),
        ("hidden", hidden, 2, channels),
        ("kernel_size", kernel_size, 3, 7),
    ):
        if not least <= value <= most:
            raise ValueError(f"{name} is {value}, expected {least} to {most}: this is to be done by hand")
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size is {kernel_size}, expected an odd number: an even kernel has no middle")
    rng = np.random.default_rng([seed, LEVELS[level][0], channels, size, hidden, kernel_size, bias, ties])
    chosen: dict[str, Any] = dict(
        channels=channels, size=size, hidden=hidden, kernel_size=kernel_size, bias=bias, ties=ties
    )
    candidates = []
    for trace in islice(friendly(rng, **chosen), CANDIDATES):
        whole = blanks_of(trace, "forward" if level == "quick" else level)
        candidates.append((unlike(trace, whole), trace))
        if not candidates[-1][0]:
            break
    alike, trace = min(candidates, key=lambda candidate: len(candidate[0]))
    usual = inspect.signature(worksheet).parameters
    options = {name: value for name, value in chosen.items() if value != usual[name].default}
    blanks = blanks_of(trace, level)
    return Worksheet(int(seed), level, options, trace, printed_of(trace, blanks, level), blanks, alike)


def printed_of(trace: Trace, blanks: Blanks, level: str) -> dict[str, Any]:
    """Return, as text, what is given and what is handed out; "" where the student is to write."""
    back = level in ("full", "backward")
    names = [step.name for step in trace if step.given and (back or not step.name.startswith("d"))]
    return {
        name: _as_text(trace[name].value, blanks.get(name, ()))
        for name in (*names, *handed_steps(trace, blanks, level))
    }


def _as_text(value: Any, blanks: tuple[tuple[int, ...], ...]) -> Any:
    texts = np.vectorize(lambda v: notation.number(v, FINER), otypes=[object])(value)
    for index in blanks:
        texts[index] = ""
    return texts.tolist()
