"""Worksheets on paper: formulas in MathML, blanks as empty cells of tables; one sheet or those of a whole class."""

import html
from collections.abc import Iterable, Sequence

import numpy as np

from ..calculation import notation
from ..calculation.tables import Markup, html_table
from ..calculation.trace import Step
from .controls import control_table
from .document import document, sheet, typeset
from .formulas import mathml
from .layout import RULES, SECTIONS, Part, parts_of, rows_of, sections_of, task_of, title_of
from .levels import DECIMALS
from .roster import Student
from .worksheet import Worksheet

KEY = "KEY · "


def page(worksheet: Worksheet, key: bool = False) -> str:
    """Write a worksheet as an HTML page, to be printed on A4 or Letter.

    Parameters
    ----------
    worksheet : Worksheet
        The example.
    key : bool
        Whether the blanks are filled in: fractions exactly, everything else with three decimals.

    Returns
    -------
    str
        A complete HTML document.
    """
    title = key * KEY + title_of(worksheet)
    return document(title, [sheet(1, _sheet(worksheet, key=key))], [title])


def class_page(students: Sequence[Student], worksheets: Sequence[Worksheet]) -> str:
    """Write the worksheets of a class as one page to print, each on a page of its own with the student's name on it."""
    sheets = [
        sheet(n, _sheet(worksheet, student.shown))
        for n, (student, worksheet) in enumerate(zip(students, worksheets, strict=True), start=1)
    ]
    footers = [f"{title_of(w)} · {s.shown}".removesuffix(" · ") for s, w in zip(students, worksheets, strict=True)]
    return document("CBAM by hand · worksheets", sheets, footers)


def class_key(students: Sequence[Student], worksheets: Sequence[Worksheet]) -> str:
    """Write the key to the worksheets of a class: a table with one number per cell, then every sheet filled in."""
    title = f"{KEY}CBAM by hand · {len(worksheets)} worksheets"
    table = [
        f"<h1>{html.escape(title)}</h1>",
        '<div class="wide" tabindex="0">',
        control_table(students, worksheets),
        "</div>",
    ]
    sheets = [sheet(1, table)]
    footers = [title]
    for n, (student, worksheet) in enumerate(zip(students, worksheets, strict=True), start=2):
        sheets.append(sheet(n, _sheet(worksheet, student.shown, key=True)))
        footers.append(f"{KEY}{title_of(worksheet)} · {student.shown}".removesuffix(" · "))
    return document(title, sheets, footers)


def _sheet(worksheet: Worksheet, who: str = "", key: bool = False) -> Iterable[str]:
    yield f"<h1>{html.escape(key * KEY + title_of(worksheet))}</h1>"
    if key:
        yield f'<p class="who"><span>{html.escape(who) or "Key"}</span></p>'
    else:
        yield f'<p class="who"><span>Name {html.escape(who)}</span><span>Date</span></p>'
    yield f"<p>{task_of(worksheet)} {RULES}</p>"
    yield f'<div class="{"columns" if worksheet.level == "quick" else "whole"}">'
    for section, steps in sections_of(worksheet).items():
        heading, note = SECTIONS[section]
        yield f"<h2>{html.escape(heading)}</h2>"
        if note:
            yield f'<p class="note">{html.escape(note)}</p>'
        for row in rows_of(worksheet, steps):
            yield f'<div class="row">{"".join(_step(worksheet, step, key) for step in row)}</div>'
    yield "</div>"


def _step(worksheet: Worksheet, step: Step, key: bool) -> str:
    """Write a step: its name, its formula, its array."""
    parts = parts_of(worksheet, step, lambda value: notation.number(value, DECIMALS))
    kind = "asked" if step.name in worksheet.blanks else "given"
    kind += " large" * (parts[0].cells.shape[-1] > 5) + " narrow" * (worksheet.level == "quick")
    formula = "" if step.given and step.name == step.symbol else mathml(step.formula or step.symbol)
    tables = "".join(_table(part, key, dots=step.name == "W7") for part in parts)
    return (
        f'<section class="step {kind}"><p><code>{html.escape(step.name)}</code> {formula}</p>'
        f'<div class="parts">{tables}</div></section>'
    )


def _table(part: Part, key: bool, dots: bool) -> Markup:
    """Write a vector or a matrix with its indices; with dots for 0, the few other weights of a kernel stand out."""
    cells = part.answers if key else part.cells
    rows = [["·" if dots and text == "0" else typeset(text) for text in row] for row in np.atleast_2d(cells)]
    heads = part.heads
    if cells.ndim == 2:
        heads = ["", *heads]
        rows = [[str(i), *row] for i, row in enumerate(rows, start=1)]
    return html_table(rows, heads, label=part.name, caption=part.caption, row_heads=cells.ndim == 2, kind="")
