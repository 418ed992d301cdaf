"""How numbers, arrays and formulas are written: for the terminal, for LaTeX, for HTML."""

import html
import re
from fractions import Fraction
from numbers import Rational

import numpy as np

DECIMALS = 4

PLAIN = [  # LaTeX to plain text; applied in this order until nothing changes, so that nested braces open up
    (r"\\frac\{(\w+)\}\{(\w+)\}", r"\1/\2"),
    (r"\\(?:mathrm|text)\{([^{}]*)\}", r"\1"),
    (r"_\{(\w),(\w)\}", r"_\1\2"),
    (r"([_^])\{([^{}]*)\}", r"\1\2"),
    (r"\^\\top", "ᵀ"),
    (r"\\sum", "Σ"),
    (r"\\sigma", "σ"),
    (r"\\max", "max"),
    (r" ?\\times ?", "×"),
    (r"\\cdot", "·"),
    (r"via ", "via_"),
]


def plain(latex):
    """Turn one of our LaTeX formulas into one line of text."""
    before = None
    while before != latex:
        before = latex
        for pattern, text in PLAIN:
            latex = re.sub(pattern, text, latex)
    return latex.replace("{", "").replace("}", "")


def number(value, decimals=DECIMALS):
    """Write a number: fractions and integers exactly, everything else with `decimals` places."""
    if isinstance(value, Rational):
        return str(value)
    if abs(value) < 1e-12:
        return "0"
    text = f"{float(value):.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def result(value, decimals=DECIMALS):
    """Write what a calculation gives: "= 1.445" where that is all, "≈ 0.8091" where it goes on."""
    value = float(value)
    if abs(value) < 1e-12:
        return "= 0"
    fixed = abs(value) < 1e9 and round(value, decimals) != 0
    text = f"{value:.{decimals}{'f' if fixed else 'g'}}"
    if abs(float(text) - value) > 1e-9 * abs(value):
        return f"≈ {text}"
    return f"= {text.rstrip('0').rstrip('.') if '.' in text and fixed else text}"


def number_latex(value, decimals=DECIMALS):
    """Write a number as LaTeX."""
    if isinstance(value, Fraction) and value.denominator > 1:
        sign = "-" if value < 0 else ""
        return rf"{sign}\tfrac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    return number(value, decimals)


def _strings(value, write):
    value = np.asarray(value, dtype=object)
    return np.array([write(v) for v in value.flat], dtype=object).reshape(value.shape)


def table(cells):
    """Align rows of strings into right-aligned columns; return the lines."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def side_by_side(blocks, gap="   "):
    """Put blocks of lines next to each other; return the lines."""
    height = max(map(len, blocks))
    padded = []
    for block in blocks:
        width = max(map(len, block))
        padded.append([line.ljust(width) for line in block] + [" " * width] * (height - len(block)))
    return [gap.join(lines).rstrip() for lines in zip(*padded, strict=True)]


def text(value, names=None, decimals=DECIMALS):
    """Write an array as lines of text, a stack of matrices side by side.

    Parameters
    ----------
    value : array_like
        A number, vector, matrix or stack of matrices.
    names : sequence of str, optional
        Headings of the matrices in a stack; [1], [2], ... where none are given.
    decimals : int
        Places of numbers that are neither fractions nor integers.

    Returns
    -------
    list of str
        The lines.
    """
    cells = _strings(value, lambda v: number(v, decimals))
    if cells.ndim == 0:
        return [cells.item()]
    if cells.ndim == 1:
        return ["  ".join(cells)]
    if cells.ndim == 2:
        return table(cells.tolist())
    names = names or [f"[{i}]" for i in range(1, len(cells) + 1)]
    return side_by_side(
        [[name, *text_lines] for name, text_lines in zip(names, map(table, cells.tolist()), strict=True)]
    )


def latex(value):
    """Write an array as LaTeX: a number, a row, a matrix, or matrices in a row."""
    cells = _strings(value, number_latex)
    if cells.ndim == 0:
        return cells.item()
    if cells.ndim == 3:
        return r",\;".join(latex(matrix) for matrix in np.asarray(value, dtype=object))
    rows = r" \\ ".join(" & ".join(row) for row in np.atleast_2d(cells))
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"


def html_array(value):
    """Write an array as small HTML tables, a stack side by side; readable without styles of the page."""
    cells = _strings(value, lambda v: html.escape(number(v)))
    if cells.ndim == 0:
        return f"<code>{cells.item()}</code>"
    if cells.ndim == 3:
        return "".join(html_array(matrix) for matrix in np.asarray(value, dtype=object))
    style = "padding:2px 8px;text-align:right;border:1px solid #8888"
    rows = "".join(
        "<tr>" + "".join(f'<td style="{style}">{cell}</td>' for cell in row) + "</tr>" for row in np.atleast_2d(cells)
    )
    return f'<table style="display:inline-table;border-collapse:collapse;margin:2px 10px 2px 0">{rows}</table>'
