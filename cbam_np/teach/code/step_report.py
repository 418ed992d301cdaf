"""What `check_function` has found of a function whose steps were compared one by one, for a person."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from ..diagnosis.search import Explanation
from ..report.blocks import Block, Items, Sentences
from .cases import Case
from .comparison import Comparison
from .reading import LABELS, Problem
from .report import CodeReport

ROUNDING = 1e-12  # below this, a difference depends on the machine
UNKNOWN = (
    "Neither a known mistake nor two of them together give these numbers. Return the steps on the way as a dict, "
    "{'F_avg': ..., 'M_c': ...}, or gradients by their names, and the first wrong one will be found."
)


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
