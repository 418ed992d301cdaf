"""Mistakes on the way back: through the products, the sigmoids and the MLP."""

from collections.abc import Callable

import numpy as np

from ..calculation.cbam_rules import sigmoid
from ..calculation.rules import Rule, products, term
from .mistake import Calculation, Change, OneWay, always, copy_of, entries, in_each_branch, mistake, terms, with_input

LETTERS = {"c": "c", "s": "ij"}  # of M_c and M_s, in Einstein's notation
POOLS = ("_avg", "_max", "_lp", "_lse", "_mixed")  # what the names of the paths through pools end with


# --- the sums of paths: dF, dF' ---


def _path_dropped(*dropped: str) -> tuple[OneWay, ...]:
    """Return variants in which a sum over paths lacks those whose names end so."""

    def at(step: str) -> OneWay:
        def change(c: Calculation) -> Change:
            paths = c[step].inputs if step in c else ()
            kept = [path for path in paths if not path.endswith(dropped)]
            if not 0 < len(kept) < len(paths):
                return {}
            return {step: products(*(term("cij->cij", path) for path in kept))}

        return change

    return at("dF'"), at("dF")


# --- the sigmoids ---


def _slope(template: str, of: str, f: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> tuple[OneWay, ...]:
    """Return variants for the two sigmoids: dz is f of dM and of `of`, which is "M" or "z"."""
    return tuple(always({f"dz_{x}": entries(template, f"dM_{x}", f"{of}_{x}", f=f)}) for x in LETTERS)


def slope_at_the_score(d: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return d z (1 - z)."""
    return d * z * (1 - z)


def slope_at_the_map(d: np.ndarray, M: np.ndarray) -> np.ndarray:
    """Return d σ(M) (1 - σ(M))."""
    return d * sigmoid(M) * (1 - sigmoid(M))


def second_factor(d: np.ndarray, M: np.ndarray) -> np.ndarray:
    """Return d (1 - M)."""
    return d * (1 - M)


# --- the products ---


def _dM(make: Callable[[Calculation, str, Rule], Rule | None]) -> tuple[OneWay, ...]:
    """Return variants for the gradients of the two maps; `make` gets the calculation, the letter, the right rule."""

    def of(x: str) -> OneWay:
        def change(c: Calculation) -> Change:
            rule = make(c, x, c[f"dM_{x}"]) if f"dM_{x}" in c else None
            return {f"dM_{x}": rule} if rule else {}

        return change

    return tuple(map(of, LETTERS))


def _with_the_result(c: Calculation, x: str, rule: Rule) -> Rule:
    return with_input(rule, rule.inputs[1], c.gate(f"M_{x}"))


def _with_what_came_before(c: Calculation, x: str, rule: Rule) -> Rule | None:
    factor = rule.inputs[1]
    return with_input(rule, factor, c[factor].inputs[1]) if factor in c else None


def _averaged(c: Calculation, x: str, rule: Rule) -> Rule:
    size = c.H * c.W if x == "c" else c.C
    return products(term(f"cij,cij->{LETTERS[x]}", *rule.inputs), divide=size)


def _without_the_factor(c: Calculation, x: str, rule: Rule) -> Rule:
    return products(term(f"cij->{LETTERS[x]}", rule.inputs[0]))


def _direct(make: Callable[[Rule], Rule]) -> tuple[OneWay, ...]:
    """Return variants for the two direct paths; `make` gets the right rule."""

    def through(M: str) -> OneWay:
        def change(c: Calculation) -> Change:
            return {n: make(rule) for n, rule in c.items() if n.endswith("_direct") and rule.inputs[0] == M}

        return change

    return through("M_s"), through("M_c")


def _without_the_map(rule: Rule) -> Rule:
    return copy_of(rule.inputs[1])


def _with_the_other_map(rule: Rule) -> Rule:
    other, spec = ("M_c", "c,cij->cij") if rule.inputs[0] == "M_s" else ("M_s", "ij,cij->cij")
    return products(term(spec, other, rule.inputs[1]))


# --- the MLP ---


def _mask_of_the_other(c: Calculation) -> Change:
    other = {"avg": "max", "max": "avg"}
    return {f"dh_{p}": with_input(c[f"dh_{p}"], f"h_{p}", f"h_{other[p]}") for p in other if f"dh_{p}" in c}


def _mask_of_the_gradient(c: Calculation) -> Change:
    return {f"dh_{p}": with_input(c[f"dh_{p}"], f"h_{p}", f"da_{p}") for p in c.pools if f"dh_{p}" in c}


def _branch_dropped(W: str, letter: str, before: str, spec: str) -> tuple[OneWay, ...]:
    """Return variants in which the gradient of W comes from one of the two branches only."""

    def only(pool: str) -> OneWay:
        def change(c: Calculation) -> Change:
            if len(c.pools) == 1 or pool not in c.pools:
                return {}
            return {W: products(term(spec, letter.format(pool), before.format(pool)))}

        return change

    return only("avg"), only("max")


def _weight_gradient(W: str, spec: str, letter: str, before: str) -> OneWay:
    """Return a variant in which the gradient of W has other factors, or its axes in another order."""

    def change(c: Calculation) -> Change:
        return {W: products(*(term(spec, letter.format(p), before.format(p)) for p in c.pools))}

    return change


MISTAKES = (
    mistake(
        "the product rule's second term forgotten",
        "F is in the product twice, by itself and inside its map: both gradients add up.",
        *_path_dropped(*POOLS),
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
        *(always({f"dz_{x}": copy_of(f"dM_{x}")}) for x in LETTERS),
    ),
    mistake(
        "z (1 - z) instead of M (1 - M)",
        "The sigmoid's derivative is M (1 - M), with its output M, not with its input z.",
        *_slope("{0}·{1}·(1 - {1})", "z", slope_at_the_score),
    ),
    mistake(
        "the sigmoid's derivative taken at M instead of z",
        "M is σ(z) already: its derivative is M (1 - M), without another sigmoid.",
        *_slope("{0}·σ({1})·(1 - σ({1}))", "M", slope_at_the_map),
    ),
    mistake(
        "M instead of M (1 - M)",
        "The sigmoid's derivative has two factors, M and 1 - M.",
        *_slope("{0}·{1}", "M", np.multiply),
    ),
    mistake(
        "1 - M instead of M (1 - M)",
        "The sigmoid's derivative has two factors, M and 1 - M.",
        *_slope("{0}·(1 - {1})", "M", second_factor),
    ),
    mistake(
        "the map's gradient with the result of the product",
        "The gradient of a factor is the other factor: what the map was multiplied onto, not what came out.",
        *_dM(_with_the_result),
    ),
    mistake(
        "the map's gradient with F instead of F'",
        "M_s was multiplied onto F': its gradient takes F'.",
        *_dM(_with_what_came_before),
        needs="M_c M_s",
    ),
    mistake(
        "the map's gradient averaged instead of added",
        "A weight that was used at many places collects the sum of their gradients, not the average.",
        *_dM(_averaged),
    ),
    mistake(
        "the feature map forgotten in the map's gradient",
        "The gradient of a factor is the other factor, times what comes from above.",
        *_dM(_without_the_factor),
    ),
    mistake(
        "the attention map forgotten in the direct path",
        "The gradient of a factor is the other factor: the direct path has the factor M.",
        *_direct(_without_the_map),
    ),
    mistake(
        "the other attention map in the direct path",
        "The direct path through a product has the factor that was multiplied on there.",
        *_direct(_with_the_other_map),
        needs="M_c M_s",
    ),
    mistake(
        "the ReLU mask forgotten",
        "Where ReLU's input was not positive, nothing comes back.",
        *(in_each_branch("dh_{}", lambda p: copy_of(f"da_{p}"), *pools) for pools in ((), ("avg",), ("max",))),
    ),
    mistake(
        "the ReLU mask of the gradient",
        "The mask asks whether the forward input h was positive, not whether the gradient is.",
        _mask_of_the_gradient,
    ),
    mistake(
        "the ReLU mask of the other branch",
        "Each branch has its own mask, from its own h.",
        _mask_of_the_other,
        needs="h_avg h_max",
    ),
    mistake(
        "multiplied by a instead of the ReLU mask",
        "ReLU's derivative is 1 or 0, not its output.",
        in_each_branch("dh_{}", lambda p: entries("{}·{}", f"da_{p}", f"a_{p}", f=np.multiply)),
    ),
    mistake(
        "W_1 not transposed on the way back",
        "The gradient goes back through W_1 transposed: da = W_1ᵀ dz.",
        in_each_branch("da_{}", lambda p: products(*terms("hc,c->h W1 dz_c"))),
        square="W1",
    ),
    mistake(
        "W_0 not transposed on the way back",
        "The gradient goes back through W_0 transposed: dF = W_0ᵀ dh.",
        in_each_branch("dF_{}", lambda p: products(*terms(f"ch,h->c W0 dh_{p}"))),
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
        _weight_gradient("dW1", "c,h->ch", "dz_c", "h_{}"),
    ),
    mistake(
        "da instead of dh in dW_0",
        "Before W_0's gradient comes the ReLU: dW_0 = dh vᵀ, with dh and not da.",
        _weight_gradient("dW0", "h,c->hc", "da_{}", "F_{}"),
    ),
    mistake(
        "dW_1 transposed",
        "dW_1 has the shape and the order of W_1: a row for each channel.",
        _weight_gradient("dW1", "h,c->ch", "dz_c", "a_{}"),
        square="W1",
    ),
    mistake(
        "dW_0 transposed",
        "dW_0 has the shape and the order of W_0: a row for each hidden unit.",
        _weight_gradient("dW0", "c,h->hc", "dh_{}", "F_{}"),
        square="W0",
    ),
    mistake(
        "b_1 counted once on the way back",
        "b_1 is in both branches: its gradient is 2 dz_c.",
        always({"db1": copy_of("dz_c")}),
        needs="db1 dF_avg dF_max",
    ),
    mistake(
        "one branch dropped from db_0",
        "b_0 is in both branches: their gradients add up.",
        always({"db0": copy_of("dh_avg")}),
        always({"db0": copy_of("dh_max")}),
        needs="db0 dF_avg dF_max",
    ),
)
