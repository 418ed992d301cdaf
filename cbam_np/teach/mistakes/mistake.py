"""What a mistake is: a name, a sentence for the student, and the rules that it puts in the place of the right ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...ops import relu_forward, sigmoid_forward
from ..calculation.rules import Rule, corner_bound, entrywise, monotone_bound, term


class Calculation(dict):
    """The rules of a trace by the steps' names, with what mistakes ask about it.

    Parameters
    ----------
    trace : Trace
        Where the rules come from.
    rules : dict of str to Rule, optional
        Other rules, where some have been changed already.
    """

    def __init__(self, trace, rules=None):
        super().__init__(trace.rules if rules is None else rules)
        self.trace = trace
        self.shape = self.C, self.H, self.W = trace["F"].shape
        self.bias = trace.dialect.mlp_bias

    @property
    def pools(self):
        """Names of the branches of the channel submodule."""
        return [pool for pool in ("avg", "max") if f"z_{pool}" in self]

    def size(self, over):
        """Return how many numbers are pooled into one."""
        return self.H * self.W if over == "space" else self.C

    @property
    def k(self):
        """Side of the kernel."""
        return self.trace["W7"].shape[-1]

    def gate(self, M):
        """Return the name of the step that multiplies the attention map M on."""
        return next(name for name, rule in self.items() if rule.inputs[0] == M and not name.startswith("d"))


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
    variants: tuple[Callable, ...]
    needs: str = ""
    square: str = ""
    combines: bool = True

    def occurrences(self, calculation: Calculation) -> list["Occurrence"]:
        """Return the ways in which the mistake can be made in a calculation."""
        shapes = {step.name: step.shape for step in calculation.trace}
        if not all(name in shapes for name in f"{self.needs} {self.square}".split()):
            return []
        if not all(shapes[name][0] == shapes[name][1] > 1 for name in self.square.split()):
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
    variant: Callable
    changes: dict[str, Rule]

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
    variant: Callable, changes: dict[str, Rule], done: Mapping[str, Rule], right: Mapping[str, Rule], remake: Callable
) -> dict[str, Rule] | None:
    """Return the wrong rules of a mistake that is made where others have been made already.

    Parameters
    ----------
    variant : callable
        How the mistake is made.
    changes : dict of str to Rule
        The wrong rules that it leads to by itself.
    done, right : mapping of str to Rule
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
    again = variant(remake({**right, **done}))
    return again if again and isinstance(again, dict) and all(rule.inputs for rule in again.values()) else None


def mistake(name, sentence, *variants, **conditions):
    """Return a `Mistake` with these variants."""
    return Mistake(name, sentence, variants, **conditions)


# --- the pieces that wrong rules are made of ---


def sigmoid(z):
    """Return σ(z)."""
    return sigmoid_forward(z)[0]


def relu(h):
    """Return ReLU(h)."""
    return relu_forward(h)[0]


def terms(*specs):
    """Return terms: ``terms("c->c z_avg", "c->c z_max")``."""
    return [term(*spec.split()) for spec in specs]


def entries(template, *names, f, rising=False):
    """Return a rule of single entries; `rising` if f falls nowhere, else it may turn at 1/2 and 0."""
    return entrywise(f, template, *names, bound=monotone_bound if rising else corner_bound)


def copy_of(name):
    """Return the rule of a step that just repeats another."""
    return entries("{}", name, f=np.array, rising=True)


def on(rule, before, after):
    """Return a rule with one of its inputs exchanged for another step."""
    return rule._replace(inputs=tuple(after if name == before else name for name in rule.inputs))


def then(rule, function, template):
    """Return a rule followed by a function of single entries that never falls."""

    def compute(*arrays):
        return function(rule.compute(*arrays))

    def bound(lows, highs):
        low, high = rule.bound(lows, highs)
        return function(low), function(high)

    return Rule(rule.inputs, compute, bound, lambda index, texts: template.format(rule.spell(index, texts)))


def composed(outer, name, inner):
    """Return the rule `outer` with its input `name` computed by the rule `inner` instead of read off."""
    at, size = outer.inputs.index(name), len(inner.inputs)

    def compute(*arrays):
        return outer.compute(*arrays[:at], inner.compute(*arrays[at : at + size]), *arrays[at + size :])

    def bound(lows, highs):
        low, high = inner.bound(lows[at : at + size], highs[at : at + size])
        return outer.bound([*lows[:at], low, *lows[at + size :]], [*highs[:at], high, *highs[at + size :]])

    return Rule((*outer.inputs[:at], *inner.inputs, *outer.inputs[at + 1 :]), compute, bound, unspelled)


def unspelled(index, texts):
    """Write nothing: what was done is said in the mistake's sentence."""
    return ""


def rearranged(rule, move):
    """Return a rule whose result has its entries moved about; not a number where nothing comes to lie."""
    return then(rule, move, "")._replace(spell=unspelled)
