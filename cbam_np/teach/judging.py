"""The verdict on every number: right, or what follows from the student's own numbers in one of the ways of people.

Nobody carries numbers on like a machine. A number may be used as it is written, or as the calculator remembers it, or
rounded further; what was mistyped may not have been carried on; digits may be cut off instead of rounded. All of these
are tried before a number is called wrong.
"""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from math import log10
from statistics import mode
from typing import NamedTuple, TypeAlias

import numpy as np

from .answers.cells import Written
from .calculation.bounds import Bounds, cut_off, touches
from .report.verdicts import CUT, FOLLOWS, RIGHT, WRONG

Index: TypeAlias = tuple[int, ...]
Place: TypeAlias = tuple[str, Index]  # step and 0-based index
Numbers: TypeAlias = dict[str, dict[Index, Written]]  # by step and 0-based index
Test: TypeAlias = Callable[[float, float, float, float], np.ndarray | np.bool_ | bool]  # (low, high, value, tolerance)

FEW = 3  # numbers that may be cut off by chance
HUNDREDTHS = 0.005  # half a unit of the second decimal
DROPPED = 5  # units that a whole number may be off which was a decimal before its zeros were dropped


class Verdict(NamedTuple):
    """A verdict, and from where to where the number may lie by the student's own numbers."""

    verdict: str
    follows: tuple[float, float]


def usual_decimals(numbers: Numbers) -> int | None:
    """Return how many decimals most of the numbers have; None where none has any."""
    tolerances = [float(number.tolerance) for entries in numbers.values() for number in entries.values()]
    places = {tolerance: round(-log10(2 * tolerance)) for tolerance in set(tolerances) if tolerance}
    return mode(places[tolerance] for tolerance in tolerances if tolerance) if places else None


def as_precise(numbers: Numbers, exact: dict[str, np.ndarray], asked: int | None) -> Numbers:
    """Return the numbers with the precision that they are judged at.

    Decimals beyond those that were asked for do not count. A spreadsheet drops zeros at the end, so that a whole number
    among decimals may be one of them: 1.00 becomes 1.
    """
    usual = usual_decimals(numbers) or 0
    finest = Fraction(10) ** -asked / 2 if asked is not None else Fraction(0)

    def precise(number: Written, value: float) -> Written:
        whole = not number.tolerance and number.text.lstrip("+-−").isdecimal() and not value.is_integer()
        if whole and usual >= 2 and abs(value - number.value) <= DROPPED * 10.0**-usual:
            return number._replace(tolerance=Fraction(10) ** -usual / 2)
        finer = finest and number.tolerance and number.tolerance < finest
        return number._replace(tolerance=finest) if finer else number

    return {
        name: {index: precise(number, float(exact[name][index])) for index, number in entries.items()}
        for name, entries in numbers.items()
    }


