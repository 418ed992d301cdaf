"""Spatial attention, M_s: *where* to look, one weight per pixel."""

from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from ..engine import share, total
from ..ops import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_moments,
    batch_norm_sums,
    conv2d_backward,
    conv2d_forward,
    conv2d_forward_loops,
    merge_moments,
    sigmoid,
    sigmoid_backward,
    sigmoid_forward,
)
from ..ops.activations import SigmoidCache
from ..ops.checks import as_float, check_dout, check_shape, inexact
from ..ops.conv import ConvCache
from ..ops.norm import BatchNormCache
from .dialect import Dialect, get_dialect
from .params import NORM, check_kernel_size, get_parameter, refuse_parameters
from .pools import pool_backward, pool_forward


def spatial_attention(F: np.ndarray, W7: np.ndarray) -> np.ndarray:
    """M_s(F) = σ(f^{7×7}([AvgPool(F); MaxPool(F)])): the definition."""
    Fs_avg = F.mean(axis=1, keepdims=True)  # (N,C,H,W) -> (N,1,H,W)
    Fs_max = F.max(axis=1, keepdims=True)
    Fs = np.concatenate([Fs_avg, Fs_max], axis=1)  # (N,2,H,W)
    return sigmoid(conv2d_forward_loops(Fs, W7, padding=W7.shape[-1] // 2))


class SpatialCache(NamedTuple):
    """Every quantity of spatial attention; `pools` has one entry per pool, in the order of the maps in `Fs`.

    `y_s` is what the convolution gives; where a dialect has no batch normalisation there, it is `z_s`, and `c_norm`,
    which holds the statistics that were used, is None.
    """

    F: np.ndarray
    Fs: np.ndarray
    y_s: np.ndarray
    z_s: np.ndarray
    Ms: np.ndarray
    pools: dict[str, tuple]
    c_conv: ConvCache
    c_norm: BatchNormCache | None
    c_sigmoid: SigmoidCache

    def pooled(self, pool: str) -> np.ndarray:
        """Return one pool's map out of the concatenation, (N, 1, H, W)."""
        if pool not in self.pools:
            raise AttributeError(f"this dialect has no {pool} pool over channels, only {', '.join(self.pools)}")
        at = list(self.pools).index(pool)
        return self.Fs[:, at : at + 1]

    @property
    def Fs_avg(self) -> np.ndarray:
        """Averages over channels, (N, 1, H, W)."""
        return self.pooled("avg")

    @property
    def Fs_max(self) -> np.ndarray:
        """Maxima over channels, (N, 1, H, W)."""
        return self.pooled("max")


class SpatialGradients(NamedTuple):
    """Every gradient on the way back through spatial attention.

    `dgamma` and `dbeta` are None, and `dy_s` is `dz_s`, where there is no batch normalisation; `dF_from`, the gradient
    of F along each pool, is empty where it was not kept.
    """

    dMs: np.ndarray
    dz_s: np.ndarray
    dy_s: np.ndarray
    dW7: np.ndarray
    dgamma: np.ndarray | None
    dbeta: np.ndarray | None
    dFs: dict[str, np.ndarray]
    dF_from: dict[str, np.ndarray]

    @property
    def dF(self) -> np.ndarray:
        """Gradient of F, the sum over the pools, where the paths were kept."""
        return reduce(np.add, self.dF_from.values())

    @property
    def params(self) -> dict[str, np.ndarray]:
        """Gradients of the parameters, with the parameters' names."""
        grads = {"W7": self.dW7, "gamma": self.dgamma, "beta": self.dbeta}
        return {name: grad for name, grad in grads.items() if grad is not None}


def spatial_attention_forward(
    F: np.ndarray,
    params: dict,
    dialect: str | Dialect = "paper",
    running: tuple[np.ndarray, np.ndarray] | None = None,
    **changes: Any,
) -> tuple[np.ndarray, SpatialCache]:
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
        One weight in (0, 1) per pixel.
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
    d = get_dialect(dialect, **changes)
    F, W7 = as_float(F, "x", "N C H W"), get_parameter(params, "W7")
    gamma, beta = _get_norm(params, d)
    k = W7.shape[-1]
    check_kernel_size(k)
    check_shape(W7, "W7", (1, len(d.spatial_pools), k, k), "one kernel, with a half for each pooled map")
    maps, pools = pool_forward(F, d.spatial_pools, "channels", d.ties_over("channels"))  # (N,C,H,W) -> (N,1,H,W)
    Fs = np.concatenate(list(maps.values()), axis=1)
    y_s, c_conv = conv2d_forward(Fs, W7, padding=k // 2)  # (N,2,H,W) -> (N,1,H,W)
    z_s, c_norm = y_s, None
    if d.spatial_norm:
        y_s, moments = inexact(y_s), None
        if running is None:  # of the whole batch, where F is a piece of it
            moments = merge_moments(share(batch_norm_moments(y_s)))
        z_s, c_norm = batch_norm_forward(y_s, gamma, beta, running, moments=moments)
    Ms, c_sigmoid = sigmoid_forward(z_s)
    return Ms, SpatialCache(F, Fs, y_s, z_s, Ms, pools, c_conv, c_norm, c_sigmoid)


def _get_norm(params: dict, d: Dialect) -> tuple[Any, Any]:
    """Return gamma and beta, checked, or None for both where the dialect has none."""
    if not d.spatial_norm:
        what = "this dialect has no batch normalisation after the convolution"
        refuse_parameters(params, NORM, what, "spatial_norm=True")
        return None, None
    gamma, beta = (get_parameter(params, name) for name in NORM)
    return gamma, beta


def spatial_gradients(
    dMs: np.ndarray, cache: SpatialCache, into: np.ndarray, keep_paths: bool = False
) -> SpatialGradients:
    """Do what `spatial_attention_backward` does, and return every gradient on the way.

    The gradient of F is added to `into`, a gradient of F along another path; with `keep_paths`, that along each pool
    is returned as well.
    """
    dMs = check_dout(dMs, cache.Ms.shape, "dMs")
    dz_s = dy_s = sigmoid_backward(dMs, cache.c_sigmoid)
    dgamma = dbeta = None
    if cache.c_norm is not None:
        dgamma, dbeta = own = batch_norm_sums(dz_s, cache.c_norm)
        pieces = [own] if cache.c_norm.moments is None else share(own)
        sums = list(map(total, zip(*pieces, strict=True)))  # of the whole batch, where F is a piece of it
        dy_s = batch_norm_backward(dz_s, cache.c_norm, sums)[0]
    dmaps, dW7, _ = conv2d_backward(dy_s, cache.c_conv)
    assert dmaps is not None  # it is only left out where nobody wants it
    dFs = {pool: dmaps[:, at : at + 1] for at, pool in enumerate(cache.pools)}  # undo the concatenation
    paths: dict[str, np.ndarray] = {}
    pool_backward(dFs, cache.pools, into, paths if keep_paths else None)
    return SpatialGradients(dMs, dz_s, dy_s, dW7, dgamma, dbeta, dFs, paths)


def spatial_attention_backward(dMs: np.ndarray, cache: SpatialCache) -> tuple[np.ndarray, dict[str, np.ndarray]]:
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
        Gradient of `W7`, and of `gamma` and `beta` where the dialect has them.

    Raises
    ------
    ValueError
        If `dMs` does not have the map's shape.
    """
    dF = np.zeros(cache.F.shape, np.result_type(dMs, cache.Ms))
    return dF, spatial_gradients(dMs, cache, into=dF).params
