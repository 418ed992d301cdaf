"""What a check has found, as data: every answer judged, the first wrong step, and the mistakes that explain it."""

import json
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import numpy as np

from ..answers.reading import Written
from ..calculation import notation
from ..calculation.trace import Step, Trace
from ..diagnosis.diagnose import diagnose
from .student_values import OwnNumbers
from .verdicts import BLANK, VERDICTS, WRONG
from .views import as_html, as_text


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
    verdict : {"right", "follows", "wrong", "not judged"}
        "right": the exact value, within the rounding of what was written. "follows": not that, but what follows
        from the student's own earlier numbers. "wrong": neither. "not judged": a blank.
    follows : (float, float)
        From where to where it may lie by the student's own earlier numbers.
    """

    entry: Step
    index: tuple
    written: Written | None
    verdict: str
    follows: tuple

    @property
    def step(self):
        """Name of the whole step."""
        return self.entry.name.partition("[")[0]

    def to_dict(self):
        """Return the judgement as JSON has it; the value of a blank is not told."""
        told = self.verdict != BLANK
        return {
            "entry": self.entry.name,
            "written": self.written.text if told else None,
            "verdict": self.verdict,
            "expected": _finite(self.entry.value) if told else None,
            "expected_text": notation.number(self.entry.value) if told else None,
            "follows": [_finite(end) for end in self.follows] if told else None,
        }


class Report:
    """What `check` has found. ``str(report)`` and a notebook's display are for a person, `to_dict` is for a program.

    Parameters
    ----------
    trace : Trace
        The right calculation.
    judgements : tuple of Judgement
        In the order of the trace.
    following : Following
        What follows from the student's numbers.
    readings : dict of str to dict of tuple of int to Written
        These numbers, by step and 0-based index, with those that were handed to the student.
    """

    def __init__(self, trace, judgements, following, readings):
        self.trace: Trace = trace
        self.judgements: tuple[Judgement, ...] = judgements
        self.following = following
        self.own = OwnNumbers(trace, following, readings)

    @property
    def ok(self):
        """True where nothing is wrong; blanks are not judged."""
        return not self.wrong

    def having(self, *verdicts):
        """Return the judgements with one of these verdicts."""
        return tuple(j for j in self.judgements if j.verdict in verdicts)

    @cached_property
    def wrong(self):
        """The judgements of wrong answers."""
        return self.having(WRONG)

    @property
    def first_wrong(self):
        """The first wrong entry in the order of the trace, a `Step`; None where nothing is wrong."""
        return self.wrong[0].entry if self.wrong else None

    @cached_property
    def handed(self):
        """The numbers that were handed to the student and are not judged, as a set of (step, 0-based index)."""
        known = {(name, index) for name, entries in self.own.readings.items() for index in entries}
        return known - {(j.step, j.index) for j in self.judgements}

    @cached_property
    def explanations(self):
        """The mistakes that explain the first wrong step, the likeliest first; none for a number that was given."""
        if self.ok or self.trace[self.wrong[0].step].given:
            return ()
        name, wrong = self.wrong[0].step, {}
        for j in self.wrong:
            wrong.setdefault(j.step, np.zeros(self.trace[j.step].shape, bool))[j.index] = True
        following = self.following.rounded(float(self.wrong[0].written.tolerance))
        return diagnose(following, self.trace, name, wrong, self.own.readings[name])

    def to_dict(self):
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
            "explanations": [
                {
                    "mistakes": [{"name": m.name, "sentence": m.sentence} for m in explanation.mistakes],
                    "against": explanation.against,
                    "explained": explanation.explained,
                    "chance": _finite(explanation.chance),
                }
                for explanation in self.explanations
            ],
        }

    def to_json(self):
        """Return `to_dict` as text in JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)

    def __repr__(self):
        return f"<Report: {len(self.judgements)} answers, {len(self.wrong)} wrong>"

    def __str__(self):
        return as_text(self)

    def _repr_html_(self):
        return as_html(self)


def _finite(number):
    """Return a float, or None for what JSON has no word for."""
    return float(number) if isfinite(number) else None
