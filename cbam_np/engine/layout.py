"""Views of a batch that bring its axes into the order a matrix product wants, and sums of its parts."""

from collections.abc import Iterable
from functools import reduce

import numpy as np


def flatten(x: np.ndarray) -> np.ndarray:
    """View (N, C, H, W) as (N, C, H·W)."""
    return x.reshape(x.shape[0], x.shape[1], -1)


def total(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Return the sum of arrays, such as what each slice of a batch contributes to a gradient."""
    return reduce(np.add, parts)
