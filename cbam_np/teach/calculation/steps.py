r"""One call of CBAM as a trace: every step with its name, its formula, its value and its rule.

The values are read from the caches that the network itself leaves. Whole numbers and fractions go through the same
operations as floats do, and stay exact up to the first sigmoid. `dX` is short for ∂L/∂X, the gradient of the loss
with respect to X.
"""

from fractions import Fraction
from numbers import Rational

import numpy as np

from ...cbam import ORDERS, cbam_forward, cbam_gradients, get_dialect
from ...ops import sigmoid_forward
from .rules import average, entrywise, monotone_bound, products, reduction, repeated, share_of_max, term, windows
from .trace import Step, Trace

PARAMETERS = ("W0", "b0", "W1", "b1", "W7")


def trace_cbam(F, params, dF_out=None, dialect="paper", **changes):
    r"""Run CBAM on one feature map and list every step.

    Where the numbers given are whole numbers and fractions, everything before the first sigmoid is exact.

    Parameters
    ----------
    F : array_like, shape (C, H, W)
        One image's feature map: floats, whole numbers or `fractions.Fraction`.
    params : dict of str to array_like
        `W0`, `W1`, `W7`, and where the dialect has them `b0`, `b1`, as for `cbam_np.cbam_forward`.
    dF_out : array_like, shape (C, H, W), optional
        Gradient of a loss with respect to the output; with it, the trace goes on backward.
    dialect : str or Dialect
        Choices, see `cbam_np.get_dialect`.
    **changes
        Any field of `Dialect`.

    Returns
    -------
    Trace
        The steps, in the order of the computation.

    Raises
    ------
    TypeError, ValueError
        As `cbam_np.cbam_forward`; or if the dialect has other steps than the lecture.
    """
    x = _given(F)
    if x.ndim != 3:
        raise ValueError(f"F has {x.ndim} axes, shape {x.shape}; expected 3, (C, H, W): a trace follows one image")
    params = {name: _given(W) for name, W in params.items()}
    check_traceable(get_dialect(dialect, **changes))
    _, cache = cbam_forward(x[None], params, dialect, **changes)
    steps = list(_forward_steps(cache, params))
    if dF_out is not None:
        dF_out = _given(dF_out)
        steps += _backward_steps(cbam_gradients(dF_out[None], cache), cache, dF_out)
    return Trace(steps, cache.dialect)


def is_traceable(dialect):
    """Tell whether every step of a dialect has a name and a rule: those of the lecture have, with or without biases."""
    return not dialect.spatial_norm and {*dialect.channel_pools, *dialect.spatial_pools} <= {"avg", "max"}


def check_traceable(dialect):
    """Raise a ValueError for a dialect that the lecture's steps do not describe."""
    if not is_traceable(dialect):
        raise ValueError(
            f"a trace follows the lecture's steps, average and maximum, no batch normalisation; this is {dialect}. "
            "Take its numbers from the cache of cbam_forward"
        )


def rules_of(trace, **changes):
    """Return the rules of a trace as they would be with other choices of the dialect."""
    given = {step.name: np.asarray(step.value, float) for step in trace if step.given}
    params = {name: given[name][None] if name == "W7" else given[name] for name in PARAMETERS if name in given}
    dF_out = next((array for name, array in given.items() if name.startswith("d")), None)
    return trace_cbam(given["F"], params, dF_out, trace.dialect, **changes).rules


def _given(array):
    """Return an input exactly, as fractions, if it is all whole numbers and fractions, and as floats otherwise."""
    array = np.asarray(array)
    values = array.astype(object)
    if not all(isinstance(v, Rational) for v in values.flat):
        return array.astype(np.float64)
    return np.array([Fraction(v) for v in values.flat], dtype=object).reshape(array.shape)


def _names(cache):
    """Name what goes into and comes out of each attention: {"channel": ("F", "F", "F'"), ...}."""
    order, names, before = cache.dialect.order, {}, "F"
    for attention in ORDERS[order]:
        names[attention] = ("F" if order == "parallel" else before, before, before + "'")
        before += "'"
    return names


POOLED_OVER_SPACE = {"avg": r"\frac{1}{HW} \sum_{i,j} %s[c,i,j]", "max": r"\max_{i,j} %s[c,i,j]"}
POOLED_OVER_CHANNELS = {"avg": r"\frac{1}{C} \sum_{c} %s[c,i,j]", "max": r"\max_{c} %s[c,i,j]"}
ON_CHANNELS, ON_PIXELS = "c,cij->cij", "ij,cij->cij"  # M_c ⊗ F, M_s ⊗ F


def sigmoid(z):
    """Return σ(z)."""
    return sigmoid_forward(z)[0]


