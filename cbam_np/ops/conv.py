"""2-D convolution: the 7×7 of the lecture's spatial submodule, and every other convolution of a network.

As everywhere in deep learning, "convolution" means cross-correlation: the kernel is laid on the picture as it
is printed, without flipping it.
"""

from typing import NamedTuple

import numpy as np

from . import bands
from .checks import alike, as_float, check_dout, check_shape, inexact
from .slices import batch_slices, over_slices


class ConvCache(NamedTuple):
    """What `conv2d_backward` needs: the padded input and the kernel."""

    x_pad: np.ndarray
    W: np.ndarray
    has_bias: bool
    stride: int
    padding: int


def _out_size(x_pad, k, stride):
    """Height and width of the output."""
    return tuple((n - k) // stride + 1 for n in x_pad.shape[2:])


def _tap(x_pad, i, j, size, stride):
    """Return the pixel that kernel entry (i, j) meets at every place: a view (N, C, H', W')."""
    H, W = size
    return x_pad[:, :, i : i + stride * H : stride, j : j + stride * W : stride]


def _columns(x_pad, k, stride):
    """Copy every window into a column: (n, C, H, W) -> (C·k·k, n·H'·W'), rows in the order of W[o].ravel()."""
    n, C = x_pad.shape[:2]
    size = _out_size(x_pad, k, stride)
    columns = np.empty((C, k, k, n, *size), x_pad.dtype)
    for i, j in np.ndindex(k, k):
        columns[:, i, j] = _tap(x_pad, i, j, size, stride).swapaxes(0, 1)
    return columns.reshape(C * k * k, -1)


def _add_columns(dx_pad, dcolumns, k, stride):
    """Add every column back onto the pixels it was copied from: `_columns`, undone."""
    n, C = dx_pad.shape[:2]
    size = _out_size(dx_pad, k, stride)
    dcolumns = dcolumns.reshape(C, k, k, n, *size)
    for i, j in np.ndindex(k, k):
        tap = _tap(dx_pad, i, j, size, stride)
        tap += dcolumns[:, i, j].swapaxes(0, 1)


def _inner(x_pad, padding):
    """View what lies inside the padding."""
    H, W = x_pad.shape[2:]
    return x_pad[:, :, padding : H - padding, padding : W - padding]


def _slices(x_pad, k, stride):
    """Cut the batch so that the columns of a slice fit the cache; the same cut forward and backward."""
    H, W = _out_size(x_pad, k, stride)
    return batch_slices(len(x_pad), x_pad.shape[1] * k * k * H * W * x_pad.itemsize)


def conv2d_forward(x, W, b=None, stride=1, padding=0):
    r"""2-D convolution of a batch.

    out[n,o,i,j] = b[o] + Σ_{c,a,b'} W[o,c,a,b'] · x_pad[n, c, i·stride + a, j·stride + b'], where x_pad is x
    with `padding` zeros on every side. The windows are copied into the columns of a matrix, a slice of the
    batch at a time, and one matrix product with the kernel's rows does all the sums.

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
    x_pad = np.zeros((*x.shape[:2], *(n + 2 * padding for n in x.shape[2:])), x.dtype)
    if min(x_pad.shape[2:]) < k:
        raise ValueError(f"the {k}×{k} kernel is larger than the padded x, {x_pad.shape[2:]}: raise the padding")
    H, Wd = _out_size(x_pad, k, stride)
    out = np.empty((len(x), O, H, Wd), np.result_type(x, W))

    def convolve(s):
        _inner(x_pad, padding)[s] = x[s]
        if bands.fits(W, x_pad, stride, padding):
            out[s] = bands.forward(x_pad[s], W)
            return
        rows = W.reshape(O, -1) @ _columns(x_pad[s], k, stride)  # (O,C·k·k) @ (C·k·k,n·H'·W') -> (O,n·H'·W')
        out[s] = rows.reshape(O, -1, H, Wd).swapaxes(0, 1)

    over_slices(convolve, _slices(x_pad, k, stride))
    if b is not None:
        out += np.asarray(b, out.dtype)[:, None, None]
    return out, ConvCache(x_pad, W, b is not None, stride, padding)


def conv2d_backward(dout, cache):
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

    Returns
    -------
    dx : ndarray, shape (N, C, H, W)
        Gradient of the input.
    dW : ndarray, shape (O, C, k, k)
        Gradient of the kernels.
    db : ndarray, shape (O,), or None
        Gradient of the bias, None where forward had none.

    Raises
    ------
    ValueError
        If `dout` does not have the output's shape.
    """
    x_pad, W, has_bias, stride, p = cache
    x_pad, W = inexact(x_pad), inexact(W)
    O, _, k, _ = W.shape
    dout = check_dout(dout, (len(x_pad), O, *_out_size(x_pad, k, stride)))
    dx = np.empty(_inner(x_pad, p).shape, np.result_type(dout, W))

    def backward(s):
        if bands.fits(W, x_pad, stride, p):
            dx[s], dW = bands.backward(dout[s], x_pad[s], W, p)
            return dW
        dx_pad = np.zeros(x_pad[s].shape, dx.dtype)
        rows = dout[s].swapaxes(0, 1).reshape(O, -1)  # (n,O,H',W') -> (O,n·H'·W')
        _add_columns(dx_pad, W.reshape(O, -1).T @ rows, k, stride)
        dx[s] = _inner(dx_pad, p)
        return rows @ _columns(x_pad[s], k, stride).T  # this slice's part of dW

    dW = sum(over_slices(backward, _slices(x_pad, k, stride)))
    return dx, dW.reshape(W.shape), dout.sum(axis=(0, 2, 3)) if has_bias else None


# The same, one number at a time, as one would by hand. Slow, for reading and for testing.


def conv2d_forward_loops(x, W, b=None, stride=1, padding=0):
    """Loop twin of `conv2d_forward`; returns only the output."""
    O, C, k, _ = W.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((len(x), O, *_out_size(x_pad, k, stride)), x.dtype)
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
