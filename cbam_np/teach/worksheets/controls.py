"""The right numbers of many worksheets as tables, one number per cell: a few to mark by at sight, or all of them."""

import csv
import io
from collections.abc import Iterable, Sequence

import numpy as np

from ..calculation import notation
from ..calculation.tables import Markup, html_table
from .document import typeset
from .levels import DECIMALS
from .roster import Student, for_spreadsheet
from .worksheet import Worksheet

CONTROLS = ("M_c", "M_s", "F''", "dM_c", "dW0", "dF")
MOST = 3  # numbers of one step


def control_table(students: Sequence[Student], worksheets: Sequence[Worksheet]) -> Markup:
    """Write the numbers that end each part of a calculation, a row for each worksheet."""
    names = _controls(worksheets)
    heads = ["worksheet", "student", *names]
    rows = [
        [str(w.seed), s.shown, *(typeset(_number(w, name)) for name in names)]
        for s, w in zip(students, worksheets, strict=True)
    ]
    return html_table(rows, heads, label="control numbers", row_heads=True, right=range(2, len(heads)), kind="key")


def key_csv(students: Sequence[Student], worksheets: Sequence[Worksheet]) -> str:
    """Write every number that is asked as CSV, in decimals: a spreadsheet would take 3/2 for a date."""
    names = _entries(worksheets)
    rows = [
        [str(w.seed), w.level, s.id, *(_number(w, name, fractions=False) for name in names)]
        for s, w in zip(students, worksheets, strict=True)
    ]
    return as_csv([["worksheet", "level", "id", *names], *rows])


def answers_csv(students: Sequence[Student], worksheets: Sequence[Worksheet]) -> str:
    """Write an empty table to type a class's answers into, which `cbam-np mark` reads."""
    names = _entries(worksheets)
    rows = [[s.id, str(w.seed), w.level, *[""] * len(names)] for s, w in zip(students, worksheets, strict=True)]
    return as_csv([["id", "worksheet", "level", *names], *rows])


def as_csv(rows: Iterable[Sequence[str]]) -> str:
    """Write rows of text as CSV in which a spreadsheet takes nothing for a formula."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([for_spreadsheet(cell) for cell in row] for row in rows)
    return text.getvalue()


def _entries(worksheets: Sequence[Worksheet]) -> list[str]:
    """Return the names of all numbers that are asked in any of the worksheets, in their order."""
    found: dict[str, None] = {}
    for worksheet in worksheets:
        found |= dict.fromkeys(worksheet.entries)
    return list(found)


def _controls(worksheets: Sequence[Worksheet]) -> list[str]:
    """Return the names of the numbers to mark by: of each step that ends a part the first, one between, the last."""
    names: list[str] = []
    for step in CONTROLS:
        asked = [name for w in worksheets for name in w.entries if name.partition("[")[0] == step]
        entries = list(dict.fromkeys(asked))
        if len(entries) > MOST:
            entries = [entries[0], entries[len(entries) // 2], entries[-1]]
        names += entries
    return names


def _number(worksheet: Worksheet, name: str, fractions: bool = True) -> str:
    if name not in worksheet.entries:
        return ""
    value = worksheet.trace[name].value
    return notation.number(value if fractions else float(np.asarray(value, float)), DECIMALS)