def _pool(pool, source, spec, size):
    return average(spec, source, size) if pool == "avg" else reduction(source, spec, np.max, "max")


SIGMOID = entrywise(sigmoid, "σ({})", "z", bound=monotone_bound)
RELU = entrywise(lambda x: np.maximum(x, 0), "ReLU({})", "h", bound=monotone_bound)
SIGMOID_SLOPE = entrywise(lambda dM, M: dM * M * (1 - M), "{0}·{1}·(1 - {1})", "dM", "M")
RELU_SLOPE = entrywise(lambda da, h: da * (h > 0), "{0}·[{1} > 0]", "da", "h")


def of(rule, *names):
    """Return a rule for other steps."""
    return rule._replace(inputs=names)


def convolution(W, *maps, turn=lambda W: W, **padding):
    """Return the rule of the k×k convolution of stacked maps; `turn` may flip the kernel, `padding` as in `windows`."""

    def arrange(W, *maps):
        return turn(W), windows(np.stack(maps), W.shape[-1], **padding)

    return products(term("mab,mijab->ij", W, *maps, arrange=arrange))


def _forward_steps(cache, params):
    """Yield the forward steps; a source is what an attention looks at, before and after are its gate's sides."""
    yield Step("F", "F", "", cache.F[0], "Step 0", given=True)
    for name in PARAMETERS:
        if name in params:
            value = params[name][0] if name == "W7" else params[name]
            yield Step(name, f"{name[0]}_{name[1]}", "", value, given=True)
    for attention, (source, before, after) in _names(cache).items():
        if attention == "channel":
            yield from _channel_forward(cache, source)
            out, slide = (rf"{after}[c,i,j] = M_c[c] \cdot {before}[c,i,j]", "Step 1")
            rule = products(term(ON_CHANNELS, "M_c", before))
        else:
            yield from _spatial_forward(cache, source)
            out, slide = (rf"{after}[c,i,j] = M_s[i,j] \cdot {before}[c,i,j]", "Step 3")
            rule = products(term(ON_PIXELS, "M_s", before))
        yield Step(after, after, out, (cache.F1 if after == "F'" else cache.F2)[0], slide, rule=rule)


def _channel_forward(cache, source):
    c, (_, _, H, W) = cache.channel, cache.F.shape
    bias = cache.dialect.mlp_bias
    for pool, mlp in c.mlps.items():
        formula = rf"F^c_{{{pool}}}[c] = {POOLED_OVER_SPACE[pool] % source}"
        rule = _pool(pool, source, "cij->c", H * W)
        yield Step(f"F_{pool}", rf"F^c_{{{pool}}}", formula, mlp.v[0], "Step 1", rule=rule)
    for pool, mlp in c.mlps.items():
        h, a, z = (rf"{letter}_{{{pool}}}" for letter in "haz")
        rule = products(term("hc,c->h", "W0", f"F_{pool}"), *([term("h->h", "b0")] if bias else []))
        formula = rf"{h} = W_0 F^c_{{{pool}}}" + (" + b_0" if bias else "")
        yield Step(f"h_{pool}", h, formula, mlp.h[0], "Step 1", rule=rule)
        formula = rf"{a} = \mathrm{{ReLU}}({h})"
        yield Step(f"a_{pool}", a, formula, mlp.a[0], "Step 1", rule=of(RELU, f"h_{pool}"))
        rule = products(term("ch,h->c", "W1", f"a_{pool}"), *([term("c->c", "b1")] if bias else []))
        formula = rf"{z} = W_1 {a}" + (" + b_1" if bias else "")
        yield Step(f"z_{pool}", z, formula, mlp.z[0], "Step 1", rule=rule)
    total = " + ".join(rf"z_{{{pool}}}" for pool in c.mlps)
    rule = products(*(term("c->c", f"z_{pool}") for pool in c.mlps))
    yield Step("z_c", "z_c", f"z_c = {total}", c.z_c[0], "Step 1", rule=rule)
    yield Step("M_c", "M_c", r"M_c = \sigma(z_c)", c.Mc[0, :, 0, 0], "Step 1", rule=of(SIGMOID, "z_c"))


def _spatial_forward(cache, source):
    s, C = cache.spatial, cache.F.shape[1]
    for pool in s.pools:
        formula = rf"F^s_{{{pool}}}[i,j] = {POOLED_OVER_CHANNELS[pool] % source}"
        rule = _pool(pool, source, "cij->ij", C)
        yield Step(f"Fs_{pool}", rf"F^s_{{{pool}}}", formula, s.pooled(pool)[0, 0], "Step 2", rule=rule)
    k = s.c_conv.W.shape[-1]
    stacked = "; ".join(rf"F^s_{{{pool}}}" for pool in s.pools)
    formula = rf"z_s = f^{{{k} \times {k}}}([{stacked}])"
    rule = convolution("W7", *(f"Fs_{pool}" for pool in s.pools))
    yield Step("z_s", "z_s", formula, s.z_s[0, 0], "Step 2", rule=rule)
    yield Step("M_s", "M_s", r"M_s = \sigma(z_s)", s.Ms[0, 0], "Step 2", rule=of(SIGMOID, "z_s"))


