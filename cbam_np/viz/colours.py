"""One look for all: features in blues, attention in viridis from 0 to 1, signed values in red and blue.

Viridis is perceptually even and safe for the colour-blind; limits of signed values are symmetric: white is 0.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize, to_hex
from numpy.typing import ArrayLike

Limits = tuple[float, float]
KINDS = {"features": "Blues", "attention": "viridis", "signed": "RdBu_r"}


def limits_of(values: ArrayLike, kind: str) -> Limits:
    """Return colour limits: attention is 0 to 1, signed values are symmetric, features start at 0."""
    if kind == "attention":
        return 0.0, 1.0
    values = np.asarray(values, float)
    largest = float(np.abs(values).max()) or 1.0
    return (-largest, largest) if kind == "signed" else (min(0.0, float(values.min())), 1.5 * largest)


def ink_on(colour: Sequence[float]) -> str:
    """Return black or white, whichever can be read on the colour."""
    red, green, blue, *_ = colour
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def cell_colours(values: ArrayLike, kind: str, limits: Limits | None = None) -> list[tuple[str, str]]:
    """Return the colours of cells and of what is written on them.

    Parameters
    ----------
    values : array_like
        Numbers, in any shape.
    kind : {"features", "attention", "signed"}
        Which colours.
    limits : (float, float), optional
        Smallest and largest value of the colours, to share them between matrices.

    Returns
    -------
    list of (str, str)
        For each cell, in the order of `ravel`, its colour as "#rrggbb" and "black" or "white".
    """
    values = np.asarray(values, float)
    norm = Normalize(*(limits or limits_of(values, kind)))
    return [(to_hex(colour), ink_on(colour)) for colour in colormaps[KINDS[kind]](norm(values.ravel()))]
