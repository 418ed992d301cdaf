"""What the locked cells of an nbgrader or otter-grader assignment call: points for a step, a verdict on a number."""

from collections.abc import Mapping
from typing import Any

from ..report.report import Report
from ..report.verdicts import CUT, FOLLOWS, RIGHT
from ..worksheets.worksheet import Worksheet, worksheet
from .points import Entry, Scheme, entries_of

COUNTS = "counts"  # what `entry` says of an answer that earns its point
SOUND = (RIGHT, FOLLOWS, CUT)


class Marking:
    """A worksheet that marks answers step by step.

    Parameters
    ----------
    seed, level, **options
        As for `cbam_np.worksheet`.

    Examples
    --------
    >>> marking = Marking(7, "quick")
    >>> marking.step("F_max", {"F_max": ["4", "4", "9"]})
    F_max: 2 of 3 points. F_max[3] is wrong.
    2.0
    """

    def __init__(self, seed: int, level: str = "forward", **options: Any) -> None:
        self.sheet: Worksheet = worksheet(seed, level, **options)
        self._marked: tuple[str, Report, list[Entry]] | None = None

    def step(self, name: str, answers: Mapping[str, object]) -> float:
        """Print what is to be said of a step, and return its points: an earlier mistake, carried on, costs nothing."""
        report, entries = self._of(answers)
        mine = [entry for entry in entries if entry.step == name]
        points, maximum = sum(e.points for e in mine), sum(e.maximum for e in mine)
        print(" ".join([f"{name}: {points:g} of {maximum:g} points.", *_said(report, name)]))
        return float(points)

    def entry(self, name: str, answers: Mapping[str, object]) -> str:
        """Return "counts" for a number that is right or follows from earlier ones, and otherwise what is wrong."""
        report, entries = self._of(answers)
        (mine,) = (entry for entry in entries if entry.name == name)
        if mine.verdict in SOUND:
            return COUNTS
        return " ".join([f"{mine.verdict}.", *_mistakes(report, mine.step)])

    def maximum(self, name: str) -> int:
        """Return the points of a step."""
        return len(self.sheet.blanks[name])

    def _of(self, answers: Mapping[str, object]) -> tuple[Report, list[Entry]]:
        """Return the report on answers; the same answers are not checked twice."""
        key = repr(answers)
        if self._marked is None or self._marked[0] != key:
            report = self.sheet.check(answers)
            self._marked = key, report, entries_of(self.sheet, report, Scheme())
        return self._marked[1:]


def _said(report: Report, name: str) -> list[str]:
    """Return sentences on a step: what is wrong or could not be read, and what leads there."""
    said = []
    for verdict in ("wrong", "not read"):
        names = [j.entry.name for j in report.having(verdict) if j.step == name]
        if names:
            said.append(f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} {verdict}.")
    return [*said, *_mistakes(report, name)]


def _mistakes(report: Report, name: str) -> list[str]:
    """Return what explains a step's wrong numbers, the likeliest first."""
    found = report.diagnoses.get(name, ())
    if not found:
        return []
    names = " or: ".join(explanation.name for explanation in found[:3])
    return [f"Looks like: {names}. {found[0].sentence}"]
