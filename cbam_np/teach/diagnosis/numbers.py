"""Numbers on paper as evidence: a wrong step, held against wrong calculations that start from the student's numbers.

A mistake explains a wrong step if the wrong calculation, carried on from the student's own numbers, allows what the
student wrote there, right entries included.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from math import log10
from typing import Any, TypeAlias

import numpy as np

from ..calculation.bounds import Bounds, Circular, touches
from ..calculation.trace import Trace
from ..mistakes import (
    ARITHMETIC,
    NEIGHBOURS,
    SLIPS,
    TERMS,
    Calculation,
    Occurrence,
    Slip,
    further_occurrences,
    made_on_top,
    occurrences,
    relatives,
)
from ..mistakes.mistake import Change
from ..mistakes.prior import unlikeliness
from .search import Explanation, Fit, search

NEAREST = 36  # ways of making a mistake that are combined: 630 pairs, those nearest to the wrong step


def diagnose(
    trace: Trace, bounds: Bounds, name: str, wrong: dict, readings: dict, pairs: bool = True
) -> tuple[Explanation, ...]:
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
    pairs : bool
        Whether mistakes are tried two at a time where none explains the step by itself.

    Returns
    -------
    tuple of Explanation
        The likeliest first, at most five; empty where nothing explains it.
    """
    evidence = NumbersOnPaper(trace, bounds, name, wrong, readings)
    catalogue = evidence.relevant([*occurrences(trace), *further_occurrences(trace)])
    alone = _that_hold(search([*catalogue, *SLIPS], evidence, together=1))
    if alone and alone[0].whole:
        return alone
    begun: tuple[Explanation, ...] = ()  # what explains single entries, but not all of them
    for entries in (ARITHMETIC, TERMS, NEIGHBOURS):
        found = search(entries, EntriesOnPaper(trace, bounds, name, wrong, readings), together=1, certain=True)
        if found and found[0].whole:
            return found
        begun = begun or found
    families = evidence.relevant(relatives(trace), farthest=1)
    found = _that_hold(search(families, NumbersOnPaper(trace, bounds, name, wrong, readings), together=1, certain=True))
    if found and (found[0].whole or not begun):
        return found
    if begun:
        return begun
    return _that_hold(search([*catalogue, *SLIPS], evidence, nearest=NEAREST, together=2 if pairs else 1))


def _that_hold(found: tuple[Explanation, ...]) -> tuple[Explanation, ...]:
    """Keep the explanations for which more answers speak than against, and none that a better one makes needless."""
    kept: list[Explanation] = []
    for one in found:
        needless = any(
            better.against <= one.against
            and better.explained >= one.explained
            and (better.against, better.explained) != (one.against, one.explained)
            for better in kept
        )
        if one.against <= one.explained and not needless:
            kept.append(one)
    return tuple(kept)