def _d(symbol):
    return rf"\mathrm{{d}}{symbol}"


def _backward_steps(g, cache, dF_out):
    """Yield the backward steps, the gates last one first."""
    names = _names(cache)
    last = list(names.values())[-1][-1]
    yield Step(f"d{last}", _d(last), "", dF_out, given=True)
    paths = {}  # by what they lead to: the gradients that add up there
    for attention, (source, before, after) in reversed(names.items()):
        if attention == "channel":
            M, m, summed, gather, spread = "M_c", "M_c[c]", r"\sum_{i,j}", "cij,cij->c", ON_CHANNELS
        else:
            M, m, summed, gather, spread = "M_s", "M_s[i,j]", r"\sum_{c}", "cij,cij->ij", ON_PIXELS
        formula = rf"{_d(m)} = {summed} {_d(after)}[c,i,j] \cdot {before}[c,i,j]"
        gradients = getattr(g, attention)
        dM = gradients.dMc[0, :, 0, 0] if attention == "channel" else gradients.dMs[0, 0]
        yield Step(f"d{M}", _d(M), formula, dM, rule=products(term(gather, f"d{after}", before)))
        direct = f"d{before}_direct"
        formula = rf"{_d(before)}_{{direct}} = {m} \cdot {_d(after)}[c,i,j]"
        rule = products(term(spread, M, f"d{after}"))
        yield Step(direct, rf"{_d(before)}_{{direct}}", formula, g.direct[attention][0], rule=rule)
        backward = _channel_backward if attention == "channel" else _spatial_backward
        steps = list(backward(gradients, cache, source))
        yield from steps
        paths.setdefault(before, []).append(direct)
        paths.setdefault(source, []).extend(step.name for step in steps if "_via_" in step.name)
        yield _sum_step(before, paths[before], (g.dF if before == "F" else g.dF1)[0])


def _path(name, path):
    """Write one of the gradients that add up to d`name`: dF_direct, or dF_{via F^c_avg}."""
    kind = path.removeprefix(f"d{name}_")
    pool = kind[-3:]
    via = {f"via_F_{pool}": rf"\text{{via }}F^c_{{{pool}}}", f"via_Fs_{pool}": rf"\text{{via }}F^s_{{{pool}}}"}
    return rf"{_d(name)}_{{{via.get(kind, 'direct')}}}"


def _sum_step(name, paths, value):
    formula = rf"{_d(name)} = {' + '.join(_path(name, path) for path in paths)}"
    rule = products(*(term("cij->cij", path) for path in paths))
    return Step(f"d{name}", _d(name), formula, value, rule=rule)


def _via(source, pooled, formula, value, rule):
    name = f"d{source}_via_{pooled}"
    symbol = _path(source, name)
    return Step(name, symbol, rf"{symbol}{formula}", value, rule=rule)


def shared_evenly(d, shape, size):
    """Return the rule of an average's gradient: every one of the `size` entries gets its part."""
    return products(term("cij->cij", d, arrange=repeated(shape)), divide=size)


def _spatial_backward(g, cache, source):
    shape, ties = cache.F.shape[1:], cache.dialect.ties_over("channels")
    rule = of(SIGMOID_SLOPE, "dM_s", "M_s")
    yield Step("dz_s", _d("z_s"), rf"{_d('z_s')} = {_d('M_s')} \cdot M_s (1 - M_s)", g.dz_s[0, 0], rule=rule)
    k = cache.spatial.c_conv.W.shape[-1]
    p = k // 2
    formula = rf"{_d('W_7')}[m,a,b] = \sum_{{i,j}} {_d('z_s')}[i,j] \cdot F^s_m[i+a-{p + 1},j+b-{p + 1}]"
    yield Step(
        "dW7", _d("W_7"), formula, g.dW7[0], rule=kernel_gradient("dz_s", *(f"Fs_{pool}" for pool in g.dFs), k=k)
    )
    for m, (pool, dmap) in enumerate(g.dFs.items(), start=1):
        symbol = _d(rf"F^s_{{{pool}}}")
        formula = rf"{symbol}[i,j] = \sum_{{a,b}} W_7[{m},a,b] \cdot {_d('z_s')}[i-a+{p + 1},j-b+{p + 1}]"
        yield Step(f"dFs_{pool}", symbol, formula, dmap[0, 0], rule=map_gradient("W7", "dz_s", half=m - 1))
    for pool, dF in g.dF_from.items():
        d = f"dFs_{pool}"
        share = r"\frac{1}{C} %s[i,j]" if pool == "avg" else r"%s[i,j]\text{ at the maximum, else 0}"
        rule = shared_evenly(d, shape, shape[0]) if pool == "avg" else share_of_max(d, source, "cij->ij", ties)
        yield _via(source, f"Fs_{pool}", f"[c,i,j] = {share % _d(rf'F^s_{{{pool}}}')}", dF[0], rule)


