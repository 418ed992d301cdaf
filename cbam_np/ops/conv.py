"""2-D convolution: the 7×7 of the lecture's spatial submodule, and every other convolution of a network.

As everywhere in deep learning, "convolution" means cross-correlation: the kernel is laid on the picture as it
is printed, without flipping it.
"""

from typing import NamedTuple

import numpy as np

from ..engine.im2col import Im2col
from ..engine.pointwise import Pointwise
from ..engine.slices import batch_slices, over_slices
from ..engine.toeplitz import Toeplitz
from ..engine.winograd import Winograd
from .checks import alike, as_float, check_dout, check_shape, inexact

WAYS = (Toeplitz, Winograd, Pointwise, Im2col)  # the same sums, in the order in which they are tried


class ConvCache(NamedTuple):
    """What `conv2d_backward` needs: the input, the kernels, how they are laid on it and how that was calculated."""

    x: np.ndarray
    W: np.ndarray
    has_bias: bool
    stride: int
    padding: int
    way: Toeplitz | Winograd | Pointwise | Im2col


def _find_way(x, W, stride, padding):
    """Return the fastest way to convolve."""
    return next(way for way in WAYS if way.fits(x, W, stride, padding))(W, stride, padding)


def _slices(way, x):
    """Cut the batch into slices in which the way fits the cache."""
    return batch_slices(len(x), way.bytes_each(x))


def _out_shape(x, W, stride, padding):
    """Return the shape of the output."""
    return len(x), len(W), *((n + 2 * padding - W.shape[-1]) // stride + 1 for n in x.shape[2:])


def conv2d_forward(x, W, b=None, stride=1, padding=0):
    r"""2-D convolution of a batch.

    out[n,o,i,j] = b[o] + Σ_{c,a,b'} W[o,c,a,b'] · x_pad[n, c, i·stride + a, j·stride + b'], where x_pad is x
    with `padding` zeros on every side. A slice of the batch at a time, pixels are copied into a matrix, and one
    matrix product with the kernels does all the sums: in general the windows are its columns (`Im2col`), 3×3
    kernels take half the products (`Winograd`), a single kernel is copied along a tile (`Toeplitz`), and 1×1 kernels
    need no copy (`Pointwise`).

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
    O, C, k, k_right = W.shape
    if k != k_right:
        raise ValueError(f"W has kernels of {k}×{k_right}, expected square ones: W is (outputs, channels, k, k)")
    if x.shape[1] != C:
        raise ValueError(f"x has {x.shape[1]} channels, W expects {C}: W is (outputs, channels, k, k), {W.shape}")
    if b is not None:
        check_shape(b, "b", (O,), "one bias an output channel")
    if stride < 1 or padding < 0:
        raise ValueError(f"stride is {stride} and padding {padding}, expected stride ≥ 1 and padding ≥ 0")
    if min(x.shape[2:]) + 2 * padding < k:
        padded = tuple(n + 2 * padding for n in x.shape[2:])
        raise ValueError(f"the {k}×{k} kernel is larger than the padded x, {padded}: raise the padding")
    out = np.empty(_out_shape(x, W, stride, padding), np.result_type(x, W))
    way = _find_way(x, W, stride, padding)

    over_slices(lambda s: way.forward(x[s], out[s]), _slices(way, x))
    if b is not None:
        out += np.asarray(b, out.dtype)[:, None, None]
    return out, ConvCache(x, W, b is not None, stride, padding, way)


def conv2d_backward(dout, cache, want_dx=True):
    r"""Gradient of `conv2d_forward`.

    W[o,c,a,b'] multiplies x_pad[n, c, i·stride+a, j·stride+b'] in out[n,o,i,j]. So dW is dout times the
    windows, dout · columnsᵀ, and each window gets the kernels weighted with dout, Wᵀ · dout, added back onto
    the pixels that it was copied from.

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
        way = _find_way(x, W, stride, padding)
    dout = check_dout(dout, _out_shape(x, W, stride, padding))
    dx = np.empty(x.shape, np.result_type(dout, W)) if want_dx else None
    parts = over_slices(lambda s: way.backward(dout[s], x[s], dx[s] if want_dx else None), _slices(way, x))
    dW = way.unfold(sum(parts))
    return dx, dW, dout.sum(axis=(0, 2, 3)) if has_bias else None


# The same, one number at a time, as one would by hand. Slow, for reading and for testing.


def conv2d_forward_loops(x, W, b=None, stride=1, padding=0):
    """Loop twin of `conv2d_forward`; returns only the output."""
    O, C, k, _ = W.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros(_out_shape(x, W, stride, padding), x.dtype)
    for n, o, i, j in np.ndindex(*out.shape):
        for c, a, d in np.ndindex(C, k, k):
            out[n, o, i, j] += W[o, c, a, d] * x_pad[n, c, i * stride + a, j * stride + d]
        if b is not None:
            out[n, o, i, j] += b[o]
    return out


def conv2d_backward_loops(dout, x, W, stride=1, padding=0):
    """Loop twin of `conv2d_backward`; returns dx, dW, db."""
    O, C, k, _ = W.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dx_pad, dW, db = np.zeros_like(x_pad), np.zeros_like(W), np.zeros(O, W.dtype)
    for n, o, i, j in np.ndindex(*dout.shape):
        db[o] += dout[n, o, i, j]
        for c, a, d in np.ndindex(C, k, k):
            dW[o, c, a, d] += dout[n, o, i, j] * x_pad[n, c, i * stride + a, j * stride + d]
            dx_pad[n, c, i * stride + a, j * stride + d] += dout[n, o, i, j] * W[o, c, a, d]
    H, Wd = x.shape[2:]
    return dx_pad[:, :, padding : padding + H, padding : padding + Wd], dW, db
