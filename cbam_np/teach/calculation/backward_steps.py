"""The steps backward, from dF'' to dF, with dX for ∂L/∂X: the gates last one first."""

from collections.abc import Iterator

import numpy as np

from ...cbam import CBAMCache, CBAMGradients, ChannelGradients, SpatialCache, SpatialGradients
from .cbam_rules import (
    ON_CHANNELS,
    ON_PIXELS,
    RELU_SLOPE,
    SCALE_GRADIENT,
    SIGMOID_SLOPE,
    THROUGH_CONSTANTS,
    kernel_gradient,
    map_gradient,
    of,
    through_statistics,
)
from .forward_steps import SYMBOLS, in_formula, pooling_of, sides_of
from .pools import POOLS
from .rules import products, term
from .trace import Step

POOLED = {"channel": "F_", "spatial": "Fs_"}  # names of what is pooled begin so
GATHER = {"channel": ("c", "cij,cij->c"), "spatial": ("i,j", "cij,cij->ij")}  # letters of the map, and its gradient


def d_of(symbol: str) -> str:
    """Return the symbol of a gradient."""
    return rf"\mathrm{{d}}{symbol}"


def backward_steps(g: CBAMGradients, cache: CBAMCache, dF_out: np.ndarray, training: bool) -> Iterator[Step]:
    """Yield the backward steps, from the gradient of the output to that of F; `training` as in `forward_steps`."""
    sides = sides_of(cache.dialect.order)
    last = list(sides.values())[-1][-1]
    yield Step(f"d{last}", d_of(last), "", dF_out, given=True)
    paths: dict[str, list[str]] = {}  # by what they lead to: the gradients that add up there
    for attention, (source, before, after) in reversed(sides.items()):
        yield from _gate_steps(attention, g, before, after)
        if attention == "channel":
            assert g.channel is not None
            yield from _channel_steps(g.channel, cache.dialect.mlp_bias)
            via = list(_pool_steps("channel", g.channel.dF_from, cache, source))
        else:
            assert g.spatial is not None and cache.spatial is not None
            yield from _spatial_steps(g.spatial, cache.spatial, training)
            via = list(_pool_steps("spatial", g.spatial.dF_from, cache, source))
        yield from via
        paths.setdefault(before, []).append(f"d{before}_direct")
        paths.setdefault(source, []).extend(step.name for step in via)
        total = g.dF if before == "F" else g.dF1
        assert total is not None
        yield _sum_step(before, paths[before], total[0])


def _gate_steps(attention: str, g: CBAMGradients, before: str, after: str) -> Iterator[Step]:
    """Yield what comes back through a product M ⊗ F: the gradients of M, and of F by itself."""
    letters, gather = GATHER[attention]
    if attention == "channel":
        assert g.channel is not None
        M, spread, summed, dM = "M_c", ON_CHANNELS, r"\sum_{i,j}", g.channel.dMc[0, :, 0, 0]
    else:
        assert g.spatial is not None
        M, spread, summed, dM = "M_s", ON_PIXELS, r"\sum_{c}", g.spatial.dMs[0, 0]
    above = f"{d_of(after)}[c,i,j]"
    formula = rf"{d_of(M)}[{letters}] = {summed} {above} \cdot {before}[c,i,j]"
    yield Step(f"d{M}", d_of(M), formula, dM, rule=products(term(gather, f"d{after}", before)))
    symbol = rf"{d_of(before)}_{{direct}}"
    formula = rf"{symbol} = {M}[{letters}] \cdot {above}"
    direct, name = g.direct[attention][0], f"d{before}_direct"
    yield Step(name, symbol, formula, direct, rule=products(term(spread, M, f"d{after}")))


def _spatial_steps(g: SpatialGradients, cache: SpatialCache, training: bool) -> Iterator[Step]:
    formula = rf"{d_of('z_s')} = {d_of('M_s')} \cdot M_s (1 - M_s)"
    yield Step("dz_s", d_of("z_s"), formula, g.dz_s[0, 0], rule=of(SIGMOID_SLOPE, "dM_s", "M_s"))
    dy = "dz_s"
    if g.dgamma is not None and g.dbeta is not None:
        dy = "dy_s"
        yield from _normalisation_steps(g, g.dgamma, g.dbeta, cache.y_s[0, 0].size if training else 0)
    symbol, k = d_of(f"{dy[1:]}"), g.dW7.shape[-1]
    p = k // 2
    formula = rf"{d_of('W_7')}[m,a,b] = \sum_{{i,j}} {symbol}[i,j] \cdot F^s_m[i+a-{p + 1},j+b-{p + 1}]"
    rule = kernel_gradient(dy, *(f"Fs_{pool}" for pool in g.dFs), k=k)
    yield Step("dW7", d_of("W_7"), formula, g.dW7[0], rule=rule)
    for m, (pool, dmap) in enumerate(g.dFs.items(), start=1):
        pooled = d_of(SYMBOLS["spatial"] % pool)
        formula = rf"{pooled}[i,j] = \sum_{{a,b}} W_7[{m},a,b] \cdot {symbol}[i-a+{p + 1},j-b+{p + 1}]"
        yield Step(f"dFs_{pool}", pooled, formula, dmap[0, 0], rule=map_gradient("W7", dy, half=m - 1))


