"""What answers are worth: the points for each number, by step, and what part of them a verdict earns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import NamedTuple

from ..report.report import Report
from ..report.verdicts import BLANK, VERDICTS
from ..worksheets.worksheet import Worksheet

MOST = 1000  # points of a number


@dataclass(frozen=True)
class Scheme:
    """How points are given.

    Parameters
    ----------
    steps : dict of str to float
        Points of each number of a step, by the step's name; 1 where a step is not named.
    shares : dict of str to float
        What part of its points an answer earns, by verdict, where that differs from the usual: all of them for right
        answers and for those that follow from an earlier mistake, half of them for digits cut off instead of rounded.

    Raises
    ------
    ValueError
        If a verdict is unknown, or a number is out of range.
    """

    steps: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, points in self.steps.items():
            if not (isfinite(points) and 0 <= points <= MOST):
                raise ValueError(f"points of {name} are {points:g}, expected 0 to {MOST}")
        for verdict, share in self.shares.items():
            if verdict not in VERDICTS:
                raise ValueError(f"verdict is {verdict!r}, expected one of {', '.join(map(repr, VERDICTS))}")
            if not 0 <= share <= 1:
                raise ValueError(f"the share of {verdict!r} is {share:g}, expected 0 to 1")

    def worth(self, step: str) -> float:
        """Return the points of one number of a step."""
        return self.steps.get(step, 1.0)

    def share(self, verdict: str) -> float:
        """Return the part of its points that an answer with a verdict earns."""
        return self.shares.get(verdict, VERDICTS[verdict].points)


class Entry(NamedTuple):
    """One number that was asked: its name, its step, the verdict on it, and its points."""

    name: str
    step: str
    verdict: str
    points: float
    maximum: float


def entries_of(sheet: Worksheet, report: Report, scheme: Scheme) -> list[Entry]:
    """Return the verdict on every number that a worksheet asks for; what was not answered is blank.

    Raises
    ------
    ValueError
        If the scheme names a step that there is not.
    """
    unknown = [step for step in scheme.steps if step not in sheet.trace.by_name]
    if unknown:
        raise ValueError(f"there is no step {unknown[0]!r}; the steps are {', '.join(sheet.asked)}")
    verdicts = {(j.step, j.index): j.verdict for j in report.judgements}
    found = []
    for name, (step, index) in sheet.entries.items():
        verdict, worth = verdicts.get((step, index), BLANK), scheme.worth(step)
        found.append(Entry(name, step, verdict, worth * scheme.share(verdict), worth))
    return found
