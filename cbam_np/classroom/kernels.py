"""Kernels for the spatial submodule, each showing something else that it can do."""

from fractions import Fraction

import numpy as np

from ..teach.example import lecture
from ..train import load_pretrained


def _zeros() -> np.ndarray:
    return np.full((1, 2, 7, 7), Fraction(0), dtype=object)


def uniform() -> np.ndarray:
    """Return the kernel that averages: each of the 49 neighbours counts the same, in both maps."""
    return np.full((1, 2, 7, 7), Fraction(1, 49), dtype=object)


def centre() -> np.ndarray:
    """Return the kernel that sees one pixel: it adds average and maximum, and looks at no neighbour."""
    W7 = _zeros()
    W7[:, :, 3, 3] = Fraction(1)
    return W7


def edge() -> np.ndarray:
    """Return the kernel that finds edges: a pixel, less the mean of its eight neighbours, in both maps."""
    W7 = _zeros()
    W7[:, :, 2:5, 2:5] = Fraction(-1, 8)
    W7[:, :, 3, 3] = Fraction(1)
    return W7


def learned() -> np.ndarray:
    """Return the kernel of the last stage of a network that has learned shapes."""
    return load_pretrained("smallcnn-cbam-shapes").stage3.attention.params["W7"].astype(float)


KERNELS = {"lecture": lecture.kernel, "uniform": uniform, "centre": centre, "edge": edge, "learned": learned}
