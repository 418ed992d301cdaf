"""Mistakes on the way back through the pools and the convolution."""

import numpy as np

from ..calculation.cbam_rules import as_it_is, kernel_gradient, map_gradient, turned_round
from ..calculation.pools import share_of_max, shared_evenly
from .mistake import mistake


def _via(pool, make):
    """Return variants for the paths through a pool over space and over channels; `make` gets c, the rule, is_space."""

    def variant(over):
        def change(c):
            end = f"_via_F{'s' * (over == 'channels')}_{pool}"
            made = {n: make(c, r, over == "space") for n, r in c.items() if n.endswith(end)}
            return {n: rule for n, rule in made.items() if rule}

        return change

    return variant("space"), variant("channels")


def _size(c, is_space):
    return c.H * c.W if is_space else c.C


def _ties(c, rule, is_space):
    """Return the rule of a maximum's gradient with the other choice for ties; None where there are no ties."""
    x = np.asarray(c.trace[rule.inputs[1]].value, float).reshape(c.C, -1)
    groups = x if is_space else x.T
    tied = (groups == groups.max(axis=1, keepdims=True)).sum() > len(groups)
    other = "split" if c.trace.dialect.ties_over("space" if is_space else "channels") == "first" else "first"
    return share_of_max(*rule.inputs, "cij->c" if is_space else "cij->ij", other) if tied else None


def _average_to_the_max(c, rule, is_space):
    source = c[f"F{'' if is_space else 's'}_avg"].inputs[0]
    return share_of_max(rule.inputs[0], source, "cij->c" if is_space else "cij->ij", "first")


MISTAKES = (
    mistake(
        "the maximum's gradient sent everywhere",
        "Only the entry that was the maximum moves it: it gets everything, all others get 0.",
        *_via("max", lambda c, rule, is_space: shared_evenly(rule.inputs[0], c.shape, 1)),
    ),
    mistake(
        "the maximum's gradient shared evenly",
        "Only the entry that was the maximum moves it: it gets everything, all others get 0.",
        *_via("max", lambda c, rule, is_space: shared_evenly(rule.inputs[0], c.shape, _size(c, is_space))),
    ),
    mistake(
        "another rule for ties",
        "Where a maximum is reached more than once, a rule says who gets its gradient; here another one was used.",
        *_via("max", _ties),
    ),
    mistake(
        "the average's gradient not divided",
        "Every one of the n numbers averaged counts 1/n: the gradient is divided by n.",
        *_via("avg", lambda c, rule, is_space: shared_evenly(rule.inputs[0], c.shape, 1)),
    ),
    mistake(
        "the average's gradient divided by the wrong number",
        "Over space, the gradient is divided by H·W, over channels by C.",
        *_via("avg", lambda c, rule, is_space: shared_evenly(rule.inputs[0], c.shape, _size(c, not is_space))),
    ),
    mistake(
        "the average's gradient sent to the maximum",
        "An average depends on every number alike: all get the same part.",
        *_via("avg", _average_to_the_max),
    ),
    mistake(
        "the kernel flipped in its gradient",
        "dW_7[m,a,b] meets the pixel that W_7[m,a,b] met on the way forward.",
        lambda c: {"dW7": kernel_gradient(*c["dW7"].inputs, k=c.k, turn=turned_round)},
        needs="dW7",
    ),
    mistake(
        "average and maximum map swapped in the kernel's gradient",
        "The first half of dW_7 belongs to the average map, the second to the maximum map.",
        lambda c: {"dW7": kernel_gradient("dz_s", *reversed(c["dW7"].inputs[1:]), k=c.k)},
        needs="dFs_avg dFs_max",
    ),
    mistake(
        "the kernel not flipped on the way back to the maps",
        "What the kernel spread to the right on the way forward comes back from the right: the kernel is turned round.",
        lambda c: {
            f"dFs_{p}": map_gradient("W7", "dz_s", half=c["z_s"].inputs[1:].index(f"Fs_{p}"), turn=as_it_is)
            for p in ("avg", "max")
            if f"dFs_{p}" in c
        },
    ),
    mistake(
        "the kernel's halves swapped on the way back",
        "The first half of the kernel leads back to the average map, the second to the maximum map.",
        lambda c: {"dFs_avg": c["dFs_max"], "dFs_max": c["dFs_avg"]},
        needs="dFs_avg dFs_max",
    ),
)
