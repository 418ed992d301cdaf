"""Mistakes made on a calculator's keys: brackets forgotten, another power than that of e, a sign.

Like those of `in_use`, they are held against answers as the catalogue is, but worksheets are not chosen by them.
"""

import numpy as np

from ..calculation.rules import Arrays, Index, added, pooled, reduction
from .in_use import of_both, slopes
from .mistake import Calculation, Change, Mistake, OneWay, mistake
from .pools import CHANNELS, SPACE, Pools


def _only_the_last_divided(p: Pools) -> OneWay:
    """Return the variant of an average that was typed without its brackets: 1 + 0 + 2/3."""

    def change(c: Calculation) -> Change:
        size = c.size(p.over)

        def typed(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
            last = x[(slice(None),) * axis[0] + (-1,) * len(axis)]
            return x.sum(axis=axis) - last + last / size

        def spell(index: Index, texts: Arrays) -> str:
            return f"{added(pooled(p.spec, index, texts[0]))}/{size}"

        return {p.avg: reduction(c[p.avg].inputs[0], p.spec, typed, "")._replace(spell=spell)} if size > 1 else {}

    return change


def _brackets_of_an_average(p: Pools) -> Mistake:
    return mistake(
        f"the brackets forgotten in the average over {p.over}",
        f"The whole sum is divided by {p.number}, not only its last number: on a calculator, the sum needs brackets.",
        _only_the_last_divided(p),
        needs=p.avg,
        combines=False,
    )


def power_of_ten(z: np.ndarray) -> np.ndarray:
    """Return 1/(1 + 10^(-z))."""
    return 1 / (1 + 10.0**-z)


def minus_below(z: np.ndarray) -> np.ndarray:
    """Return 1/(1 - e^(-z)); not a number at 0."""
    return 1 / np.where(z == 0, np.nan, -np.expm1(-z))


def slope_without_brackets(d: np.ndarray, M: np.ndarray) -> np.ndarray:
    """Return d M 1 - M."""
    return d * M - M


MISTAKES = (
    _brackets_of_an_average(SPACE),
    _brackets_of_an_average(CHANNELS),
    mistake(
        "10 instead of e in the sigmoid: 1/(1 + 10^(-z))",
        "The sigmoid has a power of e ≈ 2.718. On a calculator, e^x is another key than 10^x or EXP.",
        *of_both("1/(1 + 10^(-({})))", power_of_ten, rising=True),
        combines=False,
    ),
    mistake(
        "a minus instead of the plus in the sigmoid: 1/(1 - e^(-z))",
        "The sigmoid is 1/(1 + e^(-z)): the minus stands in the exponent only.",
        *of_both("1/(1 - e^(-({})))", minus_below),
        combines=False,
    ),
    mistake(
        "the 1 forgotten in the sigmoid: 1/e^(-z)",
        "The sigmoid is 1/(1 + e^(-z)): the 1 keeps it below 1.",
        *of_both("1/e^(-({}))", np.exp, rising=True),
        combines=False,
    ),
    mistake(
        "the brackets forgotten in M (1 - M)",
        "All of 1 - M is a factor: on a calculator, it needs brackets.",
        *slopes("{0}·{1}·1 - {1}", slope_without_brackets),
        needs="dM_c dM_s",
        combines=False,
    ),
)
