"""A student's answers held against a trace: which are right, which follow, and which is the first that is wrong."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .answers.reading import Index, Unread, Written, read_answers
from .calculation.bounds import Bounds
from .calculation.trace import Trace
from .judging import Judge, as_precise
from .report.report import Judgement, Report
from .report.verdicts import BLANK, UNREAD


def check(answers: Any, trace: Trace, handed: Mapping | None = None, decimals: int | None = None) -> Report:
    """Hold answers against a trace.

    Parameters
    ----------
    answers : mapping of str to object, or path-like
        What the student wrote, ``{"F_avg[1]": "8/9", "M_c[1]": "0.81"}``, or a file with it; see `read_answers`.
    trace : Trace
        The right calculation, such as `cbam_np.lecture.trace()`.
    handed : mapping of str to object, optional
        Rounded results that the student was given to start from, in the form of `answers`: what follows is carried on
        from them, but they are not judged.
    decimals : int, optional
        How many decimals were asked for: answers with more of them are judged at so many.

    Returns
    -------
    Report
        Every answer judged, the first wrong step, and the mistakes that explain it.

    Raises
    ------
    AnswerError
        If the answers are neither a mapping nor a file that can be opened. A single answer that cannot be read is
        "not read" in the report, and all others are judged.

    Examples
    --------
    >>> import cbam_np
    >>> report = cbam_np.check({"F_max": ["2", "2", "2"], "z_max[1]": "2"}, cbam_np.lecture.trace())
    >>> report.ok, report.first_wrong.name
    (False, 'z_max[1]')
    """
    given = {step.name for step in trace if step.given}
    exact = {step.name: np.asarray(step.value, float) for step in trace}
    read = read_answers(answers, trace)
    written, handed_out = as_precise(read.numbers(), exact, decimals), read_answers(handed or {}, trace).numbers()
    readings = {name: handed_out.get(name, {}) | written.get(name, {}) for name in handed_out | written}
    following = Bounds(
        trace.rules,
        {name: exact[name] for name in given},
        {name: _arrays(entries, exact[name].shape) for name, entries in readings.items() if entries},
    )
    judge = Judge(following, exact, written)
    judgements = []
    for step in trace:
        for index, answer in sorted(read.found.get(step.name, {}).items()):
            if answer is None and step.given:
                continue
            entry, number = step.entry(tuple(i + 1 for i in index)), written.get(step.name, {}).get(index)
            if number is not None:
                judgements.append(Judgement(entry, index, number, *judge.verdicts[step.name, index]))
                continue
            hint = f"{answer.text}: {answer.hint}" if isinstance(answer, Unread) else ""
            follows = judge.allowed(following, step.name, index)
            judgements.append(Judgement(entry, index, None, UNREAD if hint else BLANK, follows, hint))
    return Report(trace, tuple(judgements), following, readings, tuple(read.unplaced))


def _arrays(entries: dict[Index, Written], shape: Index) -> tuple[np.ndarray, np.ndarray]:
    value, tolerance = np.full((2, *shape), np.nan)
    for index, written in entries.items():
        value[index], tolerance[index] = float(written.value), float(written.tolerance)
    return value, tolerance
