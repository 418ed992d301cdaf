"""2-D convolution: the 7×7 of the lecture's spatial submodule, and every other convolution of a network.

As everywhere in deep learning, "convolution" means cross-correlation: the kernel is laid on the picture as it
is printed, without flipping it.
"""

from typing import Any, NamedTuple

import numpy as np

from .. import engine
from .checks import alike, as_float, check_dout, check_shape, inexact


def conv2d_forward_loops(
    x: np.ndarray, W: np.ndarray, b: np.ndarray | None = None, stride: int = 1, padding: int = 0
) -> np.ndarray:
    """Convolve one number at a time, as one would by hand: the definition."""
    N, C, H, width = x.shape
    O, _, k, _ = W.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((N, O, (H + 2 * padding - k) // stride + 1, (width + 2 * padding - k) // stride + 1), x.dtype)
    for n, o, i, j in np.ndindex(*out.shape):
        for c, a, d in np.ndindex(C, k, k):
            out[n, o, i, j] += W[o, c, a, d] * x_pad[n, c, i * stride + a, j * stride + d]
        if b is not None:
            out[n, o, i, j] += b[o]
    return out


def conv2d_backward_loops(
    dout: np.ndarray, x: np.ndarray, W: np.ndarray, stride: int = 1, padding: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return dx, dW, db: each product of the definition hands dout on to its two factors."""
    O, C, k, _ = W.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dx_pad, dW, db = np.zeros_like(x_pad), np.zeros_like(W), np.zeros(O, W.dtype)
    for n, o, i, j in np.ndindex(*dout.shape):
        db[o] += dout[n, o, i, j]
        for c, a, d in np.ndindex(C, k, k):
            dW[o, c, a, d] += dout[n, o, i, j] * x_pad[n, c, i * stride + a, j * stride + d]
            dx_pad[n, c, i * stride + a, j * stride + d] += dout[n, o, i, j] * W[o, c, a, d]
    H, width = x.shape[2:]
    return dx_pad[:, :, padding : padding + H, padding : padding + width], dW, db


class ConvCache(NamedTuple):
    """What `conv2d_backward` needs: the input, the kernels, how they are laid on it, and how the engine did it."""

    x: np.ndarray
    W: np.ndarray
    has_bias: bool
    stride: int
    padding: int
    way: Any


def conv2d_forward(
    x: np.ndarray, W: np.ndarray, b: np.ndarray | None = None, stride: int = 1, padding: int = 0
) -> tuple[np.ndarray, ConvCache]:
    r"""2-D convolution of a batch.

    out[n,o,i,j] = b[o] + Σ_{c,a,d} W[o,c,a,d] · x_pad[n, c, i·stride + a, j·stride + d], where x_pad is x with
    `padding` zeros on every side: `conv2d_forward_loops`, all at once.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Feature map.
    W : ndarray, shape (O, C, k, k)
        O kernels of side k, odd or even.
    b : ndarray, shape (O,), optional
        Bias.
    stride, padding : int
        In pixels. With stride 1 and odd k, padding (k - 1) / 2 keeps the picture's size.

    Returns
    -------
    out : ndarray, shape (N, O, (H+2·padding-k)//stride+1, (W+2·padding-k)//stride+1)
        Same dtype as the arrays given.
    cache : ConvCache
        For `conv2d_backward`.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Notes
    -----
    Source: the lecture, Step 2, f^{7×7}.
    """
    x, W = alike(as_float(x, "x", "N C H W"), as_float(W, "W", "outputs channels k k"))
    _check(x, W, b, stride, padding)
    out, way = engine.convolve(x, W, stride, padding)
    if b is not None:
        out += np.asarray(as_float(b, "b"), out.dtype)[:, None, None]
    return out, ConvCache(x, W, b is not None, stride, padding, way)


def _check(x: np.ndarray, W: np.ndarray, b: np.ndarray | None, stride: int, padding: int) -> None:
    """Raise a ValueError unless the kernels can be laid on x."""
    O, C, k, k_right = W.shape
    if k != k_right:
        raise ValueError(f"W has kernels of {k}×{k_right}, expected square ones: W is (outputs, channels, k, k)")
    if x.shape[1] != C:
        raise ValueError(f"x has {x.shape[1]} channels, W expects {C}: W is (outputs, channels, k, k), {W.shape}")
    if b is not None:
        check_shape(b, "b", (O,), "one bias per output channel")
    if stride < 1 or padding < 0:
        raise ValueError(f"stride is {stride} and padding {padding}, expected stride ≥ 1 and padding ≥ 0")
    if min(x.shape[2:]) + 2 * padding < k:
        padded = tuple(n + 2 * padding for n in x.shape[2:])
        raise ValueError(f"the {k}×{k} kernel is larger than the padded x, {padded}: raise the padding")


def conv2d_backward(
    dout: np.ndarray, cache: ConvCache, want_dx: bool = True
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    r"""Gradient of `conv2d_forward`.

    W[o,c,a,d] multiplies x_pad[n, c, i·stride+a, j·stride+d] in out[n,o,i,j]. So dW[o,c,a,d] is the sum of
    dout[n,o,i,j] times those pixels, and each pixel collects dout[n,o,i,j] · W[o,c,a,d] from every window it is in.

    Parameters
    ----------
    dout : ndarray, shape (N, O, H', W')
        Gradient of the loss with respect to the output.
    cache : ConvCache
        From `conv2d_forward`.
    want_dx : bool
        Whether the gradient of the input is wanted; in the first layer of a network, training can do without.

    Returns
    -------
    dx : ndarray, shape (N, C, H, W), or None
        Gradient of the input, None where it is not wanted.
    dW : ndarray, shape (O, C, k, k)
        Gradient of the kernels.
    db : ndarray, shape (O,), or None
        Gradient of the bias, None where forward had none.

    Raises
    ------
    ValueError
        If `dout` does not have the output's shape.
    """
    x, W, has_bias, stride, padding, way = cache
    if x.dtype == object:  # where a gradient begins, exactness ends
        x, W = inexact(x), inexact(W)
        way = engine.find_way(x, W, stride, padding)
    dout = check_dout(dout, engine.out_shape(x, W, stride, padding))
    dx, dW = engine.convolve_backward(dout, x, way, want_dx)
    return dx, dW, dout.sum(axis=(0, 2, 3)) if has_bias else None
