"""The linear map: each of the two layers of CBAM's MLP, and the head of a network."""

from typing import NamedTuple

import numpy as np

from .. import engine
from .checks import alike, as_float, check_dout, check_shape, inexact


def linear(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """X Wᵀ + b, for each row of x: the definition."""
    return np.array([[np.dot(W[m], x[n]) + b[m] for m in range(len(W))] for n in range(len(x))])


class LinearCache(NamedTuple):
    """What `linear_backward` needs: the input and the weights."""

    x: np.ndarray
    W: np.ndarray
    has_bias: bool


@engine.one_blas_thread()
def linear_forward(x: np.ndarray, W: np.ndarray, b: np.ndarray | None = None) -> tuple[np.ndarray, LinearCache]:
    r"""Linear map of every row, out = x Wᵀ + b.

    Parameters
    ----------
    x : ndarray, shape (N, D)
        One input vector per row.
    W : ndarray, shape (M, D)
        The weights of one output per row.
    b : ndarray, shape (M,), optional
        Bias; the lecture's MLP has none.

    Returns
    -------
    out : ndarray, shape (N, M)
        One output vector per row.
    cache : LinearCache
        For `linear_backward`.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Notes
    -----
    Source: the lecture, Step 1: W_0 and W_1 are linear maps.
    """
    x, W = alike(as_float(x, "x", "N inputs"), as_float(W, "W", "outputs inputs"))
    if x.shape[1] != W.shape[1]:
        raise ValueError(f"x has {x.shape[1]} features, W expects {W.shape[1]}: W is (outputs, inputs), {W.shape}")
    out = x @ W.T  # (N,D) @ (D,M) -> (N,M)
    if b is not None:
        b = as_float(b, "b", "outputs")
        check_shape(b, "b", (len(W),), "one bias per output")
        out, b = alike(out, b)
        out = out + b.astype(out.dtype)
    return out, LinearCache(x, W, b is not None)


@engine.one_blas_thread()
def linear_backward(dout: np.ndarray, cache: LinearCache) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    r"""Gradient of `linear_forward`.

    out_m = Σ_d W_md x_d + b_m. Each x_d reaches every output through W_md: dx = dout W.
    Each W_md meets x_d once per image: dW = doutᵀ x, summed over the batch; b meets a 1: db = Σ_n dout.

    Parameters
    ----------
    dout : ndarray, shape (N, M)
        Gradient of the loss with respect to the output.
    cache : LinearCache
        From `linear_forward`.

    Returns
    -------
    dx : ndarray, shape (N, D)
        Gradient of the input.
    dW : ndarray, shape (M, D)
        Gradient of the weights.
    db : ndarray, shape (M,), or None
        Gradient of the bias, None where forward had none.

    Raises
    ------
    ValueError
        If `dout` does not have the output's shape.
    """
    x, W, has_bias = inexact(cache.x), inexact(cache.W), cache.has_bias
    dout = check_dout(dout, (len(x), len(W)))
    return dout @ W, dout.T @ x, dout.sum(axis=0) if has_bias else None
