"""The mistakes that people make, each as something that runs.

A mistake replaces the rules of some steps by wrong ones, so that what would come out of it can be computed, from
anybody's numbers. `MISTAKES` are mistakes in the calculation, `SLIPS` are mistakes in writing a right number down.
"""

from functools import lru_cache

from . import any_step, backward, backward_pools, channel, combination, pools, sigmoids, spatial
from .mistake import Calculation, Mistake
from .slips import SLIPS, Slip

MISTAKES = (
    *pools.MISTAKES,
    *channel.MISTAKES,
    *spatial.MISTAKES,
    *sigmoids.MISTAKES,
    *combination.MISTAKES,
    *backward.MISTAKES,
    *backward_pools.MISTAKES,
    *any_step.MISTAKES,
)


@lru_cache(maxsize=8)
def changes_of(trace):
    """Return every way in which a mistake can occur in a trace, as (mistake, variant, {step: wrong rule})."""
    calculation = Calculation(trace)
    return [(mistake, *change) for mistake in MISTAKES for change in mistake.changes(calculation)]
