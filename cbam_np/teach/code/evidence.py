"""How a formula is held against what a module gives: against one of its attentions, or against its whole output."""

from collections.abc import Sequence

import numpy as np

from ..diagnosis.search import Fit
from ..mistakes.variants import Variant
from .draws import Draw
from .formula import Formula, Roles, channel_map, compose, spatial_map
from .roles import Assignment
from .separate import Parts, matches

OPTIONS = set(Formula.__dataclass_fields__)


def changed(formula: Formula, hypotheses: Sequence[Variant]) -> Formula:
    """Return a formula with the options that variants change."""
    for hypothesis in hypotheses:
        formula = formula.but(**{k: v for k, v in hypothesis.changes.items() if k in OPTIONS})
    return formula


class Part:
    """Evidence for one attention: its maps, as the output came apart, against the formula's.

    Parameters
    ----------
    attention : {"channel", "spatial"}
        Which one.
    formula : Formula
        Where to begin.
    sources : list of ndarray
        What the attention looks at, for each draw.
    roles : list of dict
        The parameters, for each draw.
    parts : list of Parts
        What came out.
    tolerance : float
        What rounding may do.
    """

    def __init__(
        self,
        attention: str,
        formula: Formula,
        sources: Sequence[np.ndarray],
        roles: Sequence[Roles],
        parts: Sequence[Parts],
        tolerance: float,
    ) -> None:
        self.attention, self.formula, self.tolerance = attention, formula, tolerance
        self.seen = list(zip(sources, roles, parts, strict=True))
        self.map = channel_map if attention == "channel" else spatial_map

    def weigh(self, *hypotheses: Variant) -> Fit | None:
        """Hold hypotheses against the part, in all draws."""
        formula = changed(self.formula, hypotheses)
        gate = formula.channel_gate if self.attention == "channel" else formula.spatial_gate
        for F, roles, parts in self.seen:
            try:
                M = self.map(F, roles, formula)
            except (ValueError, KeyError, IndexError):
                return None
            part = parts.channel if self.attention == "channel" else parts.space
            assert part is not None  # an attention is looked for where it came out
            factor = M.reshape(len(M), -1)[parts.images] + (gate == "residual")
            if part.shape != factor.shape or not matches(part, factor, parts.model, self.tolerance):
                return Fit(explains=False)
        return Fit(explains=True, whole=True)

    def odds(self, together: int, whole: bool) -> float:
        """Return 0: with so many digits, nothing fits by chance."""
        return 0.0


class Whole:
    """Evidence for a whole formula: the output of every draw."""

    def __init__(self, formula: Formula, assignment: Assignment, draws: Sequence[Draw], tolerance: float):
        self.formula, self.assignment, self.draws, self.tolerance = formula, assignment, draws, tolerance
        self.roles = [assignment.resolve(draw.values) for draw in draws]

    def weigh(self, *hypotheses: Variant) -> Fit | None:
        """Hold hypotheses against the output, in all draws."""
        fits = self.agrees(changed(self.formula, hypotheses))
        return None if fits is None else Fit(explains=fits, whole=fits)

    def agrees(self, formula: Formula) -> bool | None:
        """Tell whether a formula gives every output; None where it cannot be computed."""
        for draw, roles in zip(self.draws, self.roles, strict=True):
            try:
                out = compose(draw.x, roles, formula)
            except (ValueError, KeyError, IndexError):
                return None
            if out.size != draw.out.size or _squeezed(out) != _squeezed(draw.out):
                return None
            difference = np.abs(out.reshape(draw.out.shape) - draw.out).max()
            if not difference <= 10 * self.tolerance * max(np.abs(draw.out).max(), 1e-300):
                return False
        return True

    def largest_difference(self, formula: Formula) -> float:
        """Return the largest difference in all draws, relative to the largest number of each."""
        outs = [compose(draw.x, roles, formula) for draw, roles in zip(self.draws, self.roles, strict=True)]
        return max(
            float(np.abs(out.reshape(draw.out.shape) - draw.out).max() / max(np.abs(draw.out).max(), 1e-300))
            for draw, out in zip(self.draws, outs, strict=True)
        )

    def odds(self, together: int, whole: bool) -> float:
        """Return 0: with so many digits, nothing fits by chance."""
        return 0.0


def _squeezed(array: np.ndarray) -> tuple[int, ...]:
    return tuple(n for n in array.shape if n > 1)
