"""What stands on a worksheet, and in which order: the same on paper and in a notebook."""

import math

DECIMALS = 3
RULES = f"Write {DECIMALS} decimals, or fractions. Carry on with what you wrote. Indices start at 1."
LEVELS = {"forward": "Forward", "full": "Forward and back", "backward": "The way back; the forward steps are given"}
SECTIONS = {  # what a section is called, and what one needs to know there
    "Step 0": ("Step 0 · Feature extraction", ""),
    "Step 1": ("Step 1 · Channel submodule", "ReLU(x) = x if x > 0, else 0. σ(x) = 1 / (1 + exp(−x))."),
    "Step 2": (
        "Step 2 · Spatial submodule",
        "Lay the middle of the kernel on a pixel, multiply what meets, add up. Its matrix 1 lies on the average map, "
        "matrix 2 on the maximum map; a dot is 0. It is not flipped, and outside a map everything is 0.",
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
ROW_STARTS = ("F_avg", "h_", "z_c", "z_s", "da_", "dW1")


def sections_of(sheet):
    """Sort the steps that the student sees into sections, {section: [step, ...]}."""
    found, here = {name: [] for name in SECTIONS}, "Step 0"
    for step in sheet.trace:
        here = OPENERS.get(step.name) or step.slide or here
        if step.name in sheet.printed or step.name in sheet.asked:
            found[here].append(step)
    return {name: steps for name, steps in found.items() if steps}


def rows_of(steps):
    """Put small arrays that belong together into one row; a stack of matrices has a row of its own."""
    rows, stack = [], True
    for step in steps:
        if stack or len(step.shape) == 3 or step.name.startswith(ROW_STARTS):
            rows.append([])
        rows[-1].append(step)
        stack = len(step.shape) == 3
    return rows


def title_of(sheet):
    """Return the title of a worksheet."""
    return f"CBAM by hand · worksheet {sheet.seed}"


def size_of(sheet):
    """Count the numbers that the student fills in."""
    return sum(math.prod(sheet.trace[name].shape) for name in sheet.asked)


def part_name(step, i):
    """Name the i-th matrix of a stack, counted from 1."""
    return f"{'matrix' if step.name.endswith('W7') else 'channel'} {i}"
