"""Mistakes that can be made at any step: numbers rounded too early, indices misread."""

import numpy as np

from ..calculation.bounds import round_to
from .mistake import mistake, rearranged, unspelled


def _from_rounded(rule, own, decimals):
    """Return a rule that rounds its inputs first, those that are the student's own and not given."""

    def early(arrays):
        return [round_to(x, 10.0**-decimals) if mine else x for x, mine in zip(arrays, own, strict=True)]

    return rule._replace(
        compute=lambda *arrays: rule.compute(*early(arrays)),
        bound=lambda lows, highs: rule.bound(early(lows), early(highs)),
        spell=unspelled,
    )


def _rounded_early(c):
    own = {name: [i in c for i in rule.inputs] for name, rule in c.items()}
    return [{n: _from_rounded(r, own[n], d)} for n, r in c.items() if any(own[n]) for d in (3, 2, 1, 0)]


def _shifted(by):
    """Return a move that reads every index too high by one, or too low."""

    def move(x):
        moved = np.full(x.shape, np.nan)
        low, high = tuple(slice(0, n - 1) for n in x.shape), tuple(slice(1, n) for n in x.shape)
        here, there = (low, high) if by > 0 else (high, low)
        moved[here] = x[there]
        return moved

    return move


def _index_off_by(by):
    return lambda c: [{n: rearranged(r, _shifted(by))} for n, r in c.items() if min(c.trace[n].shape) > 1]


def _transposed(c):
    if c.H != c.W:
        return {}
    maps = [name for name in c if c.trace[name].shape[-2:] == (c.H, c.W) and name not in ("dW0", "dW1")]
    return [{name: rearranged(c[name], lambda x: x.swapaxes(-1, -2))} for name in maps if c.H > 1]


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
