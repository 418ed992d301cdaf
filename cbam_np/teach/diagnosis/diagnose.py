"""Which mistake explains a wrong step: every one in the catalogue is tried, alone, then in pairs.

A mistake explains a wrong step if the wrong calculation, carried on from the student's own numbers, allows what the
student wrote there, right entries included. Where no mistake explains the whole step, those that explain its first
wrong entry are considered, then pairs; both are believed only where it is no chance that one of them fits, which it
would be if very many were held against very few digits.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..calculation.bounds import Circular, touches
from ..calculation.rules import Rule
from ..mistakes import SLIPS, Calculation, changes_of

CHANCE = 0.05  # how many explanations may be expected to fit a random number
MOST = 5  # explanations worth listing
NEAREST = 36  # ways of making a mistake that are combined: 630 pairs, those nearest to the wrong step


@dataclass(frozen=True)
class Explanation:
    """One or two mistakes that explain a wrong step.

    Parameters
    ----------
    mistakes : tuple of Mistake or Slip
        What was done wrong.
    rule : Rule, optional
        How the wrong step came out of it; None for a slip of the pen, or where the mistake lies in an earlier step.
    against : int
        How many answers speak against it.
    explained : int
        How many wrong answers it explains.
    distance : int
        How many steps before the wrong one it lies.
    chance : float
        How many of the mistakes tried would be expected to explain a random number just as well; below 0.05 for pairs
        and for mistakes that explain a part of the step only.
    """

    mistakes: tuple
    rule: Rule | None = None
    against: int = 0
    explained: int = 0
    distance: int = 0
    chance: float = 0.0

    @property
    def name(self):
        """What the mistakes are called."""
        return ", and ".join(mistake.name for mistake in self.mistakes)

    @property
    def sentence(self):
        """What happened and what is right."""
        return " ".join(mistake.sentence for mistake in self.mistakes)


class Evidence:
    """A wrong step and what was written around it, to hold wrong calculations against.

    Parameters
    ----------
    following : Following
        The bounds that follow from what was written.
    name : str
        The step.
    wrong : dict of str to ndarray of bool
        The wrong entries of every step that has some.
    """

    def __init__(self, following, name, wrong):
        self.following, self.name, self.all_wrong = following, name, wrong
        self.wrong = wrong[name]
        self.first = tuple(np.argwhere(self.wrong)[0])
        self.right = following.allowed(name)
        self.seen = []  # (low, high) of the wrong entries, for each wrong calculation

    def weigh(self, changed):
        """Hold a wrong calculation, a `Following`, against the step.

        Returns
        -------
        int or None
            How many of the step's answers speak against it; None where it does not explain the first wrong entry.
        """
        try:
            low, high = changed.allowed(self.name)
        except Circular:
            return None
        if low[self.first] == self.right[0][self.first] and high[self.first] == self.right[1][self.first]:
            return None
        self.seen.append((low[self.wrong], high[self.wrong]))
        misses = self.misses(changed, self.name) | (self.wrong & np.isnan(low))
        return None if misses[self.first] else int(misses.sum())

    def misses(self, changed, name):
        """Tell which answers of a step a wrong calculation does not allow."""
        value, tolerance = self.following.written[name]
        low, high = changed.allowed(name)
        return ~np.isnan(value) & ~np.isnan(low) & ~touches(low, high, value, tolerance)

    def explanation(self, mistakes, changed, changes):
        """Return an explanation, having looked at all steps that the mistakes change."""
        misses = {name: self.misses(changed, name) for name in {self.name, *changes} if name in self.following.written}
        against = sum(int(missed.sum()) for missed in misses.values())
        explained = sum(int((self.all_wrong[n] & ~missed).sum()) for n, missed in misses.items() if n in self.all_wrong)
        return Explanation(mistakes, changes.get(self.name), against, explained)

    def by_chance(self, entries=None):
        """Return how many of the calculations weighed so far would be expected to fit random numbers.

        Numbers in all of the wrong entries, or in the first `entries` of them.
        """
        if not self.seen:
            return 0.0
        value, tolerance = (array[self.wrong][:entries] for array in self.following.written[self.name])
        low, high = np.nan_to_num(np.array(self.seen)).swapaxes(0, 1)[..., :entries]  # (calculations, wrong entries)
        spread = np.ptp(np.quantile(np.vstack([low, high, value]), [0.05, 0.95], axis=0), axis=0)
        odds = np.minimum(1, (high - low + 2 * tolerance) / np.maximum(spread, 1e-12))
        return float(odds.prod(axis=1).sum())


def diagnose(following, trace, name, wrong, readings):
    """Find the mistakes that explain a wrong step.

    Parameters
    ----------
    following : Following
        The bounds that follow from what was written.
    trace : Trace
        The right calculation.
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
    evidence = Evidence(following, name, wrong)
    upstream = following.upstream(name)
    relevant = [(m, v, change) for m, v, change in changes_of(trace) if not upstream.keys().isdisjoint(change)]
    whole, partly = {}, {}
    for mistake, _, change in relevant:
        changed = following.changed(change)
        misses = evidence.weigh(changed)
        if misses is None:
            continue
        found = whole if misses == 0 else partly
        explanation = replace(evidence.explanation((mistake,), changed, change), distance=_distance(upstream, change))
        if mistake.name not in found or _rank(explanation) < _rank(found[mistake.name]):
            found[mistake.name] = explanation
    for slip in SLIPS:
        misses = _unread(slip, evidence, readings)
        if misses is not None:
            explained = int(wrong[name].sum()) - misses
            (partly if misses else whole)[slip.name] = Explanation((slip,), None, misses, explained)
    if whole:
        return _best(whole, evidence.by_chance())
    if partly and evidence.by_chance(entries=1) <= CHANCE:
        return _best(partly, evidence.by_chance(entries=1))
    once = [(m, v, change) for m, v, change in relevant if m.combines]
    once.sort(key=lambda way: _distance(upstream, way[2]))
    return _pairs(evidence, trace, once[:NEAREST])


