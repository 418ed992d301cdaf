"""The shared MLP: one small network that scores the channels, used on every pooled vector."""

from typing import NamedTuple

import numpy as np

from ..ops import linear_backward, linear_forward, relu, relu_backward, relu_forward
from ..ops.activations import ReLUCache
from ..ops.linear import LinearCache


def mlp(v: np.ndarray, W0: np.ndarray, W1: np.ndarray) -> np.ndarray:
    """W1 ReLU(W0 v), for each row v: the definition."""
    return relu(v @ W0.T) @ W1.T  # (N,C) -> (N,C/r) -> (N,C)


class MLPCache(NamedTuple):
    """One pooled vector's way through the MLP: v, h = W0 v + b0, a = ReLU(h), z = W1 a + b1."""

    v: np.ndarray
    h: np.ndarray
    a: np.ndarray
    z: np.ndarray
    c_W0: LinearCache
    c_relu: ReLUCache
    c_W1: LinearCache


class MLPGradients(NamedTuple):
    """The same way back, and what it leaves for the weights; `db0`, `db1` are None where there is no bias."""

    dv: np.ndarray
    dW0: np.ndarray
    dW1: np.ndarray
    db0: np.ndarray | None
    db1: np.ndarray | None
    dh: np.ndarray
    da: np.ndarray


def mlp_forward(
    v: np.ndarray, W0: np.ndarray, W1: np.ndarray, b0: np.ndarray | None = None, b1: np.ndarray | None = None
) -> tuple[np.ndarray, MLPCache]:
    r"""Two-layer perceptron, MLP(v) = W1 ReLU(W0 v + b0) + b1.

    Parameters
    ----------
    v : ndarray, shape (N, C)
        One pooled vector per image.
    W0 : ndarray, shape (C/r, C)
        First layer: C channels squeezed into C/r hidden units.
    W1 : ndarray, shape (C, C/r)
        Second layer: back to C channels.
    b0 : ndarray, shape (C/r,), optional
        Bias of the first layer; the paper has none.
    b1 : ndarray, shape (C,), optional
        Bias of the second layer; the paper has none.

    Returns
    -------
    z : ndarray, shape (N, C)
        Scores.
    cache : MLPCache
        For `mlp_backward`.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Notes
    -----
    Source: the lecture, Step 1; paper, equation 2.
    """
    h, c_W0 = linear_forward(v, W0, b0)  # (N,C) -> (N,C/r)
    a, c_relu = relu_forward(h)
    z, c_W1 = linear_forward(a, W1, b1)  # (N,C/r) -> (N,C)
    return z, MLPCache(v, h, a, z, c_W0, c_relu, c_W1)


def mlp_gradients(dz: np.ndarray, cache: MLPCache) -> MLPGradients:
    """Do what `mlp_backward` does, and keep every gradient on the way."""
    da, dW1, db1 = linear_backward(dz, cache.c_W1)
    dh = relu_backward(da, cache.c_relu)
    dv, dW0, db0 = linear_backward(dh, cache.c_W0)
    return MLPGradients(dv, dW0, dW1, db0, db1, dh, da)


def mlp_backward(dz: np.ndarray, cache: MLPCache) -> tuple[np.ndarray, ...]:
    r"""Gradient of `mlp_forward`: da = W1ᵀ dz, dh = da ⊗ [h > 0], dv = W0ᵀ dh; dW1 = dz aᵀ, dW0 = dh vᵀ.

    A bias is added to each image's h or z: db1 = Σ_n dz, db0 = Σ_n dh. What is returned is one gradient for each
    array that forward was given, in forward's order: three without biases, five with both.

    Parameters
    ----------
    dz : ndarray, shape (N, C)
        Gradient of the loss with respect to the scores.
    cache : MLPCache
        From `mlp_forward`.

    Returns
    -------
    dv : ndarray, shape (N, C)
        Gradient of the pooled vectors.
    dW0 : ndarray, shape (C/r, C)
        Gradient of the first layer.
    dW1 : ndarray, shape (C, C/r)
        Gradient of the second layer.
    db0 : ndarray, shape (C/r,)
        Gradient of the first layer's bias, where forward had one.
    db1 : ndarray, shape (C,)
        Gradient of the second layer's bias, where forward had one.

    Raises
    ------
    ValueError
        If `dz` does not have the scores' shape.
    """
    dv, dW0, dW1, db0, db1, *_ = mlp_gradients(dz, cache)
    return dv, dW0, dW1, *(db for db in (db0, db1) if db is not None)
