"""Whether mistakes can be told apart in an example: what a worksheet is chosen by."""

import numpy as np

from ..calculation.bounds import Bounds, Circular
from ..mistakes import occurrences

SEEN = 0.003  # a difference that shows in three decimals, with the rounding of some steps before


def signatures(trace, asked):
    """Return what every mistake gives in the steps that it changes, {mistake: [{step: values}, ...]}.

    Mistakes of rounding are left out: whether they show depends on how a student rounds.
    """
    given = {step.name: np.asarray(step.value, float) for step in trace if step.given}
    right = Bounds(trace.rules, given, {})
    found = {}
    for mistake, _, change in occurrences(trace):
        if mistake.name == "rounded too early" or not any(name in asked for name in change):
            continue
        wrong = right.with_rules(change)
        try:
            values = {name: wrong.allowed(name)[0] for name in change if name in asked}
        except Circular:
            continue
        found.setdefault(mistake.name, []).append(values)
    return found, {name: right.allowed(name)[0] for name in asked}


def _differ(a, b):
    return bool((np.isnan(a) != np.isnan(b)).any() or (np.abs(a - b) > SEEN).any())


def unlike(trace, asked):
    """Return the mistakes that do not show in an example, and the pairs that give the same numbers.

    Parameters
    ----------
    trace : Trace
        The example.
    asked : sequence of str
        The steps that a student writes down.

    Returns
    -------
    tuple of (str, str)
        Pairs of mistakes that cannot be told apart; (mistake, "") for one that does not show.
    """
    found, right = signatures(trace, asked)
    problems, shown = [], []
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


def _apart(a, b, right):
    return any(_differ(a.get(step, right[step]), b.get(step, right[step])) for step in a.keys() | b.keys())
