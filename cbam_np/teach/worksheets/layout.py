"""What stands on a worksheet, and in which order: the same on paper and in a notebook."""

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ..calculation.trace import Step
from .levels import DECIMALS, LEVELS, minutes_of, size_of
from .worksheet import Worksheet

RULES = f"Write {DECIMALS} decimals, or fractions. Carry on with what you wrote. Indices start at 1."
SECTIONS = {  # what a section is called, and what one needs to know there
    "Step 0": ("Step 0 · Feature extraction", ""),
    "Step 1": ("Step 1 · Channel submodule", "ReLU(x) = x if x > 0, else 0. σ(x) = 1 / (1 + exp(−x))."),
    "Step 2": (
        "Step 2 · Spatial submodule",
        "Put the middle of the kernel on a pixel, multiply each weight by the number under it, and add up: matrix 1 on "
        "the average map, matrix 2 on the maximum map. A dot is 0, and so is every number outside the map. The kernel "
        "is not flipped.",
    ),
    "Step 3": ("Step 3 · Combination", ""),
    "spatial": (
        "The way back · Steps 3 and 2",
        "dX is ∂L/∂X. Where channels share a maximum, its gradient goes to the first of them.",
    ),
    "channel": (
        "The way back · Step 1",
        "[h > 0] is 1 if h > 0, else 0. Where pixels share a maximum, its gradient goes to the first in reading order.",
    ),
}
OPENERS = {"W0": "Step 1", "W7": "Step 2", "dF''": "spatial", "dM_c": "channel"}  # for those that are on no slide
ROW_STARTS = ("F_avg", "h_", "z_c", "Fs_avg", "z_s", "da_", "dW1")


def sections_of(sheet: Worksheet) -> dict[str, list[Step]]:
    """Sort the steps that the student sees into sections."""
    found: dict[str, list[Step]] = {name: [] for name in SECTIONS}
    here = "Step 0"
    for step in sheet.trace:
        here = OPENERS.get(step.name) or step.slide or here
        if step.name in sheet.printed or step.name in sheet.asked:
            found[here].append(step)
    return {name: steps for name, steps in found.items() if steps}


class Part(NamedTuple):
    """One table of a step: its name, a line above it, the headings of its columns, and its cells as text.

    `cells` has "" where the student writes; `answers` has the right numbers instead.
    """

    name: str
    caption: str
    heads: list[str]
    cells: np.ndarray
    answers: np.ndarray


def parts_of(sheet: Worksheet, step: Step, write: Callable[[Any], str]) -> list[Part]:
    """Return the tables of a step: a vector or a matrix is one, a stack of matrices is several.

    Where only some entries are asked and the others are not given, the one table lists those.
    """
    blanks = sheet.blanks.get(step.name, ())
    answers = np.vectorize(write, otypes=[object])(np.asarray(step.value, object))
    if blanks and step.name not in sheet.printed and len(blanks) < answers.size:
        heads = [entry_label(index) for index in blanks]
        listed = np.array([answers[index] for index in blanks], object)
        return [Part(step.name, "", heads, np.full(len(blanks), "", object), listed)]
    cells = (
        np.array(sheet.printed[step.name], object) if step.name in sheet.printed else np.full(step.shape, "", object)
    )
    filled = np.where(cells == "", answers, cells)
    heads = [str(j) for j in range(1, cells.shape[-1] + 1)]
    if cells.ndim < 3:
        return [Part(step.name, "", heads, cells, filled)]
    names = [f"{step.name}[{i}]" for i in range(1, len(cells) + 1)]
    captions = [part_name(step, i) for i in range(1, len(cells) + 1)]
    return [Part(*part) for part in zip(names, captions, [heads] * len(cells), cells, filled, strict=True)]


def entry_label(index: tuple[int, ...]) -> str:
    """Return an index as the slides write it, counted from 1."""
    return f"[{','.join(str(i + 1) for i in index)}]"


def is_whole(sheet: Worksheet, step: Step) -> bool:
    """Tell whether a step is shown as its whole array."""
    return step.name in sheet.printed or len(sheet.blanks[step.name]) == math.prod(step.shape)


def rows_of(sheet: Worksheet, steps: Iterable[Step]) -> list[list[Step]]:
    """Put small arrays that belong together into one row; a stack of matrices has a row of its own."""
    rows: list[list[Step]] = []
    stack = True
    for step in steps:
        if stack or _is_stack(sheet, step) or step.name.startswith(ROW_STARTS):
            rows.append([])
        rows[-1].append(step)
        stack = _is_stack(sheet, step)
    return rows


def _is_stack(sheet: Worksheet, step: Step) -> bool:
    return len(step.shape) == 3 and is_whole(sheet, step)


def title_of(sheet: Worksheet) -> str:
    """Return the title of a worksheet."""
    return f"CBAM by hand · worksheet {sheet.seed}"


def task_of(sheet: Worksheet) -> str:
    """Say what is asked, and how long that takes."""
    return f"{LEVELS[sheet.level][1]}: {size_of(sheet.blanks)} numbers, about {minutes_of(sheet.blanks)} minutes."


def part_name(step: Step, i: int) -> str:
    """Name the i-th matrix of a stack, counted from 1."""
    return f"{'matrix' if step.name.endswith('W7') else 'channel'} {i}"
