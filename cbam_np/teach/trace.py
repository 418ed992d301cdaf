r"""One call of CBAM as an ordered list of named steps, forward and, if asked for, backward.

A trace reads the caches that the network itself leaves; it has no mathematics of its own. Whole numbers and fractions
go through the same operations as floats do, and stay exact up to the first sigmoid. Its indices start at
1, as on the slides. `dX` is short for ∂L/∂X, the gradient of the loss with respect to X.
"""

import difflib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Rational

import numpy as np

from ..cbam import ORDERS, cbam_forward, cbam_gradients
from . import show

ALIASES = {"F'_avg": "Fs_avg", "F'_max": "Fs_max"}  # the slides have two names for the maps of the spatial step


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a trace, or one entry of it.

    Parameters
    ----------
    name : str
        What it is looked up by, such as "M_c" or "M_c[1]".
    symbol, formula : str
        LaTeX.
    value : ndarray or number
        One image's value, without the batch axis: (C,), (H, W), (C, H, W), ...; fractions where exact.
    slide : str
        Where the lecture has it; "" where the lecture does not go.
    given : bool
        Whether it is an input rather than a result.
    """

    name: str
    symbol: str
    formula: str
    value: object
    slide: str = ""
    given: bool = False

    @property
    def shape(self):
        """Shape of the value; () for a number."""
        return np.shape(self.value)

    @property
    def heading(self):
        """Name and formula as one line of text; the formula alone where it begins with the name."""
        formula = show.plain(self.formula)
        if self.given or formula.startswith((f"{self.name} ", f"{self.name}[")):
            return formula or self.name
        return f"{self.name}: {formula}"

    def entry(self, index):
        """Return one entry as a step of its own.

        Parameters
        ----------
        index : tuple of int
            1-based, one number an axis.

        Returns
        -------
        Step
            Named with the index.

        Raises
        ------
        IndexError
            If the index does not fit the shape.
        """
        size = f"has {'×'.join(map(str, self.shape))} entries" if self.shape else "is a single number"
        if len(index) != len(self.shape):
            raise IndexError(f"{self.name} {size}: it takes {len(self.shape)} indices, got {list(index)}")
        if not all(1 <= i <= n for i, n in zip(index, self.shape, strict=True)):
            raise IndexError(
                f"{self.name} {size}: {list(index)} is outside, since indices start at 1, as on the slides"
            )
        suffix = f"[{','.join(map(str, index))}]"
        value = self.value[tuple(i - 1 for i in index)]
        return replace(self, name=self.name + suffix, symbol=self.symbol + suffix, value=value)

    def __str__(self):
        where = f"   ({self.slide})" if self.slide else ""
        return "\n".join([self.heading + where, *("    " + line for line in show.text(self.value))])

    def _repr_latex_(self):
        left = self.symbol if self.given or self.shape == () else self.formula
        return f"$\\displaystyle {left} = {show.latex(self.value)}$"


class Trace(Sequence):
    """An ordered list of steps.

    ``trace["M_c"]`` is a step, ``trace["M_c[1]"]`` one entry of it (indices from 1), ``trace[0]`` the first step.

    Parameters
    ----------
    steps : iterable of Step
        In the order in which they are computed.
    """

    def __init__(self, steps):
        self.steps = tuple(steps)
        self.by_name = {step.name: step for step in self.steps}

    def __len__(self):
        return len(self.steps)

    def __getitem__(self, key):
        if not isinstance(key, str):
            return self.steps[key]
        found = re.fullmatch(r"\s*([^\[\]\s]+)\s*(?:\[([\d\s,]+)\])?\s*", key)
        if not found:
            raise KeyError(
                f"{key!r} is no step: write a name, or a name and 1-based indices, as in 'M_c[1]' or 'M_s[2,3]'"
            )
        name, index = found.groups()
        name = name if name in self.by_name else ALIASES.get(name, name)
        if name not in self.by_name:
            near = difflib.get_close_matches(name, self.by_name, cutoff=0.5) or self.by_name
            raise KeyError(f"there is no step {name!r}; the nearest are {', '.join(near)}")
        step = self.by_name[name]
        return step if index is None else step.entry(tuple(int(i) for i in index.split(",") if i.strip()))

    @property
    def names(self):
        """Names of the steps, in order."""
        return tuple(self.by_name)

    def __str__(self):
        return "\n\n".join(map(str, self.steps))

    def _repr_html_(self):
        left = 'style="text-align:left"'
        rows = "".join(
            f"<tr><td {left}>{html.escape(step.slide)}</td><td {left}><code>{html.escape(step.name)}</code></td>"
            f"<td {left}>${html.escape(step.symbol if step.given else step.formula)}$</td>"
            f"<td {left}>{show.html_array(step.value)}</td></tr>"
            for step in self.steps
        )
        heads = "".join(f"<th {left}>{head}</th>" for head in ("slide", "step", "formula", "value"))
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def trace_cbam(F, params, dF_out=None, dialect="paper", **changes):
    r"""Run CBAM on one feature map and list every step.

    Where the numbers given are whole numbers and fractions, everything before the first sigmoid is exact.

    Parameters
    ----------
    F : array_like, shape (C, H, W)
        One image's feature map: floats, whole numbers or `fractions.Fraction`.
    params : dict of str to array_like
        `W0`, `W1`, `W7` as for `cbam_np.cbam_forward`.
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
        As `cbam_np.cbam_forward`.
    """
    x = _given(F)
    if x.ndim != 3:
        raise ValueError(f"F has {x.ndim} axes, shape {x.shape}; expected 3, (C, H, W): a trace follows one image")
    params = {name: _given(W) for name, W in params.items()}
    _, cache = cbam_forward(x[None], params, dialect, **changes)
    steps = list(_forward_steps(cache, params))
    if dF_out is not None:
        dF_out = _given(dF_out)
        steps += _backward_steps(cbam_gradients(dF_out[None], cache), cache, dF_out)
    return Trace(steps)


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


def _forward_steps(cache, params):
    """Yield the forward steps; a source is what an attention looks at, before and after are its gate's sides."""
    yield Step("F", "F", "", cache.F[0], "Step 0", given=True)
    for name, symbol in (("W0", "W_0"), ("W1", "W_1"), ("W7", "W_7")):
        if name in params:
            yield Step(name, symbol, "", params[name][0] if name == "W7" else params[name], given=True)
    for attention, (source, before, after) in _names(cache).items():
        if attention == "channel":
            yield from _channel_forward(cache.channel, source)
            out, slide = (rf"{after}[c,i,j] = M_c[c] \cdot {before}[c,i,j]", "Step 1")
        else:
            yield from _spatial_forward(cache.spatial, source)
            out, slide = (rf"{after}[c,i,j] = M_s[i,j] \cdot {before}[c,i,j]", "Step 3")
        yield Step(after, after, out, (cache.F1 if after == "F'" else cache.F2)[0], slide)


