"""Pooling: many numbers become one, by their average or their maximum.

CBAM pools in two directions. Over *space*, each channel becomes one number, which tells what is there; over
*channels*, each pixel becomes one number, which tells where something is. `avg_pool_*` and `max_pool_*` do
both; over space, the average is also what is called global average pooling.

Where a maximum is reached more than once, there is no one gradient, and a rule must choose: ``"first"`` gives
everything to the first maximum in reading order (PyTorch's max_pool2d), ``"split"`` shares it evenly (amax).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .. import engine
from ..engine import flatten
from .checks import as_float, check_dout, check_option

TIES = ("first", "split")
OVER = {"space": 2, "channels": 1}  # the axis that disappears when x is seen as (N, C, H·W)


def out_shape(x_shape: tuple[int, ...], over: str) -> tuple[int, ...]:
    """Return the shape of what is left of (N, C, H, W)."""
    N, C, H, W = x_shape
    return (N, C) if over == "space" else (N, 1, H, W)


def _groups(x: np.ndarray, over: str) -> Iterator[tuple[tuple, list[tuple]]]:
    """Yield each index of the pooled array and the numbers that are pooled into it, in reading order."""
    N, C, H, W = x.shape
    if over == "space":
        for n, c in np.ndindex(N, C):
            yield (n, c), [(n, c, i, j) for i in range(H) for j in range(W)]
    else:
        for n, i, j in np.ndindex(N, H, W):
            yield (n, 0, i, j), [(n, c, i, j) for c in range(C)]


def avg_pool_forward_loops(x: np.ndarray, over: str = "space") -> np.ndarray:
    """Average one number after the other, as one would by hand: the definition."""
    out = np.zeros(out_shape(x.shape, over), x.dtype)
    for o, members in _groups(x, over):
        for m in members:
            out[o] += x[m]
        out[o] /= len(members)
    return out


def avg_pool_backward_loops(dout: np.ndarray, x: np.ndarray, over: str = "space") -> np.ndarray:
    """Give each of the numbers averaged its equal part."""
    dx = np.zeros_like(x)
    for o, members in _groups(x, over):
        for m in members:
            dx[m] += dout[o] / len(members)
    return dx


def max_pool_forward_loops(x: np.ndarray, over: str = "space") -> np.ndarray:
    """Keep the largest number seen so far: the definition."""
    out = np.full(out_shape(x.shape, over), -np.inf, x.dtype)
    for o, members in _groups(x, over):
        for m in members:
            if x[m] > out[o]:
                out[o] = x[m]
    return out


def share_loops(dx: np.ndarray, dout: np.ndarray, x: np.ndarray, members: list[tuple], ties: str) -> None:
    """Hand `dout` to the maximum among `members` of x: to the first one, or to all in even parts."""
    largest = max(x[m] for m in members)
    winners = [m for m in members if x[m] == largest]
    if ties == "first":
        winners = winners[:1]
    for m in winners:
        dx[m] += dout / len(winners)


def max_pool_backward_loops(dout: np.ndarray, x: np.ndarray, over: str = "space", ties: str = "first") -> np.ndarray:
    """Give the maximum the whole gradient."""
    dx = np.zeros_like(x)
    for o, members in _groups(x, over):
        share_loops(dx, dout[o], x, members, ties)
    return dx


class AvgPoolCache(NamedTuple):
    """What `avg_pool_backward` needs: the input, for its shape."""

    x: np.ndarray
    over: str


class MaxPoolCache(NamedTuple):
    """What `max_pool_backward` needs: the input, its maxima, and where each was first met if that is known."""

    x: np.ndarray
    maxima: np.ndarray  # the axis is kept, with length 1
    where: np.ndarray | None
    over: str
    ties: str


def avg_pool_forward(x: np.ndarray, over: str = "space") -> tuple[np.ndarray, AvgPoolCache]:
    r"""Average over space or over channels.

    Over space: out[n,c] = 1/(H·W) Σ_ij x[n,c,i,j]. Over channels: out[n,0,i,j] = 1/C Σ_c x[n,c,i,j].

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Feature map.
    over : {"space", "channels"}
        What is averaged away.

    Returns
    -------
    out : ndarray, shape (N, C) over space, (N, 1, H, W) over channels
        Averages.
    cache : AvgPoolCache
        For `avg_pool_backward`.

    Raises
    ------
    ValueError
        If x does not have four axes or `over` is unknown.

    Notes
    -----
    Source: the lecture, Step 1 (over space) and Step 2 (over channels).
    """
    x = as_float(x, "x", "N C H W")
    check_option(over, "over", OVER)
    averages = engine.mean_along(flatten(x), OVER[over])
    return averages.reshape(out_shape(x.shape, over)), AvgPoolCache(x, over)


def avg_pool_backward(dout: np.ndarray, cache: AvgPoolCache, into: np.ndarray | None = None) -> np.ndarray:
    r"""Gradient of `avg_pool_forward`.

    Each of the M numbers averaged counts 1/M in the average, so each gets dout / M.

    Parameters
    ----------
    dout : ndarray, shape (N, C) or (N, 1, H, W)
        Gradient of the loss with respect to the averages.
    cache : AvgPoolCache
        From `avg_pool_forward`.
    into : ndarray, shape (N, C, H, W), optional
        A gradient of the same input along another path: this one is added to it.

    Returns
    -------
    dx : ndarray, shape (N, C, H, W)
        Gradient of the input; `into` itself where it was given.

    Raises
    ------
    ValueError
        If `dout` does not have the output's shape.
    """
    N, C, H, W = cache.x.shape
    dout = check_dout(dout, out_shape(cache.x.shape, cache.over))
    share = dout[:, :, None, None] / (H * W) if cache.over == "space" else dout / C
    if into is None:
        return np.broadcast_to(share, cache.x.shape).copy()
    return engine.repeating(np.add, into, share, out=into)


def max_pool_forward(x: np.ndarray, over: str = "space", ties: str = "first") -> tuple[np.ndarray, MaxPoolCache]:
    r"""Maximum over space or over channels.

    Over space: out[n,c] = max_ij x[n,c,i,j]. Over channels: out[n,0,i,j] = max_c x[n,c,i,j].

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Feature map.
    over : {"space", "channels"}
        What the maximum runs over.
    ties : {"first", "split"}
        Who gets the gradient where the maximum is reached more than once.

    Returns
    -------
    out : ndarray, shape (N, C) over space, (N, 1, H, W) over channels
        Maxima.
    cache : MaxPoolCache
        For `max_pool_backward`.

    Raises
    ------
    ValueError
        If x does not have four axes or an option is unknown.

    Notes
    -----
    Source: the lecture, Step 1 (over space) and Step 2 (over channels).
    """
    x = as_float(x, "x", "N C H W")
    check_option(over, "over", OVER)
    check_option(ties, "ties", TIES)
    maxima, where = engine.maxima_and_places(flatten(x), OVER[over])
    return maxima.reshape(out_shape(x.shape, over)), MaxPoolCache(x, maxima, where, over, ties)


def max_pool_backward(dout: np.ndarray, cache: MaxPoolCache, into: np.ndarray | None = None) -> np.ndarray:
    r"""Gradient of `max_pool_forward`.

    Moving the maximum moves the output one to one, moving any other number moves nothing: the whole gradient
    goes to the maximum, and where there are several, to the first of them or in even parts (`ties`).

    Parameters
    ----------
    dout : ndarray, shape (N, C) or (N, 1, H, W)
        Gradient of the loss with respect to the maxima.
    cache : MaxPoolCache
        From `max_pool_forward`.
    into : ndarray, shape (N, C, H, W), optional
        A gradient of the same input along another path: this one is added to it.

    Returns
    -------
    dx : ndarray, shape (N, C, H, W)
        Gradient of the input, 0 wherever x is not a maximum; `into` itself where it was given.

    Raises
    ------
    ValueError
        If `dout` does not have the output's shape.
    """
    x, maxima, where, over, ties = cache
    dout = check_dout(dout, out_shape(x.shape, over)).reshape(maxima.shape)
    dx = np.zeros(x.shape, dout.dtype) if into is None else into
    flat, axis = flat_view(dx), OVER[over]
    if ties == "first":
        engine.add_at_maxima(flat, dout, flatten(x), maxima, where, axis)
    else:
        is_max = flatten(x) == maxima
        flat += is_max * (dout / is_max.sum(axis=axis, keepdims=True, dtype=dout.dtype))
    return dx


def flat_view(into: np.ndarray) -> np.ndarray:
    """View `into` as (N, C, H·W) to write to."""
    if not into.flags.c_contiguous:
        raise ValueError(
            "into is not contiguous, so nothing can be added to it in place: pass np.ascontiguousarray(into)"
        )
    return flatten(into)
