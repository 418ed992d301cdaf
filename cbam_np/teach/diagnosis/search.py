r"""The search for what went wrong: hypotheses held against evidence, alone, then together, the simplest first.

There is one search, for numbers on paper and for what a program returns. It knows neither. A *hypothesis* has a
`name`, a `sentence` for a person, and `combines`, whether it may be tried together with others; what else it carries
is a matter between it and its evidence. *Evidence* is what came out, and says how well hypotheses fit it.

Numbers on paper (`numbers.py`): a hypothesis is one way to make a mistake, as wrong rules for some steps, or a slip of
the pen. The evidence carries the student's own numbers on through the wrong rules, with their rounding, and fits are a
matter of digits: where there are few, some mistake fits whatever was written, and `odds` says how easily.

    search(occurrences, NumbersOnPaper(trace, bounds, "M_c", wrong, readings), nearest=36)

A program (`teach/code`): a hypothesis may be a changed rule again, or a changed function, such as a choice or a
departure of a parametrised formula. The evidence runs the changed formula on the program's inputs and compares arrays:

    class Change(NamedTuple):
        name: str
        sentence: str
        change: Callable[[Formula], Formula]
        combines: bool = True

    class Outputs:
        def weigh(self, *changes):
            formula = PAPER
            for each in changes:
                formula = each.change(formula)
            against = sum(not np.allclose(formula(x, params), out) for x, params, out in self.draws)
            return Fit(explains=not against, whole=not against)

        def odds(self, together, whole):
            return 0.0  # arrays of floats: nothing fits by chance

    search([Change("maps [max; avg]", ..., swapped), ...], Outputs(draws), together=3)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any, NamedTuple, Protocol

CHANCE = 0.05  # how many explanations may be expected to fit random numbers
MOST = 5  # explanations worth listing


class Hypothesis(Protocol):
    """What may have been done: a mistake, a slip of the pen, a choice."""

    @property
    def name(self) -> str:
        """What it is called, in a few words."""

    @property
    def sentence(self) -> str:
        """What happened and what is right, for a person."""

    @property
    def combines(self) -> bool:
        """Whether it is tried together with others."""


class Fit(NamedTuple):
    """How well one or more hypotheses fit the evidence.

    Parameters
    ----------
    explains : bool
        Whether they explain the first thing that is wrong; if not, the rest does not count.
    whole : bool
        Whether they explain all that has to be explained at once: the whole wrong step of a student, all arrays of a
        program.
    against : int
        How many answers speak against them.
    explained : int
        How many wrong answers they explain.
    distance : int
        How many steps before the first wrong one they lie.
    rule : Rule, optional
        How the wrong step came out of them, where the evidence has rules.
    unlikeliness : int
        How unlikely they are before anything is looked at; 0 where nothing is known of that.
    """

    explains: bool
    whole: bool = False
    against: int = 0
    explained: int = 0
    distance: int = 0
    rule: Any = None
    unlikeliness: int = 0

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """The likelier, the smaller."""
        return self.against, -self.explained, self.unlikeliness, self.distance


class Evidence(Protocol):
    """What came out, and how well hypotheses fit it."""

    def weigh(self, *hypotheses: Any) -> Fit | None:
        """Hold hypotheses against the evidence, all of them together.

        Returns
        -------
        Fit or None
            None where they have no bearing on the first thing that is wrong, or cannot be made together.
        """

    def odds(self, together: int, whole: bool) -> float:
        """Return how easily random numbers, in the place of what came out, would be explained.

        Parameters
        ----------
        together : int
            How many hypotheses at a time: those of one, of two, ... that were weighed so far.
        whole : bool
            Whether all of the numbers are random that have to be explained, or the first one only.

        Returns
        -------
        float
            Probability that hypotheses explain them, the average over those weighed.
        """


@dataclass(frozen=True)
class Explanation:
    """One or more hypotheses that explain what went wrong.

    Parameters
    ----------
    hypotheses : tuple of Hypothesis
        What was done.
    rule : Rule, optional
        How the wrong step came out of it; None for a slip of the pen, or where the mistake lies in an earlier step.
    against : int
        How many answers speak against it.
    explained : int
        How many wrong answers it explains.
    distance : int
        How many steps before the wrong one it lies.
    chance : float
        How many of the hypotheses tried would be expected to explain random numbers just as well; at most 0.05 for
        two together and for those that explain a part only.
    whole : bool
        Whether it explains everything that has to be explained, not only the first part of it.
    """

    hypotheses: tuple
    rule: Any = None
    against: int = 0
    explained: int = 0
    distance: int = 0
    chance: float = 0.0
    whole: bool = True

    @property
    def name(self) -> str:
        """What was done, in a few words."""
        return ", and ".join(hypothesis.name for hypothesis in self.hypotheses)

    @property
    def sentence(self) -> str:
        """What happened and what is right."""
        return " ".join(hypothesis.sentence for hypothesis in self.hypotheses)


def search(
    hypotheses: Iterable[Any],
    evidence: Evidence,
    nearest: int | None = None,
    together: int = 2,
    certain: bool = False,
) -> tuple[Explanation, ...]:
    """Find the hypotheses that explain the evidence, the simplest first.

    Those that explain it by themselves are the answer if there are any. Those that explain only the beginning are
    tried together with every other, then believed by themselves; if there are none, all are tried two at a time, then
    three, up to `together`. Whatever is not a single hypothesis for the whole is believed only where it is no chance
    that it fits, which it would be if very many were held against very few digits.

    Parameters
    ----------
    hypotheses : iterable of Hypothesis
        What may have been done, the likeliest first: among equals, the order stays.
    evidence : Evidence
        What came out.
    nearest : int, optional
        How many hypotheses, from the first, are tried together; all if None.
    together : int
        How many at most are tried together.
    certain : bool
        Whether a single hypothesis, too, is believed only where it is no chance that one fits.

    Returns
    -------
    tuple of Explanation
        The likeliest first, at most five; empty where nothing explains the evidence.
    """
    hypotheses = list(hypotheses)
    alone = _Trial(evidence, 1, ((hypothesis,) for hypothesis in hypotheses))
    if alone.whole:
        return alone.if_no_chance(whole=True) if certain else alone.explanations(whole=True)
    combining = [hypothesis for hypothesis in hypotheses if hypothesis.combines][:nearest]
    if alone.partly and alone.chance(whole=False) <= CHANCE:
        begun = [hypothesis for (hypothesis,), _ in alone.partly if hypothesis.combines]
        ended = _Trial(evidence, 2, _pairs_with(begun, combining))
        return ended.if_no_chance(whole=True) or alone.explanations(whole=False)
    for size in range(2, together + 1):
        if evidence.odds(size - 1, whole=True) * comb(len(combining), size) > CHANCE:
            return ()  # so many on so few digits: some would fit whatever came
        several = _Trial(evidence, size, _each_name_once(combinations(combining, size)))
        found = several.if_no_chance(whole=True) or several.if_no_chance(whole=False)
        if found:
            return found
    return ()


class _Trial:
    """Hypotheses weighed, `size` at a time: what fits, and how many would fit random numbers."""

    def __init__(self, evidence: Evidence, size: int, groups: Iterable[tuple]):
        self.evidence, self.size, self.weighed = evidence, size, 0
        self.whole: list[tuple[tuple, Fit]] = []
        self.partly: list[tuple[tuple, Fit]] = []
        for group in groups:
            fit = evidence.weigh(*group)
            self.weighed += fit is not None
            if fit and fit.explains:
                (self.whole if fit.whole else self.partly).append((group, fit))

    def chance(self, whole: bool) -> float:
        """Return how many of the hypotheses weighed would be expected to explain random numbers."""
        return self.weighed * self.evidence.odds(self.size, whole) if self.weighed else 0.0

    def if_no_chance(self, whole: bool) -> tuple[Explanation, ...]:
        """Return the explanations, none if some of them would have to fit by chance."""
        found = self.whole if whole else self.partly
        return self.explanations(whole) if found and self.chance(whole) <= CHANCE else ()

    def explanations(self, whole: bool) -> tuple[Explanation, ...]:
        """Return the best of what fits, each name once."""
        best: dict[frozenset, tuple[tuple, Fit]] = {}
        for group, fit in self.whole if whole else self.partly:
            names = frozenset(hypothesis.name for hypothesis in group)
            if names not in best or fit.rank < best[names][1].rank:
                best[names] = group, fit
        chance = self.chance(whole)
        return tuple(
            Explanation(group, fit.rule, fit.against, fit.explained, fit.distance, chance, fit.whole)
            for group, fit in sorted(best.values(), key=lambda found: found[1].rank)[:MOST]
        )


def _pairs_with(begun: Sequence, others: Sequence) -> Iterable[tuple]:
    """Yield every pair of one that explains the beginning and another one, in the order in which they were given."""
    for at, first in enumerate(begun):
        for second in others:
            if first.name != second.name and not any(second is earlier for earlier in begun[:at]):
                yield first, second


def _each_name_once(groups: Iterable[tuple]) -> Iterable[tuple]:
    """Yield the groups in which no hypothesis comes twice."""
    return (group for group in groups if len({hypothesis.name for hypothesis in group}) == len(group))
