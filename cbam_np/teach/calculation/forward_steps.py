"""The steps forward, from F to F'', each with its symbol, its formula and its rule."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...cbam import ORDERS, CBAMCache, ChannelCache, MLPCache, SpatialCache
from .cbam_rules import NORMALISATION, ON_CHANNELS, ON_PIXELS, RELU, SIGMOID, convolution, of, variance
from .pools import POOLS, Pooling
from .rules import average, products, term
from .trace import Step

PARAMETERS = {  # by name: the symbol, and whether its first axis has one entry, which a trace leaves out
    "W0": ("W_0", False),
    "b0": ("b_0", False),
    "W1": ("W_1", False),
    "b1": ("b_1", False),
    "W7": ("W_7", True),
    "gamma": (r"\gamma", True),
    "beta": (r"\beta", True),
}
SYMBOLS = {"channel": "F^c_{%s}", "spatial": "F^s_{%s}"}  # of what is pooled


def sides_of(order: str) -> dict[str, tuple[str, str, str]]:
    """Name what each attention looks at, and what its gate gets and gives: {"channel": ("F", "F", "F'"), ...}."""
    sides, before = {}, "F"
    for attention in ORDERS[order]:
        sides[attention] = ("F" if order == "parallel" else before, before, before + "'")
        before += "'"
    return sides


def pooling_of(cache: CBAMCache, attention: str, pool: str, source: str) -> Pooling:
    """Return what one of an attention's pools makes out of what."""
    result, over = (f"F_{pool}", "space") if attention == "channel" else (f"Fs_{pool}", "channels")
    return Pooling(source, result, over, cache.F.shape[1:], cache.dialect.ties_over(over))


def in_formula(p: Pooling, symbol: str) -> dict[str, str]:
    """Return what the formulas of a pool are filled with."""
    if p.over == "space":
        n, over, at = "HW", "i,j", "[c]"
    else:
        n, over, at = "C", "c", "[i,j]"
    return {
        "n": n,
        "over": over,
        "x": f"{p.source}[c,i,j]",
        "pooled": symbol + at,
        "d": rf"\mathrm{{d}}{symbol}{at}",
    }


def forward_steps(cache: CBAMCache, params: Mapping[str, np.ndarray], training: bool) -> Iterator[Step]:
    """Yield the forward steps, inputs first; in training, a normalisation takes the statistics of its own map."""
    yield Step("F", "F", "", cache.F[0], "Step 0", given=True)
    for name, (symbol, is_first_of_one) in PARAMETERS.items():
        if name in params:
            yield Step(name, symbol, "", params[name][0] if is_first_of_one else params[name], given=True)
    for attention, (source, before, after) in sides_of(cache.dialect.order).items():
        if attention == "channel":
            assert cache.channel is not None
            yield from _channel_steps(cache, cache.channel, source)
            formula, slide = rf"{after}[c,i,j] = M_c[c] \cdot {before}[c,i,j]", "Step 1"
            rule = products(term(ON_CHANNELS, "M_c", before))
        else:
            assert cache.spatial is not None
            yield from _spatial_steps(cache, cache.spatial, source, params["W7"].shape[-1], training)
            formula, slide = rf"{after}[c,i,j] = M_s[i,j] \cdot {before}[c,i,j]", "Step 3"
            rule = products(term(ON_PIXELS, "M_s", before))
        yield Step(after, after, formula, (cache.F1 if after == "F'" else cache.F2)[0], slide, rule=rule)


def _channel_steps(cache: CBAMCache, c: ChannelCache, source: str) -> Iterator[Step]:
    for pool, mlp in c.mlps.items():
        yield _pooled(pooling_of(cache, "channel", pool, source), pool, SYMBOLS["channel"] % pool, mlp.v[0], "Step 1")
    for pool, mlp in c.mlps.items():
        yield from _mlp_steps(mlp, pool, cache.dialect.mlp_bias)
    total = " + ".join(rf"z_{{{pool}}}" for pool in c.mlps)
    rule = products(*(term("c->c", f"z_{pool}") for pool in c.mlps))
    yield Step("z_c", "z_c", f"z_c = {total}", c.z_c[0], "Step 1", rule=rule)
    yield Step("M_c", "M_c", r"M_c = \sigma(z_c)", c.Mc[0, :, 0, 0], "Step 1", rule=of(SIGMOID, "z_c"))


