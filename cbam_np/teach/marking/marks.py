"""Submissions marked: each with its worksheet, its report and its points."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..answers.numerals import AnswerError
from ..report.report import Report
from ..worksheets.roster import Student
from ..worksheets.worksheet import Worksheet, worksheet
from .points import Entry, Scheme, entries_of
from .submissions import Submission, Unreadable


@dataclass(frozen=True)
class Marked:
    """One student's worksheet, marked.

    Parameters
    ----------
    submission : Submission
        What was handed in.
    sheet : Worksheet
        Which worksheet it is.
    report : Report
        What was found.
    entries : list of Entry
        The verdict and the points of every number that was asked.
    """

    submission: Submission
    sheet: Worksheet
    report: Report
    entries: list[Entry]

    @property
    def id(self) -> str:
        """Whose it is."""
        return self.submission.id

    @property
    def points(self) -> float:
        """Points earned."""
        return sum(entry.points for entry in self.entries)

    @property
    def maximum(self) -> float:
        """Points that could be earned."""
        return sum(entry.maximum for entry in self.entries)

    @property
    def first_wrong(self) -> str:
        """Name of the first wrong step; "" where nothing is wrong."""
        return self.report.wrong[0].step if self.report.wrong else ""

    @cached_property
    def mistakes(self) -> tuple[str, ...]:
        """Names of what may have gone wrong there, the likeliest first; a pair is one name."""
        return tuple(explanation.name for explanation in self.report.explanations)


@dataclass(frozen=True)
class MarkedClass:
    """A class, marked.

    Parameters
    ----------
    marked : tuple of Marked
        In the order of the class's list, then of the files' names.
    unreadable : tuple of Unreadable
        Files that could not be marked, with the reason.
    missing : tuple of Student
        Who is in the list and has handed in nothing.
    """

    marked: tuple[Marked, ...]
    unreadable: tuple[Unreadable, ...] = ()
    missing: tuple[Student, ...] = ()


def mark(submission: Submission, scheme: Scheme) -> Marked:
    """Mark one student's answers.

    Raises
    ------
    AnswerError
        If there is no such worksheet, or the answers cannot be read.
    ValueError
        If the scheme names a step that there is not.
    """
    try:
        sheet = worksheet(**submission.kind)
    except (TypeError, ValueError) as error:
        raise AnswerError(f"is a worksheet that cannot be made: {error}") from None
    report = sheet.check(submission.answers)
    return Marked(submission, sheet, report, entries_of(sheet, report, scheme))


def mark_class(
    submissions: Iterable[Submission],
    unreadable: Sequence[Unreadable] = (),
    students: Sequence[Student] = (),
    scheme: Scheme | None = None,
) -> MarkedClass:
    """Mark a class.

    Parameters
    ----------
    submissions : iterable of Submission
        What was handed in; a bar around it shows how far the marking is.
    unreadable : sequence of Unreadable
        What could not be read.
    students : sequence of Student
        The class, where there is a list.
    scheme : Scheme, optional
        How points are given.

    Returns
    -------
    MarkedClass
        Everyone in the order of the list.

    Raises
    ------
    ValueError
        If the scheme names a step that there is not.
    """
    order = {student.id: at for at, student in enumerate(students)}
    marked, problems = [], list(unreadable)
    for submission in submissions:
        try:
            marked.append(mark(submission, scheme or Scheme()))
        except AnswerError as error:
            problems.append(Unreadable(submission.file, f"{submission.id}: {error}"))
    marked.sort(key=lambda one: order.get(one.id, len(order)))
    here = {one.id for one in marked}
    missing = tuple(student for student in students if student.id not in here)
    return MarkedClass(tuple(marked), tuple(problems), missing)
