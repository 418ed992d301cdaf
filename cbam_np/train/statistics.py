"""What of a difference between two variants is noise: intervals and p, from paired differences, one per seed."""

from itertools import product

import numpy as np
from numpy.typing import ArrayLike

EXACT = 6  # seeds up to which every resampling of them can be looked at


def bootstrap_interval(
    differences: ArrayLike, level: float = 0.95, resamples: int = 10_000
) -> tuple[float, float] | tuple[None, None]:
    """Return the ends of a percentile bootstrap interval of the mean.

    Parameters
    ----------
    differences : array_like, shape (n,)
        Paired differences, one per seed; up to six of them, every one of the nⁿ resamplings is looked at.
    level : float
        Share of the resampled means that the interval holds.
    resamples : int
        How many are drawn where there are too many to look at all.

    Returns
    -------
    low, high : float
        Ends of the interval, or None for both with fewer than two differences.

    Notes
    -----
    Source: Efron, Annals of Statistics 1979. With a handful of seeds such an interval is too narrow rather than too
    wide: three seeds that agree by chance look like a result.

    Examples
    --------
    >>> bootstrap_interval([0.0, 1.0], level=1.0)
    (0.0, 1.0)
    """
    differences = np.asarray(differences, float)
    n = len(differences)
    if n < 2:
        return None, None
    if n <= EXACT:
        means = np.array(list(product(differences, repeat=n))).mean(axis=1)
    else:
        means = np.random.default_rng(0).choice(differences, (resamples, n)).mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def sign_flip_p(differences: ArrayLike, resamples: int = 10_000) -> float:
    """Return how probable so large a mean difference is, in either direction, if each sign were a coin's.

    Parameters
    ----------
    differences : array_like, shape (n,)
        Paired differences, one per seed; up to twelve of them, every one of the 2ⁿ ways is looked at.
    resamples : int
        How many ways are drawn where there are too many to look at all.

    Returns
    -------
    float
        p, exact and without assumptions about the noise; never less than `smallest_p(n)`.

    Notes
    -----
    Source: Fisher, The Design of Experiments, 1935, section 21.

    Examples
    --------
    >>> sign_flip_p([1.0, 1.0, 1.0])
    0.25
    """
    differences = np.asarray(differences, float)
    n = len(differences)
    if n <= 12:
        signs = np.array(list(product((1, -1), repeat=n)))
    else:
        signs = np.vstack([np.ones(n), np.random.default_rng(0).choice((1, -1), (resamples, n))])
    means = np.abs((signs * differences).mean(axis=1))
    return float(np.mean(means >= means[0] * (1 - 1e-12)))  # the first way is the one that was seen


def smallest_p(n: int) -> float:
    """Return the p of n differences that all have the same sign."""
    return 2 / 2**n
