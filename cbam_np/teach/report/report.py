"""What a check has found, as data: every answer judged, the first wrong step, and the mistakes that explain it."""

import json
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any, TypeAlias

import numpy as np

from ...ops.checks import check_option
from ..answers.reading import Unplaced, Written
from ..calculation import notation
from ..calculation.bounds import Bounds
from ..calculation.trace import Step, Trace
from ..diagnosis.numbers import diagnose
from ..diagnosis.search import Explanation
from .advice import HELP
from .blocks import Block, as_html, as_text
from .student_numbers import StudentNumbers
from .verdicts import JUDGED, SOUND, VERDICTS, WRONG
from .wording import blocks_of

MOST_DIAGNOSED = 6  # wrong steps; more than these come from one misunderstanding
Readings: TypeAlias = dict[str, dict[tuple[int, ...], Written]]


@dataclass(frozen=True)
class Judgement:
    """One answer and what is to be said of it.

    Parameters
    ----------
    entry : Step
        The entry of the trace, with the exact value.
    index : tuple of int
        Its 0-based index in the step.
    written : Written or None
        What the student wrote, and how precisely; None for a blank.
    verdict : str
        One of `VERDICTS`. "right": the exact value, within the rounding of what was written. "right, but cut off":
        digits were dropped where they should have been rounded. "follows": not the exact value, but what follows from
        the student's own earlier numbers. "wrong": none of these. "not judged": a blank. "not read": no number.
    follows : (float, float)
        From where to where it may lie by the student's own earlier numbers.
    note : str
        Why it could not be read.
    """

    entry: Step
    index: tuple[int, ...]
    written: Written | None
    verdict: str
    follows: tuple[float, float]
    note: str = ""

    @property
    def number(self) -> Written:
        """The number that was written; there is none beside a blank."""
        if self.written is None:
            raise ValueError(f"{self.entry.name} has no number: it is {self.verdict}")
        return self.written

    @property
    def exact(self) -> float:
        """The right value."""
        return float(np.asarray(self.entry.value, float))

    @property
    def step(self) -> str:
        """Name of the whole step."""
        return self.entry.name.partition("[")[0]

    def to_dict(self) -> dict[str, Any]:
        """Return the judgement as JSON has it; the right value only beside an answer that was judged."""
        told = self.verdict in JUDGED
        return {
            "entry": self.entry.name,
            "written": self.written.text if self.written else None,
            "verdict": self.verdict,
            "expected": _finite(self.exact) if told else None,
            "expected_text": notation.number(self.entry.value) if told else None,
            "follows": [_finite(end) for end in self.follows] if told else None,
            "read_as": self.written.read_as or None if self.written else None,
            "note": self.note or None,
        }


class Report:
    """What `check` has found. ``str(report)`` and a notebook's display are for a person, `to_dict` is for a program.

    Parameters
    ----------
    trace : Trace
        The right calculation.
    judgements : tuple of Judgement
        In the order of the trace.
    following : Bounds
        What follows from the student's numbers.
    readings : dict of str to dict of tuple of int to Written
        These numbers, by step and 0-based index, with those that were handed to the student.
    unplaced : tuple of Unplaced
        Answers whose names mean no step.
    """

    def __init__(
        self,
        trace: Trace,
        judgements: tuple[Judgement, ...],
        following: Bounds,
        readings: Readings,
        unplaced: tuple[Unplaced, ...] = (),
    ) -> None:
        self.trace, self.judgements, self.unplaced = trace, judgements, unplaced
        self.following = following
        self.numbers = StudentNumbers(trace, following, readings)

    @property
    def ok(self) -> bool:
        """True where nothing is wrong; blanks are not judged."""
        return not self.wrong

    def having(self, *verdicts: str) -> tuple[Judgement, ...]:
        """Return the judgements with one of these verdicts."""
        return tuple(j for j in self.judgements if j.verdict in verdicts)

    @cached_property
    def wrong(self) -> tuple[Judgement, ...]:
        """The judgements of wrong answers."""
        return self.having(WRONG)

    @property
    def first_wrong(self) -> Step | None:
        """The first wrong entry in the order of the trace, a `Step`; None where nothing is wrong."""
        return self.wrong[0].entry if self.wrong else None

    @cached_property
    def handed(self) -> set[tuple[str, tuple[int, ...]]]:
        """The numbers that were handed to the student and are not judged, as a set of (step, 0-based index)."""
        known = {(name, index) for name, entries in self.numbers.readings.items() for index in entries}
        return known - {(j.step, j.index) for j in self.judgements}

    @cached_property
    def explanations(self) -> tuple[Explanation, ...]:
        """The mistakes that explain the first wrong step, the likeliest first; none for a number that was given."""
        return next(iter(self.diagnoses.values()), ())

    @cached_property
    def diagnoses(self) -> dict[str, tuple[Explanation, ...]]:
        """For each wrong step, in order, the mistakes that explain it, the likeliest first; the first six of them."""
        wrong: dict[str, np.ndarray] = {}
        coarsest: dict[str, float] = {}
        for j in self.wrong:
            wrong.setdefault(j.step, np.zeros(self.trace[j.step].shape, bool))[j.index] = True
            coarsest.setdefault(j.step, float(j.number.tolerance))
        found = {}
        for name in list(wrong)[:MOST_DIAGNOSED]:
            following = self.following.with_rounding(coarsest[name])
            readings = self.numbers.readings[name]
            given = self.trace[name].given
            with np.errstate(over="ignore", invalid="ignore"):  # numbers of any size may have been written
                first = name == self.wrong[0].step
                found[name] = () if given else diagnose(self.trace, following, name, wrong, readings, pairs=first)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a dict of plain values, ready for JSON.

        Returns
        -------
        dict
            `ok`; `counts` by verdict; `first_wrong`, a name or None; `answers`, in the order of the trace; and
            `explanations` of the first wrong step, each with its `mistakes` and the numbers of an `Explanation`.
        """
        return {
            "ok": self.ok,
            "counts": {verdict: len(self.having(verdict)) for verdict in VERDICTS},
            "first_wrong": self.first_wrong.name if self.first_wrong else None,
            "answers": [j.to_dict() for j in self.judgements],
            "unplaced": [answer._asdict() for answer in self.unplaced],
            "explanations": [
                {
                    "mistakes": [{"name": m.name, "sentence": m.sentence} for m in explanation.hypotheses],
                    "against": explanation.against,
                    "explained": explanation.explained,
                    "chance": _finite(explanation.chance),
                }
                for explanation in self.explanations
            ],
        }

    def to_json(self) -> str:
        """Return `to_dict` as text in JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)

    @property
    def verdict(self) -> str:
        """The verdict on the whole, which gives the display its colour; "" where nothing could be judged."""
        return WRONG if self.wrong else SOUND[0] if self.having(*SOUND) else ""

    def blocks(self, help: str = "values") -> list[Block]:
        """Return what the report says, with as much help as `advise` allows; `as_text` and `as_html` show it."""
        check_option(help, "help", HELP)
        return list(blocks_of(self, help))

    def __repr__(self) -> str:
        return f"<Report: {len(self.judgements)} answers, {len(self.wrong)} wrong>"

    def __str__(self) -> str:
        return as_text(self.blocks())

    def _repr_html_(self) -> str:
        return as_html(self.blocks(), self.verdict)


def _finite(number: float) -> float | None:
    """Return a float, or None for what JSON has no word for."""
    return float(number) if isfinite(number) else None
