"""Mistakes that can be made at any step: numbers rounded too early, indices misread."""

import numpy as np

from ..calculation.bounds import round_to
from ..calculation.rules import Arrays, Compute, Interval, Rule
from .mistake import Calculation, Change, Variant, mistake, rearranged, unspelled


def _from_rounded(rule: Rule, calculated: list[bool], decimals: int) -> Rule:
    """Return a rule that rounds its inputs first, those that were calculated and not given."""

    def early(arrays: Arrays) -> list[np.ndarray]:
        pairs = zip(arrays, calculated, strict=True)
        return [round_to(x, 10.0**-decimals) if is_result else x for x, is_result in pairs]

    def compute(*arrays: np.ndarray) -> np.ndarray:
        return rule.compute(*early(arrays))

    def bound(lows: Arrays, highs: Arrays) -> Interval:
        return rule.bound(early(lows), early(highs))

    return Rule(rule.inputs, compute, bound, unspelled)


def _rounded_early(c: Calculation) -> list[Change]:
    calculated = {name: [i in c for i in rule.inputs] for name, rule in c.items()}
    some = {name: rule for name, rule in c.items() if any(calculated[name])}
    return [{name: _from_rounded(rule, calculated[name], d)} for name, rule in some.items() for d in (3, 2, 1, 0)]


def _shifted(by: int) -> Compute:
    """Return a move that reads every index too high by one, or too low."""

    def move(x: np.ndarray) -> np.ndarray:
        moved = np.full(x.shape, np.nan)
        low, high = tuple(slice(0, n - 1) for n in x.shape), tuple(slice(1, n) for n in x.shape)
        here, there = (low, high) if by > 0 else (high, low)
        moved[here] = x[there]
        return moved

    return move


def _index_off_by(by: int) -> Variant:
    def changes(c: Calculation) -> list[Change]:
        shapes = {name: c.trace[name].shape for name in c}
        return [{name: rearranged(rule, _shifted(by))} for name, rule in c.items() if min(shapes[name], default=0) > 1]

    return changes


def _turned(x: np.ndarray) -> np.ndarray:
    return x.swapaxes(-1, -2)


def _transposed(c: Calculation) -> list[Change]:
    if c.H != c.W or c.H == 1:
        return []
    maps = [name for name in c if c.trace[name].shape[-2:] == (c.H, c.W) and name not in ("dW0", "dW1")]
    return [{name: rearranged(c[name], _turned)} for name in maps]


MISTAKES = (
    mistake(
        "rounded too early",
        "The numbers that went into this step were rounded further than they were written: carry more digits on.",
        _rounded_early,
        combines=False,
    ),
    mistake(
        "an index counted from 0",
        "Indices start at 1, as on the slides: these are the values of the entries one further on.",
        _index_off_by(1),
        combines=False,
    ),
    mistake(
        "an index one too low",
        "These are the values of the entries one before.",
        _index_off_by(-1),
        combines=False,
    ),
    mistake(
        "row and column swapped",
        "The first index is the row, the second the column.",
        _transposed,
        combines=False,
    ),
)
