"""What a mistake is: a name, a sentence for the student, and the rules that it puts in the place of the right ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..calculation.rules import (
    Arrays,
    Compute,
    Index,
    Interval,
    Rule,
    Term,
    corner_bound,
    entrywise,
    monotone_bound,
    term,
)
from ..calculation.trace import Trace

Change: TypeAlias = dict[str, Rule]  # wrong rules, by the steps whose right rules they take the place of


class Calculation(dict[str, Rule]):
    """The rules of a trace by the steps' names, with what mistakes ask about it.

    Parameters
    ----------
    trace : Trace
        Where the rules come from.
    rules : mapping of str to Rule, optional
        Other rules, where some have been changed already.
    """

    def __init__(self, trace: Trace, rules: Mapping[str, Rule] | None = None):
        super().__init__(trace.rules if rules is None else rules)
        self.trace = trace
        self.shape = self.C, self.H, self.W = trace["F"].shape
        self.bias = trace.dialect.mlp_bias

    @property
    def pools(self) -> list[str]:
        """Names of the branches of the channel submodule."""
        return [pool for pool in self.trace.dialect.channel_pools if f"z_{pool}" in self]

    @property
    def maps(self) -> tuple[str, ...]:
        """Names of the concatenated maps of the spatial submodule, in their order."""
        return self[self.convolved].inputs[1:]

    @property
    def convolved(self) -> str:
        """Name of what the convolution gives: y_s where a normalisation follows, else z_s."""
        return "y_s" if "y_s" in self else "z_s"

    def size(self, over: str) -> int:
        """Return how many numbers are pooled into one."""
        return self.H * self.W if over == "space" else self.C

    @property
    def k(self) -> int:
        """Side of the kernel."""
        return self.trace["W7"].shape[-1]

    def gate(self, M: str) -> str:
        """Return the name of the step that multiplies the attention map M on."""
        return next(name for name, rule in self.items() if rule.inputs[0] == M and not name.startswith("d"))


OneWay: TypeAlias = Callable[[Any], Change]  # (calculation) -> one way of making a mistake; {} where it cannot be made
Variant: TypeAlias = OneWay | Callable[[Any], list[Change]]  # ... or several ways


@dataclass(frozen=True)
class Mistake:
    """A mistake that people make.

    Parameters
    ----------
    name : str
        A few words.
    sentence : str
        What happened and what is right, for the student.
    variants : tuple of callable
        Each takes a `Calculation` and returns {step: wrong rule}, or a list of these.
    needs : str
        Steps that must be there.
    square : str
        Matrices that must be square, and more than a number.
    combines : bool
        Whether it is tried together with others.
    """

    name: str
    sentence: str
    variants: tuple[Variant, ...]
    needs: str = ""
    square: str = ""
    combines: bool = True

    def occurrences(self, calculation: Calculation) -> list["Occurrence"]:
        """Return the ways in which the mistake can be made in a calculation."""
        steps = calculation.trace.by_name
        if not all(name in steps for name in f"{self.needs} {self.square}".split()):
            return []
        if not all(steps[name].shape[0] == steps[name].shape[1] > 1 for name in self.square.split()):
            return []
        found = []
        for variant in self.variants:
            changes = variant(calculation)
            found += [Occurrence(self, variant, c) for c in (changes if isinstance(changes, list) else [changes])]
        return [made for made in found if made.changes and calculation.keys() >= made.changes.keys()]


class Occurrence(NamedTuple):
    """One way in which a mistake can be made in a calculation: a hypothesis of the search.

    Parameters
    ----------
    mistake : Mistake
        What is done wrong.
    variant : callable
        Which of the mistake's variants.
    changes : dict of str to Rule
        The wrong rules, by the steps that they take the place of.
    """

    mistake: Mistake
    variant: Variant
    changes: Change

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


def made_on_top(
    variant: Variant, changes: Change, done: Change, right: Change, remake: Callable[[Change], Calculation]
) -> Change | None:
    """Return the wrong rules of a mistake that is made where others have been made already.

    Parameters
    ----------
    variant : callable
        How the mistake is made.
    changes : dict of str to Rule
        The wrong rules that it leads to by itself.
    done, right : dict of str to Rule
        The wrong rules of the mistakes that have been made, and all right ones.
    remake : callable
        (rules) -> the `Calculation` with these rules.

    Returns
    -------
    dict of str to Rule or None
        None where it cannot be made: the others have changed what a step is computed from.
    """
    shared = done.keys() & changes.keys()
    if not shared:
        return changes
    if any(sorted(done[name].inputs) != sorted(right[name].inputs) for name in shared):
        return None
    again = variant(remake(right | done))
    return again if again and isinstance(again, dict) and all(rule.inputs for rule in again.values()) else None


def mistake(
    name: str, sentence: str, *variants: Variant, needs: str = "", square: str = "", combines: bool = True
) -> Mistake:
    """Return a `Mistake` with these variants."""
    return Mistake(name, sentence, variants, needs, square, combines)


# --- the pieces that variants are made of ---


def always(changes: Change) -> OneWay:
    """Return the variant with these wrong rules, whatever the calculation is."""

    def change(c: Calculation) -> Change:
        return dict(changes)

    return change


def in_each_branch(step: str, make: Callable[[str], Rule], *pools: str) -> OneWay:
    """Return a variant that changes a step, "da_{}", in all branches of the MLP, or in those of some pools."""

    def change(c: Calculation) -> Change:
        return {step.format(pool): make(pool) for pool in c.pools if pool in (pools or c.pools)}

    return change


# --- the pieces that wrong rules are made of ---


def terms(*specs: str) -> list[Term]:
    """Return terms: ``terms("c->c z_avg", "c->c z_max")``."""
    return [term(*spec.split()) for spec in specs]


def entries(template: str, *names: str, f: Compute, rising: bool = False) -> Rule:
    """Return a rule of single entries; `rising` if f falls nowhere, else it may turn at 1/2 and 0."""
    return entrywise(f, template, *names, bound=monotone_bound if rising else corner_bound)


def copy_of(name: str) -> Rule:
    """Return the rule of a step that just repeats another."""
    return entries("{}", name, f=np.array, rising=True)


def with_input(rule: Rule, before: str, after: str) -> Rule:
    """Return a rule with one of its inputs exchanged for another step."""
    return rule._replace(inputs=tuple(after if name == before else name for name in rule.inputs))


def then(rule: Rule, function: Compute, template: str) -> Rule:
    """Return a rule followed by a function of single entries that never falls."""

    def compute(*arrays: np.ndarray) -> np.ndarray:
        return function(rule.compute(*arrays))

    def bound(lows: Arrays, highs: Arrays) -> Interval:
        low, high = rule.bound(lows, highs)
        return function(low), function(high)

    def spell(index: Index, texts: Arrays) -> str:
        return template.format(rule.spell(index, texts))

    return Rule(rule.inputs, compute, bound, spell)


def composed(outer: Rule, name: str, inner: Rule) -> Rule:
    """Return the rule `outer` with its input `name` computed by the rule `inner` instead of read off."""
    at, size = outer.inputs.index(name), len(inner.inputs)

    def around(arrays: Sequence[np.ndarray], middle: np.ndarray) -> list[np.ndarray]:
        return [*arrays[:at], middle, *arrays[at + size :]]

    def compute(*arrays: np.ndarray) -> np.ndarray:
        return outer.compute(*around(arrays, inner.compute(*arrays[at : at + size])))

    def bound(lows: Arrays, highs: Arrays) -> Interval:
        low, high = inner.bound(lows[at : at + size], highs[at : at + size])
        return outer.bound(around(lows, low), around(highs, high))

    return Rule((*outer.inputs[:at], *inner.inputs, *outer.inputs[at + 1 :]), compute, bound, unspelled)


def unspelled(index: Index, texts: Arrays) -> str:
    """Write nothing: what was done is said in the mistake's sentence."""
    return ""


def rearranged(rule: Rule, move: Compute) -> Rule:
    """Return a rule whose result has its entries moved about; not a number where nothing comes to lie."""
    return then(rule, move, "")._replace(spell=unspelled)
