"""Batch normalisation: each channel brought to mean 0 and variance 1, then scaled and shifted."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .. import engine
from .checks import as_float, check_dout, check_shape


def batch_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """γ (x - μ) / √(v + ε) + β, with the mean μ and the variance v of each channel: the definition."""
    mu = x.mean(axis=(0, 2, 3), keepdims=True)  # (N,C,H,W) -> (1,C,1,1)
    v = x.var(axis=(0, 2, 3), keepdims=True)
    x_hat = (x - mu) / np.sqrt(v + eps)
    return gamma[:, None, None] * x_hat + beta[:, None, None]


class Moments(NamedTuple):
    """Of each channel: the number M of its values, their mean, and Σ (x - mean)²."""

    M: int
    mean: np.ndarray
    squares: np.ndarray


class BatchNormCache(NamedTuple):
    """What `batch_norm_backward` needs, and the statistics that were used; `moments` is None in inference."""

    x: np.ndarray
    gamma: np.ndarray
    inv_std: np.ndarray
    mean: np.ndarray
    var: np.ndarray
    moments: Moments | None


def batch_norm_moments(x: np.ndarray) -> Moments:
    """Return the `Moments` of a batch, or of a piece of one, shape (N, C, H, W)."""

    def own(s: slice) -> Moments:
        M = x[s].size // x.shape[1]
        mean = engine.sum_per_channel(x[s]) / M
        centred = x[s] - engine.over_pixels(mean, x)
        return Moments(M, mean, engine.sum_per_channel(centred, centred))

    return merge_moments(engine.over_slices(own, engine.channel_slices(x)))


def merge_moments(parts: Sequence[Moments]) -> Moments:
    """Return the `Moments` of pieces together.

    Around the mean μ of all, a piece with M values, mean m and Σ (x - m)² = q has the squares q + M (m - μ)².
    """
    M = sum(part.M for part in parts)
    mean = engine.total(part.M * part.mean for part in parts) / M
    return Moments(M, mean, engine.total(part.squares + part.M * (part.mean - mean) ** 2 for part in parts))


def batch_norm_forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running: tuple[np.ndarray, np.ndarray] | None = None,
    eps: float = 1e-5,
    moments: Moments | None = None,
) -> tuple[np.ndarray, BatchNormCache]:
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
        If the shapes do not fit, or a training batch has only one value per channel.

    Notes
    -----
    Source: Ioffe and Szegedy, ICML 2015, Algorithm 1.
    """
    x = as_float(x, "x", "N C H W")
    gamma, beta = _per_channel(x, gamma=gamma, beta=beta)
    if running is None:
        moments = batch_norm_moments(x) if moments is None else moments
        if moments.M == 1:
            raise ValueError(
                f"x has one value per channel, shape {x.shape}: in training, a variance needs at least two"
            )
        mean, var = moments.mean, moments.squares / moments.M
    else:
        moments = None
        mean, var = _per_channel(x, **dict(zip(("running mean", "running var"), running, strict=True)))
    inv_std = 1 / np.sqrt(var + eps)
    scale = gamma * inv_std
    shift = beta - mean * scale
    out = engine.scale_and_shift(x, scale, shift)  # γ (x - μ) / √(v+ε) + β in two passes instead of four
    return out, BatchNormCache(x, gamma, inv_std, mean, var, moments)


def _per_channel(x: np.ndarray, **arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return arrays of one number per channel, in the dtype of x."""
    for name, array in arrays.items():
        check_shape(array, name, (x.shape[1],), "one number per channel of x")
    return tuple(np.asarray(as_float(array, name), x.dtype) for name, array in arrays.items())


def batch_norm_sums(dout: np.ndarray, cache: BatchNormCache) -> tuple[np.ndarray, np.ndarray]:
    """Return dγ = Σ dout ⊗ x̂ and dβ = Σ dout, or what a piece of the batch contributes to them."""
    x, dout = cache.x, check_dout(dout, cache.x.shape)

    def own(s: slice) -> tuple[np.ndarray, np.ndarray]:
        return engine.sum_per_channel(dout[s]), engine.sum_per_channel(dout[s], x[s])

    parts = engine.over_slices(own, engine.channel_slices(x))
    dbeta, products = map(engine.total, zip(*parts, strict=True))
    return (products - cache.mean * dbeta) * cache.inv_std, dbeta  # Σ dout ⊗ (x - μ) / √(v+ε)


def batch_norm_backward(
    dout: np.ndarray, cache: BatchNormCache, sums: Sequence[np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Gradient of `batch_norm_forward`.

    dγ = Σ dout ⊗ x̂ and dβ = Σ dout, over (N, H, W). In inference μ and v are constants: dx = dout γ / √(v+ε).
    In training x also moves μ and v. With M values per channel, ∂x̂_i/∂x_j = (δ_ij - 1/M - x̂_i x̂_j / M) / √(v+ε),
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
    x, gamma, inv_std, mean, _, moments = cache
    dout = check_dout(dout, x.shape)
    dgamma, dbeta = batch_norm_sums(dout, cache) if sums is None else sums
    scale = gamma * inv_std
    if moments is None:
        return engine.multiply_per_channel(dout, scale, np.result_type(dout, x)), dgamma, dbeta
    slope = dgamma * inv_std / moments.M
    constant = dbeta / moments.M - mean * slope  # dβ/M + x̂ dγ/M = slope x + constant
    return engine.combine_per_channel(dout, x, slope, constant, scale), dgamma, dbeta
