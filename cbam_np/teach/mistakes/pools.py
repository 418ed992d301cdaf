"""Mistakes in the pools: over space in the channel submodule, over channels in the spatial one."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..calculation.rules import Bound, Compute, monotone_bound, products, reduction, size_bound, term
from .mistake import Calculation, Change, Mistake, OneWay, mistake


class Pools(NamedTuple):
    """The two pools of a submodule, and what they are called.

    Parameters
    ----------
    over : {"space", "channels"}
        What is pooled away.
    avg, max : str
        The steps.
    spec : str
        In Einstein's notation.
    number : str
        How many are pooled into one.
    one : str
        What one of them is.
    """

    over: str
    avg: str
    max: str
    spec: str
    number: str
    one: str

    def with_pool(
        self, name: str, function: Compute, word: str, bound: Callable[[Compute], Bound] = monotone_bound
    ) -> OneWay:
        """Return a variant in which one of the steps pools with another function."""

        def change(c: Calculation) -> Change:
            return {name: reduction(c[name].inputs[0], self.spec, function, word, bound)}

        return change

    def divided_by(self, size: Callable[[Calculation], int]) -> OneWay:
        """Return a variant in which the average divides by another number; none where `size` gives 0."""

        def change(c: Calculation) -> Change:
            n = size(c)
            return {self.avg: products(term(self.spec, c[self.avg].inputs[0]), divide=n)} if n else {}

        return change


SPACE = Pools("space", "F_avg", "F_max", "cij->c", "H·W", "pixel")
CHANNELS = Pools("channels", "Fs_avg", "Fs_max", "cij->ij", "C", "channel")


# --- both pools ---


def _exchanged(p: Pools) -> tuple[Mistake, ...]:
    """Return the mistakes in which a pool stands in the other's place."""
    both = f"{p.avg} {p.max}"
    return (
        mistake(
            f"the average over {p.over} taken twice",
            f"The maximum over {p.over} was not taken: the average stands in both places.",
            lambda c: {p.max: c[p.avg]},
            needs=both,
        ),
        mistake(
            f"the maximum over {p.over} taken twice",
            f"The average over {p.over} was not taken: the maximum stands in both places.",
            lambda c: {p.avg: c[p.max]},
            needs=both,
        ),
        mistake(
            f"average and maximum over {p.over} changed places",
            "The average stands where the maximum belongs, and the maximum where the average belongs.",
            lambda c: {p.avg: c[p.max], p.max: c[p.avg]},
            needs=both,
        ),
    )


# --- the average ---


def mean_of_nonzero(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
    """Return the average of the entries that are not 0."""
    return x.sum(axis=axis) / np.maximum((x != 0).sum(axis=axis), 1)


def _channels(c: Calculation) -> int:
    return c.C


def _pixels(c: Calculation) -> int:
    return c.H * c.W


def _one(c: Calculation) -> int:
    return 1


def _rows(c: Calculation) -> int:
    return c.H if c.H not in (1, c.C) else 0  # else it would be another mistake


def _columns(c: Calculation) -> int:
    return c.W if c.W not in (1, c.C) else 0


WRONG_NUMBERS: dict[str, dict[str, tuple[Callable[[Calculation], int], ...]]] = {
    "space": {"C": (_channels,), "H or W": (_rows, _columns)},
    "channels": {"H·W": (_pixels,)},
}
"""What an average is divided by instead, by those who do."""


def _divided(p: Pools) -> tuple[Mistake, ...]:
    """Return the mistakes with the number that the average is divided by."""
    return (
        *(
            mistake(
                f"divided by {wrong} instead of {p.number}",
                f"The average over {p.over} divides by {p.number}, the number of what was added up.",
                *map(p.divided_by, sizes),
                needs=p.avg,
            )
            for wrong, sizes in WRONG_NUMBERS[p.over].items()
        ),
        mistake(
            f"the sum instead of the average over {p.over}",
            f"The {p.one}s were added up, but not divided by their number, {p.number}.",
            p.divided_by(_one),
            needs=p.avg,
        ),
        mistake(
            f"zeros left out of the average over {p.over}",
            f"A {p.one} that is 0 counts as well: divide by {p.number}.",
            p.with_pool(p.avg, mean_of_nonzero, "average of what is not 0 in "),
            needs=p.avg,
        ),
    )


def _median(p: Pools) -> Mistake:
    median = p.with_pool(p.avg, np.median, "median")

    def change(c: Calculation) -> Change:
        return median(c) if c.size(p.over) > 2 else {}  # of two it is the average

    return mistake(
        f"the median instead of the average over {p.over}",
        f"The average is the sum divided by {p.number}; the number in the middle is the median.",
        change,
        needs=p.avg,
    )


# --- the maximum ---


def position_of_max(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
    """Return where the first maximum is, in reading order, counted from 0."""
    kept = [n for i, n in enumerate(x.shape) if i not in axis]
    return np.moveaxis(x, axis, range(-len(axis), 0)).reshape(*kept, -1).argmax(axis=-1).astype(float)


def position_from_1(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
    """Return where the first maximum is, in reading order, counted from 1."""
    return 1 + position_of_max(x, axis)


def largest_size(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
    """Return the maximum of |x|."""
    return np.abs(x).max(axis=axis)


def _not_the_largest(p: Pools) -> tuple[Mistake, ...]:
    """Return the mistakes in which something else than the maximum is taken."""
    place = "place of the maximum in "
    return (
        mistake(
            f"the minimum instead of the maximum over {p.over}",
            f"The largest {p.one} is wanted, not the smallest.",
            p.with_pool(p.max, np.min, "min"),
            needs=p.max,
        ),
        mistake(
            f"the maximum of absolute values over {p.over}",
            "The largest number is wanted, not the one that is farthest from 0: signs count.",
            p.with_pool(p.max, largest_size, "max of the sizes of ", size_bound),
            needs=p.max,
        ),
        mistake(
            f"the maximum's place instead of its value, over {p.over}",
            "The position of the maximum was used: argmax, or the second thing that a framework's max returns.",
            p.with_pool(p.max, position_of_max, place),
            p.with_pool(p.max, position_from_1, place),
            needs=p.max,
        ),
    )


MISTAKES = tuple(
    each
    for pools in (SPACE, CHANNELS)
    for each in (*_exchanged(pools), *_divided(pools), _median(pools), *_not_the_largest(pools))
)
