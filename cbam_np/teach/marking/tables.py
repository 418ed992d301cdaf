"""Answers of a whole class in one table: wide, a row for each student, or long, a row for each answer."""

import csv
import re
from collections.abc import Sequence

from ..answers.notebooks import Handed
from ..answers.numerals import AnswerError
from ..worksheets.roster import COLUMNS, from_spreadsheet

MOST_ROWS = 200_000
INDEXED = re.compile(r"[\[(]\s*\d")  # a heading with an index, as in M_c[1]
INDEX, HIDDEN = re.compile(r"\[[\d, ]*\]"), "\x00"  # commas in an index separate no cells
STEPS = ("step", "entry", "quantity", "question")  # what the column of names is called in a long table
ANSWERS = ("answer", "value", "written", "response")


def read_table(text: str) -> list[Handed] | None:
    """Read a table with the answers of several students.

    Parameters
    ----------
    text : str
        A CSV file with a heading. One column says whose answers these are (`id`, `student`, …). In a long table, two
        more are a step's name and the answer; in a wide one, every other column is named after a step.

    Returns
    -------
    list of Handed or None
        In the order in which students appear; None if this is no such table, but one student's answers.

    Raises
    ------
    AnswerError
        If it is one, and a row has more cells than the heading.
    """
    lines = [INDEX.sub(lambda found: found[0].replace(",", HIDDEN), line) for line in text.splitlines() if line.strip()]
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    cells = csv.reader(lines, delimiter=delimiter)
    rows = [[cell.replace(HIDDEN, ",").strip() for cell in row] for row in cells]
    rows = [row for row in rows if any(row)]
    if not rows or len(rows) < 2 or len(rows) > MOST_ROWS:
        return None
    heads = rows[0]
    column = {kind: _place(heads, names) for kind, names in COLUMNS.items()}
    who = column["id"] if column["id"] is not None else column["name"]
    step, answer = _place(heads, STEPS), _place(heads, ANSWERS)
    long = step is not None and answer is not None
    if who is None or not (long or any(INDEXED.search(head) for head in heads)):
        return None  # one student's answers, which may begin with a line such as "id,anna"
    for number, row in enumerate(rows[1:], start=2):
        if len(row) > len(heads):
            raise AnswerError(f"row {number} has {len(row)} cells, the heading has {len(heads)}")
        row += [""] * (len(heads) - len(row))
    if step is not None and answer is not None:
        return _long(rows[1:], who, step, answer, column)
    named = [at for at in range(len(heads)) if at not in column.values() and heads[at]]
    return [_row(row, who, column, {heads[at]: row[at] for at in named}) for row in rows[1:] if row[who]]


def _place(heads: Sequence[str], names: Sequence[str]) -> int | None:
    return next((at for at, head in enumerate(heads) if head.casefold() in names), None)


def _row(row: Sequence[str], who: int, column: dict[str, int | None], answers: dict[str, str]) -> Handed:
    return Handed(
        from_spreadsheet(row[who]), kind_of({name: _cell(row, at) for name, at in column.items()}), dict(answers)
    )


def _cell(row: Sequence[str], at: int | None) -> str:
    return "" if at is None else row[at]


def _long(
    rows: Sequence[Sequence[str]], who: int, step: int, answer: int, column: dict[str, int | None]
) -> list[Handed]:
    found: dict[str, Handed] = {}
    for row in rows:
        if row[who] and row[step]:
            handed = found.setdefault(row[who], _row(row, who, column, {}))
            handed.answers[row[step]] = row[answer]
    return list(found.values())


def kind_of(cells: dict[str, str]) -> dict[str, object]:
    """Return which worksheet some cells tell of: `worksheet` and `level`, as far as they are filled in."""
    kind: dict[str, object] = {}
    seed = cells.get("worksheet", "").strip()
    if seed.isascii() and seed.isdigit() and len(seed) <= 9:
        kind["seed"] = int(seed)
    if cells.get("level", "").strip():
        kind["level"] = cells["level"].strip().lower()
    return kind
