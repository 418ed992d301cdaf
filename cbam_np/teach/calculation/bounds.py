"""What follows from what a student wrote: bounds on every step, carried on from the student's own numbers."""

import numpy as np

NOISE = 1e-9  # floating-point noise that no student is to blame for, next to 1 or to the number
UNITS = 3  # of the last place: as far as rounding on the way takes an answer off, in all but freak cases


def touches(low, high, value, tolerance):
    """Tell where value ± tolerance meets the interval from low to high; nowhere where that is not a number."""
    slack = tolerance + NOISE * (1 + np.abs(value))
    return (value - slack <= high) & (value + slack >= low)


def nearest(x, unit):
    """Round to a multiple of `unit` as at school: a half goes away from 0."""
    return np.sign(x) * np.floor(np.abs(x) / unit + 0.5 + NOISE) * unit


class Circular(Exception):
    """Rules that lead back to where they started."""


class Bounds:
    """Bounds on every step: what its inputs allow, where these are the student's own numbers if there are any.

    A number that a student wrote stands for what they went on with: the number as written, or what they had before
    they rounded it.

    Parameters
    ----------
    rules : dict of str to Rule
        How each step is computed.
    given : dict of str to ndarray
        The steps without a rule.
    written : dict of str to (ndarray, ndarray)
        What the student wrote and its tolerance; not a number where nothing was written.
    """

    def __init__(self, rules, given, written):
        self.rules, self.given, self.written = rules, given, written
        self._allowed, self._carried, self._rounded = {}, {}, {}
        self._base, self._touched = None, {}  # for `with_rules`: what it changed, and whether it reaches a step
        self._strict, self._half = None, 0.0  # for `with_rounding`: the same without, and half a unit of the last place

    def with_rules(self, changes):
        """Return the same for a calculation with some rules changed; what they do not reach is not computed again."""
        other = Bounds(self.rules | changes, self.given, self.written)
        other._base, other._touched = self, dict.fromkeys(changes, True)
        if self._strict:
            other._strict, other._half = self._strict.with_rules(changes), self._half
        return other

    def with_rounding(self, half):
        """Return the same for a student who may have rounded the steps that were not handed in.

        `half` is half a unit of the last place; with 0, nothing is rounded.
        """
        if half and half not in self._rounded:
            other = self._rounded[half] = Bounds(self.rules, self.given, self.written)
            other._strict, other._half = self, half
        return self._rounded[half] if half else self

    def allowed(self, name):
        """Return (low, high) of a step as it follows from its inputs, whatever was written for the step itself."""
        if name in self.given:
            return self.given[name], self.given[name]
        if self._base and not self._reached(name):
            return self._base.allowed(name)
        if name not in self._allowed:
            self._allowed[name] = None
            rule = self.rules[name]
            lows, highs = zip(*map(self.carried, rule.inputs), strict=True)
            self._allowed[name] = self._trimmed(name, *rule.bound(lows, highs))
        if self._allowed[name] is None:
            raise Circular(name)
        return self._allowed[name]

    def _trimmed(self, name, low, high):
        """Keep the bounds near those without rounding: worst cases do not all come together."""
        if not self._strict:
            return low, high
        least, most = self._strict.allowed(name)
        reach = 2 * UNITS * self._half
        return np.maximum(low, least - reach), np.minimum(high, most + reach)

    def carried(self, name):
        """Return (low, high) of a step as the later steps see it: what was written comes first."""
        if name in self.given and name not in self.written:
            return self.allowed(name)
        if self._base and (self._complete(name) or not self._reached(name)):
            return self._base.carried(name)
        if name not in self._carried:
            low, high = self.allowed(name)
            before, after = self._on_the_way(low, high)
            if name not in self.written:
                self._carried[name] = before, after
                return self._carried[name]
            value, tolerance = self.written[name]
            meets = touches(low, high, value, tolerance)
            least = np.where(meets, np.maximum(low, value - tolerance), value - tolerance)
            most = np.where(meets, np.minimum(high, value + tolerance), value + tolerance)
            blank = np.isnan(value)
            self._carried[name] = (
                np.where(blank, before, np.minimum(least, value)),
                np.where(blank, after, np.maximum(most, value)),
            )
        return self._carried[name]

    def _on_the_way(self, low, high):
        """Widen the bounds of a number that was not handed in by the rounding it may have gone through."""
        if not self._half:
            return low, high
        return np.minimum(low, nearest(low, 2 * self._half)), np.maximum(high, nearest(high, 2 * self._half))

    def _complete(self, name):
        return name in self.written and not np.isnan(self.written[name][0]).any()

    def _reached(self, name):
        """Tell whether a changed rule changes what follows for a step."""
        if name not in self._touched:
            self._touched[name] = False  # also ends a circle, which `allowed` then reports
            if name in self.rules:
                inputs = self.rules[name].inputs
                self._touched[name] = any(not self._complete(i) and self._reached(i) for i in inputs)
        return self._touched[name]

    def upstream(self, name):
        """Return the steps whose rules have a say in a step, not beyond what was written, and how far off they are."""
        found, steps, distance = {}, [name], 0
        while steps:
            found |= {step: distance for step in steps}
            inputs = [i for step in steps for i in self.rules[step].inputs if i in self.rules]
            steps = [i for i in dict.fromkeys(inputs) if i not in found and not self._complete(i)]
            distance += 1
        return found
