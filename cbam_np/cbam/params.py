"""The parameters of a CBAM block: made, looked up, and checked."""

import numpy as np

from ..ops.checks import as_float, check_option, check_rng
from .dialect import ORDERS, get_dialect

BIASES = ("b0", "b1")
STARTS = ("he", "zero")
LAST = ("W1", "W7")  # what gives an attention's score


def init_cbam(channels, reduction=16, kernel_size=7, *, rng, dialect="paper", dtype=np.float64, start="he", **changes):
    """Draw the parameters of a CBAM block, He-normal: N(0, 2 / fan-in); biases start at 0.

    Parameters
    ----------
    channels : int
        C, the channels of F.
    reduction : int
        r; the MLP has C // r hidden units (paper, section 3.1: r = 16).
    kernel_size : int
        k, odd, so that padding (k - 1) / 2 keeps the picture's size (paper, Table 2: 7).
    rng : numpy.random.Generator
        Where the randomness comes from.
    dialect : str or Dialect
        Choices, see `Dialect`.
    dtype : dtype
        float64 to teach and check, float32 to train.
    start : {"he", "zero"}
        With "zero", W1 and W7 start at 0: every weight of M_c and M_s is then 1/2, and the network starts as one
        without attention, but for that factor. With "he", the first maps are as random as the weights.
    **changes
        Any field of `Dialect`.

    Returns
    -------
    dict of str to ndarray
        `W0` (C/r, C), `W1` (C, C/r) where there is channel attention, each followed by its bias, `b0` (C/r,)
        and `b1` (C,), with ``mlp_bias=True``; `W7` (1, 2, k, k) where there is spatial attention (1 instead of
        2 with one spatial pool).

    Raises
    ------
    TypeError
        If rng is no generator.
    ValueError
        If r leaves no hidden unit, k is even, or an option is unknown.
    """
    check_rng(rng)
    check_option(start, "start", STARTS)
    if channels < 1:
        raise ValueError(f"channels is {channels}, expected at least 1")
    d = get_dialect(dialect, **changes)
    shapes = {}
    if "channel" in ORDERS[d.order]:
        hidden = channels // reduction if reduction else 0
        if reduction < 1 or hidden < 1:
            raise ValueError(
                f"reduction {reduction} leaves no hidden unit for {channels} channels: choose 1 to {channels}"
            )
        b0, b1 = ({"b0": (hidden,)}, {"b1": (channels,)}) if d.mlp_bias else ({}, {})
        shapes |= {"W0": (hidden, channels), **b0, "W1": (channels, hidden), **b1}
    if "spatial" in ORDERS[d.order]:
        check_kernel_size(kernel_size)
        shapes |= {"W7": (1, len(d.spatial_pools), kernel_size, kernel_size)}
    params = {}
    for name, shape in shapes.items():
        drawn = 0 if name in BIASES else rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        params[name] = np.full(
            shape, 0 if start == "zero" and name in LAST else drawn, dtype
        )  # what follows is the same
    return params


def check_kernel_size(k):
    """Raise a ValueError unless k is odd and positive."""
    if k < 1 or k % 2 == 0:
        raise ValueError(f"kernel_size is {k}, expected a positive odd number: an even kernel has no middle pixel")


AXES = {"W0": "hidden channels", "b0": "hidden", "W1": "channels hidden", "b1": "channels", "W7": "1 maps k k"}


def get_parameter(params, name):
    """Return one parameter as floats; a ValueError says if it is missing or not finite."""
    if name not in params:
        raise ValueError(f"params has no {name!r}, only {sorted(params)}: make it with init_cbam and the same options")
    W = as_float(params[name], name, AXES[name])
    if W.dtype != object and not np.isfinite(W).all():
        raise ValueError(f"{name} has entries that are not finite: training has diverged, lower the learning rate")
    return W
