"""Maxima of small windows, all windows at once: one place of a window after the other."""

from collections.abc import Iterator
from functools import reduce

import numpy as np

from .slices import batch_slices, over_slices


def _taps(x: np.ndarray, size: int, stride: int) -> Iterator[np.ndarray]:
    """Yield, for each place (i, j) of a window, that place's pixel in every window: views (N, C, H', W')."""
    H, W = ((n - size) // stride + 1 for n in x.shape[2:])
    for i in range(size):
        for j in range(size):
            yield x[:, :, i : i + stride * H : stride, j : j + stride * W : stride]


def window_maxima(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """Return the maximum of every window: of its columns first, then of what they leave."""
    N, C, *sides = x.shape
    H, W = ((n - size) // stride + 1 for n in sides)
    out = np.empty((N, C, H, W), x.dtype)

    def pool(s: slice) -> None:
        columns = reduce(np.maximum, (x[s, :, i : i + stride * H : stride] for i in range(size)))
        out[s] = reduce(np.maximum, (columns[..., j : j + stride * W : stride] for j in range(size)))

    over_slices(pool, batch_slices(N, 2 * x[0].nbytes))
    return out


def pool_windows(x: np.ndarray, size: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the maximum of every window, and at which of its places, 0 … size²-1, it was first met."""
    H, W = ((n - size) // stride + 1 for n in x.shape[2:])
    out = np.empty((*x.shape[:2], H, W), x.dtype)
    where = np.empty(out.shape, np.min_scalar_type(size**2))

    def pool(s: slice) -> None:
        first, *others = _taps(x[s], size, stride)
        out[s], where[s] = first, 0
        for at, tap in enumerate(others, start=1):
            tap = np.ascontiguousarray(tap)  # read twice below, and faster than in steps
            larger = tap > out[s]
            np.maximum(where[s], larger.view(np.uint8) * where.dtype.type(at), out=where[s])
            np.maximum(out[s], tap, out=out[s])

    over_slices(pool, batch_slices(len(x), 2 * x[0].nbytes))
    return out, where


def share_windows(
    dout: np.ndarray, x: np.ndarray, out: np.ndarray, where: np.ndarray | None, size: int, stride: int
) -> np.ndarray:
    """Hand dout back to each window's maximum: to the one at `where`, or in even parts to all, where that is None."""
    tiled = stride == size and not any(n % size for n in x.shape[2:])  # each pixel is in one window
    dx = (np.empty if tiled else np.zeros)(x.shape, dout.dtype)

    def write(s: slice) -> None:
        d = dout[s]
        parts: Iterator[np.ndarray]
        if where is not None:
            parts = (where[s] == at for at in range(size**2))
        else:
            equal = [tap == out[s] for tap in _taps(x[s], size, stride)]
            parts, d = iter(equal), d / sum(part.astype(d.dtype) for part in equal)
        for dtap, part in zip(_taps(dx[s], size, stride), parts, strict=True):
            if stride >= size:  # no pixel is in two windows
                np.multiply(d, part, out=dtap)
            else:
                dtap += d * part

    over_slices(write, batch_slices(len(x), 3 * x[0].nbytes))
    return dx
