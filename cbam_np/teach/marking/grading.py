"""One function for every other autograder: a worksheet and answers in, points and feedback out, as plain JSON."""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from ..answers.numerals import AnswerError
from ..report.advice import HELP
from ..report.blocks import as_html, as_text
from ..report.report import Report
from ..report.verdicts import UNREAD
from ..worksheets.formulas import mathml
from ..worksheets.worksheet import Worksheet, worksheet
from .points import Entry, Scheme, entries_of
from .questions import QUESTIONS

SCHEMA = "grading.schema.json"
VERSION = 1


def grade(
    seed: int,
    level: str = "forward",
    answers: Mapping[str, object] | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    points: Mapping[str, float] | None = None,
    shares: Mapping[str, float] | None = None,
    help: str = "mistake",
) -> dict[str, Any]:
    """Mark answers to a worksheet, and return everything as values that JSON has.

    Parameters
    ----------
    seed : int
        Which worksheet.
    level : {"quick", "forward", "full", "backward"}
        How much it asks.
    answers : mapping of str to object
        By name, as for `cbam_np.check`: ``{"F_max": ["2", "3", "?"], "M_c[1]": "0.375"}``.
    options : mapping, optional
        Further arguments of `cbam_np.worksheet`, such as ``{"channels": 4}``.
    points : mapping, optional
        Points of each number of a step, by the step's name; 1 where a step is not named.
    shares : mapping, optional
        What part of its points an answer earns, by verdict; see `Scheme`.
    help : {"verdicts", "hint", "mistake", "values"}
        How much the feedback tells.

    Returns
    -------
    dict
        What the schema describes, see `schema`: `points` and `maximum`, the same by step and by number, the first wrong
        entry, the mistakes that explain it, and feedback as text and as HTML.

    Raises
    ------
    ValueError
        If there is no such worksheet, or the points make no sense. Answers that cannot be read raise nothing: they are
        among the `problems`.

    Examples
    --------
    >>> found = grade(7, "quick", {"F_max": ["4", "4", "9"]})
    >>> found["points"], found["maximum"], found["first_wrong"]
    (2.0, 28.0, 'F_max[3]')
    """
    if help not in HELP:
        raise ValueError(f"help is {help!r}, expected one of {', '.join(map(repr, HELP))}")
    sheet = worksheet(seed, level, **dict(options or {}))
    problems = []
    try:
        report = sheet.check(dict(answers or {}))
    except AnswerError as error:
        problems.append(str(error))
        report = sheet.check({})
    problems += [f"{j.entry.name}: {j.note}" for j in report.having(UNREAD)]
    problems += [f"{answer.where}: {answer.hint}" for answer in report.unplaced]
    entries = entries_of(sheet, report, Scheme(points or {}, shares or {}))
    return {
        "version": VERSION,
        "worksheet": {"seed": sheet.seed, "level": sheet.level, "options": dict(sheet.options)},
        "points": float(sum(entry.points for entry in entries)),
        "maximum": float(sum(entry.maximum for entry in entries)),
        "steps": _steps(sheet, entries),
        "answers": [
            {"entry": e.name, "verdict": e.verdict, "points": float(e.points), "maximum": float(e.maximum)}
            for e in entries
        ],
        "first_wrong": report.first_wrong.name if report.first_wrong else None,
        "mistakes": _mistakes(report),
        "problems": problems,
        "feedback": {
            "text": as_text(report.blocks(help)),
            "html": str(as_html(report.blocks(help), report.verdict, typeset=mathml, heading="h3")),
        },
    }


def schema() -> dict[str, Any]:
    """Return the JSON schema of what `grade` returns, draft 2020-12."""
    text = resources.files(__package__).joinpath(SCHEMA).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _steps(sheet: Worksheet, entries: list[Entry]) -> list[dict[str, Any]]:
    found = []
    for name in sheet.asked:
        mine = [entry for entry in entries if entry.step == name]
        points, maximum = sum(e.points for e in mine), sum(e.maximum for e in mine)
        found.append({"step": name, "points": float(points), "maximum": float(maximum)})
    return found


def _mistakes(report: Report) -> list[dict[str, Any]]:
    """Return what explains the first wrong step, the likeliest first, with a question where there is one."""
    found: dict[str, dict[str, Any]] = {}
    for explanation in report.explanations:
        for hypothesis in explanation.hypotheses:
            question = QUESTIONS.get(hypothesis.name)
            found.setdefault(
                hypothesis.name,
                {"name": hypothesis.name, "sentence": hypothesis.sentence, "question": question},
            )
    return list(found.values())
