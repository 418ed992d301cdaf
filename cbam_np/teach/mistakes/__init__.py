"""The mistakes that people make, each as something that runs.

A mistake replaces the rules of some steps by wrong ones, so that what would come out of it can be computed, from
anybody's numbers. `MISTAKES` are mistakes in the calculation, `SLIPS` are mistakes in writing a right number down.
"""

from functools import lru_cache

from ..calculation.trace import Trace
from . import (
    any_step,
    backward,
    backward_pools,
    calculator,
    channel,
    combination,
    counts,
    in_use,
    map_mixups,
    mixups,
    normalisation,
    pools,
    sigmoids,
    spatial,
)
from .families import ARITHMETIC, NEIGHBOURS, TERMS, EntrySlip, displaced_kernels, exchanged_operands
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
FURTHER = (*in_use.FURTHER, *calculator.MISTAKES, *counts.MISTAKES, *mixups.MISTAKES, *map_mixups.MISTAKES)


@lru_cache(maxsize=8)
def occurrences(trace: Trace) -> list[Occurrence]:
    """Return every way in which a mistake can be made in a trace."""
    calculation = Calculation(trace)
    return [made for mistake in MISTAKES for made in mistake.occurrences(calculation)]


@lru_cache(maxsize=8)
def further_occurrences(trace: Trace) -> list[Occurrence]:
    """Return every way in which a mistake beside the catalogue can be made: see `in_use`."""
    calculation = Calculation(trace)
    return [made for mistake in FURTHER for made in mistake.occurrences(calculation)]


@lru_cache(maxsize=8)
def relatives(trace: Trace) -> list[Occurrence]:
    """Return the mistakes with whole steps that the rules themselves bring with them: see `families`."""
    calculation = Calculation(trace)
    return [*displaced_kernels(calculation), *exchanged_operands(calculation)]
