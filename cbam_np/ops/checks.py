"""What every operation asks of its arrays, so that bad input gets a clear error."""

from collections.abc import Iterable, Sequence
from numbers import Rational

import numpy as np
from numpy.typing import ArrayLike


def unmasked(x: ArrayLike, name: str) -> np.ndarray:
    """Return `x` as an array; raise a TypeError where it hides numbers behind a mask, which would be used after all."""
    if type(x) is not np.ndarray and np.ma.is_masked(x):
        raise TypeError(f"{name} hides numbers behind a mask, expected all of them: fill it, as in {name}.filled(0)")
    return np.asarray(x)


def as_float(x: ArrayLike, name: str, axes: str | None = None) -> np.ndarray:
    """Return `x` as an array that the operations can calculate with.

    float32 and float64 stay what they are; integers and booleans become float64; object arrays of
    `fractions.Fraction` pass untouched, so that the operations before a sigmoid can be run exactly.

    Parameters
    ----------
    x : array_like
        What the caller was given.
    name : str
        What the error messages call it.
    axes : str, optional
        The axes that it must have, by name, as in "N C H W"; any where none are given.

    Returns
    -------
    ndarray
        `x` itself where nothing had to change.

    Raises
    ------
    TypeError
        If the numbers are of a kind that has no gradient (text, complex, float16, ...), or hidden behind a mask.
    ValueError
        If the number of axes is wrong or the array is empty.
    """
    x = unmasked(x, name)
    kind = x.dtype.kind
    if kind in "iub":
        x = x.astype(np.float64)
    elif kind == "O":
        others = {type(value).__name__ for value in x.flat if not isinstance(value, Rational)}
        if others:
            raise TypeError(f"{name} holds {', '.join(sorted(others))}, expected numbers, or fractions throughout")
    elif kind in "US":
        raise TypeError(f"{name} holds text ({x.dtype}), expected numbers: float32 or float64")
    elif kind == "c":
        raise TypeError(f"{name} is {x.dtype}, expected real numbers: float32 or float64")
    elif x.dtype.char not in "fd":  # float32, float64
        raise TypeError(f"{name} is {x.dtype}, expected float32 or float64: convert it with .astype(np.float64)")
    elif not x.dtype.isnative:  # bytes in another order, as in files of other machines
        x = x.astype(x.dtype.newbyteorder("="))
    if axes is not None and x.ndim != axes.count(" ") + 1:
        expected = f"{len(axes.split())}, ({axes.replace(' ', ', ')})"
        hint = ": one image is a batch of one, x[None]" if axes == "N C H W" and x.ndim == 3 else ""
        raise ValueError(
            f"{name} has {x.ndim} {'axis' if x.ndim == 1 else 'axes'}, shape {x.shape}; expected {expected}{hint}"
        )
    if x.size == 0:
        hint = ": pass at least one image of at least one pixel" if axes == "N C H W" else ""
        raise ValueError(f"{name} is empty, shape {x.shape}{hint}")
    return x


def inexact(x: np.ndarray) -> np.ndarray:
    """Return `x` with fractions turned into float64: where a sigmoid or a gradient begins, exactness ends."""
    return x.astype(np.float64) if x.dtype == object else x


def alike(x: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both arrays as they are if both or none hold fractions, and otherwise both as floats."""
    return (x, W) if x.dtype == W.dtype else (inexact(x), inexact(W))


def check_shape(array: ArrayLike, name: str, expected: Sequence[int], hint: str) -> None:
    """Raise a ValueError that names `array`, both shapes and the way out, unless its shape is `expected`."""
    if np.shape(array) != tuple(expected):
        raise ValueError(f"{name} has shape {np.shape(array)}, expected {tuple(expected)}: {hint}")


def check_option(value: object, name: str, allowed: Iterable) -> None:
    """Raise a ValueError that lists what is `allowed`, unless `value` is one of it."""
    if value not in list(allowed):  # a list, so that a value which cannot be hashed is answered as well
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, allowed))}")


def check_count(value: object, name: str, most: int) -> None:
    """Raise a ValueError unless `value` is a whole number from 1 to `most`."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValueError(f"{name} is {value!r}, expected a whole number from 1 to {most}")


def check_rng(rng: object) -> None:
    """Raise a TypeError unless `rng` is a NumPy generator: randomness is handed in, never taken from a global one."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}, expected a generator: np.random.default_rng(0)")


def check_dout(dout: ArrayLike, out_shape: Sequence[int], name: str = "dout") -> np.ndarray:
    """Return the upstream gradient as floats; raise a ValueError unless it has the shape of forward's output."""
    dout = inexact(as_float(dout, name))
    check_shape(dout, name, out_shape, "the gradient has the shape of the output it belongs to")
    return dout
