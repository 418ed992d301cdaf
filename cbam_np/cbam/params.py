"""The parameters of a CBAM block: made, looked up, and checked."""

import numpy as np

from ..ops.checks import as_float, check_option, check_rng
from .dialect import ORDERS, STARTS, get_dialect

BIASES = ("b0", "b1")
NORM = ("gamma", "beta")


def init_cbam(
    channels, reduction=None, kernel_size=7, *, rng, dialect="paper", dtype=np.float64, start=None, **changes
):
    r"""Draw the parameters of a CBAM block; biases start at 0.

    Parameters
    ----------
    channels : int
        C, the channels of F.
    reduction : int, optional
        r; the MLP has C // r hidden units (paper, section 3.1: r = 16). The dialect's where none is given.
    kernel_size : int
        k, odd, so that padding (k - 1) / 2 keeps the picture's size (paper, Table 2: 7).
    rng : numpy.random.Generator
        Where the randomness comes from.
    dialect : str or Dialect
        Choices, see `Dialect`.
    dtype : dtype
        float64 to teach and check, float32 to train.
    start : {"he", "zero", "pytorch", "official"}, optional
        The dialect's where none is given, for the paper "he": N(0, 2 / fan-in), so that the first maps are as random
        as the weights. With "zero", W1 and W7 (γ where there is one) start at 0: every weight of M_c and M_s is then
        1/2, and the network starts as one without attention, but for that factor. "pytorch" is what its layers do
        by themselves, uniform in ±1/√fan-in. "official" is the authors' code: W7 from N(0, 2 / fan-out) and γ = 0,
        so that M_s is 1/2 and W7 gets no gradient on the first step; W0 and W1 as in PyTorch.
    **changes
        Any field of `Dialect`.

    Returns
    -------
    dict of str to ndarray
        `W0` (C/r, C), `W1` (C, C/r) where there is channel attention, each followed by its bias, `b0` (C/r,)
        and `b1` (C,), with ``mlp_bias=True``; `W7` (1, 2, k, k) where there is spatial attention (1 instead of
        2 with one spatial pool), followed by `gamma` (1,) and `beta` (1,) with ``spatial_norm=True``.

    Raises
    ------
    TypeError
        If rng is no generator.
    ValueError
        If r leaves no hidden unit, k is even, or an option is unknown.
    """
    check_rng(rng)
    if channels < 1:
        raise ValueError(f"channels is {channels}, expected at least 1")
    d = get_dialect(dialect, **changes)
    start = d.start if start is None else start
    check_option(start, "start", STARTS)
    params = {}
    for name, shape in _shapes(channels, d.reduction if reduction is None else reduction, kernel_size, d).items():
        params[name] = np.asarray(_draw(name, shape, start, d, rng), dtype)
    return params


def _shapes(channels, reduction, kernel_size, d):
    """Return the parameters' shapes, in the order in which they are drawn."""
    shapes = {}
    if "channel" in ORDERS[d.order]:
        hidden = d.hidden_units(channels, reduction) if reduction else 0
        if reduction < 1 or hidden < 1:
            raise ValueError(
                f"reduction {reduction} leaves no hidden unit for {channels} channels: choose 1 to {channels}"
            )
        b0, b1 = ({"b0": (hidden,)}, {"b1": (channels,)}) if d.mlp_bias else ({}, {})
        shapes |= {"W0": (hidden, channels), **b0, "W1": (channels, hidden), **b1}
    if "spatial" in ORDERS[d.order]:
        check_kernel_size(kernel_size)
        shapes["W7"] = (1, len(d.spatial_pools), kernel_size, kernel_size)
        if d.spatial_norm:
            shapes |= {"gamma": (1,), "beta": (1,)}
    return shapes


def _draw(name, shape, start, d, rng):
    if name in (*BIASES, "beta"):
        return np.zeros(shape)
    if name == "gamma":
        return np.full(shape, 0.0 if start in ("zero", "official") else 1.0)
    fan_in = np.prod(shape[1:])
    if start == "pytorch" or (start == "official" and name != "W7"):
        return rng.uniform(-1, 1, shape) / np.sqrt(fan_in)
    fan = shape[0] * np.prod(shape[2:]) if start == "official" else fan_in
    drawn = rng.standard_normal(shape) * np.sqrt(2 / fan)
    silent = start == "zero" and name in ("W1",) + (() if d.spatial_norm else ("W7",))
    return np.zeros(shape) if silent else drawn  # drawn all the same, so that what follows is the same


def check_kernel_size(k):
    """Raise a ValueError unless k is odd and positive."""
    if k < 1 or k % 2 == 0:
        raise ValueError(f"kernel_size is {k}, expected a positive odd number: an even kernel has no middle pixel")


AXES = {"W0": "hidden channels", "b0": "hidden", "W1": "channels hidden", "b1": "channels", "W7": "1 maps k k"}
AXES |= dict.fromkeys(NORM, "1")


def get_parameter(params, name):
    """Return one parameter as floats; a ValueError says if it is missing or not finite."""
    if name not in params:
        raise ValueError(f"params has no {name!r}, only {sorted(params)}: make it with init_cbam and the same options")
    W = as_float(params[name], name, AXES[name])
    if W.dtype != object and not np.isfinite(W).all():
        raise ValueError(f"{name} has entries that are not finite: training has diverged, lower the learning rate")
    return W
