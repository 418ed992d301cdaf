"""Which mistake a function has made: every one in the catalogue is tried, alone, then in pairs.

The numbers are exact to many digits, so nothing fits by chance: a mistake is named if the wrong calculation gives
what the function gave, on every input and in every step that was returned.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from ..diagnosis.diagnose import MOST, Explanation
from ..mistakes import MISTAKES
from ..mistakes.code import CODE_MISTAKES, OVER, change_ties
from ..mistakes.mistake import Mistake
from .cases import Case, changed


class Seen(NamedTuple):
    """What a function gave on one input, by the steps' names, and how far rounding may have moved it."""

    case: Case
    values: dict
    tolerance: float


class Candidate(NamedTuple):
    """One way to make a mistake: the wrong rules for every image of every input."""

    mistake: Mistake
    variant: object
    changes: list


@np.errstate(all="ignore")
def explain(seen, first, backward=False):
    """Find the mistakes that explain what a function gave.

    Parameters
    ----------
    seen : list of Seen
        What it gave on each input, at least one of them wrong.
    first : str
        The first step that is wrong.
    backward : bool
        Whether the backward pass is judged; the forward pass is right then.

    Returns
    -------
    explanations : tuple of Explanation
        At most five; empty where nothing explains it.
    whole : bool
        Whether they explain the later steps that were returned too.
    """
    names = [name for name in seen[0].case.steps if any(name in s.values for s in seen)]
    until_first = names[: names.index(first) + 1]
    seen = sorted(seen, key=lambda s: s.case.x.size)
    upstream = seen[0].case.images[0].upstream(first)
    later = {step for name in names for step in seen[0].case.images[0].upstream(name)}
    candidates = [c for c in _candidates(seen, backward) if any(name in later for name in _touched(c))]
    relevant = [c for c in candidates if any(name in upstream for name in _touched(c))]
    right = [s.case.images for s in seen]
    found = [c for c in relevant if _fits(seen, until_first, _apply(right, c.changes))]
    found = [c for c in found if c.mistake.combines] or found  # rounding and the like, where nothing else explains it
    whole = [c for c in found if _fits(seen, names, _apply(right, c.changes))]
    if whole:
        return _told((c,) for c in whole), True
    if found:
        pairs = _pairs(seen, names, found, candidates)
        return _told(pairs or ((c,) for c in found)), bool(pairs)
    pairs = _pairs(seen, names, relevant, candidates)
    if pairs or names == until_first:
        return _told(pairs), True
    return _told(_pairs(seen, until_first, relevant, relevant)), False


def _candidates(seen, backward):
    """Return every way to make a mistake on the way judged, matched between the images by where it is made."""
    per_image = []
    for s in seen:
        for calculation in s.case.calculations():
            changes = {}
            for mistake in (*MISTAKES, *CODE_MISTAKES):
                for variant, change in mistake.changes(calculation):
                    if all(name.startswith("d") == backward and rule.inputs for name, rule in change.items()):
                        key = (mistake.name, variant, tuple(change))
                        key += (sum(k[:3] == key for k in changes),)
                        changes[key] = mistake, change
            per_image.append(changes)
    found = []
    for key in dict.fromkeys(key for changes in per_image for key in changes):
        images = iter(per_image)
        changes = [[next(images).get(key, (None, {}))[1] for _ in s.case.x] for s in seen]
        mistake = next(changes[key][0] for changes in per_image if key in changes)
        found.append(Candidate(mistake, key[1], changes))
    return found


def _touched(candidate):
    return {name for changes in candidate.changes for change in changes for name in change}


def _apply(images, changes):
    return [changed(i, c) for i, c in zip(images, changes, strict=True)]


def _fits(seen, names, images):
    """Tell whether what follows on the images is what the function gave, in these steps."""
    return all(
        s.case.agrees(name, s.values[name], s.tolerance, i)
        for s, i in zip(seen, images, strict=True)
        for name in reversed(names)
        if name in s.values
    )


def _pairs(seen, names, firsts, seconds):
    """Return the pairs of mistakes that explain these steps."""
    right, found, tried = [s.case.images for s in seen], {}, set()
    firsts, seconds = ([c for c in them if c.mistake.combines] for them in (firsts, seconds))
    for first in firsts:
        tried.add(id(first))
        images = _apply(right, first.changes)
        rules = [
            list(zip(s.case.rules, s.case.calculations(changes), strict=True))
            for s, changes in zip(seen, first.changes, strict=True)
        ]
        for second in seconds:
            if id(second) in tried or second.mistake is first.mistake:
                continue
            changes = _on_top(first, second, rules)
            if changes and _fits(seen, names, _apply(images, changes)):
                found.setdefault(frozenset((first.mistake.name, second.mistake.name)), (first, second))
                if len(found) == MOST:
                    return list(found.values())
    return list(found.values())


def _on_top(first, second, rules):
    """Return the second mistake's changes where the first has been made; None where that cannot be."""
    if not _touched(first) & _touched(second):
        return second.changes
    found = []
    for before, own, pairs in zip(first.changes, second.changes, rules, strict=True):
        found.append([])
        for done, change, (right, calculation) in zip(before, own, pairs, strict=True):
            shared = done.keys() & change.keys()
            if any(sorted(done[n].inputs) != sorted(right[n].inputs) for n in shared):
                return None
            again = second.variant(calculation) if shared else change
            if not isinstance(again, dict) or not all(rule.inputs for rule in again.values()):
                return None
            found[-1].append(again)
    return found


def _told(found):
    named = {}
    for candidates in found:
        explanation = Explanation(tuple(c.mistake for c in candidates))
        named.setdefault(explanation.name, explanation)
    return tuple(named.values())[:MOST]


TIES = {
    "first": "to the first of them",
    "last": "to the last of them",
    "split": "to all of them in even parts",
}


def other_ties(seen):
    """Return the rules for ties with which a wrong backward pass is right, {"space": "split"}; {} if none is so."""
    rules, ours = seen[0].case.rules[0], seen[0].case.traces[0].dialect.ties
    overs = [over for over in OVER if change_ties(rules, over, ours)]
    for choice in product(sorted(TIES, key=lambda ties: ties != ours), repeat=len(overs)):
        how = dict(zip(overs, choice, strict=True))
        images = [changed(s.case.images, [_ties(rules, how) for rules in s.case.rules]) for s in seen]
        if _fits(seen, seen[0].case.steps, images):
            return {over: ties for over, ties in how.items() if ties != ours}
    return {}


def _ties(rules, how):
    return {name: rule for over, ties in how.items() for name, rule in change_ties(rules, over, ties).items()}


def without_ties(seen):
    """Return what can be judged whatever the rule for ties: the inputs on which it makes no difference, if any."""
    kept = []
    for s in seen:
        others = [
            changed(s.case.images, [_ties(rules, {"space": t, "channels": t}) for rules in s.case.rules])
            for t in ("split", "last")
        ]
        right = {name: s.case.value(name) for name in s.values}
        if all(s.case.agrees(name, right[name], 1e-9, images) for images in others for name in right):
            kept.append(s)
    return kept
