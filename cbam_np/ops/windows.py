"""Max pooling over small windows, which halves a picture between the stages of a network."""

from typing import NamedTuple

import numpy as np

from ..engine.slices import batch_slices, over_slices
from .checks import as_float, check_dout, check_option
from .pooling import TIES, share_loops


class MaxPool2dCache(NamedTuple):
    """What `max_pool2d_backward` needs: the padded input, the output, where each maximum was first met, the windows."""

    x: np.ndarray
    out: np.ndarray
    where: np.ndarray  # 0 … size²-1, in reading order
    size: int
    stride: int
    padding: int
    ties: str


def _pad(x, padding):
    """Return x with pixels all around that are never the maximum; x itself where there are none."""
    if not padding:
        return x
    return np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)], constant_values=-np.inf)


def _taps(x, size, stride):
    """Yield, for each place (i, j) of a window, that place's pixel in every window: views (N, C, H', W')."""
    H, W = ((n - size) // stride + 1 for n in x.shape[2:])
    for i in range(size):
        for j in range(size):
            yield x[:, :, i : i + stride * H : stride, j : j + stride * W : stride]


def max_pool2d_forward(x, size=2, stride=None, ties="first", padding=0):
    r"""Maximum over windows, out[n,c,i,j] = max_{a,b < size} x_pad[n,c, i·stride+a, j·stride+b].

    x_pad is x with `padding` pixels on every side that are never the maximum, -∞. Rows and columns that do not fill
    a window are left out.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Feature map.
    size : int
        Side of a window in pixels.
    stride : int, optional
        Step from window to window in pixels; `size` where none is given, so that windows do not overlap.
    ties : {"first", "split"}
        Who gets the gradient where a window's maximum is reached more than once.
    padding : int
        In pixels, at most half of `size`.

    Returns
    -------
    out : ndarray, shape (N, C, (H+2·padding-size)//stride+1, (W+2·padding-size)//stride+1)
        Maxima.
    cache : MaxPool2dCache
        For `max_pool2d_backward`.

    Raises
    ------
    ValueError
        If x does not have four axes, no window fits, or an option is unknown.
    """
    x = as_float(x, "x", "N C H W")
    stride = size if stride is None else stride
    check_option(ties, "ties", TIES)
    if size < 1 or stride < 1:
        raise ValueError(f"size is {size} and stride {stride}, expected both to be 1 or more")
    if not 0 <= padding <= size // 2:
        raise ValueError(f"padding is {padding}, expected 0 to {size // 2}: a window must see a pixel of x")
    x = _pad(x, padding)
    if size > min(x.shape[2:]):
        raise ValueError(f"no {size}×{size} window fits into x, shape {x.shape}: make it smaller")
    H, W = ((n - size) // stride + 1 for n in x.shape[2:])
    out = np.empty((*x.shape[:2], H, W), x.dtype)
    where = np.empty(out.shape, np.min_scalar_type(size**2))

    def pool(s):
        first, *others = _taps(x[s], size, stride)
        out[s], where[s] = first, 0
        for at, tap in enumerate(others, start=1):
            tap = np.ascontiguousarray(tap)  # read twice below, and faster than in steps
            larger = tap > out[s]
            np.maximum(where[s], larger.view(np.uint8) * where.dtype.type(at), out=where[s])
            np.maximum(out[s], tap, out=out[s])

    over_slices(pool, batch_slices(len(x), 2 * x[0].nbytes))
    return out, MaxPool2dCache(x, out, where, size, stride, padding, ties)


def max_pool2d_backward(dout, cache):
    r"""Gradient of `max_pool2d_forward`.

    As in `max_pool_backward`, a window at a time; a pixel that is the maximum of several windows collects
    the gradients of them all.

    Parameters
    ----------
    dout : ndarray, shape (N, C, H', W')
        Gradient of the loss with respect to the output.
    cache : MaxPool2dCache
        From `max_pool2d_forward`.

    Returns
    -------
    dx : ndarray, shape (N, C, H, W)
        Gradient of the input.

    Raises
    ------
    ValueError
        If `dout` does not have the output's shape.
    """
    x, out, where, size, stride, padding, ties = cache
    dout = check_dout(dout, out.shape)
    tiled = stride == size and not any(n % size for n in x.shape[2:])  # each pixel is in one window
    dx = (np.empty if tiled else np.zeros)(x.shape, dout.dtype)

    def share(s):
        d = dout[s]
        if ties == "first":
            shares = (where[s] == at for at in range(size**2))
        else:
            shares = [tap == out[s] for tap in _taps(x[s], size, stride)]
            d = d / sum(part.astype(d.dtype) for part in shares)
        for dtap, part in zip(_taps(dx[s], size, stride), shares, strict=True):
            if stride >= size:  # no pixel is in two windows
                np.multiply(d, part, out=dtap)
            else:
                dtap += d * part

    over_slices(share, batch_slices(len(x), 3 * x[0].nbytes))
    H, W = (n - 2 * padding for n in x.shape[2:])
    return np.ascontiguousarray(dx[:, :, padding : padding + H, padding : padding + W])


# The same, one number at a time. Slow, for reading and for testing.


def _windows(x, size, stride):
    """Yield each output index of `max_pool2d_forward` and the indices in its window, in reading order."""
    N, C, H, W = x.shape
    for n, c, i, j in np.ndindex(N, C, (H - size) // stride + 1, (W - size) // stride + 1):
        window = [(n, c, i * stride + a, j * stride + b) for a in range(size) for b in range(size)]
        yield (n, c, i, j), window


def max_pool2d_forward_loops(x, size=2, stride=None, padding=0):
    """Loop twin of `max_pool2d_forward`; returns only the maxima."""
    x_pad = _pad(x, padding)
    maxima = {o: max(x_pad[m] for m in window) for o, window in _windows(x_pad, size, stride or size)}
    shape = [last + 1 for last in max(maxima)]
    return np.array(list(maxima.values()), x.dtype).reshape(shape)


def max_pool2d_backward_loops(dout, x, size=2, stride=None, ties="first", padding=0):
    """Loop twin of `max_pool2d_backward`."""
    x_pad = _pad(x, padding)
    dx_pad = np.zeros_like(x_pad)
    for o, window in _windows(x_pad, size, stride or size):
        share_loops(dx_pad, dout[o], x_pad, window, ties)
    H, W = x.shape[2:]
    return dx_pad[:, :, padding : padding + H, padding : padding + W]
