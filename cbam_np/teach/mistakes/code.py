"""Mistakes that only code makes: with the batch, with axes, in the loop over the images.

They are tried on exact numbers only, so their bounds are those of a point.
"""

import numpy as np

from ..calculation.pools import share_of_max
from ..calculation.rules import Rule, monotone_bound, products, reduction
from ..calculation.steps import rules_of
from .mistake import Calculation, mistake, terms, then, unspelled

OVER = {"space": ("_via_F_max", "cij->c", (1, 2)), "channels": ("_via_Fs_max", "cij->ij", (0,))}
WEIGHTS = ("dW0", "db0", "dW1", "db1", "dW7")


class BatchCalculation(Calculation):
    """The rules for one image of a batch, with what mistakes in code ask about the rest of it.

    Parameters
    ----------
    trace : Trace
        This image's.
    rules : dict of str to Rule
        How its steps follow.
    batch : sequence of Trace
        All images'.
    given : dict of str to ndarray
        What is given, weights that the trace does not know among it, such as `W0_max`.
    """

    def __init__(self, trace, rules, batch, given):
        super().__init__(trace, rules)
        self.batch, self.given = batch, given

    @property
    def others(self):
        """The traces of the other images."""
        return [trace for trace in self.batch if trace is not self.trace]


def constant(inputs, value):
    """Return the rule of a step that has this value, whatever its inputs are."""
    return Rule(inputs, lambda *_: value, lambda lows, highs: (value, value), unspelled)


def _of_a_point(inputs, compute):
    return Rule(inputs, compute, monotone_bound(compute), unspelled)


# --- the batch ---


def _over_the_batch(*pools):
    """Return variants in which pools run over the images as well: all of them, or one."""

    def variant(*names):
        def change(c):
            if not c.others or not all(name in c for name in names):
                return {}
            seen = {name: np.array([trace[name].value for trace in c.batch]) for name in names}
            pooled = {name: values.mean(0) if name.endswith("avg") else values.max(0) for name, values in seen.items()}
            return {name: constant(c[name].inputs, value) for name, value in pooled.items()}

        return change

    return (variant(*pools), *(variant(pool) for pool in pools))


def _softmax(axis):
    def compute(z):
        e = np.exp(z - z.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)

    return compute


def _softmax_over_the_batch(M, z):
    def change(c):
        if M not in c:
            return {}
        others = [trace[z].value for trace in c.others]
        return {M: _of_a_point((z,), lambda own: 1 / sum(np.exp(each - own) for each in [own, *others]))}

    return change


def _each_weight(make):
    """Return variants that change the gradients of all weights, or of one; `make` gets the calculation, the rule."""

    def variant(*names):
        def change(c):
            changed = {name: make(c, c[name]) for name in names if name in c}
            return changed if len(c.batch) > 1 else {}

        return change

    return (variant(*WEIGHTS), *(variant(name) for name in WEIGHTS))


def _divided_by_N(c, rule):
    return then(rule, lambda gradient: gradient / len(c.batch), "")


def _of_the_last_image(c, rule):
    return then(rule, lambda gradient: gradient * (c.trace is c.batch[-1]), "")


# --- axes ---


def _pooled(spec, fits, over="space"):
    """Return variants in which both pools, or one, run over other axes than they should."""
    letter = "F" if over == "space" else "Fs"
    how = {"avg": np.mean, "max": np.max}

    def variant(*pools):
        def change(c):
            names = [f"{letter}_{pool}" for pool in pools]
            if not all(name in c for name in names) or not fits(c):
                return {}
            return {
                name: reduction(c[name].inputs[0], spec, how[pool], "")._replace(spell=unspelled)
                for name, pool in zip(names, pools, strict=True)
            }

        return change

    return variant("avg", "max"), variant("avg"), variant("max")


def _over_the_channels_too(**functions):
    """Return a variant in which every channel gets the same number: ``F_avg=np.mean``."""

    def change(c):
        if c.C == 1 or not all(name in c for name in functions):
            return {}
        return {
            name: _of_a_point(c[name].inputs, lambda F, f=function: np.full(len(F), f(F)))
            for name, function in functions.items()
        }

    return change


# --- MLPs ---


def _own_mlp(pool):
    """Return a variant in which one pool has the MLP with the weights `W0_max`, `W1_max`."""

    def change(c):
        if "W0_max" not in c.given or f"z_{pool}" not in c:
            return {}
        h = products(*terms(f"hc,c->h W0_max F_{pool}", *["h->h b0_max"] * ("b0_max" in c.given)))
        z = products(*terms(f"ch,h->c W1_max a_{pool}", *["c->c b1_max"] * ("b1_max" in c.given)))
        return {f"h_{pool}": h, f"z_{pool}": z}

    return change


# --- orders ---


def _one_after_the_other(instead_of):
    """Return a variant that runs channel attention, then spatial attention, where another order is right."""

    def change(c):
        if c.trace.dialect.order != instead_of:
            return {}
        other = rules_of(c.trace, order="channel-spatial")
        return {n: r for n, r in other.items() if n in c and n[0] != "d" and r.inputs != c.trace.rules[n].inputs}

    return change


