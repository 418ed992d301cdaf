"""What `check_function` has found, for a person."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..diagnosis.search import Explanation
from ..mistakes.variants import Variant
from ..report.blocks import Block, Items, Sentences, as_html, as_text
from ..report.verdicts import RIGHT, WRONG

TITLES = {"channel": "channel attention", "spatial": "spatial attention", "cbam": "CBAM"}


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


WHOSE_PAPER = "the paper's formula"
