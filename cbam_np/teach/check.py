"""A student's answers held against a trace: which are right, which follow, and which is the first that is wrong."""

import numpy as np

from .answers.reading import Unread, Written, read_answers
from .calculation.bounds import Bounds, touches
from .report.report import Judgement, Report
from .report.verdicts import BLANK, FOLLOWS, RIGHT, UNREAD, WRONG


def check(answers, trace, handed=None):
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

    Returns
    -------
    Report
        Every answer judged, the first wrong step, and the mistakes that explain it.

    Raises
    ------
    AnswerError
        If the answers are neither a mapping nor a file that can be opened. A single answer that cannot be read is
        "not read" in the report, and all others are judged.
    """
    given = {step.name for step in trace if step.given}
    read = read_answers(answers, trace)
    written, handed = read.numbers(), read_answers(handed or {}, trace).numbers()
    readings = {name: handed.get(name, {}) | written.get(name, {}) for name in handed | written}
    values = {step.name: np.asarray(step.value, float) for step in trace}
    following = Bounds(
        trace.rules,
        {name: values[name] for name in given},
        {name: _arrays(entries, values[name].shape) for name, entries in readings.items() if entries},
    )
    judgements = []
    for step in trace:
        for index, answer in sorted(read.found.get(step.name, {}).items()):
            if answer is None and step.given:
                continue
            entry = step.entry(tuple(i + 1 for i in index))
            verdict, follows = _judge(answer, values[step.name][index], following, step.name, index)
            if isinstance(answer, Unread):
                judgements.append(Judgement(entry, index, None, UNREAD, follows, f"{answer.text}: {answer.hint}"))
            else:
                judgements.append(Judgement(entry, index, answer, verdict, follows))
    return Report(trace, tuple(judgements), following, readings, tuple(read.unplaced))


def _judge(answer, exact, following, name, index):
    """Return the verdict on an answer, and from where to where it may lie by the student's own numbers."""

    def allowed(following):
        return tuple(float(bound[index]) for bound in following.allowed(name))

    if not isinstance(answer, Written):
        return BLANK if answer is None else UNREAD, allowed(following)
    value, tolerance = float(answer.value), float(answer.tolerance)
    if touches(exact, exact, value, tolerance):
        return RIGHT, allowed(following)
    for steps in (following, following.with_rounding(tolerance)):  # as precise on the way as in the answer
        low, high = allowed(steps)
        if touches(low, high, value, tolerance):
            return FOLLOWS, (low, high)
    return WRONG, allowed(following)


def _arrays(entries, shape):
    value, tolerance = np.full((2, *shape), np.nan)
    for index, written in entries.items():
        value[index], tolerance[index] = float(written.value), float(written.tolerance)
    return value, tolerance