class Judge:
    """Judges the numbers of one student.

    Parameters
    ----------
    following : Bounds
        What follows from the numbers.
    exact : dict of str to ndarray
        The right values.
    numbers : dict of str to dict of tuple of int to Written
        The numbers to be judged.
    """

    def __init__(self, following: Bounds, exact: dict[str, np.ndarray], numbers: Numbers) -> None:
        self.following, self.exact, self.numbers = following, exact, numbers
        usual = usual_decimals(numbers)
        self.usual = 0.0 if usual is None else 0.5 * 10.0**-usual
        self.verdicts: dict[Place, Verdict] = {}
        for name in numbers:
            self._as_carried_on(name)
        self._right: tuple[list[Place], Bounds] = [], following  # numbers that are left out, and what follows then
        self._from_nothing = Bounds(following.rules, following.given, {})
        self._again(self._without_zeros)
        self._again(self._without_typos)
        self._again(self._cut_off)
        self._again(self._cut_off_on_the_way, believed=self._cuts_off)

    def _again(
        self,
        judge: Callable[[str, Index, Bounds], Verdict],
        believed: Callable[[Mapping[Place, Verdict]], bool] = lambda found: True,
    ) -> None:
        """Judge once more, in another way, what has been called wrong so far."""
        wrong = [place for place, (verdict, _) in self.verdicts.items() if verdict == WRONG]
        if not wrong:
            return
        if wrong != self._right[0]:
            self._right = wrong, self.following.without(wrong)
        found = {place: judge(*place, self._right[1]) for place in wrong}
        if believed(found):
            self.verdicts |= found

    def _cuts_off(self, found: Mapping[Place, Verdict]) -> bool:
        """Tell whether this is somebody who cuts off: one did elsewhere, or most of what is wrong comes from it."""
        cut = sum(verdict == CUT for verdict, _ in found.values())
        return CUT in {verdict for verdict, _ in self.verdicts.values()} or cut >= max(FEW, len(found) / 2)

    def allowed(self, bounds: Bounds, name: str, index: Index) -> tuple[float, float]:
        """Return from where to where a number may lie."""
        low, high = bounds.allowed(name)
        return float(low[index]), float(high[index])

    def _first(
        self, name: str, index: Index, ways: Iterable[Bounds], verdict: str = FOLLOWS, test: Test = touches
    ) -> Verdict:
        """Return the verdict by the first of some ways that allows the number; wrong if none does."""
        number = self.numbers[name][index]
        for bounds in ways:
            low, high = self.allowed(bounds, name, index)
            if test(low, high, float(number.value), float(number.tolerance)):
                return Verdict(verdict, (low, high))
        return Verdict(WRONG, self.allowed(self.following, name, index))

    def _as_carried_on(self, name: str) -> None:
        """Judge a step by its right values, by what follows, and by what follows as roughly as it is written."""
        value, tolerance = self.following.written[name]
        low, high = self.following.allowed(name)
        right = np.asarray(touches(self.exact[name], self.exact[name], value, tolerance))
        follows = np.asarray(touches(low, high, value, tolerance))
        for index, number in self.numbers[name].items():
            if right[index] or follows[index]:
                ends = float(low[index]), float(high[index])
                self.verdicts[name, index] = Verdict(RIGHT if right[index] else FOLLOWS, ends)
            else:
                rounded = self.following.with_rounding(float(number.tolerance))
                self.verdicts[name, index] = self._first(name, index, (rounded,))

    def _without_zeros(self, name: str, index: Index, right: Bounds) -> Verdict:
        """Judge a whole number as a decimal whose zeros were dropped, from what follows: σ(8.11) is 1.000."""
        number = self.numbers[name][index]
        whole = not number.tolerance and number.text.lstrip("+-−").isdecimal() and self.usual <= HUNDREDTHS

        def within(low: float, high: float, value: float, tolerance: float) -> np.ndarray | np.bool_ | bool:
            return touches(low, high, value, self.usual)

        return self._first(name, index, (self.following, right) if whole else (), test=within)

    def _without_typos(self, name: str, index: Index, right: Bounds) -> Verdict:
        """Judge by what follows without the wrong numbers, or from none; then as roughly as most are written."""
        half = float(self.numbers[name][index].tolerance)
        ways = [right, right.with_rounding(half), self._from_nothing.with_rounding(half)]
        if self.usual > half:
            ways += [self.following.with_rounding(self.usual), right.with_rounding(self.usual)]
        return self._first(name, index, ways)

    def _cut_off(self, name: str, index: Index, right: Bounds) -> Verdict:
        """Judge whether digits were dropped from the right value, or from what follows."""
        number, value = self.numbers[name][index], self.exact[name][index]
        if cut_off(value, value, float(number.value), float(number.tolerance)):
            return Verdict(CUT, self.allowed(self.following, name, index))
        return self._first(name, index, (self.following, right), CUT, cut_off)

    def _cut_off_on_the_way(self, name: str, index: Index, right: Bounds) -> Verdict:
        """Judge for somebody who cuts off on the way as well."""
        half = float(self.numbers[name][index].tolerance)
        ways = (self.following.with_rounding(half, cut=True), right.with_rounding(half, cut=True))
        found = self._first(name, index, ways, CUT)
        return found if found.verdict == CUT else self._first(name, index, ways, CUT, cut_off)
