"""What every operation asks of its arrays, so that bad input is answered in words."""

from numbers import Rational

import numpy as np

AXES = {1: "(N,)", 2: "(N, C)", 4: "(N, C, H, W)"}


def as_float(x, name, ndim=None):
    """Return `x` as an array that the operations can calculate with.

    float32 and float64 stay what they are; integers and booleans become float64; object arrays of
    `fractions.Fraction` pass untouched, so that the operations before a sigmoid can be run exactly.

    Parameters
    ----------
    x : array_like
        What the caller was given.
    name : str
        What the error messages call it.
    ndim : int, optional
        The number of axes that it must have; any number where none is given.

    Returns
    -------
    ndarray
        `x` itself where nothing had to change.

    Raises
    ------
    TypeError
        If the numbers are of a kind that has no gradient (text, complex, float16, ...).
    ValueError
        If the number of axes is wrong or the array is empty.
    """
    x = np.asarray(x)
    if x.dtype.kind in "iub":
        x = x.astype(np.float64)
    elif x.dtype.kind == "O":
        if not all(isinstance(value, Rational) for value in x.flat):
            raise TypeError(f"{name} is an object array with more than fractions in it: pass numbers")
    elif x.dtype not in (np.float32, np.float64):
        raise TypeError(f"{name} is {x.dtype}, expected float32 or float64: convert it with .astype(np.float64)")
    if ndim is not None and x.ndim != ndim:
        hint = ": one image is a batch of one, x[None]" if (ndim, x.ndim) == (4, 3) else ""
        raise ValueError(
            f"{name} has {x.ndim} axes, shape {x.shape}; expected {ndim}, {AXES.get(ndim, 'as documented')}{hint}"
        )
    if x.size == 0:
        raise ValueError(f"{name} is empty, shape {x.shape}: pass at least one image of at least one pixel")
    return x


def check_shape(array, name, expected, hint):
    """Raise a ValueError that names `array`, both shapes and the way out, unless its shape is `expected`."""
    if np.shape(array) != tuple(expected):
        raise ValueError(f"{name} has shape {np.shape(array)}, expected {tuple(expected)}: {hint}")


def check_option(value, name, allowed):
    """Raise a ValueError that lists what is `allowed`, unless `value` is one of it."""
    if value not in list(allowed):  # a list, so that a value which cannot be hashed is answered as well
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, allowed))}")


def check_dout(dout, out_shape, name="dout"):
    """Return the upstream gradient as floats; raise a ValueError unless it has the shape of forward's output."""
    dout = as_float(dout, name)
    check_shape(dout, name, out_shape, "the gradient has the shape of the output it belongs to")
    return dout
