"""A worksheet as an assignment of nbgrader or otter-grader, one for the whole class."""

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from ..calculation.trace import Step
from .files import as_json
from .jupyter import Cell, blank_lines, book, code, markdown, parts
from .layout import RULES, entry_label, is_whole, task_of, title_of
from .levels import size_of
from .worksheet import Worksheet

CONFIG = """# What nbgrader needs to know about this course. Run its commands in this folder.
c = get_config()
c.CourseDirectory.course_id = "cbam"
c.ClearSolutions.code_stub = {"python": "# Write your numbers in place of the question marks above."}
"""
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


def nbgrader_files(sheet: Worksheet) -> dict[str, str]:
    """Return a course folder for nbgrader 0.9, by file name: its configuration and the source of one assignment.

    The set-up and the marking cells are locked. Each step is marked by itself and earns a part of its points; what
    follows from an earlier mistake counts in full.
    """
    cells = [*_opening(sheet, "nbgrader"), _graded(_setup(sheet), "setup")]
    for heading, given, asked in parts(sheet):
        text = markdown(heading, *given, *(f"`{s.name}`: $${s.formula}$$" for s in asked))
        cells.append(text)
        if not asked:
            continue
        lines = [*blank_lines(sheet, asked), BEGIN, *_solution_lines(sheet, asked), END]
        cells.append(_graded(code(*lines), f"answers-{asked[0].name}", solution=True))
        for step in asked:
            test = code(
                "# This cell is marked. Leave it as it is.",
                "### BEGIN HIDDEN TESTS",
                f"marking.step({json.dumps(step.name)}, answers)",
                "### END HIDDEN TESTS",
            )
            cells.append(_graded(test, f"mark-{step.name}", points=len(sheet.blanks[step.name])))
    name = assignment_of(sheet)
    notebook = book(cells, worksheet=sheet.seed, level=sheet.level)
    return {"nbgrader_config.py": CONFIG, f"source/{name}/{name}.ipynb": as_json(notebook)}


def otter_files(sheet: Worksheet) -> dict[str, str]:
    """Return the master notebook for otter-grader 7, by file name: one question for each step, one test per number."""
    config = "# ASSIGNMENT CONFIG\ninit_cell: false\nexport_cell: false\ncheck_all_cell: false\ngenerate: true"
    cells = [_raw(config), *_opening(sheet, "otter"), _setup(sheet)]
    for heading, given, asked in parts(sheet):
        cells.append(markdown(heading, *given))
        for step in asked:
            cells += _question(sheet, step)
    return {f"{assignment_of(sheet)}.ipynb": as_json(book(cells, worksheet=sheet.seed, level=sheet.level))}


def assignment_of(sheet: Worksheet) -> str:
    """Return the name of an assignment."""
    return f"cbam-worksheet-{sheet.seed}"


def _opening(sheet: Worksheet, tool: str) -> Iterator[Cell]:
    yield markdown(
        f"# {title_of(sheet)}",
        f"{task_of(sheet)} You need pencil and pocket calculator. Write your numbers where the question marks are, as "
        'text: `"0.375"` or `"3/8"`.',
        f"{RULES} A mistake costs only the step in which it was made: what follows from your own numbers counts.",
    )


def _setup(sheet: Worksheet) -> Cell:
    options = "".join(f", {name}={value!r}" for name, value in sheet.options.items())
    return code(
        "from cbam_np.teach.marking.cells import Marking",
        "",
        f"marking = Marking({sheet.seed}, {json.dumps(sheet.level)}{options})",
        "answers = {}",
    )


def _graded(cell: Cell, name: str, solution: bool = False, points: int | None = None) -> Cell:
    """Add what nbgrader has to know about a cell; a cell is locked unless it is for the solution."""
    graded: dict[str, Any] = {
        "schema_version": 3,
        "grade_id": name.replace("'", "-prime"),
        "cell_type": cell["cell_type"],
        "solution": solution,
        "locked": not solution,
        "grade": points is not None,
        "task": False,
    }
    if points is not None:
        graded["points"] = points
    return {**cell, "metadata": {"nbgrader": graded}}


def _question(sheet: Worksheet, step: Step) -> Iterator[Cell]:
    name, entries = step.name.replace("'", "_prime"), [n for n, (s, _) in sheet.entries.items() if s == step.name]
    yield _raw(f"# BEGIN QUESTION\nname: {name}\npoints: {len(entries)}")
    yield markdown(f"`{step.name}`: $${step.formula}$$")
    yield _raw("# BEGIN SOLUTION")
    blanks, solutions = blank_lines(sheet, [step]), _solution_lines(sheet, [step])
    prompts = ['""" # BEGIN PROMPT', *blanks, '""" # END PROMPT']
    yield code(*prompts, "# BEGIN SOLUTION", *solutions, "# END SOLUTION")
    yield _raw("# END SOLUTION")
    yield _raw("# BEGIN TESTS")
    for entry in entries:
        output = {"output_type": "stream", "name": "stdout", "text": ["counts\n"]}  # what otter compares with
        yield {**code(f"print(marking.entry({json.dumps(entry)}, answers))"), "outputs": [output]}
    yield _raw("# END TESTS")
    yield _raw("# END QUESTION")


def _raw(text: str) -> Cell:
    return {"cell_type": "raw", "metadata": {}, "source": text.splitlines(keepends=True)}


def _solution_lines(sheet: Worksheet, steps: list[Step]) -> list[str]:
    """Return lines of Python that put the right numbers into `answers`."""
    lines = []
    for step in steps:
        value = np.asarray(step.value, object)
        if is_whole(sheet, step) and step.name not in sheet.printed:
            texts = np.vectorize(_exact, otypes=[object])(value).tolist()
            lines.append(f"answers[{json.dumps(step.name)}] = {json.dumps(texts)}")
        else:
            for index in sheet.blanks[step.name]:
                name = json.dumps(step.name + entry_label(index))
                lines.append(f"answers[{name}] = {json.dumps(_exact(value[index]))}")
    return lines


def _exact(value: Any) -> str:
    """Write a right answer: a fraction, or six decimals."""
    return str(value) if isinstance(value, Fraction | int) else f"{float(value):.6f}"


def points_of(sheet: Worksheet) -> int:
    """Return the points of an assignment: one for each number."""
    return size_of(sheet.blanks)
