"""Spatial attention, M_s: *where* to look, a weight a pixel."""

from functools import reduce
from typing import NamedTuple

import numpy as np

from ..ops import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_moments,
    batch_norm_sums,
    conv2d_backward,
    conv2d_forward,
    merge_moments,
    sigmoid_backward,
    sigmoid_forward,
)
from ..ops.checks import as_float, check_dout, check_shape
from ..ops.steps import alone
from .dialect import get_dialect
from .params import NORM, check_kernel_size, get_parameter
from .pools import pool_backward, pool_forward


class SpatialCache(NamedTuple):
    """Every quantity of spatial attention; `pools` has one entry a pool, in the order of the maps in `Fs`.

    `y_s` is what the convolution gives; where a dialect has no batch normalisation there, it is `z_s`, and `c_norm`,
    which holds the statistics that were used, is None.
    """

    F: np.ndarray
    Fs: np.ndarray
    y_s: np.ndarray
    z_s: np.ndarray
    Ms: np.ndarray
    pools: dict
    c_conv: tuple
    c_norm: tuple | None
    c_sigmoid: tuple

    def pooled(self, pool):
        """Return one pool's map out of the concatenation, (N, 1, H, W)."""
        if pool not in self.pools:
            raise AttributeError(f"this dialect has no {pool} pool over channels, only {', '.join(self.pools)}")
        at = list(self.pools).index(pool)
        return self.Fs[:, at : at + 1]

    @property
    def Fs_avg(self):
        """Averages over channels, (N, 1, H, W)."""
        return self.pooled("avg")

    @property
    def Fs_max(self):
        """Maxima over channels, (N, 1, H, W)."""
        return self.pooled("max")


class SpatialGradients(NamedTuple):
    """Every gradient on the way back through spatial attention; `dF` is the sum of `dF_from`.

    `dgamma` and `dbeta` are None, and `dy_s` is `dz_s`, where there is no batch normalisation.
    """

    dMs: np.ndarray
    dz_s: np.ndarray
    dy_s: np.ndarray
    dW7: np.ndarray
    dgamma: np.ndarray | None
    dbeta: np.ndarray | None
    dFs: dict
    dF_from: dict
    dF: np.ndarray

    @property
    def params(self):
        """Gradients of the parameters, with the parameters' names."""
        grads = {"W7": self.dW7, "gamma": self.dgamma, "beta": self.dbeta}
        return {name: grad for name, grad in grads.items() if grad is not None}


def spatial_attention_forward(F, params, dialect="paper", running=None, **changes):
    r"""Spatial attention map, M_s(F) = σ(f^{k×k}([AvgPool(F); MaxPool(F)])), the pools running over channels.

    With ``spatial_norm=True``, a batch normalisation stands between the convolution and the sigmoid.

    Parameters
    ----------
    F : ndarray, shape (N, C, H, W)
        Feature map.
    params : dict
        `W7` (1, 2, k, k): one kernel, a half for each pooled map; padding (k - 1) / 2. With ``spatial_norm=True``
        also `gamma` and `beta`, (1,), and only then.
    dialect : str or Dialect
        Choices, see `Dialect`.
    running : (mean, var), each of shape (1,), optional
        Statistics for the batch normalisation, in inference; the batch's own where none are given, in training.
    **changes
        Any field of `Dialect`.

    Returns
    -------
    Ms : ndarray, shape (N, 1, H, W)
        A weight in (0, 1) a pixel.
    cache : SpatialCache
        For `spatial_attention_backward`.

    Raises
    ------
    ValueError
        If the shapes do not fit, the kernel is even, the parameter is missing, or F is not finite.

    Notes
    -----
    Source: the lecture, Step 2; paper, equation 3.
    """
    return alone(spatial_forward_steps(F, params, get_dialect(dialect, **changes), running))


