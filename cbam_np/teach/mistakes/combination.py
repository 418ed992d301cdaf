"""Mistakes in how the two attentions are put together: F' = M_c ⊗ F, F'' = M_s ⊗ F'."""

from collections.abc import Callable

import numpy as np

from ..calculation.cbam_rules import ON_CHANNELS, ON_PIXELS
from ..calculation.rules import Arrays, Rule, products, term
from ..calculation.steps import rules_of
from .mistake import Calculation, Change, Mistake, OneWay, copy_of, mistake, with_input

NAMES = {"M_c": ("c", ON_CHANNELS, "z_c"), "M_s": ("ij", ON_PIXELS, "z_s")}


def _gate(M: str, make: Callable[[Rule, str], Rule]) -> OneWay:
    """Return a variant that changes how the map M is multiplied on; `make` gets its rule and what it multiplies."""

    def change(c: Calculation) -> Change:
        name = c.gate(M)
        return {name: make(c[name], c[name].inputs[1])}

    return change


def _laid_along(M: str, spec: str, axes: str) -> OneWay:
    """Return a variant with the map along wrong axes, as broadcasting has it where axes are missing.

    `axes` names those that must be as long as each other, "CW".
    """

    def change(c: Calculation) -> Change:
        one, other = (dict(zip("CHW", c.shape, strict=True))[axis] for axis in axes)
        return {c.gate(M): products(term(spec, *c[c.gate(M)].inputs))} if one == other > 1 else {}

    return change


def _before_the_gates(c: Calculation) -> Change:
    """Multiply the second map onto what the first one was multiplied onto."""
    last = c.gate("M_s")
    before = c[last].inputs[1]
    return {last: with_input(c[last], before, c[before].inputs[1])} if before in c else {}


def _in_another_order(order: str) -> OneWay:
    """Return a variant that runs the two attentions in another order."""

    def change(c: Calculation) -> Change:
        other = rules_of(c.trace, order=order)
        return {n: r for n, r in other.items() if n in c and n[0] != "d" and r.inputs != c.trace.rules[n].inputs}

    return change


def _of_gate(M: str) -> tuple[Mistake, ...]:
    """Return the mistakes that can be made with either map."""
    letters, spec, score = NAMES[M]

    def beside_ones(M: np.ndarray, F: np.ndarray) -> Arrays:
        return M, np.ones(F.shape)

    def added(rule: Rule, before: str) -> Rule:
        return products(term(spec, M, before, arrange=beside_ones), term("cij->cij", before))

    return (
        mistake(
            f"{M} multiplied twice",
            f"{M} is multiplied on once.",
            _gate(M, lambda rule, before: products(term(f"{letters},{spec}", M, M, before))),
            needs=M,
        ),
        mistake(
            f"{M} not multiplied",
            f"The map {M} has to be multiplied onto the feature map.",
            _gate(M, lambda rule, before: copy_of(before)),
            needs=M,
        ),
        mistake(
            f"{M} added instead of multiplied",
            f"{M} is a weight: it is multiplied on, not added.",
            _gate(M, added),
            needs=M,
        ),
        mistake(
            f"the feature map added to {M} ⊗ itself",
            "CBAM has no shortcut of its own: the product is all there is.",
            _gate(M, lambda rule, before: products(term(spec, M, before), term("cij->cij", before))),
            needs=M,
        ),
        mistake(
            f"{score} multiplied instead of {M}",
            f"The weights are {M} = σ({score}), not the scores {score}.",
            _gate(M, lambda rule, before: with_input(rule, M, score)),
            needs=M,
        ),
    )


MISTAKES = (
    *_of_gate("M_c"),
    *_of_gate("M_s"),
    mistake(
        "M_c along rows or columns instead of channels",
        "M_c[c] belongs to the whole channel c; in NumPy it needs the shape (C, 1, 1).",
        _laid_along("M_c", "j,cij->cij", "CW"),
        _laid_along("M_c", "i,cij->cij", "CH"),
        needs="M_c",
    ),
    mistake(
        "M_s with rows and columns swapped",
        "M_s[i,j] belongs to row i and column j.",
        _laid_along("M_s", "ji,cij->cij", "HW"),
        needs="M_s",
    ),
    mistake(
        "M_s multiplied onto F instead of F'",
        "F'' = M_s ⊗ F': the channel weights stay in.",
        _before_the_gates,
        needs="M_c M_s",
    ),
    mistake(
        "M_c instead of M_s in the second product",
        "The second product takes the spatial map, one weight per pixel.",
        lambda c: {c.gate("M_s"): products(term(ON_CHANNELS, "M_c", c[c.gate("M_s")].inputs[1]))},
        needs="M_c M_s",
    ),
    mistake(
        "spatial attention before channel attention",
        "Channel attention comes first, then spatial attention looks at what it has weighted.",
        _in_another_order("spatial-channel"),
        needs="M_c M_s",
    ),
)
