"""A worksheet on paper: formulas in MathML, blanks as empty cells of tables."""

import html
import re

import numpy as np
from latex2mathml.converter import convert

from ..calculation import notation
from ..calculation.tables import Markup, html_table
from .document import document, typeset
from .layout import DECIMALS, LEVELS, RULES, SECTIONS, part_name, rows_of, sections_of, size_of, title_of

MATHML = [  # LaTeX as it is best for MathML: words upright, primes not raised twice, limits below max
    (r"\{(F\^c_\{\w+\})\}\^", r"(\1)^"),
    (r"\\mathrm\{", r"\\text{"),
    (r"_\{([a-z]{3,})\}", r"_{\\text{\1}}"),
    (r"(\w)''", r"{\1\\text{″}}"),
    (r"(\w)'", r"{\1\\text{′}}"),
    (r"\\max_", r"\\max\\limits_"),
]


def page(sheet, key=False):
    """Write a worksheet as an HTML page, to be printed on A4 or Letter.

    Parameters
    ----------
    sheet : Worksheet
        The example.
    key : bool
        Whether the blanks are filled in: fractions exactly, everything else with three decimals.

    Returns
    -------
    str
        A complete HTML document.
    """
    who = "<span>Key</span>" if key else "<span>Name</span><span>Date</span>"
    body = [f'<p class="who">{who}</p>', f"<p>{LEVELS[sheet.level]}: {size_of(sheet)} numbers. {RULES}</p>"]
    for section, steps in sections_of(sheet).items():
        heading, note = SECTIONS[section]
        body.append(f"<h2>{heading}</h2>")
        if note:
            body.append(f'<p class="note">{html.escape(note)}</p>')
        for row in rows_of(steps):
            body += ['<div class="row">', *(_step(sheet, step, key) for step in row), "</div>"]
    return document(title_of(sheet) + " · key" * key, body)


def _step(sheet, step, key):
    """Write a step: its name, its formula, its array."""
    given = step.name in sheet.printed
    cells = np.array(sheet.printed[step.name], dtype=object) if given else _filled(step, key)
    if step.name == "W7":
        cells[cells == "0"] = "·"  # so that the few others stand out
    if cells.ndim == 3:
        parts = [_table(f"{step.name}[{i}]", part, part_name(step, i)) for i, part in enumerate(cells, start=1)]
    else:
        parts = [_table(step.name, cells)]
    kind = ("given" if given else "asked") + " large" * (cells.shape[-1] > 5)
    formula = "" if step.given and step.name == step.symbol else _mathml(step.formula or step.symbol)
    return (
        f'<section class="step {kind}"><p><code>{html.escape(step.name)}</code> {formula}</p>'
        f'<div class="parts">{"".join(parts)}</div></section>'
    )


def _filled(step, key):
    write = (lambda value: notation.number(value, DECIMALS)) if key else (lambda value: "")
    return np.vectorize(write, otypes=[object])(step.value)


def _table(name: str, cells: np.ndarray, caption: str = "") -> Markup:
    """Write a vector or a matrix with its indices; `name` is what a screen reader says."""
    heads = [str(j) for j in range(1, cells.shape[-1] + 1)]
    rows = [[typeset(text) for text in row] for row in np.atleast_2d(cells)]
    if cells.ndim == 2:
        heads = ["", *heads]
        rows = [[str(i), *row] for i, row in enumerate(rows, start=1)]
    return html_table(rows, heads, label=name, caption=caption, row_heads=cells.ndim == 2, kind="")


def _mathml(latex):
    for pattern, text in MATHML:
        latex = re.sub(pattern, text, latex)
    return re.sub(r' xmlns="[^"]*"', "", convert(latex, display="block"))
