"""The control numbers of a whole class, to mark by."""

import csv
import io

import numpy as np

from ..calculation import notation
from ..calculation.tables import html_table
from .document import document, typeset
from .layout import DECIMALS

CONTROLS = ("M_c", "M_s", "F''", "dM_c", "dW0", "dF")


def class_table(sheets):
    """Write the control numbers of many worksheets as one HTML page, to mark by.

    Parameters
    ----------
    sheets : iterable of Worksheet
        The worksheets of a class.

    Returns
    -------
    str
        A complete HTML document, a row a sheet: short vectors whole, of everything larger the first and the last
        entry that are not 0.
    """
    head, *rows = _controls(sheets)
    table = html_table(
        [[typeset(text) for text in row] for row in rows], head, label="control numbers", row_heads=True, kind="key"
    )
    return document(f"CBAM by hand · key to {len(rows)} worksheets", [table])


def class_csv(sheets):
    """Write the control numbers of many worksheets as CSV; parameters as for `class_table`."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_controls(sheets))
    return text.getvalue()


def _controls(sheets):
    """Return rows of text: the heading, then a row a sheet."""
    sheets = list(sheets)
    names = [name for name in CONTROLS if any(name in sheet.asked for sheet in sheets)]
    return [["worksheet", "level", *names]] + [
        [str(s.seed), s.level, *(_control(s.trace[name]) if name in s.asked else "" for name in names)] for s in sheets
    ]


def _control(step):
    """Write a vector, or the first and the last entry that are not 0."""
    values = np.asarray(step.value, dtype=float)
    if values.ndim == 1:
        return "  ".join(notation.number(value, DECIMALS) for value in values)
    places = np.argwhere(values) + 1
    entries = [step.entry(tuple(at)) for at in places[:: max(1, len(places) - 1)]]
    texts = [f"{entry.name.removeprefix(step.name)} {notation.number(entry.value, DECIMALS)}" for entry in entries]
    return "  ".join(texts) or "all 0"