def _pooled(p: Pooling, pool: str, symbol: str, value: np.ndarray, slide: str) -> Step:
    words = in_formula(p, symbol)
    formula = f"{words['pooled']} = {POOLS[pool].formula % words}"
    return Step(p.result, symbol, formula, value, slide, rule=POOLS[pool].forward(p))


def _mlp_steps(mlp: MLPCache, pool: str, bias: bool) -> Iterator[Step]:
    h, a, z = (rf"{letter}_{{{pool}}}" for letter in "haz")
    add_b0, add_b1 = ([term("h->h", "b0")], [term("c->c", "b1")]) if bias else ([], [])
    rule = products(term("hc,c->h", "W0", f"F_{pool}"), *add_b0)
    formula = rf"{h} = W_0 {SYMBOLS['channel'] % pool}" + (" + b_0" if bias else "")
    yield Step(f"h_{pool}", h, formula, mlp.h[0], "Step 1", rule=rule)
    formula = rf"{a} = \mathrm{{ReLU}}({h})"
    yield Step(f"a_{pool}", a, formula, mlp.a[0], "Step 1", rule=of(RELU, f"h_{pool}"))
    rule = products(term("ch,h->c", "W1", f"a_{pool}"), *add_b1)
    formula = rf"{z} = W_1 {a}" + (" + b_1" if bias else "")
    yield Step(f"z_{pool}", z, formula, mlp.z[0], "Step 1", rule=rule)


def _spatial_steps(cache: CBAMCache, s: SpatialCache, source: str, k: int, training: bool) -> Iterator[Step]:
    for pool in s.pools:
        symbol, value = SYMBOLS["spatial"] % pool, s.pooled(pool)[0, 0]
        yield _pooled(pooling_of(cache, "spatial", pool, source), pool, symbol, value, "Step 2")
    stacked = "; ".join(SYMBOLS["spatial"] % pool for pool in s.pools)
    convolved = rf"f^{{{k} \times {k}}}([{stacked}])"
    rule = convolution("W7", *(f"Fs_{pool}" for pool in s.pools))
    if s.c_norm is None:
        yield Step("z_s", "z_s", f"z_s = {convolved}", s.z_s[0, 0], "Step 2", rule=rule)
    else:
        yield Step("y_s", "y_s", f"y_s = {convolved}", s.y_s[0, 0], rule=rule)
        yield from _normalisation_steps(s, s.c_norm, training)
    yield Step("M_s", "M_s", r"M_s = \sigma(z_s)", s.Ms[0, 0], "Step 2", rule=of(SIGMOID, "z_s"))


def _normalisation_steps(s: SpatialCache, c_norm: Any, training: bool) -> Iterator[Step]:
    mean, var = c_norm.mean[0], c_norm.var[0]
    if not training:
        yield Step("mu_s", r"\mu_s", "", mean, given=True)
        yield Step("v_s", "v_s", "", var, given=True)
    else:
        size = s.y_s[0, 0].size
        formula = r"\mu_s = \frac{1}{HW} \sum_{i,j} y_s[i,j]"
        yield Step("mu_s", r"\mu_s", formula, mean, rule=average("ij->", "y_s", size))
        formula = r"v_s = \frac{1}{HW} \sum_{i,j} (y_s[i,j] - \mu_s)^2"
        yield Step("v_s", "v_s", formula, var, rule=variance("y_s", "mu_s", size))
    formula = r"z_s[i,j] = \gamma \cdot (y_s[i,j] - \mu_s) / \sqrt{v_s + \varepsilon} + \beta"
    yield Step("z_s", "z_s", formula, s.z_s[0, 0], rule=NORMALISATION)
