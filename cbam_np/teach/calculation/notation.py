"""How numbers, arrays and formulas are written: for the terminal, for LaTeX, for HTML."""

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

from .tables import Markup, code, html_table

DECIMALS = 4

PLAIN = [  # LaTeX to plain text; applied in this order until nothing changes, so that nested braces open up
    (r"\\frac\{(\w+)\}\{(\w+)\}", r"\1/\2"),
    (r"\\(?:mathrm|text)\{([^{}]*)\}", r"\1"),
    (r"_\{(\w),(\w)\}", r"_\1\2"),
    (r"([_^])\{([^{}]*)\}", r"\1\2"),
    (r"\^\\top", "ᵀ"),
    (r"\\sqrt\{([^{}]*)\}", r"√(\1)"),
    (r"\\sum", "Σ"),
    (r"\\sigma", "σ"),
    (r"\\mu", "μ"),
    (r"\\gamma", "γ"),
    (r"\\beta", "β"),
    (r"\\varepsilon", "ε"),
    (r"\\(log|exp)", r"\1"),
    (r"\\max", "max"),
    (r" ?\\times ?", "×"),
    (r"\\cdot", "·"),
    (r"via ", "via_"),
]


def plain(latex: str) -> str:
    """Turn one of the project's LaTeX formulas into one line of text."""
    before = ""
    while before != latex:
        before = latex
        for pattern, text in PLAIN:
            latex = re.sub(pattern, text, latex)
    return latex.replace("{", "").replace("}", "")


def number(value: Any, decimals: int = DECIMALS) -> str:
    """Write a number: fractions and integers exactly, everything else with `decimals` places."""
    if isinstance(value, Rational):
        return str(value)
    if abs(value) < 1e-12:
        return "0"
    text = f"{float(value):.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def result(value: Any, decimals: int = DECIMALS) -> str:
    """Write the result of a calculation: "= 1.445" if that is exact, "≈ 0.8091" if it is rounded."""
    value = float(value)
    if abs(value) < 1e-12:
        return "= 0"
    fixed = abs(value) < 1e9 and round(value, decimals) != 0
    text = f"{value:.{decimals}{'f' if fixed else 'g'}}"
    if abs(float(text) - value) > 1e-9 * abs(value):
        return f"≈ {text}"
    return f"= {text.rstrip('0').rstrip('.') if '.' in text and fixed else text}"


def number_latex(value: Any, decimals: int = DECIMALS) -> str:
    """Write a number as LaTeX."""
    if isinstance(value, Fraction) and value.denominator > 1:
        sign = "-" if value < 0 else ""
        return rf"{sign}\tfrac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    return number(value, decimals)


def _strings(value: Any, write: Callable[[Any], str]) -> np.ndarray:
    value = np.asarray(value, dtype=object)
    return np.array([write(v) for v in value.flat], dtype=object).reshape(value.shape)


def table(cells: Sequence[Sequence[str]]) -> list[str]:
    """Align rows of strings into right-aligned columns; return the lines."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def side_by_side(blocks: Sequence[Sequence[str]], gap: str = "   ") -> list[str]:
    """Put blocks of lines next to each other; return the lines."""
    height = max(map(len, blocks))
    padded = []
    for block in blocks:
        width = max(map(len, block))
        padded.append([line.ljust(width) for line in block] + [" " * width] * (height - len(block)))
    return [gap.join(lines).rstrip() for lines in zip(*padded, strict=True)]


def text(value: Any, names: Sequence[str] | None = None, decimals: int = DECIMALS) -> list[str]:
    """Write an array as lines of text, a stack of matrices side by side.

    Parameters
    ----------
    value : array_like
        A number, vector, matrix or stack of matrices.
    names : sequence of str, optional
        Headings of the matrices in a stack; [1], [2], ... by default.
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


def latex(value: Any) -> str:
    """Write an array as LaTeX: a number, a row, a matrix, or matrices in a row."""
    cells = _strings(value, number_latex)
    if cells.ndim == 0:
        return cells.item()
    if cells.ndim == 3:
        return r",\;".join(latex(matrix) for matrix in np.asarray(value, dtype=object))
    rows = r" \\ ".join(" & ".join(row) for row in np.atleast_2d(cells))
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"


def html_array(value: Any, name: str = "") -> Markup:
    """Write an array as small HTML tables, a stack side by side; readable without styles of the page.

    `name` is what a screen reader calls it.
    """
    cells = _strings(value, number)
    if cells.ndim == 0:
        return code(cells.item())
    if cells.ndim == 3:
        parts = np.asarray(value, dtype=object)
        tables = [html_array(part, f"{name}[{i}]" if name else "") for i, part in enumerate(parts, start=1)]
        style = "display:flex;flex-wrap:wrap;gap:2px 10px"
        return Markup(f'<div style="{style}">{"".join(f"<div>{table}</div>" for table in tables)}</div>')
    return html_table(np.atleast_2d(cells).tolist(), label=name, right=range(cells.shape[-1]), boxed=True)
