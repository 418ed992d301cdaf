"""Numerical gradients, to check the ones that were derived by hand.

Nothing here knows a layer: a function from an array to an array is nudged, one entry at a time, and watched.
"""

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

KINK = 1e-3  # how far the slopes left and right of a point may differ, relatively, before it counts as a kink


class KinkWarning(UserWarning):
    """The function has a corner inside the step, so that no one number is its slope there."""


def _refuse_float32(array: ArrayLike, name: str) -> np.ndarray:
    array = np.asarray(array)
    if array.dtype.kind == "f" and array.dtype != np.float64:
        raise TypeError(
            f"{name} is {array.dtype}, expected float64: a step of 1e-5 drowns in the rounding of anything "
            "shorter; convert every array with .astype(np.float64)"
        )
    if array.dtype != np.float64:
        raise TypeError(f"{name} is {array.dtype}, expected float64: convert every array with .astype(np.float64)")
    return array


def numerical_gradient(
    f: Callable[[np.ndarray], np.ndarray], x: np.ndarray, dout: np.ndarray | float = 1.0, step: float = 1e-5
) -> np.ndarray:
    r"""Gradient of L = Σ dout ⊗ f(x) by central differences, (L(x + h) - L(x - h)) / 2h, entry by entry.

    The error is of the order of h² times the third derivative plus the rounding of L divided by h.

    Parameters
    ----------
    f : callable
        Takes an array like x and returns an array; called twice per entry of x, and once at x.
    x : ndarray of float64
        Where to take the gradient; not written to.
    dout : ndarray of float64, or 1.0
        Weights of the outputs in L, of the shape of f(x): the gradient that backward would be given.
    step : float
        h.

    Returns
    -------
    ndarray of float64
        The gradient, in the shape of x.

    Raises
    ------
    TypeError
        If x or f(x) is not float64.
    ValueError
        If f(x) or its gradient is not finite, or `dout` does not have the shape of f(x).

    Warns
    -----
    KinkWarning
        If the slopes left and right of x differ, as at ReLU's 0 or where two numbers share a maximum; the
        message lists the entries, at which a gradient by hand may rightly differ.
    """
    x = _refuse_float32(x, "x").copy()
    at_x = _refuse_float32(f(x.copy()), "f(x)")
    if not np.isfinite(at_x).all():
        raise ValueError(f"f(x) has {np.count_nonzero(~np.isfinite(at_x))} entries that are not finite: check x")
    if np.ndim(dout) and np.shape(dout) != at_x.shape:
        raise ValueError(f"dout has shape {np.shape(dout)}, f(x) has {at_x.shape}: they must be the same")

    def slopes(index: tuple[int, ...], h: float) -> tuple[float, float]:
        """Return the slopes of L left and right of entry `index`."""
        kept, changes = x[index], []
        for by in (-h, h):
            x[index] = kept + by
            changes.append((dout * (np.asarray(f(x.copy())) - at_x)).sum() / by)
        x[index] = kept
        return changes[0], changes[1]

    left, right = np.empty_like(x), np.empty_like(x)
    for index in np.ndindex(*x.shape):
        left[index], right[index] = slopes(index, step)
    gradient = (left + right) / 2
    if not np.isfinite(gradient).all():
        raise ValueError("the gradient is not finite: f overflows within the step")
    _warn_of_kinks(left, right, slopes, step)
    return gradient


def _warn_of_kinks(left: np.ndarray, right: np.ndarray, slopes: Callable, step: float) -> None:
    """Compare slopes left and right: with half the step, a curve's gap is half as large, a corner's is not."""
    gap = right - left
    suspects = map(tuple, np.argwhere(np.abs(gap) > KINK * max(np.abs(left).max(), np.abs(right).max())))
    kinks = []
    for index in suspects:
        left_half, right_half = slopes(index, step / 2)
        if not 0.45 < (right_half - left_half) / gap[index] < 0.55:
            kinks.append(tuple(map(int, index)))
    if kinks:
        shown = ", ".join(map(str, kinks[:5])) + (", ..." if len(kinks) > 5 else "")
        warnings.warn(
            f"kink inside the step at {len(kinks)} of {gap.size} entries: {shown} (a ReLU at 0, a tied maximum); "
            "compare the other entries",
            KinkWarning,
            stacklevel=3,
        )


def relative_error(a: ArrayLike, b: ArrayLike) -> float:
    r"""Largest difference between two gradients, relative to their largest entry: max|a - b| / max(|a|, |b|).

    The scale is the whole array's, so that entries which are 0 in truth and 1e-12 by rounding do not count
    as wrong.

    Parameters
    ----------
    a, b : ndarray
        Gradients of one shape.

    Returns
    -------
    float
        0 where both are 0 everywhere.

    Raises
    ------
    ValueError
        If the shapes differ or a number is not finite.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        raise ValueError(f"the gradients have shapes {a.shape} and {b.shape}: they must be the same")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("a gradient has entries that are not finite")
    scale = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    return float(np.abs(a - b).max() / scale) if scale else 0.0


def check_gradient(
    f: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    dout: np.ndarray,
    dx: np.ndarray,
    tolerance: float = 1e-6,
    step: float = 1e-5,
) -> float:
    """Check a gradient derived by hand against the numerical one.

    Parameters
    ----------
    f : callable
        The forward pass as a function of x alone.
    x : ndarray of float64
        Where.
    dout : ndarray of float64
        The upstream gradient that `dx` was computed from.
    dx : ndarray of float64
        The gradient by hand.
    tolerance : float
        Largest relative error to accept.
    step : float
        Step of the central differences.

    Returns
    -------
    float
        The relative error.

    Raises
    ------
    AssertionError
        If the error is larger than `tolerance`; the message names the worst entry.
    TypeError
        If an array is not float64.

    Warns
    -----
    KinkWarning
        See `numerical_gradient`.

    Examples
    --------
    >>> import numpy as np
    >>> from cbam_np.gradcheck import check_gradient
    >>> x, dout = np.array([1.0, 2.0]), np.array([1.0, 1.0])
    >>> check_gradient(np.square, x, dout, dx=2 * x) < 1e-6
    True
    """
    dx = _refuse_float32(dx, "dx")
    expected = numerical_gradient(f, x, dout, step)
    error = relative_error(dx, expected)
    if error > tolerance:
        worst = np.unravel_index(np.abs(dx - expected).argmax(), dx.shape)
        raise AssertionError(
            f"relative error {error:.2g} is more than {tolerance:g}; worst at {tuple(map(int, worst))}: "
            f"{dx[worst]:.6g} by hand, {expected[worst]:.6g} by central differences"
        )
    return error