def _distance(upstream, change):
    return min(upstream[step] for step in change if step in upstream)


def _rank(explanation):
    return explanation.against, -explanation.explained, explanation.distance


def _best(found, chance):
    return tuple(replace(explanation, chance=chance) for explanation in sorted(found.values(), key=_rank)[:MOST])


def _unread(slip, evidence, readings):
    """Count the wrong entries that a slip does not explain; None where it does not explain the first one."""
    low, high = evidence.right

    def explains(index):
        return any(touches(low[index], high[index], value, reach) for value, reach in slip.readings(readings[index]))

    if not explains(evidence.first):
        return None
    return sum(not explains(tuple(index)) for index in np.argwhere(evidence.wrong))


def _pairs(evidence, trace, once):
    """Return the pairs of mistakes that explain the whole step, unless some would have to by chance."""
    pairs = len(once) * (len(once) - 1) / 2
    if evidence.by_chance() / max(len(evidence.seen), 1) * pairs > CHANCE:
        return ()  # so many on so few digits: one of them would fit anything
    evidence.seen, found = [], {}
    for at, (first, _, change) in enumerate(once):
        changed_first = evidence.following.changed(change)
        rules = Calculation(trace, trace.rules | change)
        for second, variant, other in once[at + 1 :]:
            if first is second:
                continue
            shared = change.keys() & other.keys()
            if shared:  # the second is made on top of the first, if that has left the steps their inputs
                same = all(sorted(change[n].inputs) == sorted(trace.rules[n].inputs) for n in shared)
                other = variant(rules) if same else {}
            if not other:
                continue
            changed = changed_first.changed(other)
            if evidence.weigh(changed) == 0:
                pair = evidence.explanation((first, second), changed, change | other)
                found.setdefault(pair.name, pair)
    chance = evidence.by_chance()
    return _best(found, chance) if chance <= CHANCE else ()
