"""Whether mistakes can be told apart in an example: what a worksheet is chosen by."""

from typing import TypeAlias

import numpy as np

from ..calculation.bounds import Bounds, Circular
from ..calculation.trace import Trace
from ..mistakes import occurrences
from .levels import Blanks, Index

SEEN = 0.003  # a difference that shows in three decimals, with the rounding of some steps before
NOWHERE = 1e12  # stands for what is not a number

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
    names = np.array([name for name, variants in found.items() for _ in variants])
    sheets = np.array([_sheet(right | values) for variants in found.values() for values in variants])
    shows = _differ(sheets, _sheet(right))
    hidden = [name for name in found if not shows[names == name].any()]
    problems = dict.fromkeys((name, "") for name in hidden)
    names, sheets = names[shows], sheets[shows]
    for at, name in enumerate(names):
        alike = names[at + 1 :][~_differ(sheets[at + 1 :], sheets[at])]
        problems |= dict.fromkeys((str(name), str(other)) for other in alike if other != name)
    return tuple(problems)


def _sheet(numbers: Numbers) -> np.ndarray:
    """Put all numbers of a sheet in a row; what is not a number is very far from all that are."""
    return np.nan_to_num(np.concatenate(list(numbers.values())), nan=NOWHERE)


def _differ(sheets: np.ndarray, sheet: np.ndarray) -> np.ndarray:
    """Tell which sheets differ from one so that it shows."""
    return (np.abs(sheets - sheet) > SEEN).any(axis=-1)
