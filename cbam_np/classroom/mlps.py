"""MLPs for the explorer, one for each number of channels and each reduction."""

from fractions import Fraction

import numpy as np

from ..cbam import init_cbam
from ..teach.example import lecture

LECTURE = {1: "slides", 3: "mixing"}  # by the reduction, for three channels
BIASES = {"b0": Fraction(1, 2), "b1": Fraction(-1, 4)}  # this project's choice, so that a bias can be seen to work


def mlps(channels: int) -> dict[int, dict[str, np.ndarray]]:
    """Return an MLP for every r that leaves a whole number of hidden units.

    The lecture's where it has one; otherwise drawn, and rounded to quarters, to calculate with.

    Parameters
    ----------
    channels : int
        C.

    Returns
    -------
    dict of int to dict of str to ndarray
        By r, `W0`, `b0`, `W1`, `b1` as fractions.
    """
    return {r: _mlp(channels, r) for r in range(1, channels + 1) if channels % r == 0}


def _mlp(channels: int, reduction: int) -> dict[str, np.ndarray]:
    if channels == len(lecture.F) and reduction in LECTURE:
        params = lecture.parameters(LECTURE[reduction])
    else:
        params = init_cbam(channels, reduction, rng=np.random.default_rng(0))
    hidden = channels // reduction
    sizes = {"b0": hidden, "b1": channels}
    weights = {name: quarters(params[name]) for name in ("W0", "W1")}
    return weights | {name: quarters(np.full(size, BIASES[name])) for name, size in sizes.items()}


def quarters(values: np.ndarray) -> np.ndarray:
    """Round numbers to quarters, as fractions; fractions stay as they are."""
    rounded = [v if isinstance(v, Fraction) else Fraction(round(4 * float(v)), 4) for v in values.flat]
    return np.array(rounded, object).reshape(values.shape)
