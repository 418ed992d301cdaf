"""Max pooling over small windows, which halves a picture between the stages of a network."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .. import engine
from .checks import as_float, check_dout, check_option
from .pooling import TIES, share_loops


def _pad(x: np.ndarray, padding: int) -> np.ndarray:
    """Return x with pixels all around that are never the maximum; x itself where there are none."""
    if not padding:
        return x
    return np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)], constant_values=-np.inf)


def _windows(x: np.ndarray, size: int, stride: int) -> Iterator[tuple[tuple, list[tuple]]]:
    """Yield each output index of `max_pool2d_forward` and the indices in its window, in reading order."""
    N, C, H, W = x.shape
    for n, c, i, j in np.ndindex(N, C, (H - size) // stride + 1, (W - size) // stride + 1):
        window = [(n, c, i * stride + a, j * stride + b) for a in range(size) for b in range(size)]
        yield (n, c, i, j), window


def max_pool2d_forward_loops(x: np.ndarray, size: int = 2, stride: int | None = None, padding: int = 0) -> np.ndarray:
    """Look at one window after the other: the definition."""
    x_pad = _pad(x, padding)
    maxima = {o: max(x_pad[m] for m in window) for o, window in _windows(x_pad, size, stride or size)}
    shape = [last + 1 for last in max(maxima)]
    return np.array(list(maxima.values()), x.dtype).reshape(shape)


def max_pool2d_backward_loops(
    dout: np.ndarray,
    x: np.ndarray,
    size: int = 2,
    stride: int | None = None,
    ties: str = "first",
    padding: int = 0,
) -> np.ndarray:
    """Give each window's maximum that window's gradient."""
    x_pad = _pad(x, padding)
    dx_pad = np.zeros_like(x_pad)
    for o, window in _windows(x_pad, size, stride or size):
        share_loops(dx_pad, dout[o], x_pad, window, ties)
    H, W = x.shape[2:]
    return dx_pad[:, :, padding : padding + H, padding : padding + W]


def _padded(x: np.ndarray, size: int, stride: int, padding: int) -> np.ndarray:
    """Return x with its padding, checked."""
    x = as_float(x, "x", "N C H W")
    if size < 1 or stride < 1:
        raise ValueError(f"size is {size} and stride {stride}, expected both to be 1 or more")
    if not 0 <= padding <= size // 2:
        raise ValueError(f"padding is {padding}, expected 0 to {size // 2}: a window must see a pixel of x")
    x = _pad(x, padding)
    if size > min(x.shape[2:]):
        raise ValueError(f"no {size}×{size} window fits into x, shape {x.shape}: make it smaller")
    return x


def max_pool2d(x: np.ndarray, size: int = 2, stride: int | None = None, padding: int = 0) -> np.ndarray:
    """Return what `max_pool2d_forward` returns, without a cache: nobody asks where the maxima lie, which takes long.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Feature map.
    size, stride, padding : int
        As in `max_pool2d_forward`.

    Returns
    -------
    ndarray, shape (N, C, (H+2·padding-size)//stride+1, (W+2·padding-size)//stride+1)
        Maxima.

    Raises
    ------
    ValueError
        If x does not have four axes or no window fits.
    """
    stride = size if stride is None else stride
    return engine.window_maxima(_padded(x, size, stride, padding), size, stride)


class MaxPool2dCache(NamedTuple):
    """What `max_pool2d_backward` needs: the padded input, the output, where each maximum was first met, the windows.

    Of the input, the rule "first" needs the shape alone: there, `x` is a view of a single 0, and takes no memory.
    """

    x: np.ndarray
    out: np.ndarray
    where: np.ndarray  # 0 … size²-1, in reading order
    size: int
    stride: int
    padding: int
    ties: str


def max_pool2d_forward(
    x: np.ndarray, size: int = 2, stride: int | None = None, ties: str = "first", padding: int = 0
) -> tuple[np.ndarray, MaxPool2dCache]:
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
    stride = size if stride is None else stride
    check_option(ties, "ties", TIES)
    x = _padded(x, size, stride, padding)
    out, where = engine.pool_windows(x, size, stride)
    if ties == "first":
        x = np.broadcast_to(x.dtype.type(0), x.shape)
    return out, MaxPool2dCache(x, out, where, size, stride, padding, ties)


def max_pool2d_backward(dout: np.ndarray, cache: MaxPool2dCache) -> np.ndarray:
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
    dx = engine.share_windows(dout, x, out, where if ties == "first" else None, size, stride)
    H, W = (n - 2 * padding for n in x.shape[2:])
    return np.ascontiguousarray(dx[:, :, padding : padding + H, padding : padding + W])
