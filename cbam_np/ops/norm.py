"""Batch normalisation: each channel brought to mean 0 and variance 1, then scaled and shifted."""

from typing import NamedTuple

import numpy as np

from .checks import as_float, check_dout, check_shape

PIXELS = (0, 2, 3)  # the axes of (N, C, H, W) that one channel's statistics run over


class BatchNormCache(NamedTuple):
    """What `batch_norm_backward` needs, and the statistics that were used."""

    x_hat: np.ndarray
    gamma: np.ndarray
    inv_std: np.ndarray
    mean: np.ndarray
    var: np.ndarray
    training: bool


def _per_channel(x, **arrays):
    """Return arrays of one number a channel, in the dtype of x."""
    for name, array in arrays.items():
        check_shape(array, name, (x.shape[1],), "one number a channel of x")
    return (np.asarray(array, x.dtype) for array in arrays.values())


def batch_norm_forward(x, gamma, beta, running=None, eps=1e-5):
    r"""Batch normalisation over (N, H, W), x̂ = (x - μ) / √(v + ε), out = γ x̂ + β.

    In training (`running` is None) μ and v are the batch's own mean and variance, channel by channel; the
    cache hands them to whoever keeps running averages. In inference they are the averages handed in.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Input.
    gamma, beta : ndarray, shape (C,)
        Scale γ and shift β.
    running : (mean, var), each of shape (C,), optional
        Statistics to use in inference.
    eps : float
        ε, keeps the root away from 0.

    Returns
    -------
    out : ndarray, shape (N, C, H, W)
        Same dtype as x.
    cache : BatchNormCache
        For `batch_norm_backward`; `mean` and `var` (divided by N·H·W) are what was used.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a training batch has one value a channel.

    Notes
    -----
    Source: Ioffe and Szegedy, ICML 2015, Algorithm 1.
    """
    x = as_float(x, "x", "N C H W")
    gamma, beta = _per_channel(x, gamma=gamma, beta=beta)
    if running is None:
        if x.size == x.shape[1]:
            raise ValueError(f"x has one value a channel, shape {x.shape}: training needs more to have a variance")
        mean = x.mean(axis=PIXELS)
        centred = x - mean[:, None, None]
        var = np.square(centred).mean(axis=PIXELS)
    else:
        mean, var = _per_channel(x, **dict(zip(("running mean", "running var"), running, strict=True)))
        centred = x - mean[:, None, None]
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = centred * inv_std[:, None, None]
    out = gamma[:, None, None] * x_hat + beta[:, None, None]
    return out, BatchNormCache(x_hat, gamma, inv_std, mean, var, running is None)


def batch_norm_backward(dout, cache):
    r"""Gradient of `batch_norm_forward`.

    dγ = Σ dout ⊗ x̂ and dβ = Σ dout, over (N, H, W). In inference μ and v are constants: dx = dout γ / √(v+ε).
    In training x also moves μ and v. With M values a channel, ∂x̂_i/∂x_j = (δ_ij - 1/M - x̂_i x̂_j / M) / √(v+ε),
    which summed against dout gives dx = γ / √(v+ε) · (dout - dβ / M - x̂ dγ / M).

    Parameters
    ----------
    dout : ndarray, shape (N, C, H, W)
        Gradient of the loss with respect to the output.
    cache : BatchNormCache
        From `batch_norm_forward`.

    Returns
    -------
    dx : ndarray, shape (N, C, H, W)
        Gradient of the input.
    dgamma, dbeta : ndarray, shape (C,)
        Gradients of scale and shift.

    Raises
    ------
    ValueError
        If `dout` does not have the output's shape.
    """
    x_hat = cache.x_hat
    dout = check_dout(dout, x_hat.shape)
    dgamma, dbeta = (dout * x_hat).sum(axis=PIXELS), dout.sum(axis=PIXELS)
    scale = (cache.gamma * cache.inv_std)[:, None, None]
    if not cache.training:
        return dout * scale, dgamma, dbeta
    M = x_hat.size // x_hat.shape[1]
    return scale * (dout - (dbeta / M)[:, None, None] - x_hat * (dgamma / M)[:, None, None]), dgamma, dbeta