# --- ties ---


def ties_to(rule, over, ties):
    """Return the rule of a maximum's gradient with another rule for ties.

    Parameters
    ----------
    rule : Rule
        The gradient's.
    over : {"space", "channels"}
        What the maximum is over.
    ties : {"first", "split", "last", "all"}
        Who gets the gradient; "all" gives the whole of it to each.

    Returns
    -------
    Rule
        Of the same inputs.
    """
    _, spec, axes = OVER[over]
    first = share_of_max(*rule.inputs, spec, "first")
    if ties in ("first", "split"):
        return share_of_max(*rule.inputs, spec, ties)
    if ties == "last":
        return _of_a_point(rule.inputs, lambda d, x: np.flip(first.compute(d, np.flip(x, axes)), axes))
    return _of_a_point(
        rule.inputs, lambda d, x: (x == x.max(axis=axes, keepdims=True)) * np.expand_dims(d, axes).astype(float)
    )


def change_ties(rules, over, ties):
    """Return {step: rule} for the gradients of the maxima over space or channels with another rule for ties."""
    return {name: ties_to(rule, over, ties) for name, rule in rules.items() if name.endswith(OVER[over][0])}


def _whole_to_every_tie(*overs):
    return lambda c: {name: rule for over in overs for name, rule in change_ties(c, over, "all").items()}


CODE_MISTAKES = (
    mistake(
        "an MLP for each branch",
        "One MLP is shared: the average and the maximum go through the same W_0 and W_1.",
        _own_mlp("max"),
        _own_mlp("avg"),
        needs="z_avg z_max",
    ),
    mistake(
        "pooled over the batch as well, in the channel submodule",
        "Each image has its own M_c: pool over axes 2 and 3, the pixels, and not over axis 0, the images.",
        *_over_the_batch("F_avg", "F_max"),
    ),
    mistake(
        "pooled over the batch as well, in the spatial submodule",
        "Each image has its own M_s: pool over axis 1, the channels, and not over axis 0, the images.",
        *_over_the_batch("Fs_avg", "Fs_max"),
    ),
    mistake(
        "pooled over the channels as well, in the channel submodule",
        "Each channel has its own number: pool over axes 2 and 3, the pixels, and not over axis 1, the channels.",
        _over_the_channels_too(F_avg=np.mean, F_max=np.max),
        _over_the_channels_too(F_avg=np.mean),
        _over_the_channels_too(F_max=np.max),
    ),
    mistake(
        "pooled over the wrong axes in the channel submodule",
        "The pools run over axes 2 and 3 of (N, C, H, W), the pixels; what is left is (N, C).",
        *_pooled("cij->j", lambda c: c.C == c.W > 1),
        *_pooled("cij->i", lambda c: c.C == c.H > 1),
    ),
    mistake(
        "pooled over the wrong axis in the spatial submodule",
        "The pools run over axis 1 of (N, C, H, W), the channels; what is left is (N, H, W).",
        *_pooled("cij->cj", lambda c: c.C == c.H > 1, "channels"),
        *_pooled("cij->ci", lambda c: c.C == c.H == c.W > 1, "channels"),
    ),
    mistake(
        "softmax over the batch",
        "Every weight is a sigmoid of its own score; the images have nothing to do with each other.",
        _softmax_over_the_batch("M_c", "z_c"),
        _softmax_over_the_batch("M_s", "z_s"),
    ),
    mistake(
        "softmax instead of the spatial sigmoid",
        "Every pixel has a sigmoid of its own; its weights need not add up to 1, as those of softmax do.",
        *(
            lambda c, axis=axis: {"M_s": _of_a_point(("z_s",), _softmax(axis))} if "M_s" in c else {}
            for axis in [(0, 1), 0, 1]
        ),
    ),
    mistake(
        "channel attention before spatial attention",
        "In this order, spatial attention comes first, and channel attention looks at what it has weighted.",
        _one_after_the_other("spatial-channel"),
        needs="M_c M_s",
    ),
    mistake(
        "one attention after the other",
        "In parallel, both attentions look at F itself.",
        _one_after_the_other("parallel"),
        needs="M_c M_s",
    ),
    mistake(
        "the weights' gradients averaged over the batch",
        "A weight is used on every image: its gradients add up. If the loss is an average, its 1/N is in dout already.",
        *_each_weight(_divided_by_N),
    ),
    mistake(
        "= instead of += in the loop over the images",
        "A weight is used on every image: its gradients add up; here only the last image's is left.",
        *_each_weight(_of_the_last_image),
    ),
    mistake(
        "the whole gradient to every one of the tied maxima",
        "x == x.max() is true at each of them: divide by how many there are, or choose one.",
        _whole_to_every_tie("space", "channels"),
        _whole_to_every_tie("space"),
        _whole_to_every_tie("channels"),
    ),
)
