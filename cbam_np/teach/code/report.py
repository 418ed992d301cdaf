"""What `check_function` has found, for a person."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..mistakes.code import WEIGHTS
from ..report.blocks import Block, Items, Sentences, as_html, as_text
from ..report.verdicts import RIGHT, WRONG
from .reading import LABELS

TITLES = {"channel": "channel attention", "spatial": "spatial attention", "cbam": "CBAM"}

ROUNDING = 1e-12  # below this, a difference depends on the machine


@dataclass(frozen=True, eq=False)
class Comparison:
    """One step of one input: the function's numbers and the right ones.

    Parameters
    ----------
    number : int
        Which input, from 1.
    name : str
        The step's name in the trace.
    yours, expected : ndarray
        The numbers, for the whole batch.
    tolerance : float
        The relative difference that rounding may make.
    """

    number: int
    name: str
    yours: np.ndarray
    expected: np.ndarray
    tolerance: float

    @cached_property
    def differences(self):
        """Differences relative to the largest number."""
        return np.abs(self.yours - self.expected) / (np.abs(self.expected).max(initial=0) or 1)

    @property
    def ok(self):
        """True where nothing is wrong."""
        return bool((self.differences <= self.tolerance).all())

    @property
    def label(self):
        """What the step is called where gradients are returned: dx for dF."""
        return LABELS.get(self.name, self.name)

    @property
    def first_wrong(self):
        """The first wrong entry in words: where, what came, what was expected."""
        index = tuple(np.argwhere(self.differences > self.tolerance)[0])
        image, entry = ("", index) if self.name in WEIGHTS else (f" of image {index[0] + 1}", index[1:])
        yours, expected = _distinct(self.yours[index], self.expected[index])
        where = f"{self.label}[{','.join(str(i + 1) for i in entry)}]{image}, input {self.number}"
        return f"{where}: yours {yours}, expected {expected}"


def _distinct(*values):
    for digits in (4, 8, 16):
        texts = [f"{float(value):.{digits}g}" for value in values]
        if len(set(texts)) == len(texts):
            break
    return texts


class FunctionReport:
    """What `check_function` has found. ``str(report)`` is for a person.

    Parameters
    ----------
    what : {"channel", "spatial", "cbam"}
        What the function should compute.
    cases : list of Case
        The inputs, with what is right on them.
    comparisons : list of Comparison
        Every step that was compared, forward first.
    problems : list of (int, Problem)
        What was wrong with the function on which input, other than its numbers.
    notes : list of str
        What is not wrong, but worth knowing.
    explanations : tuple of Explanation
        The mistakes that explain the first wrong step.
    whole : bool
        Whether they explain the later steps too.
    backward : bool
        Whether a backward pass was compared.
    """

    def __init__(self, what, cases, comparisons, problems, notes, explanations=(), whole=True, backward=False):
        self.what, self.backward, self.whole = what, backward, whole
        self.shapes, self.steps = tuple(case.x.shape for case in cases), cases[0].steps
        self.comparisons, self.notes = tuple(comparisons), tuple(notes)
        self.explanations = tuple(explanations)
        self._problems = tuple(problems)

    @property
    def ok(self):
        """True where nothing is wrong."""
        return not self._problems and all(c.ok for c in self.comparisons)

    @cached_property
    def wrong(self):
        """The comparisons with wrong numbers, by step in the order of the calculation, then by input."""
        return tuple(c for c in self.comparisons if not c.ok)

    @property
    def first_wrong(self):
        """The first wrong step, such as "M_c", "dW0" or "dx"; "output" if none can be named, None if all is right."""
        names = [c.name for c in self.wrong] + [problem.step for _, problem in self._problems if problem.step]
        if not names:
            return None if self.ok else "output"
        first = min(names, key=lambda name: self.steps.index(name) if name in self.steps else -1)
        return LABELS.get(first, first)

    @property
    def largest_difference(self):
        """The largest difference, relative to the largest number of its step."""
        return max((float(c.differences.max(initial=0)) for c in self.comparisons), default=float("nan"))

    @cached_property
    def problems(self):
        """What was wrong other than numbers, each with the inputs that it was seen on."""
        together = {}
        for number, problem in self._problems:
            together.setdefault(problem.same or problem.text, []).append((number, problem.text))
        found = []
        for seen in together.values():
            numbers, text = sorted({number for number, _ in seen}), seen[0][1]
            inputs = ", ".join(f"{n} {self.shapes[n - 1]}" for n in numbers)
            found.append(text if len(numbers) == len(self.shapes) else f"on input {inputs}: {text}")
        return tuple(found)

    def to_dict(self):
        """Return everything as lists, numbers and text, as for JSON."""
        return {
            "what": self.what,
            "ok": self.ok,
            "first_wrong": self.first_wrong,
            "largest_difference": None if np.isnan(self.largest_difference) else self.largest_difference,
            "inputs": [list(shape) for shape in self.shapes],
            "backward": self.backward,
            "steps": [{"input": c.number, "name": c.label, "ok": c.ok} for c in self.comparisons],
            "explanations": [{"name": e.name, "sentence": e.sentence} for e in self.explanations],
            "problems": list(self.problems),
            "notes": list(self.notes),
        }

    def _head(self):
        title, count = TITLES[self.what], len(self.shapes)
        inputs = f"{count} input{'s' * (count > 1)}"
        if self.ok:
            ways = ", forward and backward," if self.backward else ""
            largest = max(self.largest_difference, ROUNDING)
            return f"{title}: right{ways} on {inputs} (no difference larger than {largest:.0e})"
        if not self.wrong:
            return f"{title}: not right yet"
        first = self.wrong[0]
        wrong = {c.number for c in self.wrong} | {number for number, _ in self._problems}
        way = ", backward" if first.name.startswith("d") else ""
        return f"{title}{way}: wrong on {len(wrong)} of {inputs}; first at {first.first_wrong}"

    def blocks(self) -> list[Block]:
        """Return what the report says, to be shown as text or HTML: see `cbam_np.teach.report.blocks`."""
        first, _, rest = self._head().partition(": ")
        found: list[Block] = [Sentences(rest, f"{first}:")]
        lead = "Same result as" if self.whole else f"As far as {self.first_wrong}, same result as"
        for explanation in self.explanations:
            found += [Sentences("", f"{lead}: {explanation.name}"), Items([explanation.sentence])]
            lead = "or as"
        if self.wrong and not self.explanations:
            found.append(Sentences(UNKNOWN))
        return [*found, *(Sentences(text) for text in (*self.problems, *self.notes))]

    def __repr__(self) -> str:
        return f"<FunctionReport: {'right' if self.ok else 'wrong'}>"

    def __str__(self) -> str:
        return as_text(self.blocks())

    def _repr_html_(self) -> str:
        return as_html(self.blocks(), RIGHT if self.ok else WRONG)


UNKNOWN = (
    "Neither a known mistake nor two of them together give these numbers. Return the steps on the way as a dict, "
    "{'F_avg': ..., 'M_c': ...}, or gradients by their names, and the first wrong one will be found."
)
