"""What a class is given back: a page for each student, a page for the teacher, and a table of grades."""

import hashlib
import html
import re
from collections.abc import Iterator

from ..report.blocks import as_html
from ..report.verdicts import UNREAD
from ..worksheets.controls import as_csv
from ..worksheets.document import document, sheet
from ..worksheets.formulas import mathml
from ..worksheets.layout import title_of
from .marks import Marked, MarkedClass

STYLE = """
main { font-size: 11pt }
.report table { margin: 2mm 0 }
.report { overflow-x: auto }
"""


def grades_csv(found: MarkedClass) -> str:
    """Write grades as CSV: ids, points, the maximum, the first wrong step, and the likeliest mistake there."""
    heads = ["id", "points", "maximum", "first wrong step", "mistake"]
    rows = [
        [one.id, f"{one.points:g}", f"{one.maximum:g}", one.first_wrong, one.mistakes[0] if one.mistakes else ""]
        for one in found.marked
    ]
    rows += [[student.id, "", "", "", ""] for student in found.missing]
    return as_csv([heads, *rows])


def feedback_page(one: Marked, help: str = "values") -> str:
    """Write what a student is given back.

    Parameters
    ----------
    one : Marked
        The student's worksheet.
    help : {"verdicts", "hint", "mistake", "values"}
        How much is told, see `cbam_np.teach.report.advice.advise`.

    Returns
    -------
    str
        A complete HTML document.
    """
    title = f"{title_of(one.sheet)} · feedback"
    body = [
        f"<h1>{html.escape(title)}</h1>",
        f'<p class="who"><span>{html.escape(one.id)}</span><span>{one.points:g} of {one.maximum:g} points</span></p>',
        *(f"<p>{html.escape(note)}</p>" for note in notes_of(one)),
        '<div class="report" tabindex="0">',
        as_html(one.report.blocks(help), one.report.verdict, typeset=mathml, heading="h2"),
        "</div>",
    ]
    return document(title, [sheet(1, body)], [f"{title} · {one.id}"], STYLE)


def notes_of(one: Marked) -> Iterator[str]:
    """Yield what was odd about what was handed in."""
    for note in one.submission.notes:
        yield f"{one.submission.file} {note}."
    unread = len(one.report.having(UNREAD)) + len(one.report.unplaced)
    if unread:
        yield f"{unread} {'answer' if unread == 1 else 'answers'} could not be read."


def feedback_name(one: Marked) -> str:
    """Return the file name of a student's page: what of the id is safe in a file name, and what makes it unique."""
    safe = re.sub(r"[^A-Za-z0-9]+", "-", one.id).strip("-")[:40]
    return f"{safe or 'student'}-{hashlib.sha256(one.id.encode()).hexdigest()[:8]}.html"
