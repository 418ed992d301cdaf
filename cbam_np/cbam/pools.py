"""The pools that an attention may look through, by name."""

import numpy as np

from ..ops import (
    avg_pool_backward,
    avg_pool_forward,
    lp_pool_backward,
    lp_pool_forward,
    lse_pool_backward,
    lse_pool_forward,
    max_pool_backward,
    max_pool_forward,
)


def _mixed_forward(F, over, ties):
    """Return half the average and half the maximum, added."""
    avg, c_avg = avg_pool_forward(F, over)
    largest, c_max = max_pool_forward(F, over, ties)
    return (avg + largest) / 2, (c_avg, c_max)


def _mixed_backward(dout, caches, into=None):
    c_avg, c_max = caches
    return max_pool_backward(dout / 2, c_max, avg_pool_backward(dout / 2, c_avg, into))


POOLS = {
    "avg": (lambda F, over, ties: avg_pool_forward(F, over), avg_pool_backward),
    "max": (max_pool_forward, max_pool_backward),
    "lp": (lambda F, over, ties: lp_pool_forward(F, over), lp_pool_backward),
    "lse": (lambda F, over, ties: lse_pool_forward(F, over), lse_pool_backward),
    "mixed": (_mixed_forward, _mixed_backward),
}
"""Forward and backward of each; "mixed" is half the average and half the maximum, timm's light variant."""


def pool_forward(F, pools, over, ties):
    """Pool over "space" or "channels" in every way asked for.

    Parameters
    ----------
    F : ndarray, shape (N, C, H, W)
        Feature map.
    pools : sequence of str
        Names in `POOLS`.
    over, ties : str
        As in `cbam_np.ops.max_pool_forward`.

    Returns
    -------
    pooled, caches : dict
        By the pools' names.

    Raises
    ------
    ValueError
        If F is not finite; the message names the place.
    """
    pooled, caches = {}, {}
    with np.errstate(over="ignore", invalid="ignore"):  # said in words by _check_finite
        for pool in pools:
            pooled[pool], caches[pool] = POOLS[pool][0](F, over, ties)
    _check_finite(F, pooled.get("avg", F))  # NaN and infinity show in the averages, which are few
    return pooled, caches


def _check_finite(F, seen):
    if seen.dtype != object and not np.isfinite(seen).all():
        bad = np.argwhere(~np.isfinite(F))
        where = f"x[{', '.join(map(str, bad[0]))}] is {F[tuple(bad[0])]}" if len(bad) else "x is too large to add up"
        raise ValueError(
            f"{where}, expected finite numbers: look at what made x (in training, often too high a learning rate)"
        )


def pool_backward(dpooled, caches, into=None):
    """Return, by the pools' names, the gradient of F along each of them; all added to `into` where it is given."""
    return {pool: POOLS[pool][1](dpooled[pool], cache, into) for pool, cache in caches.items()}
