"""Batch normalisation: each channel brought to mean 0 and variance 1, then scaled and shifted."""

from typing import NamedTuple

import numpy as np

from ..engine.slices import batch_slices, over_slices
from .checks import as_float, check_dout, check_shape

PIXELS = (0, 2, 3)  # the axes of (N, C, H, W) that one channel's statistics run over


class BatchNormCache(NamedTuple):
    """What `batch_norm_backward` needs, and the statistics that were used, of `count` values a channel."""

    x: np.ndarray
    gamma: np.ndarray
    inv_std: np.ndarray
    mean: np.ndarray
    var: np.ndarray
    count: int
    training: bool


class Moments(NamedTuple):
    """Of each channel: how many values, their mean, and Σ (x - mean)²."""

    count: int
    mean: np.ndarray
    squares: np.ndarray


def _per_channel(x, **arrays):
    """Return arrays of one number a channel, in the dtype of x."""
    for name, array in arrays.items():
        check_shape(array, name, (x.shape[1],), "one number a channel of x")
    return (np.asarray(array, x.dtype) for array in arrays.values())


def _over_pixels(*factors):
    """Return Σ a, or Σ a ⊗ b, over (N, H, W): a number a channel."""
    return np.einsum(",".join(["nchw"] * len(factors)) + "->c", *factors)


def _slices(x):
    return batch_slices(len(x), 4 * x[0].nbytes)


def batch_norm_moments(x):
    """Return the `Moments` of a batch, or of a piece of one, shape (N, C, H, W); each number is read once."""

    def own(s):
        count = x[s].size // x.shape[1]
        mean = _over_pixels(x[s]) / count
        centred = x[s] - mean[:, None, None]
        return Moments(count, mean, _over_pixels(centred, centred))

    return merge_moments(over_slices(own, _slices(x)))


def merge_moments(parts):
    """Return the `Moments` of pieces together.

    Around the mean μ of all, a piece with M values, mean m and Σ (x - m)² = q has the squares q + M (m - μ)².
    """
    count = sum(part.count for part in parts)
    mean = sum(part.count * part.mean for part in parts) / count
    return Moments(count, mean, sum(part.squares + part.count * (part.mean - mean) ** 2 for part in parts))


def batch_norm_forward(x, gamma, beta, running=None, eps=1e-5, moments=None):
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
    moments : Moments, optional
        In training, those of the whole batch where x is a piece of it; `batch_norm_moments(x)` where none are given.

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
        count, mean, squares = batch_norm_moments(x) if moments is None else moments
        if count == 1:
            raise ValueError(f"x has one value a channel, shape {x.shape}: training needs more to have a variance")
        var = squares / count
    else:
        mean, var = _per_channel(x, **dict(zip(("running mean", "running var"), running, strict=True)))
        count = None
    inv_std = 1 / np.sqrt(var + eps)
    out = np.empty(x.shape, x.dtype)

    scale = gamma * inv_std
    shift = beta - mean * scale  # γ (x - μ) / √(v+ε) + β in two passes instead of three

    def normalise(s):
        np.multiply(x[s], scale[:, None, None], out=out[s])
        out[s] += shift[:, None, None]

    over_slices(normalise, _slices(x))
    return out, BatchNormCache(x, gamma, inv_std, mean, var, count, running is None)


def batch_norm_sums(dout, cache):
    """Return dγ = Σ dout ⊗ x̂ and dβ = Σ dout, or what a piece of the batch contributes to them."""
    x, dout = cache.x, check_dout(dout, cache.x.shape)
    parts = over_slices(lambda s: (_over_pixels(dout[s]), _over_pixels(dout[s], x[s])), _slices(x))
    dbeta, products = (sum(sums) for sums in zip(*parts, strict=True))
    return (products - cache.mean * dbeta) * cache.inv_std, dbeta  # Σ dout ⊗ (x - μ) / √(v+ε)


def batch_norm_backward(dout, cache, sums=None):
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
    sums : (dgamma, dbeta), optional
        Those of the whole batch where x is a piece of it; `batch_norm_sums(dout, cache)` where none are given.

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
    x, gamma, inv_std, mean, _, count, training = cache
    dout = check_dout(dout, x.shape)
    dgamma, dbeta = batch_norm_sums(dout, cache) if sums is None else sums
    dx = np.empty(x.shape, np.result_type(dout, x))
    if training:
        slope = dgamma * inv_std / count
        constant = dbeta / count - mean * slope  # dβ/M + x̂ dγ/M = x slope + constant

    def backward(s):
        if training:  # x moved the mean and the variance, too
            np.multiply(x[s], -slope[:, None, None], out=dx[s])
            dx[s] -= constant[:, None, None]
            dx[s] += dout[s]
            dx[s] *= (gamma * inv_std)[:, None, None]
        else:
            np.multiply(dout[s], (gamma * inv_std)[:, None, None], out=dx[s])

    over_slices(backward, _slices(x))
    return dx, dgamma, dbeta
