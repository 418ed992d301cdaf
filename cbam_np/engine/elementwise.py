"""One number at a time, over slices of the batch."""

import numpy as np

from .slices import batch_slices, over_slices

ROW = 1024  # numbers


def repeating(ufunc: np.ufunc, a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Return ufunc(a, b) where one of them is repeated along an axis, as an attention map is.

    NumPy 2 copies such rows into a buffer before it calculates, unless a row is as long as the buffer; so a small
    buffer lets it work on rows of 1024 pixels and more where they are. The numbers are the same.
    """
    before = np.setbufsize(ROW)
    try:
        return ufunc(a, b, out=out)
    finally:
        np.setbufsize(before)


def positive_part(x: np.ndarray) -> np.ndarray:
    """Return max(x, 0)."""
    if x.dtype == object or x.ndim == 0:
        return np.maximum(x, 0)
    out = np.empty(x.shape, x.dtype)
    zero = np.zeros(x.shape[1:], x.dtype)  # NumPy compares with an array three times as fast as with one number
    over_slices(lambda s: np.maximum(x[s], zero, out=out[s]), batch_slices(len(x), 2 * x[0].nbytes))
    return out


def pass_where_positive(dout: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Return dout where out > 0, and 0 elsewhere."""
    if out.ndim == 0:
        return dout * (out > 0)
    dx = np.empty(out.shape, dout.dtype)
    over_slices(lambda s: np.multiply(dout[s], out[s] > 0, out=dx[s]), batch_slices(len(out), 3 * out[0].nbytes))
    return dx
