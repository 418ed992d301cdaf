"""Channel attention, M_c: *what* to look at, one weight per channel."""

from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from ..engine import total
from ..ops import sigmoid, sigmoid_backward, sigmoid_forward
from ..ops.activations import SigmoidCache
from ..ops.checks import as_float, check_dout, check_shape
from .dialect import Dialect, get_dialect
from .mlp import MLPCache, MLPGradients, mlp, mlp_forward, mlp_gradients
from .params import BIASES, get_parameter, refuse_parameters
from .pools import pool_backward, pool_forward


def channel_attention(F: np.ndarray, W0: np.ndarray, W1: np.ndarray) -> np.ndarray:
    """M_c(F) = σ(MLP(AvgPool(F)) + MLP(MaxPool(F))): the definition."""
    F_avg = F.mean(axis=(2, 3))  # (N,C,H,W) -> (N,C)
    F_max = F.max(axis=(2, 3))
    Mc = sigmoid(mlp(F_avg, W0, W1) + mlp(F_max, W0, W1))
    return Mc[:, :, None, None]  # (N,C) -> (N,C,1,1)


class ChannelCache(NamedTuple):
    """Every quantity of channel attention; `mlps` and `pools` have one entry per pool."""

    F: np.ndarray
    mlps: dict[str, MLPCache]
    z_c: np.ndarray
    Mc: np.ndarray
    pools: dict[str, tuple]
    c_sigmoid: SigmoidCache

    def pooled(self, pool: str) -> np.ndarray:
        """Return one pool's numbers, (N, C)."""
        if pool not in self.mlps:
            raise AttributeError(f"this dialect has no {pool} pool over space, only {', '.join(self.mlps)}")
        return self.mlps[pool].v

    @property
    def F_avg(self) -> np.ndarray:
        """Averages over space, (N, C)."""
        return self.pooled("avg")

    @property
    def F_max(self) -> np.ndarray:
        """Maxima over space, (N, C)."""
        return self.pooled("max")


class ChannelGradients(NamedTuple):
    """Every gradient on the way back through channel attention.

    `db0` and `db1` are None where the MLP has no biases; `dF_from`, the gradient of F along each pool, is empty where
    it was not kept.
    """

    dMc: np.ndarray
    dz_c: np.ndarray
    mlps: dict[str, MLPGradients]
    dW0: np.ndarray
    dW1: np.ndarray
    db0: np.ndarray | None
    db1: np.ndarray | None
    dF_from: dict[str, np.ndarray]

    @property
    def dF(self) -> np.ndarray:
        """Gradient of F, the sum over the pools, where the paths were kept."""
        return reduce(np.add, self.dF_from.values())

    @property
    def params(self) -> dict[str, np.ndarray]:
        """Gradients of the parameters, with the parameters' names."""
        grads = {"W0": self.dW0, "b0": self.db0, "W1": self.dW1, "b1": self.db1}
        return {name: grad for name, grad in grads.items() if grad is not None}


def channel_attention_forward(
    F: np.ndarray, params: dict, dialect: str | Dialect = "paper", **changes: Any
) -> tuple[np.ndarray, ChannelCache]:
    r"""Channel attention map, M_c(F) = σ(MLP(AvgPool(F)) + MLP(MaxPool(F))), the pools running over space.

    Parameters
    ----------
    F : ndarray, shape (N, C, H, W)
        Feature map.
    params : dict
        `W0` (C/r, C) and `W1` (C, C/r), one MLP for both pools; with ``mlp_bias=True`` also `b0` (C/r,) and
        `b1` (C,), and only then.
    dialect : str or Dialect
        Choices, see `Dialect`.
    **changes
        Any field of `Dialect`.

    Returns
    -------
    Mc : ndarray, shape (N, C, 1, 1)
        One weight in (0, 1) per channel.
    cache : ChannelCache
        For `channel_attention_backward`.

    Raises
    ------
    ValueError
        If the shapes do not fit, a parameter is missing, biases are given that the dialect does not have, or F
        is not finite.

    Notes
    -----
    Source: the lecture, Step 1; paper, equation 2.
    """
    d = get_dialect(dialect, **changes)
    F, W0, W1 = as_float(F, "x", "N C H W"), get_parameter(params, "W0"), get_parameter(params, "W1")
    C = F.shape[1]
    if W0.shape[1] != C:
        raise ValueError(f"x has {C} channels, W0 expects {W0.shape[1]}: initialise with channels={C}")
    check_shape(W1, "W1", W0.shape[::-1], "W1 leads back from W0's hidden units to the channels")
    b0, b1 = _get_biases(params, W0, d)
    pooled, pools = pool_forward(F, d.channel_pools, "space", d.ties_over("space"))  # (N,C,H,W) -> (N,C)
    mlps = {pool: mlp_forward(v, W0, W1, b0, b1)[1] for pool, v in pooled.items()}
    z_c = total(mlp.z for mlp in mlps.values())  # b1 is in each z, so it counts once per pool
    Mc, c_sigmoid = sigmoid_forward(z_c)  # M_c = σ(MLP(avg) + MLP(max))
    Mc = Mc[:, :, None, None]  # (N,C) -> (N,C,1,1)
    return Mc, ChannelCache(F, mlps, z_c, Mc, pools, c_sigmoid)


