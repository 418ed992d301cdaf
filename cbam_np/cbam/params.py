"""The parameters of a CBAM block: made, looked up, and checked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..ops.checks import as_float, check_option, check_rng
from .dialect import ORDERS, STARTS, Dialect, get_dialect

WEIGHTS = {"channel": ("W0", "W1"), "spatial": ("W7",)}
BIASES = ("b0", "b1")
NORM = ("gamma", "beta")


def init_cbam(
    channels: int,
    reduction: int | None = None,
    kernel_size: int = 7,
    *,
    rng: np.random.Generator,
    dialect: str | Dialect = "paper",
    dtype: DTypeLike = np.float64,
    start: str | None = None,
    **changes: Any,
) -> dict[str, np.ndarray]:
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
    start : {"he", "zero", "pytorch", "official", "fan-out"}, optional
        The dialect's where none is given, for the paper "he": N(0, 2 / fan-in), so that the first maps are as random
        as the weights. With "zero", W1 and W7 (γ where there is one) start at 0: every weight of M_c and M_s is then
        1/2, and the network starts as one without attention, but for that factor. "pytorch" is what its layers do
        by themselves, uniform in ±1/√fan-in. "official" is the authors' code: W7 from N(0, 2 / fan-out) and γ = 0,
        so that M_s is 1/2 and W7 gets no gradient on the first step; W0 and W1 as in PyTorch. "fan-out" draws
        all three from N(0, 2 / fan-out), with γ = 1, as timm's and luuuyi's ResNets do.
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

    Examples
    --------
    >>> import numpy as np, cbam_np
    >>> params = cbam_np.init_cbam(64, reduction=16, kernel_size=7, rng=np.random.default_rng(0))
    >>> {name: W.shape for name, W in params.items()}
    {'W0': (4, 64), 'W1': (64, 4), 'W7': (1, 2, 7, 7)}
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


def _shapes(channels: int, reduction: int, kernel_size: int, d: Dialect) -> dict[str, tuple[int, ...]]:
    """Return the parameters' shapes, in the order in which they are drawn."""
    shapes: dict[str, tuple[int, ...]] = {}
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


def _draw(name: str, shape: tuple[int, ...], start: str, d: Dialect, rng: np.random.Generator) -> np.ndarray:
    if name in (*BIASES, "beta"):
        return np.zeros(shape)
    if name == "gamma":
        return np.full(shape, 0.0 if start in ("zero", "official") else 1.0)
    fan_in = np.prod(shape[1:])
    if start == "pytorch" or (start == "official" and name != "W7"):
        return rng.uniform(-1, 1, shape) / np.sqrt(fan_in)
    fan = shape[0] * np.prod(shape[2:]) if start in ("official", "fan-out") else fan_in
    drawn = rng.standard_normal(shape) * np.sqrt(2 / fan)
    silent = start == "zero" and name in ("W1",) + (() if d.spatial_norm else ("W7",))
    return np.zeros(shape) if silent else drawn  # drawn all the same, so that what follows is the same


def check_kernel_size(k: int) -> None:
    """Raise a ValueError unless k is odd and positive."""
    if k < 1 or k % 2 == 0:
        raise ValueError(f"kernel_size is {k}, expected a positive odd number: an even kernel has no middle pixel")


AXES = {"W0": "hidden channels", "b0": "hidden", "W1": "channels hidden", "b1": "channels", "W7": "1 maps k k"}
AXES |= dict.fromkeys(NORM, "1")


def get_parameter(params: dict, name: str) -> np.ndarray:
    """Return one parameter as floats; a ValueError says if it is missing or not finite."""
    if name not in params:
        raise ValueError(f"params has no {name!r}, only {sorted(params)}: make it with init_cbam and the same options")
    W = as_float(params[name], name, AXES[name])
    if W.dtype != object and not np.isfinite(W).all():
        index = tuple(map(int, np.argwhere(~np.isfinite(W))[0]))
        raise ValueError(
            f"{name}[{', '.join(map(str, index))}] is {W[index]}, expected finite numbers: check where {name} came from"
        )
    return W


def refuse_parameters(params: dict, names: Sequence[str], why: str, option: str) -> None:
    """Raise a ValueError if parameters are given that the dialect has no use for."""
    given = [name for name in names if name in params]
    if given:
        them = "it" if len(given) == 1 else "them"
        raise ValueError(f"params has {' and '.join(given)}, but {why}: pass {option}, or leave {them} out")
