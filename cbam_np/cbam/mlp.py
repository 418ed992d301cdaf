"""The shared MLP: one small network that scores the channels, used on every pooled vector."""

from typing import NamedTuple

import numpy as np

from ..ops import linear_backward, linear_forward, relu_backward, relu_forward


class MLPCache(NamedTuple):
    """One pooled vector's way through the MLP: v, h = W0 v, a = ReLU(h), z = W1 a."""

    v: np.ndarray
    h: np.ndarray
    a: np.ndarray
    z: np.ndarray
    c_W0: tuple
    c_relu: tuple
    c_W1: tuple


class MLPGradients(NamedTuple):
    """The same way back, and what it leaves for the weights."""

    dv: np.ndarray
    dW0: np.ndarray
    dW1: np.ndarray
    dh: np.ndarray
    da: np.ndarray


def mlp_forward(v, W0, W1):
    r"""Two-layer perceptron without biases, MLP(v) = W1 ReLU(W0 v).

    Parameters
    ----------
    v : ndarray, shape (N, C)
        A pooled vector an image.
    W0 : ndarray, shape (C/r, C)
        First layer: C channels squeezed into C/r hidden units.
    W1 : ndarray, shape (C, C/r)
        Second layer: back to C channels.

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
    h, c_W0 = linear_forward(v, W0)  # (N,C) -> (N,C/r)
    a, c_relu = relu_forward(h)
    z, c_W1 = linear_forward(a, W1)  # (N,C/r) -> (N,C)
    return z, MLPCache(v, h, a, z, c_W0, c_relu, c_W1)


def mlp_gradients(dz, cache):
    """Do what `mlp_backward` does, and keep every gradient on the way."""
    da, dW1, _ = linear_backward(dz, cache.c_W1)
    dh = relu_backward(da, cache.c_relu)
    dv, dW0, _ = linear_backward(dh, cache.c_W0)
    return MLPGradients(dv, dW0, dW1, dh, da)


def mlp_backward(dz, cache):
    r"""Gradient of `mlp_forward`: da = W1ᵀ dz, dh = da ⊗ [h > 0], dv = W0ᵀ dh; dW1 = dz aᵀ, dW0 = dh vᵀ.

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
    """
    return mlp_gradients(dz, cache)[:3]
