"""Maxima along an axis of (N, C, H·W), where they lie, and gradients that are added there."""

import numpy as np

from .elementwise import repeating
from .threads import one_blas_thread


@one_blas_thread()
def mean_along(flat: np.ndarray, axis: int) -> np.ndarray:
    """Return the average of (N, C, H·W) along an axis.

    Along a row, einsum adds faster than sum; along channels, so does a row of ones times all rows.
    """
    if flat.dtype == object:
        return flat.sum(axis=axis) / flat.shape[axis]
    sums = np.einsum("ncs->nc", flat) if axis == 2 else (np.ones((1, flat.shape[1]), flat.dtype) @ flat)[:, 0]
    return sums / flat.shape[axis]


def maxima_and_places(flat: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the maxima along an axis, which is kept, and where the first of each lies, if that comes for free."""
    if axis == 1 and flat.dtype != object:  # along channels, argmax jumps about in memory; `_first_channel` is faster
        return flat.max(axis=axis, keepdims=True), None
    places = flat.argmax(axis=axis, keepdims=True)
    return np.take_along_axis(flat, places, axis), places


def add_at_maxima(
    dx: np.ndarray, dout: np.ndarray, flat: np.ndarray, maxima: np.ndarray, places: np.ndarray | None, axis: int
) -> None:
    """Add dout to dx, where the first of each of the maxima lies."""
    at = list(np.ogrid[tuple(map(slice, dx.shape))])
    at[axis] = _first_channel(flat, maxima) if places is None else places
    dx.reshape(-1)[np.ravel_multi_index(at, dx.shape)] += dout  # one index is faster than three


def _first_channel(flat: np.ndarray, maxima: np.ndarray) -> np.ndarray:
    """Return ``flat.argmax(axis=1, keepdims=True)``, the maxima over channels being known."""
    last = flat.shape[1] - 1
    to_go = np.arange(last, -1, -1).astype(np.min_scalar_type(last))[:, None]  # channels that come after this one
    found = repeating(np.equal, flat, maxima).view(np.uint8)
    return last - repeating(np.multiply, found, to_go).max(axis=1, keepdims=True).astype(np.intp)
