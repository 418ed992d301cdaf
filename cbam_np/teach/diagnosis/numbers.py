"""Numbers on paper as evidence: a wrong step, held against wrong calculations that start from the student's numbers.

A mistake explains a wrong step if the wrong calculation, carried on from the student's own numbers, allows what the
student wrote there, right entries included.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import partial

import numpy as np

from ..calculation.bounds import Bounds, Circular, touches
from ..calculation.trace import Trace
from ..mistakes import SLIPS, Calculation, Occurrence, Slip, made_on_top, occurrences
from .search import Explanation, Fit, search

NEAREST = 36  # ways of making a mistake that are combined: 630 pairs, those nearest to the wrong step


def diagnose(trace: Trace, bounds: Bounds, name: str, wrong: dict, readings: dict) -> tuple[Explanation, ...]:
    """Find the mistakes that explain a wrong step.

    Parameters
    ----------
    trace : Trace
        The right calculation.
    bounds : Bounds
        What follows from what was written.
    name : str
        The step to explain.
    wrong : dict of str to ndarray of bool
        The wrong entries of every step that has some.
    readings : dict of tuple of int to Written
        What was written there, by index.

    Returns
    -------
    tuple of Explanation
        The likeliest first, at most five; empty where nothing explains it.
    """
    evidence = NumbersOnPaper(trace, bounds, name, wrong, readings)
    relevant = [occurrence for occurrence in occurrences(trace) if evidence.distance(occurrence.changes) is not None]
    relevant.sort(key=lambda occurrence: evidence.distance(occurrence.changes) or 0)
    return search([*relevant, *SLIPS], evidence, nearest=NEAREST)


class NumbersOnPaper:
    """A wrong step and what was written around it, to hold wrong calculations against.

    Parameters
    ----------
    trace, bounds, name, wrong, readings
        See `diagnose`.
    """

    def __init__(self, trace: Trace, bounds: Bounds, name: str, wrong: dict, readings: dict):
        self.trace, self.bounds, self.name, self.readings = trace, bounds, name, readings
        self.all_wrong, self.wrong = wrong, wrong[name]
        self.first = tuple(np.argwhere(self.wrong)[0])
        self.right = bounds.allowed(name)
        self.upstream = bounds.upstream(name)
        self.seen: dict[int, list] = defaultdict(list)  # (low, high) of the wrong entries, by how many together
        self._made: tuple = ((), bounds, {})  # the mistakes that were made last, and what they led to

    def distance(self, changed: Iterable[str]) -> int | None:
        """Return how many steps lie between changed ones and the wrong one; None if none of them leads there."""
        return min((self.upstream[name] for name in changed if name in self.upstream), default=None)

    def weigh(self, *hypotheses: Occurrence | Slip) -> Fit | None:
        """Hold a wrong calculation, or a slip of the pen, against the step."""
        if isinstance(hypotheses[0], Slip):
            return self._weigh_slip(hypotheses[0])
        made = self._make(hypotheses)
        if made is None:
            return None
        wrong_bounds, changes = made
        try:
            low, high = wrong_bounds.allowed(self.name)
        except Circular:
            return None
        if low[self.first] == self.right[0][self.first] and high[self.first] == self.right[1][self.first]:
            return None
        self.seen[len(hypotheses)].append((low[self.wrong], high[self.wrong]))
        misses = self._misses(wrong_bounds, self.name) | (self.wrong & np.isnan(low))
        if misses[self.first]:
            return Fit(explains=False)
        return self._fit(wrong_bounds, changes, whole=not misses.any(), alone=len(hypotheses) == 1)

    def _make(self, hypotheses):
        """Return (bounds, changes) with these mistakes made one on top of the other; None if that cannot be."""
        last, bounds, changes = self._made
        if last != hypotheses[:-1]:
            bounds, changes = self.bounds, {}
            for occurrence in hypotheses[:-1]:
                bounds, changes = self._make_one(occurrence, bounds, changes)
                if changes is None:
                    return None
            self._made = hypotheses[:-1], bounds, changes
        bounds, changes = self._make_one(hypotheses[-1], bounds, changes)
        return None if changes is None else (bounds, changes)

    def _make_one(self, occurrence, bounds, changes):
        right, remake = self.trace.rules, partial(Calculation, self.trace)
        own = made_on_top(occurrence.variant, occurrence.changes, changes, right, remake)
        return (bounds, None) if own is None else (bounds.with_rules(own), changes | own)

    def _misses(self, wrong_bounds, name):
        """Tell which answers of a step a wrong calculation does not allow."""
        value, tolerance = self.bounds.written[name]
        low, high = wrong_bounds.allowed(name)
        return ~np.isnan(value) & ~np.isnan(low) & ~touches(low, high, value, tolerance)

    def _fit(self, wrong_bounds, changes, whole, alone):
        """Count what speaks for and against mistakes, in all steps that they change."""
        looked_at = [name for name in {self.name, *changes} if name in self.bounds.written]
        misses = {name: self._misses(wrong_bounds, name) for name in looked_at}
        against = sum(int(missed.sum()) for missed in misses.values())
        explained = sum(int((self.all_wrong[n] & ~missed).sum()) for n, missed in misses.items() if n in self.all_wrong)
        distance = self.distance(changes) if alone else 0
        return Fit(True, whole, against, explained, distance or 0, changes.get(self.name))

    def _weigh_slip(self, slip):
        """Hold a slip of the pen against the step: it must explain the first wrong entry."""
        low, high = self.right

        def explains(index):
            meant = slip.meanings(self.readings[index])
            return any(touches(low[index], high[index], value, reach) for value, reach in meant)

        if not explains(self.first):
            return None
        misses = sum(not explains(tuple(index)) for index in np.argwhere(self.wrong))
        return Fit(True, not misses, misses, int(self.wrong.sum()) - misses)

    def odds(self, together: int, whole: bool) -> float:
        """Return how easily random numbers as precise as these would be explained, see `Evidence.odds`."""
        if not self.seen[together]:
            return 0.0
        entries = None if whole else 1
        value, tolerance = (array[self.wrong][:entries] for array in self.bounds.written[self.name])
        seen = np.nan_to_num(np.array(self.seen[together]))
        low, high = seen.swapaxes(0, 1)[..., :entries]  # (calculations, wrong entries)
        spread = np.ptp(np.quantile(np.vstack([low, high, value]), [0.05, 0.95], axis=0), axis=0)
        odds = np.minimum(1, (high - low + 2 * tolerance) / np.maximum(spread, 1e-12))
        return float(odds.prod(axis=1).mean())
