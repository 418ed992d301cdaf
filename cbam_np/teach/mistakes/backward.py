"""Mistakes on the way back: through the products, the sigmoids and the MLP."""

import numpy as np

from ..calculation.rules import products, term
from .mistake import copy_of, entries, mistake, on, sigmoid, terms

MAPS = {"c": "c", "s": "ij"}  # the letters of M_c and M_s


def _without(step, *dropped):
    """Return a variant in which a sum over steps lacks some of them."""

    def change(c):
        kept = [name for name in c[step].inputs if not name.endswith(dropped)]
        some = 0 < len(kept) < len(c[step].inputs)
        return {step: products(*(term("cij->cij", name) for name in kept))} if some else {}

    return change


def _sums(c):
    """Return the steps that add up the paths to a feature map: dF, dF'."""
    return [name for name in ("dF'", "dF") if name in c and len(c[name].inputs) > 1]


def _path_dropped(*dropped):
    return tuple(lambda c, step=step: _without(step, *dropped)(c) if step in _sums(c) else {} for step in ("dF'", "dF"))


def _slope(make):
    """Return variants for the two sigmoids; `make` gets the letter."""
    return tuple(lambda c, x=x: {f"dz_{x}": make(x)} if f"dz_{x}" in c else {} for x in "cs")


def _dM(make):
    """Return variants for the gradients of the two maps; `make` gets the calculation, the letter, the inputs."""

    def variant(x):
        return lambda c: make(c, x, c[f"dM_{x}"].inputs) if f"dM_{x}" in c else {}

    return tuple(variant(x) for x in "cs")


def _dM_of_another(which):
    """Return variants in which dM takes another feature map than the one that the map was multiplied onto."""

    def make(c, x, inputs):
        other = c.gate(f"M_{x}") if which == "after" else (c[inputs[1]].inputs[1] if inputs[1] in c else None)
        return {f"dM_{x}": on(c[f"dM_{x}"], inputs[1], other)} if other else {}

    return _dM(make)


def _dM_divided(c, x, inputs):
    size = c.H * c.W if x == "c" else c.C
    return {f"dM_{x}": products(term(f"cij,cij->{MAPS[x]}", *inputs), divide=size)}


def _dM_alone(c, x, inputs):
    return {f"dM_{x}": products(term(f"cij->{MAPS[x]}", inputs[0]))}


def _direct(make):
    """Return variants for the two direct paths; `make` gets the rule."""

    def variant(M):
        def change(c):
            return {n: make(c, n, r) for n, r in c.items() if n.endswith("_direct") and r.inputs[0] == M}

        return change

    return tuple(variant(M) for M in ("M_s", "M_c"))


def _wrong_map(c, name, rule):
    other, spec = ("M_c", "c,cij->cij") if rule.inputs[0] == "M_s" else ("M_s", "ij,cij->cij")
    return products(term(spec, other, rule.inputs[1]))


def _masked(make, *pools):
    """Return a variant for the ReLU of both branches, or of one; `make` gets the calculation and the pool."""
    return lambda c: {f"dh_{p}": make(c, p) for p in pools or c.pools if f"dh_{p}" in c}


def _other(pool):
    return "max" if pool == "avg" else "avg"


def _mask_of_the_other(c, pool):
    return on(c[f"dh_{pool}"], f"h_{pool}", f"h_{_other(pool)}")


def _branch_dropped(W, letter, before, spec):
    def variant(pool):
        return lambda c: {W: products(term(spec, letter.format(pool), before.format(pool)))} if len(c.pools) > 1 else {}

    return variant("avg"), variant("max")


