"""A calculation with the student's own numbers put in: what each step gives then, and which numbers it follows from."""

import re
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from ..answers.numerals import PLAIN, Written
from ..calculation import notation
from ..calculation.bounds import NOISE, Bounds, touches
from ..calculation.rules import Rule
from ..calculation.trace import Trace

Index: TypeAlias = tuple[int, ...]

MARK = "<{}|{}>"  # stands for an entry while a rule writes itself out, to see which entries go into it
MARKED = re.compile(r"<([^|<>]+)\|([\d,]*)>")
MOST_PIECES = 12  # of a formula that is shortened
LONGEST = 180  # characters of a formula that is not


class StudentNumbers:
    """Every step with the student's numbers where there are any, and with what follows from them where there are none.

    Parameters
    ----------
    trace : Trace
        The right calculation.
    following : Bounds
        What follows from the student's numbers.
    readings : dict of str to dict of tuple of int to Written
        These numbers, by step and 0-based index.
    """

    def __init__(self, trace: Trace, following: Bounds, readings: dict[str, dict[Index, Written]]) -> None:
        self.trace, self.following, self.readings = trace, following, readings
        self._marks: dict[str, np.ndarray] = {}
        self._sources: dict[tuple[str, Index], list[tuple[str, Index]]] = {}

    @cached_property
    def values(self) -> dict[str, np.ndarray]:
        """Every step's value, by name."""
        found: dict[str, np.ndarray] = {}
        for step in self.trace:
            value = step.rule.compute(*(found[i] for i in step.rule.inputs)) if step.rule else step.value
            found[step.name] = np.array(value, float)
            for index, written in self.readings.get(step.name, {}).items():
                found[step.name][index] = float(written.value)
        return found

    def text(self, name: str) -> np.ndarray:
        """Return a step's entries as an object array of text."""
        exact = np.asarray(self.trace[name].value, object)
        texts = np.empty(exact.shape, object)
        for index, value in np.ndenumerate(self.values[name]):
            here = self.readings.get(name, {}).get(index)
            if here is not None:
                texts[index] = _plain(here.numeral)
            else:
                texts[index] = (
                    notation.number(exact[index]) if _same(value, exact[index]) else notation.result(value)[2:]
                )
        return texts

    def worked_out(self, rule: Rule, index: Index) -> tuple[str, float]:
        """Return one entry of a rule with the numbers put in, as text, and what that gives."""
        spelled = rule.spell(index, [self.text(name) for name in rule.inputs])
        return shortened(spelled), float(rule.compute(*(self.values[name] for name in rule.inputs))[index])

    def allows(self, rule: Rule, index: Index, written: Written) -> bool:
        """Tell whether a rule by itself leads from the student's numbers to what was written, as far as it is exact."""
        following = self.following.with_rounding(float(written.tolerance))
        lows, highs = zip(*map(following.carried, rule.inputs), strict=True)
        low, high = rule.bound(lows, highs)
        return bool(touches(low[index], high[index], float(written.value), float(written.tolerance)))

    def sources(self, name: str, index: Index) -> list[tuple[str, Index]]:
        """Return the nearest numbers, not exact ones, that an entry follows from, as a list of (name, index)."""
        key = (name, index)
        if key not in self._sources:
            found: dict[tuple[str, Index], None] = {}
            for source in self._inputs(name, index):
                if source[1] not in self.readings.get(source[0], {}):
                    found |= dict.fromkeys(self.sources(*source))
                elif not _same(self.values[source[0]][source[1]], self.trace[source[0]].value[source[1]]):
                    found[source] = None
            self._sources[key] = list(found)
        return self._sources[key]

    def _inputs(self, name: str, index: Index) -> list[tuple[str, Index]]:
        """Return the entries that go into an entry; a rule writes itself out with marks in place of numbers."""
        rule = self.trace[name].rule
        spelled = rule.spell(index, [self._marked(i) for i in rule.inputs]) if rule else ""
        return [(i, tuple(map(int, filter(None, at.split(","))))) for i, at in MARKED.findall(spelled)]

    def _marked(self, name: str) -> np.ndarray:
        """Return marks for the entries of a step; a given 0 stays, so that what is multiplied by it is left out."""
        if name not in self._marks:
            values, mine = self.values[name], self.readings.get(name, {})
            self._marks[name] = marks = np.empty(values.shape, object)
            for at, value in np.ndenumerate(values):
                dropped = self.trace[name].given and value == 0 and at not in mine
                marks[at] = "0" if dropped else MARK.format(name, ",".join(map(str, at)))
        return self._marks[name]


def _plain(text: str) -> str:
    """Return a number as it goes into a formula: a decimal point, a plain minus, no spaces."""
    return "".join(text.split()).translate(PLAIN).replace(",", ".").removeprefix("+")


def _same(value: Any, exact: Any) -> bool:
    return abs(float(value) - float(exact)) <= NOISE * (1 + abs(float(exact)))


def shortened(formula: str) -> str:
    """Return a formula with numbers put in, its middle left out where it is long: "0.5·2 + 1·3 + … + 2·0.25"."""
    pieces = re.split(r" (?=[+-] )|(?<=,) ", formula)
    if len(formula) <= LONGEST or len(pieces) <= MOST_PIECES:
        return formula
    head, tail = pieces[: MOST_PIECES // 2], pieces[-MOST_PIECES // 2 :]
    return " ".join([*head, "…," if head[-1].endswith(",") else "+ …", *tail])