def _normalisation_steps(g: SpatialGradients, dgamma: np.ndarray, dbeta: np.ndarray, M: int) -> Iterator[Step]:
    """Yield what comes back through the normalisation, over M numbers in training; M = 0 in inference."""
    root, dz = r"\sqrt{v_s + \varepsilon}", rf"{d_of('z_s')}[i,j]"
    d_scale, d_shift, dy = d_of(r"\gamma"), d_of(r"\beta"), rf"{d_of('y_s')}[i,j]"
    formula = rf"{d_scale} = \sum_{{i,j}} {dz} \cdot (y_s[i,j] - \mu_s) / {root}"
    yield Step("dgamma", d_scale, formula, dgamma[0], rule=SCALE_GRADIENT)
    formula = rf"{d_shift} = \sum_{{i,j}} {dz}"
    yield Step("dbeta", d_shift, formula, dbeta[0], rule=products(term("ij->", "dz_s")))
    if not M:
        formula, rule = rf"{dy} = {dz} \cdot \gamma / {root}", THROUGH_CONSTANTS
    else:
        along = rf"(y_s[i,j] - \mu_s) / {root} \cdot {d_scale} / {M}"
        formula = rf"{dy} = \gamma / {root} \cdot ({dz} - {d_shift} / {M} - {along})"
        rule = through_statistics(M)
    yield Step("dy_s", d_of("y_s"), formula, g.dy_s[0, 0], rule=rule)


def _channel_steps(g: ChannelGradients, bias: bool) -> Iterator[Step]:
    formula = rf"{d_of('z_c')} = {d_of('M_c')} \cdot M_c (1 - M_c)"
    yield Step("dz_c", d_of("z_c"), formula, g.dz_c[0], rule=of(SIGMOID_SLOPE, "dM_c", "M_c"))
    for pool, mlp in g.mlps.items():
        a, h, v = rf"a_{{{pool}}}", rf"h_{{{pool}}}", SYMBOLS["channel"] % pool
        rule = products(term("ch,c->h", "W1", "dz_c"))
        yield Step(f"da_{pool}", d_of(a), rf"{d_of(a)} = W_1^\top {d_of('z_c')}", mlp.da[0], rule=rule)
        rule = of(RELU_SLOPE, f"da_{pool}", f"h_{pool}")
        yield Step(f"dh_{pool}", d_of(h), rf"{d_of(h)} = {d_of(a)} \cdot [{h} > 0]", mlp.dh[0], rule=rule)
        rule = products(term("hc,h->c", "W0", f"dh_{pool}"))
        yield Step(f"dF_{pool}", d_of(v), rf"{d_of(v)} = W_0^\top {d_of(h)}", mlp.dv[0], rule=rule)
    yield from _weight_steps(g, bias)


def _weight_steps(g: ChannelGradients, bias: bool) -> Iterator[Step]:
    """Yield the gradients of the MLP's weights: one MLP used on every pooled vector, so they add."""
    outer = " + ".join(rf"{d_of('z_c')} a_{{{pool}}}^\top" for pool in g.mlps)
    rule = products(*(term("c,h->ch", "dz_c", f"a_{pool}") for pool in g.mlps))
    yield Step("dW1", d_of("W_1"), rf"{d_of('W_1')} = {outer}", g.dW1, rule=rule)
    if bias:
        outer = " + ".join(d_of("z_c") for _ in g.mlps)
        rule = products(*(term("c->c", "dz_c") for _ in g.mlps))
        yield Step("db1", d_of("b_1"), rf"{d_of('b_1')} = {outer}", g.db1, rule=rule)
    outer = " + ".join(rf"{d_of(rf'h_{{{pool}}}')} {{{SYMBOLS['channel'] % pool}}}^\top" for pool in g.mlps)
    rule = products(*(term("h,c->hc", f"dh_{pool}", f"F_{pool}") for pool in g.mlps))
    yield Step("dW0", d_of("W_0"), rf"{d_of('W_0')} = {outer}", g.dW0, rule=rule)
    if bias:
        outer = " + ".join(d_of(rf"h_{{{pool}}}") for pool in g.mlps)
        rule = products(*(term("h->h", f"dh_{pool}") for pool in g.mlps))
        yield Step("db0", d_of("b_0"), rf"{d_of('b_0')} = {outer}", g.db0, rule=rule)


# --- the paths that add up to the gradient of a feature map ---


def _pool_steps(attention: str, paths: dict[str, np.ndarray], cache: CBAMCache, source: str) -> Iterator[Step]:
    for pool, dF in paths.items():
        p = pooling_of(cache, attention, pool, source)
        words = in_formula(p, SYMBOLS[attention] % pool)
        name = f"d{source}_via_{p.result}"
        symbol = _path_symbol(source, name)
        formula = f"{symbol}[c,i,j] = {POOLS[pool].gradient % words}"
        yield Step(name, symbol, formula, dF[0], rule=POOLS[pool].backward(p))


def _path_symbol(name: str, path: str) -> str:
    """Write one of the gradients that add up to d`name`: dF_direct, or dF_{via F^c_avg}."""
    pooled = path.removeprefix(f"d{name}_").removeprefix("via_")
    for attention, begins in POOLED.items():
        if pooled.startswith(begins):
            return rf"{d_of(name)}_{{\text{{via }}{SYMBOLS[attention] % pooled.removeprefix(begins)}}}"
    return rf"{d_of(name)}_{{direct}}"


def _sum_step(name: str, paths: list[str], value: np.ndarray) -> Step:
    formula = rf"{d_of(name)} = {' + '.join(_path_symbol(name, path) for path in paths)}"
    rule = products(*(term("cij->cij", path) for path in paths))
    return Step(f"d{name}", d_of(name), formula, value, rule=rule)
