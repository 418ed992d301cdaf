"""The gate: an attention map multiplied onto a feature map, F' = M ⊗ F."""

from typing import NamedTuple

import numpy as np

from .. import engine
from ..ops.checks import as_float, check_dout, inexact


class GateCache(NamedTuple):
    """What `gate_backward` needs: the feature map and the attention map."""

    F: np.ndarray
    M: np.ndarray


def gate_forward(F: np.ndarray, M: np.ndarray, out: np.ndarray | None = None) -> tuple[np.ndarray, GateCache]:
    r"""Multiply an attention map onto a feature map, out = M ⊗ F.

    Parameters
    ----------
    F : ndarray, shape (N, C, H, W)
        Feature map.
    M : ndarray, shape (N, C, 1, 1) or (N, 1, H, W)
        One weight per channel, or one per pixel; repeated along its axes of length 1.
    out : ndarray, shape (N, C, H, W), optional
        Where to write the result.

    Returns
    -------
    out : ndarray, shape (N, C, H, W)
        The weighted feature map.
    cache : GateCache
        For `gate_backward`.

    Raises
    ------
    ValueError
        If M is neither.

    Notes
    -----
    Source: the lecture, end of Step 1 and Step 3; paper, equation 1.
    """
    F, M = inexact(as_float(F, "F", "N C H W")), as_float(M, "M", "N C H W")
    N, C, H, W = F.shape
    if M.shape not in ((N, C, 1, 1), (N, 1, H, W)):
        raise ValueError(
            f"M has shape {M.shape}, expected one weight per channel, {(N, C, 1, 1)}, or one per pixel, {(N, 1, H, W)}"
        )
    return engine.repeating(np.multiply, F, M, out), GateCache(F, M)


def gate_backward(dout: np.ndarray, cache: GateCache, out: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    r"""Gradient of `gate_forward`.

    The product rule: dF = dout ⊗ M, and each weight collects from all that it multiplied, dM = Σ dout ⊗ F
    over the axes along which M was repeated.

    Parameters
    ----------
    dout : ndarray, shape (N, C, H, W)
        Gradient of the loss with respect to the output.
    cache : GateCache
        From `gate_forward`.
    out : ndarray, shape (N, C, H, W), optional
        Where to write dF; may be `dout` itself.

    Returns
    -------
    dF : ndarray, shape (N, C, H, W)
        Gradient of the feature map, along this path.
    dM : ndarray, shape of M
        Gradient of the attention map.

    Raises
    ------
    ValueError
        If `dout` does not have the output's shape.
    """
    F, M = cache
    dout = check_dout(dout, F.shape)
    per_channel = M.shape[2:] == (1, 1) and M.shape[1] == F.shape[1]
    dM = engine.dot_per_channel(dout, F) if per_channel else np.einsum("nchw,nchw->nhw", dout, F)
    return engine.repeating(np.multiply, dout, M, out), dM.reshape(M.shape)
