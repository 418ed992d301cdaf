"""A student who works an example out by hand: rounds at every step, goes on from that, and may make a mistake."""

from fractions import Fraction

import numpy as np

from cbam_np.teach.calculation.bounds import round_to

TINY = 1e-9  # floating-point noise


class Student:
    """Every step of a trace as a student would write it down.

    Parameters
    ----------
    trace : Trace
        The example.
    decimals : int
        To which every number is rounded, before going on with it.
    changes : dict of str to Rule
        Steps that the student computes in a wrong way.
    written : dict of str to dict of tuple to str
        Entries that the student writes down wrongly, and goes on with.
    handed : dict of str to list, optional
        Results as text that the student was given to start from.
    """

    def __init__(self, trace, decimals, changes=None, written=None, handed=None):
        self.trace, self.decimals = trace, decimals
        self.rules = trace.rules | (changes or {})
        self.written = written or {}
        self.values = {step.name: np.asarray(step.value, float) for step in trace if step.given}
        for name, texts in (handed or {}).items():
            self.values[name] = np.vectorize(lambda text: float(Fraction(text)))(np.array(texts))

    def value(self, name):
        """Return a step as the student has it, rounded; not a number where the mistake leaves nothing to write."""
        if name not in self.values:
            self.values[name] = round_to(self.computed(name, self.rules), 10.0**-self.decimals) + 0.0
            for index, text in self.written.get(name, {}).items():
                self.values[name][index] = float(text)
        return self.values[name]

    def computed(self, name, rules):
        """Return a step before it is rounded, by some rules, from the student's own numbers."""
        return rules[name].compute(*map(self.value, rules[name].inputs))

    def answers(self, names):
        """Return what the student hands in: text by step, "?" where there is nothing."""
        texts = {}
        for name in names:
            own = self.written.get(name, {})
            cells = [
                own.get(index) or ("?" if np.isnan(value) else f"{value:.{self.decimals}f}")
                for index, value in np.ndenumerate(self.value(name))
            ]
            texts[name] = np.array(cells, dtype=object).reshape(self.trace[name].shape)
        return texts

    def first_wrong(self, names):
        """Return the first of some steps that differs, by more than rounding, from what the student's numbers give."""
        return next((name for name in names if self.is_wrong(name).any()), None)

    def is_wrong(self, name):
        """Tell where a step is off by more than its own rounding and that of the numbers that went into it."""
        rule, half = self.trace.rules[name], 0.5 * 10.0**-self.decimals
        inputs = [(self.value(i), 0 if self.trace[i].given else half) for i in rule.inputs]
        low, high = rule.bound([v - reach for v, reach in inputs], [v + reach for v, reach in inputs])
        return (self.value(name) < low - half - TINY) | (self.value(name) > high + half + TINY)