POOLED_OVER_SPACE = {"avg": r"\frac{1}{HW} \sum_{i,j} %s[c,i,j]", "max": r"\max_{i,j} %s[c,i,j]"}
POOLED_OVER_CHANNELS = {"avg": r"\frac{1}{C} \sum_{c} %s[c,i,j]", "max": r"\max_{c} %s[c,i,j]"}


def _channel_forward(c, source):
    for pool, mlp in c.mlps.items():
        formula = rf"F^c_{{{pool}}}[c] = {POOLED_OVER_SPACE[pool] % source}"
        yield Step(f"F_{pool}", rf"F^c_{{{pool}}}", formula, mlp.v[0], "Step 1")
    for pool, mlp in c.mlps.items():
        h, a, z = (rf"{letter}_{{{pool}}}" for letter in "haz")
        yield Step(f"h_{pool}", h, rf"{h} = W_0 F^c_{{{pool}}}", mlp.h[0], "Step 1")
        yield Step(f"a_{pool}", a, rf"{a} = \mathrm{{ReLU}}({h})", mlp.a[0], "Step 1")
        yield Step(f"z_{pool}", z, rf"{z} = W_1 {a}", mlp.z[0], "Step 1")
    total = " + ".join(rf"z_{{{pool}}}" for pool in c.mlps)
    yield Step("z_c", "z_c", f"z_c = {total}", c.z_c[0], "Step 1")
    yield Step("M_c", "M_c", r"M_c = \sigma(z_c)", c.Mc[0, :, 0, 0], "Step 1")


def _spatial_forward(s, source):
    for pool in s.pools:
        formula = rf"F^s_{{{pool}}}[i,j] = {POOLED_OVER_CHANNELS[pool] % source}"
        yield Step(f"Fs_{pool}", rf"F^s_{{{pool}}}", formula, s.pooled(pool)[0, 0], "Step 2")
    k = s.c_conv.W.shape[-1]
    stacked = "; ".join(rf"F^s_{{{pool}}}" for pool in s.pools)
    yield Step("z_s", "z_s", rf"z_s = f^{{{k} \times {k}}}([{stacked}])", s.z_s[0, 0], "Step 2")
    yield Step("M_s", "M_s", r"M_s = \sigma(z_s)", s.Ms[0, 0], "Step 2")


