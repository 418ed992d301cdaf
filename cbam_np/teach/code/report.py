"""What `check_function` has found, for a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..diagnosis.search import Explanation
from ..mistakes.code import WEIGHTS
from ..mistakes.variants import Variant
from ..report.blocks import Block, Items, Sentences, as_html, as_text
from ..report.verdicts import RIGHT, WRONG
from .cases import Case
from .reading import LABELS, Problem

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
    def differences(self) -> np.ndarray:
        """Differences relative to the largest number."""
        return np.abs(self.yours - self.expected) / (np.abs(self.expected).max(initial=0) or 1)

    @property
    def ok(self) -> bool:
        """True where nothing is wrong."""
        return bool((self.differences <= self.tolerance).all())

    @property
    def label(self) -> str:
        """What the step is called where gradients are returned: dx for dF."""
        return LABELS.get(self.name, self.name)

    @property
    def first_wrong(self) -> str:
        """The first wrong entry in words: where, what came, what was expected."""
        index = tuple(np.argwhere(self.differences > self.tolerance)[0])
        image, entry = ("", index) if self.name in WEIGHTS else (f" of image {index[0] + 1}", index[1:])
        yours, expected = _distinct(self.yours[index], self.expected[index])
        where = f"{self.label}[{','.join(str(i + 1) for i in entry)}]{image}, input {self.number}"
        return f"{where}: yours {yours}, expected {expected}"


def _distinct(*values: float) -> list[str]:
    for digits in (4, 8, 16):
        texts = [f"{float(value):.{digits}g}" for value in values]
        if len(set(texts)) == len(texts):
            break
    return texts


class CodeReport:
    """What `check_function` has found. ``str(report)`` is for a person.

    Parameters
    ----------
    what : {"channel", "spatial", "cbam"}
        What is computed, or should be.
    notes : list of str
        What is not wrong, but worth knowing.
    problems : list of str
        What is wrong other than its numbers.
    inputs : list of list of int
        Shapes of the inputs that it was run on.

    Attributes
    ----------
    choices : tuple of Variant
        In which legitimate ways it differs from the paper's formula; each has a `name` and a `sentence`.
    departures : tuple of Variant
        What makes it something else.
    explanations : tuple of Explanation
        The departures together, or the mistakes in a way back; more than one where several explain it.
    dialect : str or None
        The name of the dialect that it is.
    whose : str
        In words, whose choices they are, or are nearest to.
    cannot_tell : tuple of str
        Departures that give the same numbers: it may be right, or be one of these.
    unknown : bool
        Whether no formula is known that gives its numbers.
    backward : bool
        Whether a way back was judged.
    """

    def __init__(
        self,
        what: str,
        notes: Sequence[str] = (),
        problems: Sequence[str] = (),
        inputs: Sequence[list[int]] = (),
    ):
        self.what, self.notes, self.inputs = what, list(notes), list(inputs)
        self.problems: list[str] = list(problems)
        self.choices: tuple[Variant, ...] = ()
        self.departures: tuple[Variant, ...] = ()
        self.explanations: tuple[Explanation, ...] = ()
        self.dialect: str | None = None
        self.whose = ""
        self.cannot_tell: tuple[str, ...] = ()
        self.unknown = self.backward = False
        self.first_wrong_gradient: str | None = None
        self.largest_difference = float("nan")

    def take(self, found: Any, dialect: tuple[str | None, str], explanations: Any, sibling: str) -> None:
        """Take over what was identified."""
        self.what = found.formula.order if found.formula.order in ("channel", "spatial") else "cbam"
        self.choices, self.departures = found.choices, found.departures
        self.dialect, self.whose = (None, "") if found.departures else dialect
        self.explanations = explanations
        if sibling:
            self.notes.insert(0, sibling)

    def add_departure(self, departure: Variant, note: str) -> None:
        """Add a departure that was found otherwise than by its numbers."""
        self.departures += (departure,)
        self.explanations = (Explanation(self.departures),)
        self.dialect = None
        self.notes.append(note)

    @property
    def title(self) -> str:
        """What it computes, in words."""
        return TITLES[self.what]

    @property
    def ok(self) -> bool:
        """True for the paper's formula under legitimate choices, with the right way back if it has one."""
        wrong = self.unknown or self.departures or self.problems or self.cannot_tell or self.first_wrong_gradient
        return not wrong

    @property
    def first_wrong(self) -> str | None:
        """Where it goes wrong first: "M_c", "F''", "dx", "dW0", ...; "output" if unknown; None if it is right."""
        parts = {departure.part for departure in self.departures}
        for part, step in (("channel", "M_c"), ("spatial", "M_s"), ("whole", "F''")):
            if part in parts:
                return step
        return self.first_wrong_gradient or (None if self.ok else "output")

    def to_dict(self) -> dict[str, Any]:
        """Return everything as lists, numbers and text, as for JSON; `report.schema.json` beside this file says how."""
        return {
            "what": self.what,
            "ok": self.ok,
            "dialect": self.dialect,
            "whose": self.whose,
            "choices": [_said(choice) for choice in self.choices],
            "departures": [_said(departure) for departure in self.departures],
            "cannot_tell": list(self.cannot_tell),
            "first_wrong": self.first_wrong,
            "largest_difference": None if np.isnan(self.largest_difference) else self.largest_difference,
            "inputs": self.inputs,
            "backward": self.backward,
            "steps": [],
            "explanations": [_said(explanation) for explanation in self.explanations],
            "problems": list(self.problems),
            "notes": list(self.notes),
        }

    def head(self) -> str:
        """Return the verdict in one sentence."""
        if self.ok:
            ways = ", forward and backward" if self.backward else ", forward"
            return f"{self.title}: right{ways}; it is {self.whose or WHOSE_PAPER}."
        if self.cannot_tell:
            return f"{self.title}: cannot tell. Other formulas give the same numbers with these weights."
        if self.unknown and not self.inputs:
            return f"{self.title}: it could not be run."
        if self.unknown:
            return f"{self.title}: this is not CBAM, or not in a way that is known."
        if self.departures:
            return f"{self.title}: not the paper's formula; it first differs at {self.first_wrong}."
        if self.first_wrong_gradient:
            return f"{self.title}: right forward; on the way back, {self.first_wrong_gradient} is wrong."
        return f"{self.title}: not right yet."

    def blocks(self) -> list[Block]:
        """Return what the report says, to be shown as text or HTML: see `cbam_np.teach.report.blocks`."""
        first, _, rest = self.head().partition(": ")
        found: list[Block] = [Sentences(rest, f"{first}:")]
        if self.choices:
            found += [Sentences("", "Choices:"), Items([f"{c.name}. {c.sentence}" for c in self.choices])]
        if self.departures:
            found += [Sentences("", "Departures:"), Items([f"{d.name}. {d.sentence}" for d in self.departures])]
            others = self.explanations[1:]
        else:
            others = self.explanations
        lead = "Or, with the same result" if self.departures else "Same result as"
        for explanation in others:
            found += [Sentences("", f"{lead}: {explanation.name}"), Items([explanation.sentence])]
            lead = "or as"
        if self.cannot_tell:
            found += [Sentences("", "It may be right, or have one of these:"), Items(self.cannot_tell)]
        if self.problems:
            found += [Sentences("", "Problems:"), Items(self.problems)]
        if self.notes:
            found += [Sentences("", "Notes:"), Items(self.notes)]
        return found

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {'right' if self.ok else 'cannot tell' if self.cannot_tell else 'wrong'}>"

    def __str__(self) -> str:
        return as_text(self.blocks())

    def _repr_html_(self) -> str:
        return as_html(self.blocks(), RIGHT if self.ok else WRONG)


