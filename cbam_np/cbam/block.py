"""CBAM: channel attention, then spatial attention, F' = M_c(F) ⊗ F and F'' = M_s(F') ⊗ F'."""

from typing import Any

import numpy as np

from ..ops.checks import as_float, check_dout
from .caches import CBAMCache, CBAMGradients, added, joined
from .channel import channel_attention
from .dialect import Dialect, get_dialect
from .slices import run_backward, run_forward
from .spatial import spatial_attention


def cbam(F: np.ndarray, W0: np.ndarray, W1: np.ndarray, W7: np.ndarray) -> np.ndarray:
    """Return F'', looking for what, then for where: the definition, as the lecture has it."""
    F1 = channel_attention(F, W0, W1) * F  # F'  = M_c(F)  ⊗ F
    F2 = spatial_attention(F1, W7) * F1  #   F'' = M_s(F') ⊗ F'
    return F2


def cbam_forward(
    x: np.ndarray,
    params: dict,
    dialect: str | Dialect = "paper",
    running: tuple[np.ndarray, np.ndarray] | None = None,
    **changes: Any,
) -> tuple[np.ndarray, CBAMCache]:
    r"""Convolutional Block Attention Module, F' = M_c(F) ⊗ F, F'' = M_s(F') ⊗ F'.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Feature map F. Integers are promoted to float64.
    params : dict
        `W0`, `W1`, `W7` as `init_cbam` makes them; with ``mlp_bias=True`` also `b0`, `b1`, and with
        ``spatial_norm=True`` also `gamma`, `beta`.
    dialect : str or Dialect
        Choices, see `Dialect`.
    running : (mean, var), each of shape (1,), optional
        Statistics for a dialect's batch normalisation, in inference; the batch's own where none are given, in
        training. Other dialects have no use for it.
    **changes
        Any field of `Dialect`, for instance ``order="spatial-channel"``.

    Returns
    -------
    out : ndarray, shape (N, C, H, W)
        F''.
    cache : CBAMCache
        Every quantity on the way, by its name in the lecture, for `cbam_backward`. A large batch is run in slices
        that fit the cache of the processor, side by side.

    Raises
    ------
    TypeError
        If the numbers have no gradient (text, complex), or an option does not exist.
    ValueError
        If the shapes do not fit, a parameter is missing, biases are given without ``mlp_bias=True``, x is empty or
        not finite, or an option's value is unknown.

    Notes
    -----
    Source: the lecture, Step 3; paper, equation 1.

    Examples
    --------
    >>> import numpy as np, cbam_np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((2, 32, 8, 8))
    >>> params = cbam_np.init_cbam(32, reduction=16, rng=rng)
    >>> out, cache = cbam_np.cbam_forward(x, params)
    >>> out.shape, cache.Mc.shape, cache.Ms.shape
    ((2, 32, 8, 8), (2, 32, 1, 1), (2, 1, 8, 8))
    """
    d = get_dialect(dialect, **changes)
    x = as_float(x, "x", "N C H W")
    cache = run_forward(x, params, d, running)
    return cache.F2, cache


def cbam_backward(dout: np.ndarray, cache: CBAMCache) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    r"""Gradient of `cbam_forward`.

    Each gate is a product, F ⊗ M(F), in which F appears twice: directly and inside its map. So the gradient of
    F is M ⊗ dout plus what comes back through M. The gates are undone last one first.

    Parameters
    ----------
    dout : ndarray, shape (N, C, H, W)
        Gradient of the loss with respect to F''.
    cache : CBAMCache
        From `cbam_forward`.

    Returns
    -------
    dx : ndarray, shape (N, C, H, W)
        Gradient of F.
    grads : dict
        Gradients of the parameters, with the parameters' names.

    Raises
    ------
    ValueError
        If `dout` does not have the output's shape.

    Examples
    --------
    >>> import numpy as np, cbam_np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((2, 32, 8, 8))
    >>> out, cache = cbam_np.cbam_forward(x, cbam_np.init_cbam(32, rng=rng))
    >>> dx, grads = cbam_np.cbam_backward(np.ones_like(out), cache)
    >>> dx.shape, {name: grad.shape for name, grad in grads.items()}
    ((2, 32, 8, 8), {'W7': (1, 2, 7, 7), 'W0': (2, 32), 'W1': (32, 2)})
    """
    dx, parts = run_backward(check_dout(dout, cache.F2.shape), cache)
    return dx, added([part.params for part in parts])


def cbam_gradients(dout: np.ndarray, cache: CBAMCache) -> CBAMGradients:
    """Do what `cbam_backward` does, and keep every gradient on the way, for a trace.

    It is the same calculation: `cbam_backward` throws away what a trace shows.

    Parameters
    ----------
    dout : ndarray, shape (N, C, H, W)
        Gradient of the loss with respect to F''.
    cache : CBAMCache
        From `cbam_forward`.

    Returns
    -------
    CBAMGradients
        The gradients by name.

    Raises
    ------
    ValueError
        If `dout` does not have the output's shape.

    Examples
    --------
    >>> import numpy as np, cbam_np
    >>> rng = np.random.default_rng(0)
    >>> out, cache = cbam_np.cbam_forward(rng.standard_normal((1, 32, 8, 8)), cbam_np.init_cbam(32, rng=rng))
    >>> g = cbam_np.cbam_gradients(np.ones_like(out), cache)
    >>> g.spatial.dMs.shape, g.channel.dMc.shape
    ((1, 1, 8, 8), (1, 32, 1, 1))
    """
    _, parts = run_backward(check_dout(dout, cache.F2.shape), cache, keep_paths=True)
    return joined(parts)