def _d(symbol):
    return rf"\mathrm{{d}}{symbol}"


def _backward_steps(g, cache, dF_out):
    """Yield the backward steps, the gates last one first."""
    names = _names(cache)
    last = list(names.values())[-1][-1]
    yield Step(f"d{last}", _d(last), "", dF_out, given=True)
    paths = {}  # by what they lead to: the gradients that add up there
    for attention, (source, before, after) in reversed(names.items()):
        M, m = ("M_c", "M_c[c]") if attention == "channel" else ("M_s", "M_s[i,j]")
        summed = r"\sum_{i,j}" if attention == "channel" else r"\sum_{c}"
        formula = rf"{_d(m)} = {summed} {_d(after)}[c,i,j] \cdot {before}[c,i,j]"
        gradients = getattr(g, attention)
        dM = gradients.dMc[0, :, 0, 0] if attention == "channel" else gradients.dMs[0, 0]
        yield Step(f"d{M}", _d(M), formula, dM)
        direct = f"d{before}_direct"
        formula = rf"{_d(before)}_{{direct}} = {m} \cdot {_d(after)}[c,i,j]"
        yield Step(direct, rf"{_d(before)}_{{direct}}", formula, g.direct[attention][0])
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
    return Step(f"d{name}", _d(name), rf"{_d(name)} = {' + '.join(_path(name, path) for path in paths)}", value)


def _via(source, pooled, formula, value):
    name = f"d{source}_via_{pooled}"
    symbol = _path(source, name)
    return Step(name, symbol, rf"{symbol}{formula}", value)


def _spatial_backward(g, cache, source):
    yield Step("dz_s", _d("z_s"), rf"{_d('z_s')} = {_d('M_s')} \cdot M_s (1 - M_s)", g.dz_s[0, 0])
    p = cache.spatial.c_conv.padding
    formula = rf"{_d('W_7')}[m,a,b] = \sum_{{i,j}} {_d('z_s')}[i,j] \cdot F^s_m[i+a-{p + 1},j+b-{p + 1}]"
    yield Step("dW7", _d("W_7"), formula, g.dW7[0])
    for m, (pool, dmap) in enumerate(g.dFs.items(), start=1):
        symbol = _d(rf"F^s_{{{pool}}}")
        formula = rf"{symbol}[i,j] = \sum_{{a,b}} W_7[{m},a,b] \cdot {_d('z_s')}[i-a+{p + 1},j-b+{p + 1}]"
        yield Step(f"dFs_{pool}", symbol, formula, dmap[0, 0])
    for pool, dF in g.dF_from.items():
        share = r"\frac{1}{C} %s[i,j]" if pool == "avg" else r"%s[i,j]\text{ at the maximum, else 0}"
        yield _via(source, f"Fs_{pool}", f"[c,i,j] = {share % _d(rf'F^s_{{{pool}}}')}", dF[0])


def _channel_backward(g, cache, source):
    yield Step("dz_c", _d("z_c"), rf"{_d('z_c')} = {_d('M_c')} \cdot M_c (1 - M_c)", g.dz_c[0])
    for pool, mlp in g.mlps.items():
        a, h, v = rf"a_{{{pool}}}", rf"h_{{{pool}}}", rf"F^c_{{{pool}}}"
        yield Step(f"da_{pool}", _d(a), rf"{_d(a)} = W_1^\top {_d('z_c')}", mlp.da[0])
        yield Step(f"dh_{pool}", _d(h), rf"{_d(h)} = {_d(a)} \cdot [{h} > 0]", mlp.dh[0])
        yield Step(f"dF_{pool}", _d(v), rf"{_d(v)} = W_0^\top {_d(h)}", mlp.dv[0])
    outer = " + ".join(rf"{_d('z_c')} a_{{{pool}}}^\top" for pool in g.mlps)
    yield Step("dW1", _d("W_1"), rf"{_d('W_1')} = {outer}", g.dW1)
    outer = " + ".join(rf"{_d(rf'h_{{{pool}}}')} {{F^c_{{{pool}}}}}^\top" for pool in g.mlps)
    yield Step("dW0", _d("W_0"), rf"{_d('W_0')} = {outer}", g.dW0)
    for pool, dF in g.dF_from.items():
        share = r"\frac{1}{HW} %s[c]" if pool == "avg" else r"%s[c]\text{ at the maximum, else 0}"
        yield _via(source, f"F_{pool}", f"[c,i,j] = {share % _d(rf'F^c_{{{pool}}}')}", dF[0])
