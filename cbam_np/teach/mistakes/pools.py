"""Mistakes in the pools: over space in the channel submodule, over channels in the spatial one."""

import numpy as np

from ..calculation.rules import monotone_bound, products, reduction, term
from .mistake import mistake


def mean_of_nonzero(x, axis):
    """Return the average of the entries that are not 0."""
    return x.sum(axis=axis) / np.maximum((x != 0).sum(axis=axis), 1)


def position_of_max(x, axis):
    """Return where the first maximum is, in reading order, counted from 0."""
    kept = [n for i, n in enumerate(x.shape) if i not in axis]
    return np.moveaxis(x, axis, range(-len(axis), 0)).reshape(*kept, -1).argmax(axis=-1).astype(float)


def position_from_1(x, axis):
    """Return where the first maximum is, in reading order, counted from 1."""
    return 1 + position_of_max(x, axis)


def largest_size(x, axis):
    """Return the maximum of |x|."""
    return np.abs(x).max(axis=axis)


def size_bound(compute):
    """Carry bounds through a maximum of sizes, which turns at 0."""

    def bound(lows, highs):
        (low,), (high,) = lows, highs
        least = np.where(low * high < 0, 0, np.minimum(np.abs(low), np.abs(high)))
        return compute(least), compute(np.maximum(np.abs(low), np.abs(high)))

    return bound


def _over(over, avg, max_, spec, number, one):
    """Return the mistakes of both submodules; they differ in what is pooled, and in what it is called."""
    both = f"{avg} {max_}"

    def pooled(name, function, word, bound=monotone_bound):
        return lambda c: {name: reduction(c[name].inputs[0], spec, function, word, bound)}

    def divided_by(size):
        return lambda c: {avg: products(term(spec, c[avg].inputs[0]), divide=size(c))} if size(c) else {}

    def median(c):
        return pooled(avg, np.median, "median")(c) if c.size(over) > 2 else {}  # of two it is the average

    place = "place of the maximum in "
    return (
        mistake(
            f"the average over {over} taken twice",
            f"The maximum over {over} was not taken: the average stands in both places.",
            lambda c: {max_: c[avg]},
            needs=both,
        ),
        mistake(
            f"the maximum over {over} taken twice",
            f"The average over {over} was not taken: the maximum stands in both places.",
            lambda c: {avg: c[max_]},
            needs=both,
        ),
        mistake(
            f"average and maximum over {over} changed places",
            "The average stands where the maximum belongs, and the maximum where the average belongs.",
            lambda c: {avg: c[max_], max_: c[avg]},
            needs=both,
        ),
        *(
            mistake(
                f"divided by {wrong} instead of {number}",
                f"The average over {over} divides by {number}, the number of what was added up.",
                *map(divided_by, sizes),
                needs=avg,
            )
            for wrong, *sizes in WRONG_SIZES[over]
        ),
        mistake(
            f"the sum instead of the average over {over}",
            f"The {one}s were added up, but not divided by their number, {number}.",
            divided_by(lambda c: 1),
            needs=avg,
        ),
        mistake(
            f"zeros left out of the average over {over}",
            f"A {one} that is 0 counts as well: divide by {number}.",
            pooled(avg, mean_of_nonzero, "average of what is not 0 in "),
            needs=avg,
        ),
        mistake(
            f"the median instead of the average over {over}",
            f"The average is the sum divided by {number}; the number in the middle is the median.",
            median,
            needs=avg,
        ),
        mistake(
            f"the minimum instead of the maximum over {over}",
            f"The largest {one} is wanted, not the smallest.",
            pooled(max_, np.min, "min"),
            needs=max_,
        ),
        mistake(
            f"the maximum of absolute values over {over}",
            "The largest number is wanted, not the one that is farthest from 0: signs count.",
            pooled(max_, largest_size, "max of the sizes of ", size_bound),
            needs=max_,
        ),
        mistake(
            f"the maximum's place instead of its value, over {over}",
            "The position of the maximum was used: argmax, or the second thing that a framework's max returns.",
            pooled(max_, position_of_max, place),
            pooled(max_, position_from_1, place),
            needs=max_,
        ),
    )


WRONG_SIZES = {  # what an average is divided by instead, by those who do; 0 where it would be another mistake
    "space": (
        ("C", lambda c: c.C),
        ("H or W", lambda c: c.H if c.H not in (1, c.C) else 0, lambda c: c.W if c.W not in (1, c.C) else 0),
    ),
    "channels": (("H·W", lambda c: c.H * c.W),),
}

MISTAKES = (
    *_over("space", "F_avg", "F_max", "cij->c", "H·W", "pixel"),
    *_over("channels", "Fs_avg", "Fs_max", "cij->ij", "C", "channel"),
)