MISTAKES = (
    mistake(
        "the product rule's second term forgotten",
        "F is in the product twice, by itself and inside its map: both gradients add up.",
        *_path_dropped("_avg", "_max"),
    ),
    mistake(
        "the direct path forgotten",
        "F is in the product twice, by itself and inside its map: the gradient by itself, M ⊗ d, belongs to the sum.",
        *_path_dropped("_direct"),
    ),
    mistake(
        "the path through the average forgotten",
        "The feature map feeds both pools: both gradients add up.",
        *_path_dropped("_avg"),
    ),
    mistake(
        "the path through the maximum forgotten",
        "The feature map feeds both pools: both gradients add up.",
        *_path_dropped("_max"),
    ),
    mistake(
        "the sigmoid's derivative forgotten",
        "On the way back through a sigmoid comes the factor M (1 - M).",
        *_slope(lambda x: copy_of(f"dM_{x}")),
    ),
    mistake(
        "z (1 - z) instead of M (1 - M)",
        "The sigmoid's derivative is M (1 - M), with its output M, not with its input z.",
        *_slope(lambda x: entries("{0}·{1}·(1 - {1})", f"dM_{x}", f"z_{x}", f=lambda d, z: d * z * (1 - z))),
    ),
    mistake(
        "the sigmoid's derivative taken at M instead of z",
        "M is σ(z) already: its derivative is M (1 - M), without another sigmoid.",
        *_slope(
            lambda x: entries(
                "{0}·σ({1})·(1 - σ({1}))",
                f"dM_{x}",
                f"M_{x}",
                f=lambda d, M: d * sigmoid(M) * (1 - sigmoid(M)),
            )
        ),
    ),
    mistake(
        "M instead of M (1 - M)",
        "The sigmoid's derivative has two factors, M and 1 - M.",
        *_slope(lambda x: entries("{0}·{1}", f"dM_{x}", f"M_{x}", f=np.multiply)),
    ),
    mistake(
        "1 - M instead of M (1 - M)",
        "The sigmoid's derivative has two factors, M and 1 - M.",
        *_slope(lambda x: entries("{0}·(1 - {1})", f"dM_{x}", f"M_{x}", f=lambda d, M: d * (1 - M))),
    ),
    mistake(
        "the map's gradient with the result of the product",
        "The gradient of a factor is the other factor: what the map was multiplied onto, not what came out.",
        *_dM_of_another("after"),
    ),
    mistake(
        "the map's gradient with F instead of F'",
        "M_s was multiplied onto F': its gradient takes F'.",
        *_dM_of_another("before"),
        needs="M_c M_s",
    ),
    mistake(
        "the map's gradient averaged instead of added",
        "A weight that was used at many places collects the sum of their gradients, not the average.",
        *_dM(_dM_divided),
    ),
    mistake(
        "the feature map forgotten in the map's gradient",
        "The gradient of a factor is the other factor, times what comes from above.",
        *_dM(_dM_alone),
    ),
    mistake(
        "the attention map forgotten in the direct path",
        "The gradient of a factor is the other factor: the direct path has the factor M.",
        *_direct(lambda c, name, rule: copy_of(rule.inputs[1])),
    ),
    mistake(
        "the other attention map in the direct path",
        "The direct path through a product has the factor that was multiplied on there.",
        *_direct(_wrong_map),
        needs="M_c M_s",
    ),
    mistake(
        "the ReLU mask forgotten",
        "Where ReLU's input was not positive, nothing comes back.",
        *(_masked(lambda c, pool: copy_of(f"da_{pool}"), *pools) for pools in ((), ("avg",), ("max",))),
    ),
    mistake(
        "the ReLU mask of the gradient",
        "The mask asks whether the forward input h was positive, not whether the gradient is.",
        _masked(lambda c, pool: on(c[f"dh_{pool}"], f"h_{pool}", f"da_{pool}")),
    ),
    mistake(
        "the ReLU mask of the other branch",
        "Each branch has its own mask, from its own h.",
        _masked(_mask_of_the_other),
        needs="h_avg h_max",
    ),
    mistake(
        "multiplied by a instead of the ReLU mask",
        "ReLU's derivative is 1 or 0, not its output.",
        _masked(lambda c, pool: entries("{}·{}", f"da_{pool}", f"a_{pool}", f=np.multiply)),
    ),
    mistake(
        "W_1 not transposed on the way back",
        "The gradient goes back through W_1 transposed: da = W_1ᵀ dz.",
        lambda c: {f"da_{p}": products(*terms("hc,c->h W1 dz_c")) for p in c.pools},
        square="W1",
    ),
    mistake(
        "W_0 not transposed on the way back",
        "The gradient goes back through W_0 transposed: dF = W_0ᵀ dh.",
        lambda c: {f"dF_{p}": products(*terms(f"ch,h->c W0 dh_{p}")) for p in c.pools},
        square="W0",
    ),
    mistake(
        "one branch dropped from dW_1",
        "One MLP is used twice, so the gradients of both branches add up. (With an MLP for each pool, they would not.)",
        *_branch_dropped("dW1", "dz_c", "a_{}", "c,h->ch"),
    ),
    mistake(
        "one branch dropped from dW_0",
        "One MLP is used twice, so the gradients of both branches add up. (With an MLP for each pool, they would not.)",
        *_branch_dropped("dW0", "dh_{}", "F_{}", "h,c->hc"),
    ),
    mistake(
        "h instead of a in dW_1",
        "W_1 was multiplied by a, what ReLU let through, not by h.",
        lambda c: {"dW1": products(*(term("c,h->ch", "dz_c", f"h_{p}") for p in c.pools))},
    ),
    mistake(
        "da instead of dh in dW_0",
        "Before W_0's gradient comes the ReLU: dW_0 = dh vᵀ, with dh and not da.",
        lambda c: {"dW0": products(*(term("h,c->hc", f"da_{p}", f"F_{p}") for p in c.pools))},
    ),
    mistake(
        "dW_1 transposed",
        "dW_1 has the shape and the order of W_1: a row for each channel.",
        lambda c: {"dW1": products(*(term("h,c->ch", "dz_c", f"a_{p}") for p in c.pools))},
        square="W1",
    ),
    mistake(
        "dW_0 transposed",
        "dW_0 has the shape and the order of W_0: a row for each hidden unit.",
        lambda c: {"dW0": products(*(term("c,h->hc", f"dh_{p}", f"F_{p}") for p in c.pools))},
        square="W0",
    ),
    mistake(
        "b_1 counted once on the way back",
        "b_1 is in both branches: its gradient is 2 dz_c.",
        lambda c: {"db1": copy_of("dz_c")},
        needs="db1 dF_avg dF_max",
    ),
    mistake(
        "one branch dropped from db_0",
        "b_0 is in both branches: their gradients add up.",
        lambda c: {"db0": copy_of("dh_avg")},
        lambda c: {"db0": copy_of("dh_max")},
        needs="db0 dF_avg dF_max",
    ),
)
