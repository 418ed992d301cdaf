"""The mistakes that people make, each as something that runs.

A mistake replaces the rules of some steps by wrong ones, so that what would come out of it can be computed, from
anybody's numbers. `MISTAKES` are mistakes in the calculation, `SLIPS` are mistakes in writing a right number down.
"""

from functools import lru_cache

from ..calculation.trace import Trace
from . import any_step, backward, backward_pools, channel, combination, normalisation, pools, sigmoids, spatial
from .mistake import Calculation, Mistake, Occurrence, made_on_top
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
    *normalisation.MISTAKES,
)


@lru_cache(maxsize=8)
def occurrences(trace: Trace) -> list[Occurrence]:
    """Return every way in which a mistake can be made in a trace."""
    calculation = Calculation(trace)
    return [made for mistake in MISTAKES for made in mistake.occurrences(calculation)]