def kernel_gradient(dz, *maps, k, turn=lambda window: window):
    """Return the rule of the kernel's gradient: each entry meets a window of the maps at every pixel."""
    return products(term("ij,mijab->mab", dz, *maps, arrange=lambda dz, *maps: (dz, turn(windows(np.stack(maps), k)))))


def map_gradient(W, dz, half, turn=lambda W: W[::-1, ::-1]):
    """Return the rule of a pooled map's gradient: the flipped half of the kernel over dz."""
    return products(term("ab,ijab->ij", W, dz, arrange=lambda W, dz: (turn(W[half]), windows(dz, W.shape[-1]))))


def _channel_backward(g, cache, source):
    shape, ties = cache.F.shape[1:], cache.dialect.ties_over("space")
    rule = of(SIGMOID_SLOPE, "dM_c", "M_c")
    yield Step("dz_c", _d("z_c"), rf"{_d('z_c')} = {_d('M_c')} \cdot M_c (1 - M_c)", g.dz_c[0], rule=rule)
    for pool, mlp in g.mlps.items():
        a, h, v = rf"a_{{{pool}}}", rf"h_{{{pool}}}", rf"F^c_{{{pool}}}"
        rule = products(term("ch,c->h", "W1", "dz_c"))
        yield Step(f"da_{pool}", _d(a), rf"{_d(a)} = W_1^\top {_d('z_c')}", mlp.da[0], rule=rule)
        rule = of(RELU_SLOPE, f"da_{pool}", f"h_{pool}")
        yield Step(f"dh_{pool}", _d(h), rf"{_d(h)} = {_d(a)} \cdot [{h} > 0]", mlp.dh[0], rule=rule)
        rule = products(term("hc,h->c", "W0", f"dh_{pool}"))
        yield Step(f"dF_{pool}", _d(v), rf"{_d(v)} = W_0^\top {_d(h)}", mlp.dv[0], rule=rule)
    yield from _weight_gradients(g, cache.dialect.mlp_bias)
    for pool, dF in g.dF_from.items():
        d = f"dF_{pool}"
        share = r"\frac{1}{HW} %s[c]" if pool == "avg" else r"%s[c]\text{ at the maximum, else 0}"
        size = shape[1] * shape[2]
        rule = shared_evenly(d, shape, size) if pool == "avg" else share_of_max(d, source, "cij->c", ties)
        yield _via(source, f"F_{pool}", f"[c,i,j] = {share % _d(rf'F^c_{{{pool}}}')}", dF[0], rule)


def _weight_gradients(g, bias):
    """Yield the gradients of the MLP's weights: one MLP used on every pooled vector, so they add."""
    outer = " + ".join(rf"{_d('z_c')} a_{{{pool}}}^\top" for pool in g.mlps)
    rule = products(*(term("c,h->ch", "dz_c", f"a_{pool}") for pool in g.mlps))
    yield Step("dW1", _d("W_1"), rf"{_d('W_1')} = {outer}", g.dW1, rule=rule)
    if bias:
        rule = products(*(term("c->c", "dz_c") for _ in g.mlps))
        yield Step("db1", _d("b_1"), rf"{_d('b_1')} = {' + '.join(_d('z_c') for _ in g.mlps)}", g.db1, rule=rule)
    outer = " + ".join(rf"{_d(rf'h_{{{pool}}}')} {{F^c_{{{pool}}}}}^\top" for pool in g.mlps)
    rule = products(*(term("h,c->hc", f"dh_{pool}", f"F_{pool}") for pool in g.mlps))
    yield Step("dW0", _d("W_0"), rf"{_d('W_0')} = {outer}", g.dW0, rule=rule)
    if bias:
        outer = " + ".join(_d(rf"h_{{{pool}}}") for pool in g.mlps)
        rule = products(*(term("h->h", f"dh_{pool}") for pool in g.mlps))
        yield Step("db0", _d("b_0"), rf"{_d('b_0')} = {outer}", g.db0, rule=rule)
