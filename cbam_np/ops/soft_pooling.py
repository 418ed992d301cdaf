"""Two pools between the average and the maximum, which the authors' code of CBAM offers.

Both run over space or over channels, as those in `pooling` do, and both are sums: they grow with how much there is to
pool. The L2 norm is led by the large numbers, log-sum-exp even more so.
"""

from typing import NamedTuple

import numpy as np

from .checks import as_float, check_dout, check_option, inexact
from .pooling import OVER, flat_view, flatten, out_shape


def lp(values: np.ndarray) -> float:
    """(Σ x²)^½: the definition, of the numbers that are pooled into one."""
    return np.sqrt(np.sum(values**2))


def lse(values: np.ndarray) -> float:
    """Log Σ e^x: the definition, of the numbers that are pooled into one."""
    return np.log(np.sum(np.exp(values)))


class SoftPoolCache(NamedTuple):
    """What backward needs: by how much each entry moves the result, and which way was pooled."""

    slope: np.ndarray
    over: str


def lp_pool_forward(x: np.ndarray, over: str = "space") -> tuple[np.ndarray, SoftPoolCache]:
    r"""L2 norm over space or over channels.

    Over space: out[n,c] = (Σ_ij x[n,c,i,j]²)^½. Over channels: out[n,0,i,j] = (Σ_c x[n,c,i,j]²)^½. A sum, not a mean.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Feature map.
    over : {"space", "channels"}
        What is pooled away.

    Returns
    -------
    out : ndarray, shape (N, C) over space, (N, 1, H, W) over channels
        Norms.
    cache : SoftPoolCache
        For `lp_pool_backward`.

    Raises
    ------
    ValueError
        If x does not have four axes or `over` is unknown.

    Notes
    -----
    Source: Jongchan/attention-module, MODELS/cbam.py, "lp".
    """
    x, axis = _prepare(x, over)
    flat = flatten(x)
    norm = np.sqrt((flat * flat).sum(axis=axis, keepdims=True))
    slope = np.divide(flat, norm, out=np.zeros_like(flat), where=norm > 0)
    return norm.reshape(out_shape(x.shape, over)), SoftPoolCache(slope.reshape(x.shape), over)


def lp_pool_backward(dout: np.ndarray, cache: SoftPoolCache, into: np.ndarray | None = None) -> np.ndarray:
    r"""Gradient of `lp_pool_forward`.

    The root's slope times the square's: each entry moves the norm by x / out, and so gets dout · x / out. Where all
    are 0, the norm has a corner; there nothing comes back.

    Parameters
    ----------
    dout : ndarray, shape (N, C) or (N, 1, H, W)
        Gradient of the loss with respect to the norms.
    cache : SoftPoolCache
        From `lp_pool_forward`.
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
    return _spread(dout, cache, into)


def lse_pool_forward(x: np.ndarray, over: str = "space") -> tuple[np.ndarray, SoftPoolCache]:
    r"""Logarithm of the sum of exponentials, over space or over channels.

    Over space: out[n,c] = log Σ_ij exp x[n,c,i,j]; over channels likewise. The largest entry m is taken out first,
    m + log Σ exp(x - m), so that nothing grows too large. A sum, not divided by the number of entries.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Feature map.
    over : {"space", "channels"}
        What is pooled away.

    Returns
    -------
    out : ndarray, shape (N, C) over space, (N, 1, H, W) over channels
        Log-sum-exp.
    cache : SoftPoolCache
        For `lse_pool_backward`.

    Raises
    ------
    ValueError
        If x does not have four axes or `over` is unknown.

    Notes
    -----
    Source: Jongchan/attention-module, MODELS/cbam.py, "lse".
    """
    x, axis = _prepare(x, over)
    flat = flatten(x)
    largest = flat.max(axis=axis, keepdims=True)
    powers = np.exp(flat - largest)
    total = powers.sum(axis=axis, keepdims=True)
    out = (largest + np.log(total)).reshape(out_shape(x.shape, over))
    return out, SoftPoolCache((powers / total).reshape(x.shape), over)


def lse_pool_backward(dout: np.ndarray, cache: SoftPoolCache, into: np.ndarray | None = None) -> np.ndarray:
    r"""Gradient of `lse_pool_forward`.

    Each entry moves the result by exp x / Σ exp x, its share of the softmax, and gets that share of dout.

    Parameters
    ----------
    dout : ndarray, shape (N, C) or (N, 1, H, W)
        Gradient of the loss with respect to the results.
    cache : SoftPoolCache
        From `lse_pool_forward`.
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
    return _spread(dout, cache, into)


def _prepare(x: np.ndarray, over: str) -> tuple[np.ndarray, int]:
    """Return x as floats, since roots and exponentials know no fractions, and the axis that disappears."""
    x = as_float(x, "x", "N C H W")
    check_option(over, "over", OVER)
    return inexact(x), OVER[over]


def _spread(dout: np.ndarray, cache: SoftPoolCache, into: np.ndarray | None) -> np.ndarray:
    dout = check_dout(dout, out_shape(cache.slope.shape, cache.over))
    share = dout[:, :, None, None] if cache.over == "space" else dout
    if into is None:
        return share * cache.slope
    into = flat_view(into)
    into += flatten(share * cache.slope)
    return into.reshape(cache.slope.shape)
