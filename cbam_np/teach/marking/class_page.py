"""The class at a glance: what most got wrong first, and which question helps."""

import html
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..calculation.tables import Markup, code, html_table
from ..mistakes import MISTAKES, SLIPS
from ..report.verdicts import BLANK, CUT, FOLLOWS, RIGHT, UNREAD, WRONG
from ..worksheets.document import document
from .feedback import feedback_name, notes_of
from .marks import Marked, MarkedClass
from .questions import QUESTIONS

COLUMNS = (RIGHT, CUT, FOLLOWS, WRONG, UNREAD, BLANK)
HEADS = ("right", "cut off", "following", "wrong", "not read", "blank")
MOST = 10  # mistakes that are listed
STYLE = """
main { max-width: 210mm; font-size: 11pt }
.wide { margin: 2mm 0 4mm }
.few td, .few th { color: #595959 }
"""


class Common(NamedTuple):
    """A mistake that explains what went wrong first for some students.

    Parameters
    ----------
    name : str
        The mistake.
    students : int
        For how many it is among the explanations.
    alone : int
        For how many it is the only one.
    weight : float
        Each student counts once, divided among the explanations.
    """

    name: str
    students: int
    alone: int
    weight: float


def commonest(found: MarkedClass) -> list[Common]:
    """Return the mistakes that went wrong first, the commonest first.

    Several mistakes may explain one student's numbers; on thirty different worksheets, the one that the class has
    really made explains the most.
    """
    students: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    weight: dict[str, float] = defaultdict(float)
    for one in found.marked:
        names = dict.fromkeys(h.name for e in one.report.explanations for h in e.hypotheses)
        for name in names:
            students[name] += 1
            alone[name] += len(names) == 1
            weight[name] += 1 / len(names)
    common = [Common(name, n, alone[name], weight[name]) for name, n in students.items()]
    return sorted(common, key=lambda c: (-round(c.weight, 9), -c.students, c.name))


def steps_of(found: MarkedClass) -> dict[str, Counter[str]]:
    """Return how many numbers of each step have which verdict, in the order of the calculation."""
    counts: dict[str, Counter[str]] = {}
    for one in found.marked:
        for entry in one.entries:
            counts.setdefault(entry.step, Counter())[entry.verdict] += 1
    return counts


def class_page(found: MarkedClass) -> str:
    """Write what the teacher looks at: points, steps, first mistakes, what stayed unexplained, what was not read.

    Returns
    -------
    str
        A complete HTML document; its links lead to the feedback pages beside it.
    """
    return document("CBAM by hand · the class", _parts(found), style=STYLE)


def _parts(found: MarkedClass) -> Iterator[str]:
    marked = found.marked
    yield "<h1>CBAM by hand · the class</h1>"
    yield f"<p>{_summary(found)}</p>"
    yield "<h2>What went wrong first</h2>"
    first = Counter(one.first_wrong for one in marked if one.first_wrong)
    if first:
        rows = [[code(step), str(n)] for step, n in first.most_common()]
        yield _wide(
            html_table(rows, ("step", "students"), label="first wrong step", row_heads=True, right=(1,), kind="key")
        )
        yield from _mistakes(found)
    else:
        yield "<p>Nothing is wrong.</p>"
    yield from _unexplained(marked)
    yield "<h2>Step by step</h2>"
    yield "<p>How many numbers of the whole class. What follows from an earlier mistake is not wrong.</p>"
    rows = [[code(step), *(str(counts[v] or "") for v in COLUMNS)] for step, counts in steps_of(found).items()]
    table = html_table(rows, ("step", *HEADS), label="steps", row_heads=True, right=range(1, 7), kind="key")
    yield _wide(table)
    yield from _students(found)
    yield from _not_marked(found)


def _summary(found: MarkedClass) -> str:
    marked = found.marked
    if not marked:
        return "No worksheet could be marked."
    shares = [100 * one.points / one.maximum for one in marked if one.maximum]
    mean = sum(shares) / len(shares) if shares else 0
    sound = sum(one.report.ok for one in marked)
    sheets = "1 worksheet was" if len(marked) == 1 else f"{len(marked)} worksheets were"
    return f"{sheets} marked: {mean:.0f}% of the points on average; {sound} without a mistake."


def _mistakes(found: MarkedClass) -> Iterator[str]:
    common = commonest(found)[:MOST]
    if not common:
        return
    known: list[Any] = [*MISTAKES, *SLIPS]
    sentences = {mistake.name: mistake.sentence for mistake in known}
    yield "<p>Which mistakes explain it, and a question that helps:</p>"
    rows = [[c.name, str(c.students), str(c.alone), QUESTIONS.get(c.name) or sentences.get(c.name, "")] for c in common]
    heads = ("mistake", "explains", "alone", "ask, or tell")
    yield _wide(html_table(rows, heads, label="commonest mistakes", row_heads=True, right=(1, 2), kind="key"))
    yield (
        '<p class="note">“explains”: for how many students the mistake gives their numbers; “alone”: for how many '
        "nothing else does.</p>"
    )


def _unexplained(marked: tuple[Marked, ...]) -> Iterator[str]:
    rows = []
    for one in marked:
        if one.report.wrong and not one.report.explanations:
            first = one.report.wrong[0]
            rows.append([_link(one), code(first.entry.name), code(first.number.text)])
    if rows:
        yield "<h2>Unexplained: look at these</h2>"
        heads = ("student", "first wrong", "written")
        yield _wide(html_table(rows, heads, label="unexplained", row_heads=True, kind="key"))


def _students(found: MarkedClass) -> Iterator[str]:
    yield "<h2>Students</h2>"
    rows = [
        [
            _link(one),
            str(one.sheet.seed),
            f"{one.points:g}",
            f"{one.maximum:g}",
            code(one.first_wrong) if one.first_wrong else "",
        ]
        + ["; ".join((*one.mistakes[:1], *notes_of(one)))]
        for one in found.marked
    ]
    heads = ("student", "worksheet", "points", "of", "first wrong", "likeliest mistake, notes")
    yield _wide(html_table(rows, heads, label="students", row_heads=True, right=(1, 2, 3), kind="key"))


def _not_marked(found: MarkedClass) -> Iterator[str]:
    if found.unreadable:
        yield "<h2>Not marked</h2>"
        rows = [[one.file, one.reason] for one in found.unreadable]
        yield _wide(html_table(rows, ("file", "reason"), label="not marked", row_heads=True, kind="key"))
    if found.missing:
        names = ", ".join(student.id for student in found.missing)
        yield f"<h2>Nothing handed in</h2><p>{html.escape(names)}</p>"


def _link(one: Marked) -> Markup:
    return Markup(f'<a href="feedback/{html.escape(feedback_name(one))}">{html.escape(one.id)}</a>')


def _wide(table: Markup) -> str:
    """Let a table that is wider than a phone scroll by itself, also from the keyboard."""
    return f'<div class="wide" tabindex="0">{table}</div>'
