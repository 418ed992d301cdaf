"""CBAM as one formula with options: what a stranger's module may compute, on plain arrays in float64.

The defaults are the paper's. An option that differs from them is a legitimate choice or a departure; which, and what
it is called, is told in `mistakes/variants.py`. Here is only what is computed.

Data are (N, C, …) with one, two or three axes of space. A formula is run on *roles*: the parameters by what they are
for, `W0`, `b0`, `W1`, `b1` (a second MLP's with `_max`), `W7`, `b7`, and for a batch normalisation after the
convolution `gamma`, `beta`, `mean`, `var`; inside the MLP the same with `0_` and `1_` in front, behind
everything with `end_`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .functions import ACTIVATIONS, normalised, sigmoid
from .pools import pool_over_channels, pool_over_space

Roles = Mapping[str, np.ndarray]
Note = Callable[[str, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Formula:
    """What a module may compute; the defaults are the paper's.

    Parameters
    ----------
    order : {"channel-spatial", "spatial-channel", "parallel", "channel", "spatial"}
        As in `Dialect`.
    pools : tuple of str
        What the MLP is given, one pool for each time that it is used.
    own_mlps : bool
        Whether the second pool has an MLP of its own.
    layers : {"two", "one", "eca", "none"}
        What stands in the place of the MLP: two layers, one, a convolution over the channels, nothing.
    before_mlp : {"", "add", "average", "concatenate"}
        How the pools meet, if before the MLP.
    activation : str
        Between the MLP's layers, and behind it `last_activation`.
    branches : {"add", "average", "multiply", "maximum"}
        How the branches meet behind the MLP.
    squash : str
        From the channels' scores to their weights; "each" for a sigmoid of each branch before they are added.
    maps : tuple of str
        What the convolution is given, in this order.
    maps_meet : {"concatenate", "add"}
        How the maps meet.
    kernels : {"add", "average"}
        How the scores meet, where there are several convolutions: `W7`, `W7_1`, `W7_2`, each with its bias.
    padding : {"zeros", "reflect", "edge", "wrap"}
        What stands around the maps.
    dilation : int
        Of the convolution.
    flipped : bool
        Whether the kernel is turned by 180 degrees.
    spatial_activation : str
        Behind the convolution, or its normalisation.
    spatial_squash : str
        From the pixels' scores to their weights.
    channel_gate, spatial_gate : {"multiply", "residual", "add"}
        How a map is brought to what it weights, F ⊗ M, F + F ⊗ M or F + M.
    arrangement : str
        "gates" for one after the other; see `compose` for others.
    residual : bool
        Whether the input is added at the end.
    output : str
        What is done to the output.
    behind : {"", "se"}
        What follows: a squeeze-and-excitation block.
    """

    order: str = "channel-spatial"
    pools: tuple[str, ...] = ("avg", "max")
    own_mlps: bool = False
    layers: str = "two"
    before_mlp: str = ""
    activation: str = "relu"
    last_activation: str = "identity"
    branches: str = "add"
    squash: str = "sigmoid"
    maps: tuple[str, ...] = ("avg", "max")
    maps_meet: str = "concatenate"
    kernels: str = "add"
    padding: str = "zeros"
    dilation: int = 1
    flipped: bool = False
    spatial_activation: str = "identity"
    spatial_squash: str = "sigmoid"
    channel_gate: str = "multiply"
    spatial_gate: str = "multiply"
    arrangement: str = "gates"
    residual: bool = False
    output: str = "identity"
    behind: str = ""

    def but(self, **changes: Any) -> "Formula":
        """Return the formula with some options changed."""
        return replace(self, **changes)


def unnoted(_name: str, value: np.ndarray, _source: np.ndarray) -> np.ndarray:
    """Pass a quantity on; in the place of this, it may be held where it was, or a maximum where its winner is."""
    return value


# --- channel attention ---


def channel_map(F: np.ndarray, roles: Roles, o: Formula, note: Note = unnoted) -> np.ndarray:
    """Return M_c, (N, C, 1, …), of a feature map (N, C, …)."""
    vectors = pool_over_space(F, o.pools, note)  # each (N, C)
    if o.before_mlp:
        vectors = [_met(vectors, o.before_mlp)]
    scores = [_mlp(v, roles, o, "_max" if at and o.own_mlps else "") for at, v in enumerate(vectors)]
    if o.squash == "each":
        scores = [sigmoid(z) for z in scores]
    M = SQUASH["identity" if o.squash == "each" else o.squash](_met(scores, o.branches), (1,))
    return note("M_c", M.reshape(*M.shape, *[1] * (F.ndim - 2)), F)


def _met(arrays: list[np.ndarray], how: str) -> np.ndarray:
    if how == "concatenate":
        return np.concatenate(arrays, axis=1)
    if how == "maximum":
        return np.maximum.reduce(arrays)
    if how == "multiply":
        return np.multiply.reduce(arrays)
    total = np.add.reduce(arrays)
    return total / len(arrays) if how == "average" else total


def _mlp(v: np.ndarray, roles: Roles, o: Formula, twin: str) -> np.ndarray:
    """Return the scores (N, C) of pooled vectors (N, C)."""
    if o.layers == "none":
        return v
    if o.layers == "eca":
        kernel = roles["W0"].ravel()
        padded = np.pad(v, ((0, 0), (len(kernel) // 2,) * 2))
        z = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=1) @ kernel
        return z + roles.get("b0", 0)
    if v.shape[1] != roles["W0" + twin].shape[1]:
        raise ValueError("the pooled vectors do not fit the first layer")
    h = v @ roles["W0" + twin].T + roles.get("b0" + twin, 0)
    if o.layers == "one":
        return h
    h = normalised(h, roles, "0_" + twin, axes=(0,))
    a = ACTIVATIONS[o.activation](h, roles.get("slope", 0.0))
    z = a @ roles["W1" + twin].T + roles.get("b1" + twin, 0)
    z = normalised(z, roles, "1_" + twin, axes=(0,))
    return ACTIVATIONS[o.last_activation](z, roles.get("slope", 0.0))


# --- spatial attention ---


def spatial_map(F: np.ndarray, roles: Roles, o: Formula, note: Note = unnoted) -> np.ndarray:
    """Return M_s, (N, 1, …), of a feature map (N, C, …)."""
    z = spatial_scores(F, roles, o, note)
    return note("M_s", SQUASH[o.spatial_squash](z, tuple(range(2, F.ndim))), F)


def spatial_scores(F: np.ndarray, roles: Roles, o: Formula, note: Note = unnoted) -> np.ndarray:
    """Return what stands before the sigmoid of spatial attention, (N, 1, …)."""
    maps = F if o.maps == ("all",) else np.concatenate(pool_over_channels(F, o.maps, note), axis=1)
    if o.maps_meet == "add" or "W7" not in roles:
        maps = maps.sum(axis=1, keepdims=True)
    if "W7" in roles:
        maps = normalised(maps, roles, "maps_", axes=(0, *range(2, F.ndim)))
        names = [name for name in roles if name.startswith("W7")]
        z = _met([convolved(maps, roles[name], o) + roles.get(f"b{name[1:]}", 0.0) for name in names], o.kernels)
    else:
        z = maps
    z = normalised(z, roles, "", axes=(0, *range(2, F.ndim)))
    return ACTIVATIONS[o.spatial_activation](z, roles.get("slope", 0.0))


def convolved(maps: np.ndarray, W: np.ndarray, o: Formula) -> np.ndarray:
    """Return the maps (N, m, …) under a kernel (1, m, …), as large as they were."""
    sides, space = W.shape[2:], tuple(range(2, maps.ndim))
    if W.shape[1] != maps.shape[1] or len(sides) != len(space):
        raise ValueError("the kernel does not fit the maps")
    if o.flipped:
        W = np.flip(W, axis=tuple(range(2, W.ndim)))
    if o.padding == "zeros" and o.dilation == 1:
        W, sides = _within_reach(W, maps.shape[2:])
    reach = [(k - 1) * o.dilation for k in sides]
    around = [(0, 0), (0, 0), *((r // 2, r - r // 2) for r in reach)]
    mode = "constant" if o.padding == "zeros" else o.padding
    padded = np.pad(maps, around, mode=mode)  # type: ignore[call-overload]
    windows = np.lib.stride_tricks.sliding_window_view(padded, [r + 1 for r in reach], axis=space)
    if o.dilation > 1:
        every: tuple[Any, ...] = (..., *[slice(None, None, o.dilation)] * len(sides))
        windows = windows[every]
    axes = (1, *range(maps.ndim, maps.ndim + len(sides)))
    return np.tensordot(windows, W[0], axes=(axes, range(len(axes))))[:, None]  # (N, m, …, k, k) -> (N, 1, …)


def _within_reach(W: np.ndarray, space: tuple[int, ...]) -> tuple[np.ndarray, tuple[int, ...]]:
    """Cut off what of a large odd kernel meets only the zeros around the maps."""
    cut = [max((k // 2) - (n - 1), 0) if k % 2 else 0 for k, n in zip(W.shape[2:], space, strict=True)]
    W = W[(slice(None), slice(None), *[slice(c, k - c) for c, k in zip(cut, W.shape[2:], strict=True)])]
    return W, W.shape[2:]


# --- the two together ---


def compose(F: np.ndarray, roles: Roles, o: Formula, note: Note = unnoted) -> np.ndarray:
    """Return the output of the whole module."""
    out = _arranged(F, roles, o, note)
    if o.residual:
        out = out + F
    if o.behind == "se":
        last = {name.removesuffix("_se"): value for name, value in roles.items() if name.endswith("_se")}
        out = out * channel_map(out, last, Formula(pools=("avg",)))
    out = normalised(out, roles, "end_", axes=(0, *range(2, F.ndim)))
    return ACTIVATIONS[o.output](out, 0.0)


def _arranged(F: np.ndarray, roles: Roles, o: Formula, note: Note) -> np.ndarray:
    if o.arrangement == "gates":
        return _gates(F, roles, o, note)
    if o.arrangement == "M_s(M_c)":
        return spatial_map(channel_map(F, roles, o, note), roles, o, note)
    if o.arrangement == "M_s of F'":
        return F * spatial_map(F * channel_map(F, roles, o, note), roles, o, note)
    if o.arrangement == "M_s map":
        return spatial_map(F * channel_map(F, roles, o, note), roles, o, note)
    Mc, Ms = channel_map(F, roles, o, note), spatial_map(F, roles, o, note)
    if o.arrangement == "sum":
        return F * Mc + F * Ms
    if o.arrangement == "sum of maps":
        return Mc + Ms
    if o.arrangement == "average":
        return (F * Mc + F * Ms) / 2
    if o.arrangement == "maximum":
        return np.maximum(F * Mc, F * Ms)
    if o.arrangement == "product of maps":
        return Mc * Ms
    joined = Mc * Ms if "product" in o.arrangement else Mc + Ms
    weights = sigmoid(joined)
    return weights if o.arrangement.endswith("map") else F * weights


def _gates(F: np.ndarray, roles: Roles, o: Formula, note: Note) -> np.ndarray:
    out = F
    for attention in ORDERS[o.order]:
        source = F if o.order == "parallel" else out
        if attention == "channel":
            out = gated(out, channel_map(source, roles, o, note), o.channel_gate)
        else:
            out = gated(out, spatial_map(source, roles, o, note), o.spatial_gate)
    return out


def gated(F: np.ndarray, M: np.ndarray, gate: str) -> np.ndarray:
    """Return a feature map with an attention map brought to it; "map" gives the map alone."""
    if gate == "map":
        return M
    if gate == "add":
        return F + M
    return F + F * M if gate == "residual" else F * M


ORDERS = {
    "channel-spatial": ("channel", "spatial"),
    "spatial-channel": ("spatial", "channel"),
    "parallel": ("channel", "spatial"),
    "channel": ("channel",),
    "spatial": ("spatial",),
}


def softmax(z: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Return the softmax over some axes."""
    e = np.exp(z - z.max(axis=axes, keepdims=True))
    return e / e.sum(axis=axes, keepdims=True)


def _plain(name: str) -> Callable[[np.ndarray, tuple[int, ...]], np.ndarray]:
    function = ACTIVATIONS[name]
    return lambda z, _axes: function(z, 0.0)


SQUASH = {name: _plain(name) for name in ("sigmoid", "identity", "tanh", "hardsigmoid", "relu", "silu", "softplus")}
SQUASH |= {
    "hardsigmoid of keras": _plain("hardsigmoid of keras"),
    "softmax": softmax,
    "softmax over the channels and the batch": lambda z, axes: softmax(z, (0, *axes)),
    "softmax over the batch": lambda z, _axes: softmax(z, (0,)),
    "softmax over rows": lambda z, axes: softmax(z, axes[-2:-1] or axes),
    "softmax over columns": lambda z, axes: softmax(z, axes[-1:]),
    "negative sigmoid": lambda z, _axes: sigmoid(-z),
    "sigmoid twice": lambda z, _axes: sigmoid(sigmoid(z)),
}
