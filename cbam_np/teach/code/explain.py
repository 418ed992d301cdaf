"""What a program gave as evidence: which mistake it has made.

The numbers are exact to many digits, so nothing fits by chance: a mistake is named if the wrong calculation gives
what the program gave, on every input and in every step that was returned.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np

from ..calculation.bounds import Bounds
from ..calculation.rules import Rule
from ..diagnosis.search import Explanation, Fit, search
from ..mistakes import MISTAKES, made_on_top
from ..mistakes.code import CODE_MISTAKES, OVER, change_ties
from ..mistakes.mistake import Mistake, Variant
from .cases import Case, with_rules


class Seen(NamedTuple):
    """What a function gave on one input, by the steps' names, and how far rounding may have moved it."""

    case: Case
    values: dict[str, np.ndarray]
    tolerance: float


class Candidate(NamedTuple):
    """One way to make a mistake: the wrong rules for every image of every input. A hypothesis of the search."""

    mistake: Mistake
    variant: Variant
    changes: list[list[dict[str, Rule]]]

    @property
    def name(self) -> str:
        """What the mistake is called."""
        return self.mistake.name

    @property
    def sentence(self) -> str:
        """What happened and what is right."""
        return self.mistake.sentence

    @property
    def combines(self) -> bool:
        """Whether it is tried together with others."""
        return self.mistake.combines

    @property
    def steps(self) -> set[str]:
        """Names of the steps that it changes."""
        return {name for changes in self.changes for change in changes for name in change}


@np.errstate(all="ignore")
def explain(seen: list[Seen], first: str, backward: bool = False) -> tuple[tuple[Explanation, ...], bool]:
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
    found: tuple[Explanation, ...] = ()
    for combining in (True, False):  # those that stand alone only where nothing else explains it
        if not found:
            evidence = ArraysOfAProgram(seen, first)
            candidates = _candidates(evidence.seen, backward, combining)
            found = search([c for c in candidates if c.steps & evidence.later], evidence)
    return found, all(explanation.whole for explanation in found)


Made: TypeAlias = list[tuple[Bounds, dict[str, Rule]]]  # for each image, what follows with some mistakes made


class ArraysOfAProgram:
    """What a function gave on every input, to hold wrong calculations against.

    Parameters
    ----------
    seen, first
        See `explain`.
    """

    def __init__(self, seen: list[Seen], first: str):
        self.seen = sorted(seen, key=lambda s: s.case.x.size)
        names = [name for name in seen[0].case.steps if any(name in s.values for s in seen)]
        last = names.index(first) + 1
        self.until_first, self.after_first = names[:last], names[last:]
        image = self.seen[0].case.images[0]
        self.upstream = set(image.upstream(first))
        self.later = {step for name in names for step in image.upstream(name)}
        self._mattering: dict[int, bool] = {}
        self._failed: set[int] = set()  # what does not explain the first wrong step by itself
        self._made: dict[int, tuple[tuple, Made | None]] = {}  # by input: the mistakes made last, what they led to

    def weigh(self, *hypotheses: Candidate) -> Fit | None:
        """Hold a wrong calculation against what the function gave."""
        matter = [candidate for candidate in hypotheses if self._matters(candidate)]
        if not matter:
            return None
        if len(matter) == 1 and id(matter[0]) in self._failed:
            return Fit(explains=False)  # the others change later steps only
        fit = self._weigh(hypotheses)
        if len(hypotheses) == 1 and fit and not fit.explains:
            self._failed.add(id(hypotheses[0]))
        return fit

    def _matters(self, candidate: Candidate) -> bool:
        """Tell whether a mistake has a say in the first wrong step."""
        if id(candidate) not in self._mattering:
            self._mattering[id(candidate)] = bool(candidate.steps & self.upstream)
        return self._mattering[id(candidate)]

    def _weigh(self, hypotheses: tuple[Candidate, ...]) -> Fit | None:
        made: list[list[Bounds]] = []
        for at in range(len(self.seen)):  # most hypotheses fall at the smallest input
            images = self._make(at, hypotheses)
            if images is None:
                return None
            made.append([bounds for bounds, _ in images])
            if not fits(self.seen[at : at + 1], self.until_first, made[-1:]):
                return Fit(explains=False)
        return Fit(explains=True, whole=fits(self.seen, self.after_first, made))

    def odds(self, together: int, whole: bool) -> float:
        """Return 0: no array of floats is explained by chance."""
        return 0.0

    def _make(self, at: int, hypotheses: tuple[Candidate, ...]) -> Made | None:
        """Return (bounds, changes) of every image of an input with these mistakes made; None if that cannot be."""
        s = self.seen[at]
        if not hypotheses:
            return [(bounds, {}) for bounds in s.case.images]
        last, before = self._made.get(at, ((), None))
        if last != hypotheses[:-1] or before is None:
            before = self._make(at, hypotheses[:-1])
            self._made[at] = hypotheses[:-1], before
        if before is None:
            return None
        candidate, found = hypotheses[-1], []
        for image, (change, (bounds, earlier)) in enumerate(zip(candidate.changes[at], before, strict=True)):
            remake = partial(s.case.calculation, image)
            own = made_on_top(candidate.variant, change, earlier, s.case.rules[image], remake)
            if own is None:
                return None
            found.append((bounds.with_rules(own), earlier | own))
        return found


