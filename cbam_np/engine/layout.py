"""Views of a batch that bring its axes into the order a matrix product wants, and sums of its parts."""

from collections.abc import Iterable
from functools import reduce

import numpy as np


def flatten(x: np.ndarray) -> np.ndarray:
    """View (N, C, H, W) as (N, C, H·W)."""
    return x.reshape(x.shape[0], x.shape[1], -1)


def copy_rows(source: np.ndarray, to: np.ndarray) -> None:
    """Do ``to[...] = source``, both of one shape.

    Short rows, such as a picture's, NumPy copies number by number, and takes as long again to begin each of them. Where
    the numbers of a row lie side by side, it is told that a row is a single item, of so many bytes.
    """
    in_rows = all(x.strides[-1] == x.itemsize for x in (source, to))
    if in_rows and source.dtype == to.dtype != object:
        row = f"V{source.shape[-1] * source.itemsize}"
        source, to = source.view(row), to.view(row)
    to[...] = source


def copied_rows(source: np.ndarray) -> np.ndarray:
    """Return ``np.ascontiguousarray(source)``, a new array in any case, copied row by row."""
    to = np.empty(source.shape, source.dtype)
    copy_rows(source, to)
    return to


def total(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Return the sum of arrays, such as what each slice of a batch contributes to a gradient."""
    return reduce(np.add, parts)
