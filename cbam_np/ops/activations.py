"""ReLU and sigmoid: the MLP's bend, and the squashing that turns scores into weights between 0 and 1."""

from typing import NamedTuple

import numpy as np

from ..engine.slices import batch_slices, over_slices
from .checks import as_float, check_dout, inexact


class ReLUCache(NamedTuple):
    """What `relu_backward` needs: the output, which is positive where the input is; so nobody has to keep that."""

    out: np.ndarray


class SigmoidCache(NamedTuple):
    """What `sigmoid_backward` needs: the output."""

    out: np.ndarray


def relu_forward(x):
    r"""Rectified linear unit, ReLU(x) = x if x > 0 else 0.

    Parameters
    ----------
    x : ndarray
        Any shape.

    Returns
    -------
    out : ndarray
        Same shape and dtype.
    cache : ReLUCache
        For `relu_backward`.

    Notes
    -----
    Source: the lecture, Step 1.
    """
    x = as_float(x, "x")
    if x.dtype == object or x.ndim == 0:
        out = np.maximum(x, 0)
        return out, ReLUCache(out)
    out = np.empty(x.shape, x.dtype)
    zero = np.zeros(x.shape[1:], x.dtype)  # NumPy compares with an array three times as fast as with one number
    over_slices(lambda s: np.maximum(x[s], zero, out=out[s]), batch_slices(len(x), 2 * x[0].nbytes))
    return out, ReLUCache(out)


def relu_backward(dout, cache):
    r"""Gradient of `relu_forward`.

    The slope is 1 where x > 0, which is where out > 0, and 0 elsewhere, so dx = dout ⊗ [out > 0]. At x = 0 there
    is no slope; we take 0, as every framework does.

    Parameters
    ----------
    dout : ndarray
        Gradient of the loss with respect to the output, the shape of x.
    cache : ReLUCache
        From `relu_forward`.

    Returns
    -------
    dx : ndarray
        The shape of x.

    Raises
    ------
    ValueError
        If `dout` does not have the shape of x.
    """
    out, dout = cache.out, check_dout(dout, cache.out.shape)
    if out.ndim == 0:
        return dout * (out > 0)
    dx = np.empty(out.shape, dout.dtype)
    over_slices(lambda s: np.multiply(dout[s], out[s] > 0, out=dx[s]), batch_slices(len(out), 3 * out[0].nbytes))
    return dx


def sigmoid_forward(z):
    r"""Logistic sigmoid, σ(z) = 1 / (1 + e^{-z}), without overflow at any z.

    Only e^{-|z|} is ever taken, which lies in (0, 1]: for z ≥ 0, σ = 1 / (1 + e^{-|z|}), and for z < 0 the
    same fraction multiplied by e^{-|z|}.

    Parameters
    ----------
    z : ndarray
        Any shape; exact fractions are turned into float64 here, because e is irrational.

    Returns
    -------
    out : ndarray
        Weights in [0, 1], same shape and float dtype.
    cache : SigmoidCache
        For `sigmoid_backward`.

    Notes
    -----
    Source: the lecture, Review: "a sigmoid gives weights in (0, 1)".
    """
    z = inexact(as_float(z, "z"))
    e = np.exp(-np.abs(z))
    out = np.where(z >= 0, 1, e) / (1 + e)
    return out, SigmoidCache(out)


def sigmoid_backward(dout, cache):
    r"""Gradient of `sigmoid_forward`.

    dσ/dz = e^{-z} / (1 + e^{-z})² = σ(z) (1 - σ(z)), so dz = dout ⊗ σ ⊗ (1 - σ).

    Parameters
    ----------
    dout : ndarray
        Gradient of the loss with respect to the output.
    cache : SigmoidCache
        From `sigmoid_forward`.

    Returns
    -------
    dz : ndarray
        The shape of z.

    Raises
    ------
    ValueError
        If `dout` does not have the shape of z.
    """
    return check_dout(dout, cache.out.shape) * cache.out * (1 - cache.out)