def _candidates(seen: list[Seen], backward: bool, combining: bool) -> list[Candidate]:
    """Return every way to make a mistake on the way judged, matched between the images by where it is made.

    `combining` says whether those are wanted that are tried together with others, or those that stand alone.
    """
    mistakes = [mistake for mistake in (*MISTAKES, *CODE_MISTAKES) if mistake.combines == combining]
    per_image = []
    for s in seen:
        for calculation in s.case.calculations():
            made: dict[tuple, tuple[Mistake, dict[str, Rule]]] = {}
            ways: Counter[tuple] = Counter()  # of making a mistake with the same steps
            for mistake in mistakes:
                for _, variant, change in mistake.occurrences(calculation):
                    if all(name.startswith("d") == backward and rule.inputs for name, rule in change.items()):
                        where = (mistake.name, variant, tuple(change))
                        made[*where, ways[where]] = mistake, change
                        ways[where] += 1
            per_image.append(made)
    found = []
    for key in dict.fromkeys(key for made in per_image for key in made):
        images = iter(per_image)
        changes = [[next(images).get(key, (None, {}))[1] for _ in s.case.x] for s in seen]
        mistake = next(made[key][0] for made in per_image if key in made)
        found.append(Candidate(mistake, key[1], changes))
    return found


def fits(seen: list[Seen], names: Sequence[str], images: Sequence[Sequence[Bounds]]) -> bool:
    """Tell whether what follows on the images is what the function gave, in these steps."""
    return all(
        s.case.agrees(name, s.values[name], s.tolerance, i)
        for s, i in zip(seen, images, strict=True)
        for name in reversed(names)
        if name in s.values
    )


TIES = {
    "first": "to the first of them",
    "last": "to the last of them",
    "split": "to all of them in even parts",
}


def other_ties(seen: list[Seen]) -> dict[str, str]:
    """Return the rules for ties with which a wrong backward pass is right, {"space": "split"}; {} if none is so."""
    rules, dialect = seen[0].case.rules[0], seen[0].case.traces[0].dialect
    ours = {over: dialect.ties_over(over) for over in OVER if change_ties(rules, over, dialect.ties_over(over))}
    choices = product(*([right, *(ties for ties in TIES if ties != right)] for right in ours.values()))
    for choice in choices:
        how = dict(zip(ours, choice, strict=True))
        images = [with_rules(s.case.images, [_ties(rules, how) for rules in s.case.rules]) for s in seen]
        if fits(seen, seen[0].case.steps, images):
            return {over: ties for over, ties in how.items() if ties != ours[over]}
    return {}


def _ties(rules: Mapping[str, Rule], how: Mapping[str, str]) -> dict[str, Rule]:
    return {name: rule for over, ties in how.items() for name, rule in change_ties(rules, over, ties).items()}


def without_ties(seen: list[Seen]) -> list[Seen]:
    """Return what can be judged whatever the rule for ties: the inputs on which it makes no difference, if any."""
    kept = []
    for s in seen:
        others = [
            with_rules(s.case.images, [_ties(rules, {"space": t, "channels": t}) for rules in s.case.rules])
            for t in ("split", "last")
        ]
        right = {name: s.case.value(name) for name in s.values}
        if all(s.case.agrees(name, right[name], 1e-9, images) for images in others for name in right):
            kept.append(s)
    return kept