def spatial_forward_steps(F, params, d, running=None):
    """Do what `spatial_attention_forward` does for a piece of a batch, as a generator.

    Where a batch normalisation has to look at the whole batch, it yields what the piece contributes to its moments,
    and is sent a list of what all pieces contribute.
    """
    F, W7 = as_float(F, "x", "N C H W"), get_parameter(params, "W7")
    gamma_beta = _get_norm(params, d)
    k = W7.shape[-1]
    check_kernel_size(k)
    check_shape(W7, "W7", (1, len(d.spatial_pools), k, k), "one kernel, with a half for each pooled map")
    maps, pools = pool_forward(F, d.spatial_pools, "channels", d.ties_over("channels"))  # (N,C,H,W) -> (N,1,H,W)
    Fs = np.concatenate(list(maps.values()), axis=1)
    y_s, c_conv = conv2d_forward(Fs, W7, padding=k // 2)  # (N,2,H,W) -> (N,1,H,W)
    z_s, c_norm = y_s, None
    if d.spatial_norm:
        moments = None
        if running is None:
            parts = yield batch_norm_moments(y_s)
            moments = merge_moments(parts)
        z_s, c_norm = batch_norm_forward(y_s, *gamma_beta, running, moments=moments)
    Ms, c_sigmoid = sigmoid_forward(z_s)
    return Ms, SpatialCache(F, Fs, y_s, z_s, Ms, pools, c_conv, c_norm, c_sigmoid)


def _get_norm(params, d):
    """Return gamma and beta, checked, or None where the dialect has none."""
    if not d.spatial_norm:
        given = [name for name in NORM if name in params]
        if given:
            raise ValueError(
                f"params has {' and '.join(given)}, but this dialect has no batch normalisation after the convolution: "
                f"pass spatial_norm=True, or leave {'it' if len(given) == 1 else 'them'} out"
            )
        return None
    return tuple(get_parameter(params, name) for name in NORM)


def spatial_gradients(dMs, cache, into=None):
    """Do what `spatial_attention_backward` does, and keep every gradient on the way.

    Where `into` is given, a gradient of F along another path, those of the pools are added to it, and not kept.
    """
    return alone(spatial_gradient_steps(dMs, cache, into))


def spatial_gradient_steps(dMs, cache, into=None):
    """Do what `spatial_gradients` does for a piece of a batch, as a generator; see `spatial_forward_steps`."""
    dMs = check_dout(dMs, cache.Ms.shape, "dMs")
    dz_s = dy_s = sigmoid_backward(dMs, cache.c_sigmoid)
    dgamma = dbeta = None
    if cache.c_norm is not None:
        dgamma, dbeta = batch_norm_sums(dz_s, cache.c_norm)
        sums = dgamma, dbeta
        if cache.c_norm.training:
            parts = yield sums
            sums = [sum(shares) for shares in zip(*parts, strict=True)]
        dy_s = batch_norm_backward(dz_s, cache.c_norm, sums)[0]
    dmaps, dW7, _ = conv2d_backward(dy_s, cache.c_conv)
    dFs = {pool: dmaps[:, at : at + 1] for at, pool in enumerate(cache.pools)}  # undo the concatenation
    dF_from = pool_backward(dFs, cache.pools, into)
    dF = reduce(np.add, dF_from.values()) if into is None else into
    return SpatialGradients(dMs, dz_s, dy_s, dW7, dgamma, dbeta, dFs, dF_from, dF)


def spatial_attention_backward(dMs, cache):
    r"""Gradient of `spatial_attention_forward`.

    dz = dM_s ⊗ M_s ⊗ (1 - M_s) goes back through the convolution; the two halves of what comes out belong to
    the average and the maximum map, and F, which feeds both, gets the sum.

    Parameters
    ----------
    dMs : ndarray, shape (N, 1, H, W)
        Gradient of the loss with respect to the map.
    cache : SpatialCache
        From `spatial_attention_forward`.

    Returns
    -------
    dF : ndarray, shape (N, C, H, W)
        Gradient of the feature map.
    grads : dict
        Gradient of `W7`, and of `gamma` and `beta` where there are such.

    Raises
    ------
    ValueError
        If `dMs` does not have the map's shape.
    """
    g = spatial_gradients(dMs, cache)
    return g.dF, g.params