Made: TypeAlias = tuple[Bounds, Change]  # what follows with some mistakes made, and their wrong rules


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
        self._made: tuple[tuple, Made | None] = ((), (bounds, {}))  # the mistakes made last, and what follows
        self._weighed: dict[int, Fit | None] = {}

    def relevant(self, made: Iterable[Occurrence], farthest: int | None = None) -> list[Occurrence]:
        """Return the mistakes that lead to the wrong step, the nearest first; none from farther than so many steps."""
        near = [(self.distance(occurrence.changes), occurrence) for occurrence in made]
        kept = [(d, o) for d, o in near if d is not None and (farthest is None or d <= farthest)]
        return [occurrence for _, occurrence in sorted(kept, key=lambda pair: pair[0])]

    def distance(self, changed: Iterable[str]) -> int | None:
        """Return how many steps lie between changed ones and the wrong one; None if none of them leads there."""
        return min((self.upstream[name] for name in changed if name in self.upstream), default=None)

    def weigh(self, *hypotheses: Any) -> Fit | None:
        """Hold a wrong calculation, or a slip of the pen, against the step."""
        if len(hypotheses) == 1:
            if id(hypotheses[0]) not in self._weighed:
                self._weighed[id(hypotheses[0])] = self._weigh_one(hypotheses[0])
            return self._weighed[id(hypotheses[0])]
        return self._weigh_mistakes(*hypotheses)

    def _weigh_one(self, hypothesis: Occurrence | Slip) -> Fit | None:
        return self._weigh_slip(hypothesis) if isinstance(hypothesis, Slip) else self._weigh_mistakes(hypothesis)

    def _weigh_mistakes(self, *hypotheses: Any) -> Fit | None:
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
        return self._fit(wrong_bounds, changes, hypotheses, whole=not misses.any())

    def _make(self, hypotheses: tuple) -> Made | None:
        """Return what follows with these mistakes made one on top of the other; None if that cannot be."""
        last, made = self._made
        if last != hypotheses[:-1]:
            made = self.bounds, {}
            for occurrence in hypotheses[:-1]:
                made = made and self._with(occurrence, *made)
            self._made = hypotheses[:-1], made
        return made and self._with(hypotheses[-1], *made)

    def _with(self, occurrence: Occurrence, bounds: Bounds, changes: Change) -> Made | None:
        """Return what follows with one more mistake."""
        right, remake = self.trace.rules, partial(Calculation, self.trace)
        wrong_rules = made_on_top(occurrence.variant, occurrence.changes, changes, right, remake)
        return None if wrong_rules is None else (bounds.with_rules(wrong_rules), changes | wrong_rules)

    def _misses(self, wrong_bounds: Bounds, name: str) -> np.ndarray:
        """Tell which answers of a step a wrong calculation does not allow."""
        value, tolerance = self.bounds.written[name]
        low, high = wrong_bounds.allowed(name)
        return ~np.isnan(value) & ~np.isnan(low) & ~touches(low, high, value, tolerance)

    def _fit(self, wrong_bounds: Bounds, changes: Change, hypotheses: tuple, whole: bool) -> Fit:
        """Count what speaks for and against mistakes, in all steps that they change."""
        looked_at = [name for name in {self.name, *changes} if name in self.bounds.written]
        misses = {name: self._misses(wrong_bounds, name) for name in looked_at}
        against = sum(int(missed.sum()) for missed in misses.values())
        explained = sum(int((self.all_wrong[n] & ~missed).sum()) for n, missed in misses.items() if n in self.all_wrong)
        distance = self.distance(changes) if len(hypotheses) == 1 else 0
        unlikely = max(unlikeliness(hypothesis.name) for hypothesis in hypotheses)
        return Fit(True, whole, against, explained, distance or 0, changes.get(self.name), unlikely)

    def _weigh_slip(self, slip: Slip) -> Fit | None:
        """Hold a slip of the pen against the step: it must explain the first wrong entry."""
        low, high = self.right

        def explains(index: tuple[int, ...]) -> bool:
            meant = slip.meanings(self.readings[index])
            return any(touches(low[index], high[index], value, reach) for value, reach in meant)

        if not explains(self.first):
            return None
        misses = sum(not explains(tuple(index)) for index in np.argwhere(self.wrong))
        explained = int(self.wrong.sum()) - misses
        return Fit(True, not misses, misses, explained, unlikeliness=unlikeliness(slip.name))

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


class EntriesOnPaper(NumbersOnPaper):
    """The same, to hold mistakes at single entries against: each has a few candidates for what may be written there."""

    def __init__(self, *given: Any):
        super().__init__(*given)
        self.memory: dict[Any, Any] = {}
        self._odds: list[tuple[float, float]] = []  # of the first wrong entry, of all of them

    def places(self, index: tuple[int, ...]) -> int:
        """Return how many decimals a number was written with."""
        tolerance = self.readings[index].tolerance
        return round(-log10(2 * tolerance)) if tolerance else 1

    def weigh(self, *hypotheses: Any) -> Fit | None:
        """Hold a mistake at single entries against every wrong entry."""
        (slip,) = hypotheses
        value, tolerance = self.bounds.written[self.name]
        explained, odds = [], []
        for at in map(tuple, np.argwhere(self.wrong)):
            candidates = slip.candidates(self, at)
            explained.append(any(touches(low, high, value[at], tolerance[at]) for low, high in candidates))
            odds.append(self._share(candidates, value[at], tolerance[at]))
            if not explained[0]:
                break
        if not odds[0]:
            return None
        self._odds.append((odds[0], float(np.prod(odds))))
        if not explained[0]:
            return Fit(explains=False)
        return Fit(True, all(explained), 0, sum(explained))

    def _share(self, candidates: Iterable[tuple[float, float]], value: float, tolerance: float) -> float:
        """Return which share of the numbers that could be written here is one of the candidates."""
        covered, reached = 0.0, -np.inf
        for low, high in sorted(candidates):
            low, high = max(low - tolerance, reached), high + tolerance
            covered, reached = covered + max(high - low, 0.0), max(high, reached)
        largest = max(float(np.abs(self.right).max()), abs(value))
        return float(min(1.0, covered / max(2 * largest, 1e-12)))

    def odds(self, together: int, whole: bool) -> float:
        """Return how easily random numbers would be explained, see `Evidence.odds`."""
        return float(np.mean([odds[whole] for odds in self._odds])) if self._odds else 0.0
