"""A calculation as an ordered list of named steps. Indices start at 1, as on the slides."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, overload

import numpy as np

from ...cbam import Dialect
from . import notation
from .rules import Rule
from .tables import code, html_table

ALIASES = {"F'_avg": "Fs_avg", "F'_max": "Fs_max"}  # the slides have two names for the maps of the spatial step


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a trace, or one entry of it.

    Parameters
    ----------
    name : str
        What it is looked up by, such as "M_c" or "M_c[1]".
    symbol, formula : str
        LaTeX.
    value : ndarray or number
        One image's value, without the batch axis: (C,), (H, W), (C, H, W), ...; fractions where exact.
    slide : str
        Where the lecture has it; "" where the lecture does not go.
    given : bool
        Whether it is an input rather than a result.
    rule : Rule, optional
        How it follows from other steps; None for an input.

    Examples
    --------
    >>> import cbam_np
    >>> step = cbam_np.lecture.trace()["F_avg[1]"]
    >>> step.name, step.value, step.slide
    ('F_avg[1]', Fraction(8, 9), 'Step 1')
    >>> step.symbol
    'F^c_{avg}[1]'
    """

    name: str
    symbol: str
    formula: str
    value: Any
    slide: str = ""
    given: bool = False
    rule: Rule | None = field(default=None, repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value; () for a number."""
        return np.shape(self.value)

    @property
    def heading(self) -> str:
        """Name and formula as one line of text; the formula alone where it begins with the name."""
        formula = notation.plain(self.formula)
        if self.given or formula.startswith((f"{self.name} ", f"{self.name}[")):
            return formula or self.name
        return f"{self.name}: {formula}"

    def entry(self, index: tuple[int, ...]) -> "Step":
        """Return one entry as a step of its own.

        Parameters
        ----------
        index : tuple of int
            1-based, one number per axis.

        Returns
        -------
        Step
            Named with the index.

        Raises
        ------
        IndexError
            If the index does not fit the shape.
        """
        shape = self.shape
        if len(index) != len(shape) or not all(1 <= i <= n for i, n in zip(index, shape, strict=True)):
            size = f"has {'×'.join(map(str, shape))} entries" if shape else "is a single number"
            if len(index) != len(shape):
                raise IndexError(f"{self.name} {size}: it takes {len(shape)} indices, got {list(index)}")
            raise IndexError(
                f"{self.name} {size}: {list(index)} is outside, since indices start at 1, as on the slides"
            )
        suffix = f"[{','.join(map(str, index))}]"
        value = self.value[tuple(i - 1 for i in index)]
        return Step(self.name + suffix, self.symbol + suffix, self.formula, value, self.slide, self.given, self.rule)

    def __str__(self) -> str:
        where = f"   ({self.slide})" if self.slide else ""
        return "\n".join([self.heading + where, *("    " + line for line in notation.text(self.value))])

    def _repr_latex_(self) -> str:
        left = self.symbol if self.given or self.shape == () else self.formula
        return f"$\\displaystyle {left} = {notation.latex(self.value)}$"


class Trace(Sequence[Step]):
    """An ordered list of steps.

    ``trace["M_c"]`` is a step, ``trace["M_c[1]"]`` one entry of it (indices from 1), ``trace[0]`` the first step.

    Parameters
    ----------
    steps : iterable of Step
        In the order in which they are computed.
    dialect : Dialect
        The choices with which CBAM was run.

    Examples
    --------
    >>> import cbam_np
    >>> trace = cbam_np.lecture.trace()
    >>> len(trace), trace[4].name
    (44, 'F_avg')
    >>> print(trace["z_avg"])
    z_avg = W_1 a_avg   (Step 1)
        4/9  4/9  5/9
    >>> trace["F_max[2]"].value
    Fraction(2, 1)
    """

    def __init__(self, steps: Iterable[Step], dialect: Dialect):
        self.steps = tuple(steps)
        self.by_name = {step.name: step for step in self.steps}
        self.dialect = dialect

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, key: int | str) -> Step: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[Step, ...]: ...

    def __getitem__(self, key: int | str | slice) -> Step | tuple[Step, ...]:
        if not isinstance(key, str):
            return self.steps[key]
        found = re.fullmatch(r"\s*([^\[\]\s]+)\s*(?:\[([\d\s,]+)\])?\s*", key)
        if not found:
            raise KeyError(
                f"{key!r} is no step: write a name, or a name and 1-based indices, as in 'M_c[1]' or 'M_s[2,3]'"
            )
        name, index = found.groups()
        name = name if name in self.by_name else ALIASES.get(name, name)
        if name not in self.by_name:
            near = difflib.get_close_matches(name, self.by_name, cutoff=0.5)
            known = f"the nearest are {', '.join(near)}" if near else f"the steps are {', '.join(self.by_name)}"
            raise KeyError(f"there is no step {name!r}; {known}")
        step = self.by_name[name]
        return step if index is None else step.entry(tuple(map(int, re.findall(r"\d+", index))))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the steps, in order."""
        return tuple(self.by_name)

    @cached_property
    def rules(self) -> dict[str, Rule]:
        """How each step that is not given follows from other steps, by the steps' names."""
        return {step.name: step.rule for step in self.steps if step.rule}

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.steps))

    def _repr_html_(self) -> str:
        rows = [
            (code(s.name), s.slide, f"${s.symbol if s.given else s.formula}$", notation.html_array(s.value, s.name))
            for s in self.steps
        ]
        return html_table(rows, ("step", "slide", "formula", "value"), label="the calculation", row_heads=True)
