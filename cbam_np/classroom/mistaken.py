"""What the known mistakes give in an example, for a page that has no checker."""

from typing import Any

import numpy as np

from ..teach.calculation.bounds import Bounds, Circular
from ..teach.calculation.trace import Trace
from ..teach.mistakes import occurrences


def mistaken_values(trace: Trace) -> dict[str, Any]:
    """Return the wrong numbers that the known mistakes give in the steps that they change, made alone.

    Parameters
    ----------
    trace : Trace
        The right calculation.

    Returns
    -------
    dict
        `said`, a list of (name, sentence); and `values`, by an entry's name pairs of a wrong number and its place in
        `said`.
    """
    given = {step.name: np.asarray(step.value, float) for step in trace if step.given}
    right = Bounds(trace.rules, given, {})
    said: list[tuple[str, str]] = []
    values: dict[str, dict[tuple[float, int], None]] = {}
    for mistake, _, change in occurrences(trace):
        wrong = right.with_rules(change)
        for name in change:
            try:
                numbers = np.broadcast_to(wrong.allowed(name)[0], trace[name].shape)
            except (Circular, ValueError):
                continue
            for index in _differing(numbers, np.asarray(trace[name].value, float)):
                told = (mistake.name, mistake.sentence)
                if told not in said:
                    said.append(told)
                entry = trace[name].entry(tuple(i + 1 for i in index)).name
                pair = (float(f"{numbers[index]:.9g}"), said.index(told))
                values.setdefault(entry, {})[pair] = None  # a dict, since it keeps the order and holds each once
    return {"said": said, "values": {name: list(pairs) for name, pairs in values.items()}}


def _differing(numbers: np.ndarray, right: np.ndarray) -> list[tuple[int, ...]]:
    """Yield the indices where a wrong number differs from the right one."""
    far = np.abs(numbers - right) > 1e-6 * np.maximum(1, np.abs(right))
    return [tuple(map(int, index)) for index in np.argwhere(far & np.isfinite(numbers))]
