"""What follows from what a student wrote: bounds on every step, carried on from the student's own numbers."""

from collections.abc import Iterable, Mapping
from copy import copy
from typing import TypeAlias

import numpy as np

from .rules import Interval, Rule

NOISE = 1e-9  # floating-point noise that no student is to blame for, next to 1 or to the number
UNITS = 3  # of the last place: as far as rounding on the way takes an answer off, in all but freak cases

Written: TypeAlias = tuple[np.ndarray, np.ndarray]  # a step's numbers as written, and their tolerances

Numbers = np.ndarray | float


def touches(low: Numbers, high: Numbers, value: Numbers, tolerance: Numbers) -> np.ndarray | np.bool_ | bool:
    """Tell where value ± tolerance meets the interval from low to high; nowhere where that is not a number."""
    slack = tolerance + NOISE * (1 + np.abs(value))
    return (value - slack <= high) & (value + slack >= low)


def cut_off(low: Numbers, high: Numbers, value: Numbers, tolerance: Numbers) -> np.ndarray | np.bool_ | bool:
    """Tell where value is what is left of a number from low to high when its further digits are dropped."""
    further = np.where(np.equal(value, 0), value, value + np.where(np.less(value, 0), -tolerance, tolerance))
    reach = np.where(np.equal(value, 0), 2 * tolerance, tolerance)  # nothing is left of either sign
    return touches(low, high, further, reach) & np.greater(tolerance, 0) & ~touches(low, high, value, tolerance)


def round_to(x: np.ndarray, unit: float) -> np.ndarray:
    """Round to a multiple of `unit` as at school: a half goes away from 0."""
    return np.sign(x) * np.floor(np.abs(x) / unit + 0.5 + NOISE) * unit


def cut_to(x: np.ndarray, unit: float) -> np.ndarray:
    """Cut down to a multiple of `unit`: what lies beyond is dropped."""
    return np.sign(x) * np.floor(np.abs(x) / unit + NOISE) * unit


class Circular(Exception):
    """Rules that lead back to where they started."""


