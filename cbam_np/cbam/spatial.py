"""Spatial attention, M_s: *where* to look, a weight a pixel."""

from functools import reduce
from typing import NamedTuple

import numpy as np

from ..ops import conv2d_backward, conv2d_forward, sigmoid_backward, sigmoid_forward
from ..ops.checks import as_float, check_dout, check_shape
from .dialect import get_dialect
from .params import check_kernel_size, get_parameter
from .pools import pool_backward, pool_forward


class SpatialCache(NamedTuple):
    """Every quantity of spatial attention; `pools` has one entry a pool, in the order of the maps in `Fs`."""

    F: np.ndarray
    Fs: np.ndarray
    z_s: np.ndarray
    Ms: np.ndarray
    pools: dict
    c_conv: tuple
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
    """Every gradient on the way back through spatial attention; `dF` is the sum of `dF_from`."""

    dMs: np.ndarray
    dz_s: np.ndarray
    dW7: np.ndarray
    dFs: dict
    dF_from: dict
    dF: np.ndarray

    @property
    def params(self):
        """Gradient of the parameter, with the parameter's name."""
        return {"W7": self.dW7}


def spatial_attention_forward(F, params, dialect="paper", **changes):
    r"""Spatial attention map, M_s(F) = σ(f^{k×k}([AvgPool(F); MaxPool(F)])), the pools running over channels.

    Parameters
    ----------
    F : ndarray, shape (N, C, H, W)
        Feature map.
    params : dict
        `W7` (1, 2, k, k): one kernel, a half for each pooled map; padding (k - 1) / 2.
    dialect : str or Dialect
        Choices, see `Dialect`.
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
    d = get_dialect(dialect, **changes)
    F, W7 = as_float(F, "x", "N C H W"), get_parameter(params, "W7")
    k = W7.shape[-1]
    check_kernel_size(k)
    check_shape(W7, "W7", (1, len(d.spatial_pools), k, k), "one kernel, with a half for each pooled map")
    maps, pools = pool_forward(F, d.spatial_pools, "channels", d.ties)  # (N,C,H,W) -> (N,1,H,W)
    Fs = np.concatenate(list(maps.values()), axis=1)
    z_s, c_conv = conv2d_forward(Fs, W7, padding=k // 2)  # (N,2,H,W) -> (N,1,H,W)
    Ms, c_sigmoid = sigmoid_forward(z_s)
    return Ms, SpatialCache(F, Fs, z_s, Ms, pools, c_conv, c_sigmoid)


def spatial_gradients(dMs, cache, into=None):
    """Do what `spatial_attention_backward` does, and keep every gradient on the way.

    Where `into` is given, a gradient of F along another path, those of the pools are added to it, and not kept.
    """
    dMs = check_dout(dMs, cache.Ms.shape, "dMs")
    dz_s = sigmoid_backward(dMs, cache.c_sigmoid)
    dmaps, dW7, _ = conv2d_backward(dz_s, cache.c_conv)
    dFs = {pool: dmaps[:, at : at + 1] for at, pool in enumerate(cache.pools)}  # undo the concatenation
    dF_from = pool_backward(dFs, cache.pools, into)
    dF = reduce(np.add, dF_from.values()) if into is None else into
    return SpatialGradients(dMs, dz_s, dW7, dFs, dF_from, dF)


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
        Gradient of `W7`.

    Raises
    ------
    ValueError
        If `dMs` does not have the map's shape.
    """
    g = spatial_gradients(dMs, cache)
    return g.dF, g.params
