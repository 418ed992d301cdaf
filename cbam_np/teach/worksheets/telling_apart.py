"""Whether mistakes can be told apart in an example: what a worksheet is chosen by."""

from typing import TypeAlias

import numpy as np

from ..calculation.bounds import Bounds, Circular
from ..calculation.trace import Trace
from ..mistakes import occurrences
from .levels import Blanks, Index

SEEN = 0.003  # a difference that shows in three decimals, with the rounding of some steps before


Numbers: TypeAlias = dict[str, np.ndarray]  # by step: the entries that are asked


def signatures(trace: Trace, blanks: Blanks) -> tuple[dict[str, list[Numbers]], Numbers]:
    """Return what every mistake gives where the student writes, and what is right there.

    Mistakes of rounding are left out: whether they show depends on how a student rounds.

    Parameters
    ----------
    trace : Trace
        The example.
    blanks : dict of str to tuple of tuple of int
        What the student writes: 0-based indices by step.

    Returns
    -------
    dict of str to list of dict, dict
        {mistake: [{step: numbers}, ...]}, one for each of its variants; and the right numbers.
    """
    given = {step.name: np.asarray(step.value, float) for step in trace if step.given}
    right = Bounds(trace.rules, given, {})

    expected = {name: _entries(right.allowed(name)[0], blanks[name]) for name in blanks}
    found: dict[str, list[Numbers]] = {}
    for mistake, _, change in occurrences(trace):
        if mistake.name == "rounded too early" or not any(name in blanks for name in change):
            continue
        wrong = right.with_rules(change)
        try:
            values = {name: _entries(wrong.allowed(name)[0], blanks[name]) for name in change if name in blanks}
        except Circular:
            continue
        found.setdefault(mistake.name, []).append(values)
    return found, expected


def _entries(value: np.ndarray, indices: tuple[Index, ...]) -> np.ndarray:
    return np.array([value[index] for index in indices])


def _differ(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((np.isnan(a) != np.isnan(b)).any() or (np.abs(a - b) > SEEN).any())


def unlike(trace: Trace, blanks: Blanks) -> tuple[tuple[str, str], ...]:
    """Return the mistakes that do not show in an example, and the pairs that give the same numbers.

    Parameters
    ----------
    trace : Trace
        The example.
    blanks : dict of str to tuple of tuple of int
        What the student writes: 0-based indices by step.

    Returns
    -------
    tuple of (str, str)
        Pairs of mistakes that cannot be told apart; (mistake, "") for one that does not show.
    """
    found, right = signatures(trace, blanks)
    problems: list[tuple[str, str]] = []
    shown: list[tuple[str, Numbers]] = []
    for name, variants in found.items():
        visible = [v for v in variants if any(_differ(values, right[step]) for step, values in v.items())]
        if not visible:
            problems.append((name, ""))
        shown += [(name, v) for v in visible]
    for at, (name, values) in enumerate(shown):
        for other, others in shown[at + 1 :]:
            if other != name and (name, other) not in problems and not _apart(values, others, right):
                problems.append((name, other))
    return tuple(problems)


def _apart(a: Numbers, b: Numbers, right: Numbers) -> bool:
    return any(_differ(a.get(step, right[step]), b.get(step, right[step])) for step in a.keys() | b.keys())
