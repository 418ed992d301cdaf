"""Pooling: many numbers become one, by their average or their maximum.

CBAM pools in two directions. Over *space*, each channel becomes one number, which tells what is there; over
*channels*, each pixel becomes one number, which tells where something is. `avg_pool_*` and `max_pool_*` do
both; over space, the average is also what is called global average pooling.

Where a maximum is reached more than once, there is no one gradient, and a rule must choose: ``"first"`` gives
everything to the first maximum in reading order (PyTorch's max_pool2d), ``"split"`` shares it evenly (amax).
"""

from typing import NamedTuple

import numpy as np

from ..engine.layout import flatten
from .checks import as_float, check_dout, check_option

TIES = ("first", "split")
OVER = {"space": 2, "channels": 1}  # the axis that disappears when x is seen as (N, C, H·W)


class AvgPoolCache(NamedTuple):
    """What `avg_pool_backward` needs: the shape of the input."""

    x_shape: tuple
    over: str


class MaxPoolCache(NamedTuple):
    """What `max_pool_backward` needs: the input, its maxima, and where each was first met if that is known."""

    x: np.ndarray
    maxima: np.ndarray  # the axis is kept, with length 1
    where: np.ndarray | None
    over: str
    ties: str


def flat_view(into):
    """View `into` as (N, C, H·W) to write to."""
    if not into.flags.c_contiguous:
        raise ValueError("into is not contiguous, so that it cannot be added to: pass np.ascontiguousarray(into)")
    return flatten(into)


def out_shape(x_shape, over):
    """Return the shape of what is left of (N, C, H, W)."""
    N, C, H, W = x_shape
    return (N, C) if over == "space" else (N, 1, H, W)


def avg_pool_forward(x, over="space"):
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
    axis, flat = OVER[over], flatten(x)
    fast = over == "space" and x.dtype != object  # along a row, einsum adds three times as fast as sum
    out = (np.einsum("ncs->nc", flat) if fast else flat.sum(axis=axis)) / flat.shape[axis]
    return out.reshape(out_shape(x.shape, over)), AvgPoolCache(x.shape, over)


def avg_pool_backward(dout, cache, into=None):
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
    N, C, H, W = cache.x_shape
    dout = check_dout(dout, out_shape(cache.x_shape, cache.over))
    share = dout[:, :, None, None] / (H * W) if cache.over == "space" else dout / C
    if into is None:
        return np.broadcast_to(share, cache.x_shape).copy()
    into += share
    return into


def max_pool_forward(x, over="space", ties="first"):
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
    flat, axis = flatten(x), OVER[over]
    if over == "space" or x.dtype == object:
        where = flat.argmax(axis=axis, keepdims=True)
        maxima = np.take_along_axis(flat, where, axis)
    else:  # over channels, argmax jumps about in memory; `_first_channel` does it faster, if it comes to that
        where, maxima = None, flat.max(axis=axis, keepdims=True)
    return maxima.reshape(out_shape(x.shape, over)), MaxPoolCache(x, maxima, where, over, ties)


def _first_channel(x, maxima):
    """Return ``x.argmax(axis=1, keepdims=True)`` of (N, C, H·W) whose maxima over channels are known."""
    last = x.shape[1] - 1
    to_go = np.arange(last, -1, -1, np.min_scalar_type(last))[:, None]  # channels that come after this one
    return last - ((x == maxima).view(np.uint8) * to_go).max(axis=1, keepdims=True).astype(np.intp)


def max_pool_backward(dout, cache, into=None):
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
        at = list(np.ogrid[tuple(map(slice, flat.shape))])
        at[axis] = _first_channel(flatten(x), maxima) if where is None else where
        flat.reshape(-1)[np.ravel_multi_index(at, flat.shape)] += dout  # one index is faster than three
    else:
        is_max = flatten(x) == maxima
        flat += is_max * (dout / is_max.sum(axis=axis, keepdims=True, dtype=dout.dtype))
    return dx


# The same operations, one number at a time, as one would by hand. Slow, for reading and for testing.


def _groups(x, over):
    """Yield each index of the pooled array and the numbers that are pooled into it, in reading order."""
    N, C, H, W = x.shape
    if over == "space":
        for n, c in np.ndindex(N, C):
            yield (n, c), [(n, c, i, j) for i in range(H) for j in range(W)]
    else:
        for n, i, j in np.ndindex(N, H, W):
            yield (n, 0, i, j), [(n, c, i, j) for c in range(C)]


def avg_pool_forward_loops(x, over="space"):
    """Loop twin of `avg_pool_forward`; returns only the averages."""
    out = np.zeros(out_shape(x.shape, over), x.dtype)
    for o, members in _groups(x, over):
        for m in members:
            out[o] += x[m]
        out[o] /= len(members)
    return out


def avg_pool_backward_loops(dout, x, over="space"):
    """Loop twin of `avg_pool_backward`."""
    dx = np.zeros_like(x)
    for o, members in _groups(x, over):
        for m in members:
            dx[m] += dout[o] / len(members)
    return dx


def max_pool_forward_loops(x, over="space"):
    """Loop twin of `max_pool_forward`; returns only the maxima."""
    out = np.full(out_shape(x.shape, over), -np.inf, x.dtype)
    for o, members in _groups(x, over):
        for m in members:
            if x[m] > out[o]:
                out[o] = x[m]
    return out


def share_loops(dx, dout, x, members, ties):
    """Hand `dout` to the maximum among `members` of x: to the first one, or to all in even parts."""
    largest = max(x[m] for m in members)
    winners = [m for m in members if x[m] == largest]
    if ties == "first":
        winners = winners[:1]
    for m in winners:
        dx[m] += dout / len(winners)


def max_pool_backward_loops(dout, x, over="space", ties="first"):
    """Loop twin of `max_pool_backward`."""
    dx = np.zeros_like(x)
    for o, members in _groups(x, over):
        share_loops(dx, dout[o], x, members, ties)
    return dx
