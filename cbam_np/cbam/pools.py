"""The pools that an attention may look through, by name."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

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


class Pool(NamedTuple):
    """A pair: ``forward(F, over, ties)`` and ``backward(dpooled, cache, into)``."""

    forward: Callable
    backward: Callable


def _avg_forward(F: np.ndarray, over: str, ties: str) -> tuple[np.ndarray, Any]:
    return avg_pool_forward(F, over)


def _lp_forward(F: np.ndarray, over: str, ties: str) -> tuple[np.ndarray, Any]:
    return lp_pool_forward(F, over)


def _lse_forward(F: np.ndarray, over: str, ties: str) -> tuple[np.ndarray, Any]:
    return lse_pool_forward(F, over)


def _mixed_forward(F: np.ndarray, over: str, ties: str) -> tuple[np.ndarray, Any]:
    """Return half the average and half the maximum, added."""
    avg, c_avg = avg_pool_forward(F, over)
    largest, c_max = max_pool_forward(F, over, ties)
    return (avg + largest) / 2, (c_avg, c_max)


def _mixed_backward(dout: np.ndarray, caches: tuple, into: np.ndarray | None = None) -> np.ndarray:
    c_avg, c_max = caches
    return max_pool_backward(dout / 2, c_max, avg_pool_backward(dout / 2, c_avg, into))


POOLS = {
    "avg": Pool(_avg_forward, avg_pool_backward),
    "max": Pool(max_pool_forward, max_pool_backward),
    "lp": Pool(_lp_forward, lp_pool_backward),
    "lse": Pool(_lse_forward, lse_pool_backward),
    "mixed": Pool(_mixed_forward, _mixed_backward),
}
"""By name; "mixed" is half the average and half the maximum, timm's light variant."""


class NotFiniteError(ValueError):
    """A feature map with a NaN or an infinity in it."""

    def __init__(self, index: tuple[int, ...] | None, value: float) -> None:
        self.index, self.value = index, value
        where = "x is too large to add up" if index is None else f"x[{', '.join(map(str, index))}] is {value}"
        super().__init__(
            f"{where}, expected finite numbers: check where x came from (in training, try a lower learning rate)"
        )

    def __reduce__(self) -> tuple:
        """Make it again from what made it, in another process."""
        return type(self), (self.index, self.value)

    def in_batch(self, start: int) -> "NotFiniteError":
        """Return the same error for a batch in which the images looked at begin with number `start`."""
        return NotFiniteError(self.index and (self.index[0] + start, *self.index[1:]), self.value)


def pool_forward(F: np.ndarray, pools: Sequence[str], over: str, ties: str) -> tuple[dict, dict]:
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
            pooled[pool], caches[pool] = POOLS[pool].forward(F, over, ties)
    _check_finite(F, pooled.get("avg", F))  # NaN and infinity show in the averages, which are few
    return pooled, caches


def _check_finite(F: np.ndarray, seen: np.ndarray) -> None:
    if seen.dtype == object or np.isfinite(seen).all():
        return
    bad = np.argwhere(~np.isfinite(F))
    if len(bad):
        index = tuple(map(int, bad[0]))
        raise NotFiniteError(index, F[index])
    raise NotFiniteError(None, np.inf)


def pool_backward(dpooled: dict, caches: dict, into: np.ndarray, paths: dict | None = None) -> None:
    """Add the gradient of F along each of the pools to `into`; where `paths` is given, each is also kept by name."""
    for pool, cache in caches.items():
        POOLS[pool].backward(dpooled[pool], cache, into)
        if paths is not None:
            paths[pool] = POOLS[pool].backward(dpooled[pool], cache)
