"""A worksheet as a notebook. It makes its sheet anew from the seed, so the key is not in it."""

import json
import math
from fractions import Fraction

import numpy as np

from ..calculation import notation
from .layout import LEVELS, RULES, SECTIONS, part_name, sections_of, size_of, title_of


def notebook(sheet):
    """Write a worksheet as a notebook that checks itself as it is filled in.

    Parameters
    ----------
    sheet : Worksheet
        The example.

    Returns
    -------
    dict
        A Jupyter notebook in nbformat 4.5, ready for `json.dump`. It holds the seed and what is given, not the key;
        with every blank still open, it runs without an error.
    """
    options = "".join(f", {name}={value!r}" for name, value in sheet.options.items())
    cells = [
        _markdown(
            f"# {title_of(sheet)}",
            f"{LEVELS[sheet.level]}: {size_of(sheet)} numbers, with pencil and pocket calculator. Write them where the "
            'question marks are, as text: `"0.375"` or `"3/8"`. Then run the cell. It tells what is right, what is '
            "not, and what is still open; correct it and run it again, as often as you like.",
            f"{RULES} *With three numbers a minute, this takes about {5 * math.ceil(size_of(sheet) / 15)} minutes.*",
        ),
        _code(
            "import cbam_np",
            "",
            f"sheet = cbam_np.worksheet({sheet.seed}, {json.dumps(sheet.level)}{options})",
            "answers = {}",
        ),
    ]
    for section, steps in sections_of(sheet).items():
        heading, note = SECTIONS[section]
        asked = [step for step in steps if step.name in sheet.asked]
        given = [_given(step, sheet.printed[step.name]) for step in steps if step.name in sheet.printed]
        cells.append(_markdown(f"## {heading}", *given, note, *(f"`{s.name}`: $${s.formula}$$" for s in asked)))
        if asked:
            cells.append(_code(*(f'answers["{s.name}"] = {_blanks(s)}' for s in asked), "sheet.check(answers)"))
    cells += [_markdown("## The whole sheet"), _code("report = sheet.check(answers)", "report")]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": [{"id": f"cell-{i:02}", **cell} for i, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _markdown(*paragraphs):
    source = "\n\n".join(filter(None, paragraphs))
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def _code(*lines):
    source = "\n".join(lines).splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}


def _given(step, printed):
    """Write what is given as LaTeX, a stack as matrices in a row."""
    cells = np.array(printed, dtype=object)
    dots = {"0": r"\cdot"} if step.name == "W7" else {}
    matrices = []
    for matrix in cells if cells.ndim == 3 else [np.atleast_2d(cells)]:
        rows = (" & ".join(dots.get(text) or _latex_number(text) for text in row) for row in matrix)
        matrices.append(r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}")
    return f"`{step.name}`: $${step.symbol} = " + r",\; ".join(matrices) + "$$"


def _latex_number(text):
    return notation.number_latex(Fraction(text)) if "/" in text else text


def _blanks(step, axis=0, note=""):
    """Write nested lists of "?", a line for each row of the array."""
    n, indent = step.shape[axis], "    " * axis
    if axis == len(step.shape) - 1:
        return json.dumps(["?"] * n)
    notes = [f"  # {part_name(step, i)}" if len(step.shape) - axis == 3 else "" for i in range(1, n + 1)]
    rows = [f"{indent}    {_blanks(step, axis + 1, note)},\n" for note in notes]
    return f"[{note}\n{''.join(rows)}{indent}]"