def _said(each: Variant | Explanation) -> dict[str, str]:
    return {"name": each.name, "sentence": each.sentence}


class FunctionReport(CodeReport):
    """What `check_function` has found of a function whose steps were compared one by one.

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

    def __init__(
        self,
        what: str,
        cases: Sequence[Case],
        comparisons: Sequence[Comparison],
        problems: Sequence[tuple[int, Problem]],
        notes: Sequence[str],
        explanations: Sequence[Explanation] = (),
        whole: bool = True,
        backward: bool = False,
    ) -> None:
        super().__init__(what, notes, inputs=[list(case.x.shape) for case in cases])
        self.backward, self.whole, self.differs_at_ties_only = backward, whole, False
        self.shapes, self.steps = tuple(case.x.shape for case in cases), cases[0].steps
        self.comparisons = tuple(comparisons)
        self.explanations = tuple(explanations)
        self._problems = tuple(problems)
        self.problems = self._texts()  # type: ignore[assignment]  # complete: nothing is added to it
        self.largest_difference = max(
            (float(c.differences.max(initial=0)) for c in self.comparisons), default=float("nan")
        )

    @property
    def ok(self) -> bool:
        """True where nothing is wrong."""
        return not self._problems and not self.cannot_tell and all(c.ok for c in self.comparisons)

    @cached_property
    def wrong(self) -> tuple[Comparison, ...]:
        """The comparisons with wrong numbers, by step in the order of the calculation, then by input."""
        return tuple(c for c in self.comparisons if not c.ok)

    @property
    def first_wrong(self) -> str | None:
        """The first wrong step, such as "M_c", "dW0" or "dx"; "output" if none can be named, None if all is right."""
        names = [c.name for c in self.wrong] + [problem.step for _, problem in self._problems if problem.step]
        if not names:
            return None if self.ok else "output"
        first = min(names, key=lambda name: self.steps.index(name) if name in self.steps else -1)
        return LABELS.get(first, first)

    def _texts(self) -> tuple[str, ...]:
        """Return what was wrong other than numbers, each with the inputs that it was seen on."""
        together: dict[Any, list] = {}
        for number, problem in self._problems:
            together.setdefault(problem.same or problem.text, []).append((number, problem.text))
        found = []
        for seen in together.values():
            numbers, text = sorted({number for number, _ in seen}), seen[0][1]
            inputs = ", ".join(f"{n} {self.shapes[n - 1]}" for n in numbers)
            found.append(text if len(numbers) == len(self.shapes) else f"on input {inputs}: {text}")
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as lists, numbers and text, as for JSON; `report.schema.json` beside this file says how."""
        steps = [{"input": c.number, "name": c.label, "ok": c.ok} for c in self.comparisons]
        return super().to_dict() | {"steps": steps}

    def head(self) -> str:
        """Return the verdict in one sentence."""
        count = len(self.shapes)
        inputs = f"{count} input{'s' * (count > 1)}"
        if self.ok:
            ways = ", forward and backward," if self.backward else ""
            largest = max(self.largest_difference, ROUNDING)
            return f"{self.title}: right{ways} on {inputs} (no difference larger than {largest:.0e})"
        if self.cannot_tell:
            return super().head()
        if not self.wrong:
            return f"{self.title}: not right yet"
        first = self.wrong[0]
        wrong = {c.number for c in self.wrong} | {number for number, _ in self._problems}
        way = ", backward" if first.name.startswith("d") else ""
        return f"{self.title}{way}: wrong on {len(wrong)} of {inputs}; first at {first.first_wrong}"

    def blocks(self) -> list[Block]:
        """Return what the report says, to be shown as text or HTML: see `cbam_np.teach.report.blocks`."""
        first, _, rest = self.head().partition(": ")
        found: list[Block] = [Sentences(rest, f"{first}:")]
        if self.choices:
            found += [Sentences(self.whose, "Choices:"), Items([f"{c.name}. {c.sentence}" for c in self.choices])]
        lead = "Same result as" if self.whole else f"As far as {self.first_wrong}, same result as"
        for explanation in self.explanations:
            found += [Sentences("", f"{lead}: {explanation.name}"), Items([explanation.sentence])]
            lead = "or as"
        if self.cannot_tell:
            found += [Sentences("", "It may be right, or have one of these:"), Items(self.cannot_tell)]
        if self.wrong and not self.explanations:
            found.append(Sentences(UNKNOWN))
        return [*found, *(Sentences(text) for text in (*self.problems, *self.notes))]


WHOSE_PAPER = "the paper's formula"
UNKNOWN = (
    "Neither a known mistake nor two of them together give these numbers. Return the steps on the way as a dict, "
    "{'F_avg': ..., 'M_c': ...}, or gradients by their names, and the first wrong one will be found."
)
