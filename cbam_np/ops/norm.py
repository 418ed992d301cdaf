"""Batch normalisation: each channel brought to mean 0 and variance 1, then scaled and shifted."""

from typing import NamedTuple

import numpy as np

from .checks import as_float, check_dout, check_shape
from .slices import batch_slices, over_slices

PIXELS = (0, 2, 3)  # the axes of (N, C, H, W) that one channel's statistics run over


class BatchNormCache(NamedTuple):
    """What `batch_norm_backward` needs, and the statistics that were used."""

    x: np.ndarray
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


def _sums(work, slices):
    """Add up what `work` returns for each slice of the batch, first slice first."""
    return sum(over_slices(work, slices))


def _over_pixels(a, b=None):
    """Return Σ a, or Σ a ⊗ b, over (N, H, W): a number a channel."""
    return a.sum(axis=PIXELS) if b is None else np.einsum("nchw,nchw->c", a, b)


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
    slices = batch_slices(len(x), 4 * x[0].nbytes)
    if running is None:
        M = x.size // x.shape[1]
        if M == 1:
            raise ValueError(f"x has one value a channel, shape {x.shape}: training needs more to have a variance")
        mean = _sums(lambda s: _over_pixels(x[s]), slices) / M

        def squares(s):
            centred = x[s] - mean[:, None, None]
            return _over_pixels(centred, centred)

        var = _sums(squares, slices) / M
    else:
        mean, var = _per_channel(x, **dict(zip(("running mean", "running var"), running, strict=True)))
    inv_std = 1 / np.sqrt(var + eps)
    out = np.empty(x.shape, x.dtype)

    def normalise(s):
        np.subtract(x[s], mean[:, None, None], out=out[s])
        out[s] *= (gamma * inv_std)[:, None, None]
        out[s] += beta[:, None, None]

    over_slices(normalise, slices)
    return out, BatchNormCache(x, gamma, inv_std, mean, var, running is None)


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
    x, gamma, inv_std, mean, _, training = cache
    dout = check_dout(dout, x.shape)
    slices = batch_slices(len(x), 4 * x[0].nbytes)
    dbeta = _sums(lambda s: _over_pixels(dout[s]), slices)
    dgamma = _sums(lambda s: _over_pixels(dout[s], x[s] - mean[:, None, None]), slices) * inv_std
    dx, M = np.empty(x.shape, np.result_type(dout, x)), x.size // x.shape[1]

    def backward(s):
        np.multiply(dout[s], (gamma * inv_std)[:, None, None], out=dx[s])
        if training:  # x moved the mean and the variance, too
            x_hat_share = x[s] - mean[:, None, None]
            x_hat_share *= (gamma * inv_std**2 * dgamma / M)[:, None, None]
            dx[s] -= x_hat_share
            dx[s] -= (gamma * inv_std * dbeta / M)[:, None, None]

    over_slices(backward, slices)
    return dx, dgamma, dbeta
