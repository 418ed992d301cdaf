"""Mix-ups in the channel submodule: a pool over too much, signs lost, one row for all, two sigmoids.

Like those of `in_use`, they are held against answers as the catalogue is, but worksheets are not chosen by them.
"""

from collections.abc import Callable

import numpy as np

from ..calculation.cbam_rules import sigmoid
from ..calculation.rules import (
    Arrays,
    Bound,
    Compute,
    Interval,
    Rule,
    monotone_bound,
    products,
    reduction,
    size_bound,
    term,
)
from .mistake import Calculation, Change, Mistake, OneWay, entries, mistake, terms, unspelled
from .pools import CHANNELS, SPACE, Pools

# --- pools ---


def over_everything(function: Compute) -> Compute:
    """Return a pool over all channels as well, the same number for each."""

    def pooled(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
        return np.full(len(x), function(x))

    return pooled


def _over_all_channels(name: str, function: Compute) -> OneWay:
    def change(c: Calculation) -> Change:
        rule = reduction(c[name].inputs[0], SPACE.spec, over_everything(function), "")
        return {name: rule._replace(spell=unspelled)} if c.C > 1 else {}

    return change


def mean_size(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
    """Return the average of |x|."""
    return np.abs(x).mean(axis=axis)


def mean_of_positive(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
    """Return the average with every negative number as 0."""
    return np.maximum(x, 0).mean(axis=axis)


def second_largest(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
    """Return the largest number but one; the maximum itself where it is there twice."""
    kept = [n for i, n in enumerate(x.shape) if i not in axis]
    rivals = np.moveaxis(x, axis, range(-len(axis), 0)).reshape(*kept, -1)
    return np.sort(rivals, axis=-1)[..., -2] if rivals.shape[-1] > 1 else rivals[..., 0]


def middle_of_the_range(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
    """Return the number halfway between the smallest and the largest."""
    return (x.min(axis=axis) + x.max(axis=axis)) / 2


def _of_pools(p: Pools) -> tuple[Mistake, ...]:
    def pool(name: str, function: Compute, bound: Callable[[Compute], Bound] = monotone_bound) -> OneWay:
        make = p.with_pool(name, function, "", bound)
        return lambda c: {step: rule._replace(spell=unspelled) for step, rule in make(c).items()}

    return (
        mistake(
            f"absolute values in the average over {p.over}",
            "Negative numbers are added up with their sign.",
            pool(p.avg, mean_size, size_bound),
            needs=p.avg,
            combines=False,
        ),
        mistake(
            f"negative numbers counted as 0 in the average over {p.over}",
            "Negative numbers are added up as they are; the ReLU comes later, in the MLP.",
            pool(p.avg, mean_of_positive),
            needs=p.avg,
            combines=False,
        ),
        mistake(
            f"halfway between minimum and maximum instead of the average over {p.over}",
            f"All numbers count in the average: their sum is divided by {p.number}.",
            pool(p.avg, middle_of_the_range),
            needs=p.avg,
            combines=False,
        ),
        mistake(
            f"the second largest number over {p.over}",
            "The maximum is the largest number of all.",
            pool(p.max, second_largest),
            needs=p.max,
            combines=False,
        ),
    )


# --- the MLP and its sigmoid ---


def _one_row(letter: str) -> Callable[[Calculation], list[Change]]:
    """Return a variant in which one row of a matrix stands for all of them, in one of the branches or in both."""
    W, spec, before, bias = ("W0", "hc,c->h", "F", "h->h b0") if letter == "h" else ("W1", "ch,h->c", "a", "c->c b1")

    def change(c: Calculation) -> list[Change]:
        added = terms(bias) if c.bias else []

        def of(row: int, pools: list[str]) -> Change:
            def arrange(W: np.ndarray, x: np.ndarray) -> Arrays:
                return np.broadcast_to(W[row], W.shape), x

            return {f"{letter}_{p}": products(term(spec, W, f"{before}_{p}", arrange=arrange), *added) for p in pools}

        rows = len(c.trace[W].value)
        return (
            [of(row, pools) for row in range(rows) for pools in (c.pools, *([p] for p in c.pools))] if rows > 1 else []
        )

    return change


def _units_reversed(c: Calculation) -> list[Change]:
    """Take the hidden units in the other order."""
    added = terms("c->c b1") if c.bias else []

    def arrange(W: np.ndarray, a: np.ndarray) -> Arrays:
        return W, a[::-1]

    def of(pools: list[str]) -> Change:
        return {f"z_{p}": products(term("ch,h->c", "W1", f"a_{p}", arrange=arrange), *added) for p in pools}

    return [of(pools) for pools in (c.pools, *([p] for p in c.pools))]


def mean_of_sigmoids(a: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Return the average of both branches' sigmoids."""
    return (sigmoid(a) + sigmoid(m)) / 2


def product_of_sigmoids(a: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Return the product of both branches' sigmoids."""
    return sigmoid(a) * sigmoid(m)


def _each(template: str, f: Compute) -> OneWay:
    return lambda c: {"M_c": entries(template, "z_avg", "z_max", f=f, rising=True)}


def _shares(z: np.ndarray) -> np.ndarray:
    weights = sigmoid(z)
    return weights / weights.sum()


def _shares_bound(lows: Arrays, highs: Arrays) -> Interval:
    """Bound each share: it is least where its own score is low and all others are high."""
    low, high = sigmoid(lows[0]), sigmoid(highs[0])
    return low / (low + high.sum() - high), high / (high + low.sum() - low)


MISTAKES = (
    mistake(
        "the average over all channels at once",
        "Every channel has its own average, over its own pixels.",
        _over_all_channels("F_avg", np.mean),
        needs="F_avg",
        combines=False,
    ),
    mistake(
        "the maximum over all channels at once",
        "Every channel has its own maximum, over its own pixels.",
        _over_all_channels("F_max", np.max),
        needs="F_max",
        combines=False,
    ),
    *_of_pools(SPACE),
    *_of_pools(CHANNELS),
    mistake(
        "one row of W_0 used for every hidden unit",
        "Hidden unit h has its own weights, row h of W_0.",
        _one_row("h"),
        needs="W0",
        combines=False,
    ),
    mistake(
        "one row of W_1 used for every channel",
        "Channel c has its own weights, row c of W_1.",
        _one_row("z"),
        needs="W1",
        combines=False,
    ),
    mistake(
        "the hidden units in the wrong order",
        "The first column of W_1 belongs to the first hidden unit.",
        _units_reversed,
        needs="W1",
        combines=False,
    ),
    mistake(
        "the average of two sigmoids, one for each branch",
        "Add the two branches first, then take one sigmoid of the sum.",
        _each("(σ({}) + σ({}))/2", mean_of_sigmoids),
        needs="z_avg z_max",
        combines=False,
    ),
    mistake(
        "the product of two sigmoids, one for each branch",
        "Add the two branches first, then take one sigmoid of the sum.",
        _each("σ({})·σ({})", product_of_sigmoids),
        needs="z_avg z_max",
        combines=False,
    ),
    mistake(
        "the channel weights divided by their sum",
        "Every channel has a sigmoid of its own; the weights need not add up to 1.",
        lambda c: {"M_c": Rule(("z_c",), _shares, _shares_bound, unspelled)},
        needs="M_c",
        combines=False,
    ),
)
