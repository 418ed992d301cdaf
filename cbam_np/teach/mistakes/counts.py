"""Mistakes of counting: how many numbers an average has, and who gets the gradient of a maximum that is there twice.

Like those of `in_use`, they are held against answers as the catalogue is, but worksheets are not chosen by them.
"""

from collections.abc import Callable

import numpy as np

from ..calculation.pools import SPECS, share_of_max
from ..calculation.rules import Rule
from .backward_pools import via
from .mistake import Calculation, Mistake, mistake
from .pools import CHANNELS, SPACE, Pools


def _one_off(by: int, p: Pools) -> Callable[[Calculation], int]:
    def size(c: Calculation) -> int:
        return max(c.size(p.over) + by, 0)

    return size


def _all_of_F(c: Calculation) -> int:
    return c.C * c.H * c.W


def _miscounted(p: Pools) -> tuple[Mistake, ...]:
    sizes = {
        "one too many": _one_off(1, p),
        "one too few": _one_off(-1, p),
        "C·H·W": _all_of_F,
    }
    return tuple(
        mistake(
            f"the average over {p.over} divided by {wrong}",
            f"The average over {p.over} divides by {p.number}, the number of what was added up.",
            p.divided_by(size),
            needs=p.avg,
            combines=False,
        )
        for wrong, size in sizes.items()
    )


def _tied(ties: str) -> Callable[[Calculation, Rule, str], Rule | None]:
    """Return what makes the rule of a maximum's gradient with another choice for ties; none where there are none."""

    def make(c: Calculation, rule: Rule, over: str) -> Rule | None:
        x = np.asarray(c.trace[rule.inputs[1]].value, float).reshape(c.C, -1)
        rivals = x if over == "space" else x.T
        if (rivals == rivals.max(axis=1, keepdims=True)).sum() == len(rivals):
            return None
        return share_of_max(rule.inputs[0], rule.inputs[1], SPECS[over], ties)

    return make


FOR_TIES = "Where a maximum is reached more than once, a rule says who gets its gradient, and it is handed out once."
MISTAKES = (
    *_miscounted(SPACE),
    *_miscounted(CHANNELS),
    mistake("the gradient given to every tied maximum", FOR_TIES, *via("max", _tied("all")), combines=False),
    mistake("the gradient given to the last of the tied maxima", FOR_TIES, *via("max", _tied("last")), combines=False),
)
