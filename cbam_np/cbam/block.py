"""CBAM: channel attention, then spatial attention, F' = M_c(F) ⊗ F and F'' = M_s(F') ⊗ F'."""

from functools import reduce
from typing import NamedTuple

import numpy as np

from ..engine.slices import batch_slices
from ..ops.checks import as_float, check_dout
from ..ops.steps import alone, together
from .channel import ChannelCache, ChannelGradients, channel_attention_forward, channel_gradients
from .dialect import ORDERS, Dialect, get_dialect
from .gate import gate_backward, gate_forward
from .spatial import SpatialCache, SpatialGradients, spatial_forward_steps, spatial_gradient_steps


def _named(attention, name, doc):
    """Make a property of `CBAMCache` that leads to the same name in the cache of one attention."""

    def get(self):
        cache = getattr(self, attention)
        if cache is None:
            raise AttributeError(f"there is no {name}: order {self.dialect.order!r} has no {attention} attention")
        return getattr(cache, name)

    return property(get, doc=doc)


class CBAMCache(NamedTuple):
    """Every quantity that the lecture names. An attention that a dialect leaves out is None."""

    F: np.ndarray
    channel: ChannelCache | None
    spatial: SpatialCache | None
    gates: dict
    F1: np.ndarray  # F', after the first attention
    F2: np.ndarray  # F'', after the last
    dialect: Dialect

    F_avg = _named("channel", "F_avg", "Averages over space, (N, C).")
    F_max = _named("channel", "F_max", "Maxima over space, (N, C).")
    z_c = _named("channel", "z_c", "Scores of the channels, (N, C).")
    Mc = _named("channel", "Mc", "Channel attention map, (N, C, 1, 1).")
    Fs_avg = _named("spatial", "Fs_avg", "Averages over channels, (N, 1, H, W).")
    Fs_max = _named("spatial", "Fs_max", "Maxima over channels, (N, 1, H, W).")
    z_s = _named("spatial", "z_s", "Scores of the pixels, (N, 1, H, W).")
    Ms = _named("spatial", "Ms", "Spatial attention map, (N, 1, H, W).")


class SlicedCache(NamedTuple):
    """The caches of a batch that was run in slices; a quantity of the lecture is that of the whole batch."""

    slices: tuple[slice, ...]
    parts: tuple[CBAMCache, ...]

    @property
    def dialect(self):
        """The choices."""
        return self.parts[0].dialect

    def __getattr__(self, name):
        found = [getattr(part, name) for part in self.parts]
        if not isinstance(found[0], np.ndarray):
            raise AttributeError(f"a large batch has {name} in slices: look at cache.parts[0].{name} and so on")
        return np.concatenate(found)


class CBAMGradients(NamedTuple):
    """Every gradient on the way back. `direct` holds, by attention, what passed its gate as a feature map."""

    dF2: np.ndarray
    dF1: np.ndarray
    channel: ChannelGradients | None
    spatial: SpatialGradients | None
    direct: dict
    dF: np.ndarray
    params: dict


def cbam_forward(x, params, dialect="paper", running=None, **changes):
    r"""Convolutional Block Attention Module, F' = M_c(F) ⊗ F, F'' = M_s(F') ⊗ F'.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Feature map F. Integers are promoted to float64.
    params : dict
        `W0`, `W1`, `W7` as `init_cbam` makes them; with ``mlp_bias=True`` also `b0`, `b1`, and with
        ``spatial_norm=True`` also `gamma`, `beta`.
    dialect : str or Dialect
        Choices, see `Dialect`.
    running : (mean, var), each of shape (1,), optional
        Statistics for a dialect's batch normalisation, in inference; the batch's own where none are given, in
        training. Other dialects have no use for it.
    **changes
        Any field of `Dialect`, for instance ``order="spatial-channel"``.

    Returns
    -------
    out : ndarray, shape (N, C, H, W)
        F''.
    cache : CBAMCache or SlicedCache
        Every quantity on the way, by its name in the lecture, for `cbam_backward`. A large batch is run in slices
        that fit the cache of the processor, side by side.

    Raises
    ------
    TypeError
        If the numbers have no gradient (text, complex), or an option does not exist.
    ValueError
        If the shapes do not fit, a parameter is missing, biases are given without ``mlp_bias=True``, x is empty or
        not finite, or an option's value is unknown.

    Notes
    -----
    Source: the lecture, Step 3; paper, equation 1.
    """
    d = get_dialect(dialect, **changes)
    x = as_float(x, "x", "N C H W")
    slices = batch_slices(len(x), x[0].nbytes)
    if len(slices) == 1:
        return alone(cbam_forward_steps(x, params, d, running))
    pixel = alone(cbam_forward_steps(x[:1, :, :1, :1], params, d, ((0,), (1,))))[0]
    outs = [np.empty(x.shape, pixel.dtype) for _ in ORDERS[d.order]]  # in what x and the parameters come to
    try:
        parts = together([cbam_forward_steps(x[s], params, d, running, [out[s] for out in outs]) for s in slices])
    except ValueError:  # said once more of the whole batch, with the image's right number
        alone(cbam_forward_steps(x, params, d, running))
        raise
    return outs[-1], SlicedCache(tuple(slices), tuple(part for _, part in parts))


