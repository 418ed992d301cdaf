"""A worksheet as a notebook that checks itself. It has the seed and what is given, and no answer."""

import json
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from ..calculation import notation
from ..calculation.trace import Step
from .layout import RULES, SECTIONS, entry_label, is_whole, part_name, sections_of, task_of, title_of
from .worksheet import Worksheet

Cell = dict[str, Any]


def notebook(sheet: Worksheet, student: str = "") -> dict[str, Any]:
    """Write a worksheet as a notebook that checks itself as it is filled in.

    Parameters
    ----------
    sheet : Worksheet
        The example.
    student : str
        The id of the student whose it is, which `cbam-np mark` reads.

    Returns
    -------
    dict
        A Jupyter notebook in nbformat 4.5, ready for `json.dump`. With every blank still open, it runs without an
        error.
    """
    cells = [
        markdown(
            f"# {title_of(sheet)}",
            f"{task_of(sheet)} You need pencil and pocket calculator. Write your numbers where the question marks are, "
            'as text: `"0.375"` or `"3/8"`. Then run the cell. It tells what is right, what is not, and what is still '
            "open; correct it and run it again, as often as you like.",
            f'{RULES} *If you are stuck,* `sheet.check(answers, help="mistake")` *says what went wrong.*',
        ),
        code("import cbam_np", "", f"sheet = {practice_call(sheet)}", "answers = {}"),
    ]
    for heading, given, asked in parts(sheet):
        cells.append(markdown(heading, *given, *(f"`{s.name}`: $${s.formula}$$" for s in asked)))
        if asked:
            cells.append(code(*blank_lines(sheet, asked), "sheet.check(answers)"))
    cells += [markdown("## The whole sheet"), code("report = sheet.check(answers)", "report")]
    return book(cells, worksheet=sheet.seed, level=sheet.level, **({"student": student} if student else {}))


def practice_call(sheet: Worksheet) -> str:
    """Return the line of Python that makes a worksheet to practise with."""
    options = "".join(f", {name}={value!r}" for name, value in sheet.options.items())
    return f"cbam_np.Practice({sheet.seed}, {json.dumps(sheet.level)}{options})"


def parts(sheet: Worksheet) -> Iterable[tuple[str, list[str], list[Step]]]:
    """Yield the sections: the heading, paragraphs with what is given, and the steps that are asked."""
    for section, steps in sections_of(sheet).items():
        heading, note = SECTIONS[section]
        asked = [step for step in steps if step.name in sheet.blanks]
        given = [_given(step, sheet.printed[step.name]) for step in steps if step.name in sheet.printed]
        yield f"## {heading}", [*given, *([note] if note else [])], asked


def blank_lines(sheet: Worksheet, steps: Iterable[Step]) -> list[str]:
    """Return lines of Python with a question mark for each blank: whole arrays, or single entries."""
    lines = []
    for step in steps:
        indices = sheet.blanks[step.name]
        if is_whole(sheet, step) and step.name not in sheet.printed:
            lines.append(f'answers["{step.name}"] = {_blanks(step)}')
        else:
            lines += [f'answers["{step.name}{entry_label(index)}"] = "?"' for index in indices]
    return lines


def markdown(*paragraphs: str) -> Cell:
    """Return a cell of text."""
    source = "\n\n".join(filter(None, paragraphs))
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def code(*lines: str) -> Cell:
    """Return a cell of Python that has not been run."""
    source = "\n".join(lines).splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}


def book(cells: list[Cell], **metadata: Any) -> dict[str, Any]:
    """Return a notebook of cells; `metadata` is kept under the package's name."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": [{"id": f"cell-{i:02}", **cell} for i, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}, "cbam_np": metadata},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _given(step: Step, printed: Any) -> str:
    """Write what is given as LaTeX, a stack as matrices in a row; what is asked is a box."""
    cells = np.array(printed, dtype=object)
    dots = {"0": r"\cdot"} if step.name == "W7" else {}
    matrices = []
    for matrix in cells if cells.ndim == 3 else [np.atleast_2d(cells)]:
        rows = (" & ".join(dots.get(text) or _latex_number(text) for text in row) for row in matrix)
        matrices.append(r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}")
    return f"`{step.name}`: $${step.symbol} = " + r",\; ".join(matrices) + "$$"


def _latex_number(text: str) -> str:
    if not text:
        return r"\square"
    return notation.number_latex(Fraction(text)) if "/" in text else text


def _blanks(step: Step, axis: int = 0, note: str = "") -> str:
    """Write nested lists of "?", a line for each row of the array."""
    n, indent = step.shape[axis], "    " * axis
    if axis == len(step.shape) - 1:
        return json.dumps(["?"] * n)
    notes = [f"  # {part_name(step, i)}" if len(step.shape) - axis == 3 else "" for i in range(1, n + 1)]
    rows = [f"{indent}    {_blanks(step, axis + 1, note)},\n" for note in notes]
    return f"[{note}\n{''.join(rows)}{indent}]"