def _get_biases(params: dict, W0: np.ndarray, dialect: Dialect) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return b0 and b1, checked, or None for both where the dialect has none."""
    if not dialect.mlp_bias:
        refuse_parameters(params, BIASES, "this dialect's MLP has no biases", "mlp_bias=True")
        return None, None
    b0, b1 = (get_parameter(params, name) for name in BIASES)
    hidden, C = W0.shape
    check_shape(b0, "b0", (hidden,), "one bias per hidden unit, which is a row of W0")
    check_shape(b1, "b1", (C,), "one bias per channel")
    return b0, b1


def channel_gradients(
    dMc: np.ndarray, cache: ChannelCache, into: np.ndarray, keep_paths: bool = False
) -> ChannelGradients:
    """Do what `channel_attention_backward` does, and return every gradient on the way.

    The gradient of F is added to `into`, a gradient of F along another path; with `keep_paths`, that along each pool
    is returned as well.
    """
    dMc = check_dout(dMc, cache.Mc.shape, "dMc")
    dz_c = sigmoid_backward(dMc[:, :, 0, 0], cache.c_sigmoid)
    mlps = {pool: mlp_gradients(dz_c, mlp) for pool, mlp in cache.mlps.items()}
    dW0 = total(g.dW0 for g in mlps.values())  # one MLP used twice: its gradients add
    dW1 = total(g.dW1 for g in mlps.values())
    db0 = _sum_if_any([g.db0 for g in mlps.values()])
    db1 = _sum_if_any([g.db1 for g in mlps.values()])
    paths: dict[str, np.ndarray] = {}
    pool_backward({pool: g.dv for pool, g in mlps.items()}, cache.pools, into, paths if keep_paths else None)
    return ChannelGradients(dMc, dz_c, mlps, dW0, dW1, db0, db1, paths)


def _sum_if_any(grads: list[np.ndarray | None]) -> np.ndarray | None:
    """Add up the gradients of a bias; None where there is no bias."""
    given = [g for g in grads if g is not None]
    return total(given) if given else None


def channel_attention_backward(dMc: np.ndarray, cache: ChannelCache) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    r"""Gradient of `channel_attention_forward`.

    dz = dM_c ⊗ M_c ⊗ (1 - M_c) enters both branches of the sum as it is; each goes back through the MLP and
    its pool. The MLP is one, used twice: its two gradients add, so that db1 = 2 Σ_n dz where there is a bias. F
    feeds both pools: theirs add too.

    Parameters
    ----------
    dMc : ndarray, shape (N, C, 1, 1)
        Gradient of the loss with respect to the map.
    cache : ChannelCache
        From `channel_attention_forward`.

    Returns
    -------
    dF : ndarray, shape (N, C, H, W)
        Gradient of the feature map.
    grads : dict
        Gradients of `W0` and `W1`, and of `b0` and `b1` where the MLP has them.

    Raises
    ------
    ValueError
        If `dMc` does not have the map's shape.
    """
    dF = np.zeros(cache.F.shape, np.result_type(dMc, cache.Mc))
    return dF, channel_gradients(dMc, cache, into=dF).params