class Bounds:
    """Bounds on every step: what its inputs allow, where these are the student's own numbers if there are any.

    A number that a student wrote stands for what they went on with: the number as written, or what they had before
    they rounded it.

    Parameters
    ----------
    rules : mapping of str to Rule
        How each step is computed.
    given : mapping of str to ndarray
        The steps without a rule.
    written : mapping of str to (ndarray, ndarray)
        What the student wrote and its tolerance; not a number where nothing was written.
    """

    def __init__(self, rules: Mapping[str, Rule], given: Mapping[str, np.ndarray], written: Mapping[str, Written]):
        self.rules, self.given, self.written = dict(rules), given, written
        self._points: dict[str, Interval] = {name: (value, value) for name, value in given.items()}
        self._complete = {name for name, (value, _) in written.items() if not np.isnan(value).any()}
        self._allowed: dict[str, Interval | None] = {}
        self._carried: dict[str, Interval] = {}
        self._with_rounding: dict[tuple[float, bool], Bounds] = {}
        self._right: Bounds | None = None  # what `with_rules` started from
        self._is_reached: dict[str, bool] = {}  # whether the rules that it changed change a step
        self._like: Bounds | None = None  # the same with other numbers or no rounding: what agrees is taken from there
        self._strict: Bounds | None = None  # what `with_rounding` started from
        self._half = 0.0  # half a unit of the last place, to which steps may have been rounded
        self._cuts = False  # whether they may have been cut off there

    def with_rules(self, rules: dict[str, Rule]) -> "Bounds":
        """Return the bounds with some rules changed; what the changes do not reach is not computed again."""
        other = copy(self)
        other.rules = self.rules | rules
        other._allowed, other._carried, other._with_rounding = {}, {}, {}
        other._right, other._is_reached = self, dict.fromkeys(rules, True)
        other._like = other._strict = self._strict and self._strict.with_rules(rules)
        return other

    def with_rounding(self, half: float, cut: bool = False) -> "Bounds":
        """Return the bounds for a student who may have rounded on the way, what was not handed in and what was.

        `half` is half a unit of the last place; with 0, nothing is rounded. With `cut`, digits may have been cut off.
        """
        if half and (half, cut) not in self._with_rounding:
            other = self._with_rounding[half, cut] = self._with_numbers(self.written)
            other._strict, other._half, other._cuts = self, half, cut
        return self._with_rounding[half, cut] if half else self

    def without(self, places: Iterable[tuple[str, tuple[int, ...]]]) -> "Bounds":
        """Return the bounds without some of the numbers that were written, each a step and a 0-based index."""
        written = dict(self.written)
        for name, index in places:
            value, tolerance = written[name]
            value = value.copy() if value is self.written[name][0] else value
            value[index] = np.nan
            written[name] = value, tolerance
        return self._with_numbers(written)

    def _with_numbers(self, written: Mapping[str, Written]) -> "Bounds":
        """Return the bounds with the same rules, which take from here what other numbers do not change."""
        other = Bounds(self.rules, self.given, written)
        other._points, other._like = self._points, self
        return other

    def allowed(self, name: str) -> Interval:
        """Return (low, high) of a step as it follows from its inputs, whatever was written for the step itself."""
        if name in self._points:
            return self._points[name]
        if self._right and not self._reached(name):
            return self._right.allowed(name)
        if name not in self._allowed:
            self._allowed[name] = None
            self._allowed[name] = self._follows(name)
        found = self._allowed[name]
        if found is None:
            raise Circular(name)
        return found

    def _follows(self, name: str) -> Interval:
        rule = self.rules[name]
        inputs = [self.carried(i) for i in rule.inputs]
        if self._like and all(mine is self._like.carried(i) for mine, i in zip(inputs, rule.inputs, strict=True)):
            return self._like.allowed(name)
        lows, highs = zip(*inputs, strict=True)
        if all(low is high for low, high in inputs):
            value = rule.compute(*lows)
            return self._trimmed(name, value, value)
        return self._trimmed(name, *rule.bound(lows, highs))

    def _trimmed(self, name: str, low: np.ndarray, high: np.ndarray) -> Interval:
        """Keep the bounds near those without rounding: worst cases do not all come together."""
        if not self._strict:
            return low, high
        least, most = self._strict.allowed(name)
        reach = 2 * UNITS * self._half * (2 if self._cuts else 1)
        if (low >= least - reach).all() and (high <= most + reach).all():
            return low, high
        reach = reach * np.maximum(1, self._gain(name))
        return np.maximum(low, least - reach), np.minimum(high, most + reach)

    def _gain(self, name: str) -> np.ndarray:
        """Return how much a step amplifies: by how many units it moves when all that went into it move by one."""
        rule = self.rules[name]
        moved = []
        for i in rule.inputs:
            low, high = self.carried(i)
            middle = (low + high) / 2
            moved.append((middle, middle) if i in self.given else (middle - self._half, middle + self._half))
        low, high = rule.bound(*zip(*moved, strict=True))
        return (high - low) / (2 * self._half)

    def carried(self, name: str) -> Interval:
        """Return (low, high) of a step as the later steps see it: what was written comes first."""
        if name in self._points and name not in self.written:
            return self._points[name]
        if self._right and (name in self._complete or not self._reached(name)):
            return self._right.carried(name)
        if name not in self._carried:
            found = self.allowed(name)
            agrees = self._like is not None and found is self._like.allowed(name) and self._agrees(name, *found)
            self._carried[name] = (
                self._like.carried(name) if agrees and self._like else _narrowed(*self._seen(name, *found))
            )
        return self._carried[name]

    def _agrees(self, name: str, low: np.ndarray, high: np.ndarray) -> bool:
        """Tell whether a step that follows as it does in `_like` is carried on as there, too."""
        assert self._like is not None
        numbers = self.written.get(name)
        if numbers is not self._like.written.get(name):
            return False
        if not self._half:
            return True
        if name not in self._complete and self._moves(np.stack([low, high])):
            return False
        return numbers is None or not self._moves(numbers[0][numbers[1] <= self._half])

    def _moves(self, x: np.ndarray) -> bool:
        """Tell whether rounding on the way changes some of the numbers."""
        noise, unit = NOISE * (1 + np.abs(x)), 2 * self._half
        ways = (round_to, cut_to) if self._cuts else (round_to,)
        return any((np.abs(way(x, unit) - x) > noise).any() for way in ways)

    def _seen(self, name: str, low: np.ndarray, high: np.ndarray) -> Interval:
        """Return what the later steps see of a step that lies between `low` and `high`."""
        if name not in self.written:
            return self._widened(low, high)
        value, tolerance = self.written[name]
        least, most = _as_written(low, high, value, tolerance)
        if self._half:  # written precisely, perhaps used less so
            below, above = self._widened(value, value)
            finer = tolerance <= self._half
            least = np.where(finer, np.minimum(least, below), least)
            most = np.where(finer, np.maximum(most, above), most)
        if name in self._complete:
            return least, most
        blank = np.isnan(value)
        before, after = self._widened(low, high)
        return np.where(blank, before, least), np.where(blank, after, most)

    def _widened(self, low: np.ndarray, high: np.ndarray) -> Interval:
        """Widen the bounds of a number that was not handed in by the rounding it may have gone through."""
        if not self._half:
            return low, high
        least = np.minimum(low, round_to(low, 2 * self._half))
        most = np.maximum(high, round_to(high, 2 * self._half))
        if not self._cuts:
            return least, most
        return np.minimum(least, cut_to(low, 2 * self._half)), np.maximum(most, cut_to(high, 2 * self._half))

    def _reached(self, name: str) -> bool:
        """Tell whether a changed rule changes what follows for a step."""
        if name not in self._is_reached:
            self._is_reached[name] = False  # also ends a circle, which `allowed` then reports
            if name in self.rules:
                inputs = self.rules[name].inputs
                self._is_reached[name] = any(i not in self._complete and self._reached(i) for i in inputs)
        return self._is_reached[name]

    def upstream(self, name: str) -> dict[str, int]:
        """Return the steps whose rules have a say in a step, not beyond what was written, and how far off they are."""
        found: dict[str, int] = {}
        nearest, distance = [name], 0
        while nearest:
            found |= {step: distance for step in nearest}
            inputs = [i for step in nearest for i in self.rules[step].inputs if i in self.rules]
            nearest = [i for i in dict.fromkeys(inputs) if i not in found and i not in self._complete]
            distance += 1
        return found


def _narrowed(low: np.ndarray, high: np.ndarray) -> Interval:
    """Return an interval with one array for both ends where they are the same: nothing has to be bounded then."""
    return (low, low) if (low == high).all() else (low, high)


def _as_written(low: np.ndarray, high: np.ndarray, value: np.ndarray, tolerance: np.ndarray) -> Interval:
    """Return from where to where a written number lies: where it can be right or cut off, what is right comes first."""
    cut = cut_off(low, high, value, tolerance)
    meets = touches(low, high, value, tolerance) | cut
    reach = np.where(cut, 2 * tolerance, tolerance)
    least = np.where(meets, np.maximum(low, value - reach), value - tolerance)
    most = np.where(meets, np.minimum(high, value + reach), value + tolerance)
    return np.minimum(least, value), np.maximum(most, value)
