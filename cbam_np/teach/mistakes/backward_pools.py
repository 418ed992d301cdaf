"""Mistakes on the way back through the pools and the convolution."""

from collections.abc import Callable

import numpy as np

from ..calculation.cbam_rules import as_it_is, kernel_gradient, map_gradient, turned_round
from ..calculation.pools import SPECS, share_of_max, shared_evenly
from ..calculation.rules import Rule
from .mistake import Calculation, Change, OneWay, mistake

ENDS = {"space": "_via_F_", "channels": "_via_Fs_"}  # of the names of the paths back through pools


def via(pool: str, make: Callable[[Calculation, Rule, str], Rule | None]) -> tuple[OneWay, ...]:
    """Return variants for the paths through a pool over space and over channels.

    `make` gets the calculation, the right rule and what is pooled away, and returns the wrong rule, if there is one.
    """

    def through(over: str) -> OneWay:
        def change(c: Calculation) -> Change:
            paths = [name for name in c if name.endswith(ENDS[over] + pool)]
            made = {name: make(c, c[name], over) for name in paths}
            return {name: rule for name, rule in made.items() if rule}

        return change

    return through("space"), through("channels")


def _undivided(c: Calculation, rule: Rule, over: str) -> Rule:
    return shared_evenly(rule.inputs[0], c.shape, 1)


def _divided(c: Calculation, rule: Rule, over: str) -> Rule:
    return shared_evenly(rule.inputs[0], c.shape, c.size(over))


def _divided_by_the_wrong_number(c: Calculation, rule: Rule, over: str) -> Rule:
    return shared_evenly(rule.inputs[0], c.shape, c.size("channels" if over == "space" else "space"))


def _other_ties(c: Calculation, rule: Rule, over: str) -> Rule | None:
    """Return the rule of a maximum's gradient with the other choice for ties; None where there are no ties."""
    x = np.asarray(c.trace[rule.inputs[1]].value, float).reshape(c.C, -1)
    rivals = x if over == "space" else x.T
    if (rivals == rivals.max(axis=1, keepdims=True)).sum() == len(rivals):
        return None
    other = "split" if c.trace.dialect.ties_over(over) == "first" else "first"
    return share_of_max(rule.inputs[0], rule.inputs[1], SPECS[over], other)


def _average_to_the_max(c: Calculation, rule: Rule, over: str) -> Rule:
    source = c["F_avg" if over == "space" else "Fs_avg"].inputs[0]
    return share_of_max(rule.inputs[0], source, SPECS[over], "first")


def _kernel_turned(c: Calculation) -> Change:
    return {"dW7": kernel_gradient(*c["dW7"].inputs, k=c.k, turn=turned_round)}


def _halves_swapped_in_the_gradient(c: Calculation) -> Change:
    dy, *maps = c["dW7"].inputs
    return {"dW7": kernel_gradient(dy, *reversed(maps), k=c.k)}


def _kernel_not_turned(c: Calculation) -> Change:
    halves = [(half, f"d{name}") for half, name in enumerate(c.maps)] if c.convolved in c else []
    dy = f"d{c.convolved}"
    return {name: map_gradient("W7", dy, half, turn=as_it_is) for half, name in halves if name in c}


MISTAKES = (
    mistake(
        "the maximum's gradient sent everywhere",
        "Only the entry that was the maximum moves it: it gets everything, all others get 0.",
        *via("max", _undivided),
    ),
    mistake(
        "the maximum's gradient shared evenly",
        "Only the entry that was the maximum moves it: it gets everything, all others get 0.",
        *via("max", _divided),
    ),
    mistake(
        "another rule for ties",
        "Where a maximum is reached more than once, a rule says who gets its gradient; here another one was used.",
        *via("max", _other_ties),
    ),
    mistake(
        "the average's gradient not divided",
        "Every one of the n numbers averaged counts 1/n: the gradient is divided by n.",
        *via("avg", _undivided),
    ),
    mistake(
        "the average's gradient divided by the wrong number",
        "Over space, the gradient is divided by H·W, over channels by C.",
        *via("avg", _divided_by_the_wrong_number),
    ),
    mistake(
        "the average's gradient sent to the maximum",
        "An average depends on every number alike: all get the same part.",
        *via("avg", _average_to_the_max),
    ),
    mistake(
        "the kernel flipped in its gradient",
        "dW_7[m,a,b] meets the pixel that W_7[m,a,b] met on the way forward.",
        _kernel_turned,
        needs="dW7",
    ),
    mistake(
        "average and maximum map swapped in the kernel's gradient",
        "The first half of dW_7 belongs to the average map, the second to the maximum map.",
        _halves_swapped_in_the_gradient,
        needs="dFs_avg dFs_max",
    ),
    mistake(
        "the kernel not flipped on the way back to the maps",
        "What the kernel spread to the right on the way forward comes back from the right: the kernel is turned round.",
        _kernel_not_turned,
    ),
    mistake(
        "the kernel's halves swapped on the way back",
        "The first half of the kernel leads back to the average map, the second to the maximum map.",
        lambda c: {"dFs_avg": c["dFs_max"], "dFs_max": c["dFs_avg"]},
        needs="dFs_avg dFs_max",
    ),
)