def cbam_forward_steps(x, params, d, running=None, outs=(None, None)):
    """Do what `cbam_forward` does for a piece of a batch, as a generator.

    Where a batch normalisation has to look at the whole batch, it yields what the piece contributes, and is sent a
    list of what all pieces contribute. What the gates give is written to `outs` where these are given.
    """
    caches, gates, given = {"channel": None, "spatial": None}, {}, []
    F = x
    for name, out in zip(ORDERS[d.order], outs, strict=False):
        source = x if d.order == "parallel" else F
        if name == "channel":
            M, caches[name] = channel_attention_forward(source, params, d)
        else:
            M, caches[name] = yield from spatial_forward_steps(source, params, d, running)
        F, gates[name] = gate_forward(F, M, out)
        given.append(F)
    return F, CBAMCache(x, **caches, gates=gates, F1=given[0], F2=F, dialect=d)


def cbam_gradients(dout, cache):
    """Do what `cbam_backward` does, and keep every gradient on the way, for a trace.

    Parameters
    ----------
    dout : ndarray, shape (N, C, H, W)
        Gradient of the loss with respect to F''.
    cache : CBAMCache
        From `cbam_forward`.

    Returns
    -------
    CBAMGradients
        The gradients by name.

    Raises
    ------
    ValueError
        If `dout` does not have the output's shape.
    """
    return alone(_all_gradients(dout, cache))


def _all_gradients(dout, cache):
    dout = check_dout(dout, cache.F2.shape)
    found, direct, params = {"channel": None, "spatial": None}, {}, {}
    dF, dx_parallel = dout, 0
    for name in reversed(ORDERS[cache.dialect.order]):
        dF1 = dF  # of what the gate gave; in the end, of what the first gate gave
        direct[name], dM = gate_backward(dF, cache.gates[name])
        g = found[name] = yield from _attention_gradients(name, dM, cache)
        params |= g.params
        if cache.dialect.order == "parallel":  # the map was made from x, not from what the gate was given
            dF, dx_parallel = direct[name], reduce(np.add, g.dF_from.values(), dx_parallel)
        else:
            dF = reduce(np.add, g.dF_from.values(), direct[name])
    return CBAMGradients(dout, dF1, **found, direct=direct, dF=dF + dx_parallel, params=params)


def _attention_gradients(name, dM, cache, into=None):
    if name == "channel":
        return channel_gradients(dM, cache.channel, into)
    return (yield from spatial_gradient_steps(dM, cache.spatial, into))


def cbam_backward(dout, cache):
    r"""Gradient of `cbam_forward`.

    Each gate is a product, F ⊗ M(F), in which F appears twice: directly and inside its map. So the gradient of
    F is M ⊗ dout plus what comes back through M. The gates are undone last one first.

    Parameters
    ----------
    dout : ndarray, shape (N, C, H, W)
        Gradient of the loss with respect to F''.
    cache : CBAMCache or SlicedCache
        From `cbam_forward`.

    Returns
    -------
    dx : ndarray, shape (N, C, H, W)
        Gradient of F.
    grads : dict
        Gradients of the parameters, with the parameters' names.

    Raises
    ------
    ValueError
        If `dout` does not have the output's shape.
    """
    parts, slices = (cache.parts, cache.slices) if isinstance(cache, SlicedCache) else ((cache,), (slice(None),))
    images = sum(len(part.F) for part in parts)
    dout = check_dout(dout, (images, *parts[0].F.shape[1:]))
    dx = np.empty(dout.shape, np.result_type(dout, *(gate.M for gate in parts[0].gates.values())))
    work = zip(parts, slices, strict=True)
    grads = together([cbam_backward_steps(dout[s], part, dx[s]) for part, s in work])
    return dx, {name: sum(g[name] for g in grads) for name in grads[0]}  # each slice's part of a weight's gradient


def cbam_backward_steps(dout, cache, dx):
    """Write the gradient of a piece of a batch to `dx`; return what it contributes to those of the parameters.

    The numbers of `cbam_gradients`, with the paths to a feature map added up where they end, in `dx`. A generator, as
    `cbam_forward_steps` is.
    """
    if cache.dialect.order == "parallel":  # two sums at a time
        g = yield from _all_gradients(dout, cache)
        dx[...] = g.dF
        return g.params
    dF, grads = dout, {}
    for name in reversed(ORDERS[cache.dialect.order]):
        _, dM = gate_backward(dF, cache.gates[name], out=dx)
        g = yield from _attention_gradients(name, dM, cache, into=dx)
        grads |= g.params
        dF = dx
    return grads
