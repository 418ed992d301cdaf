"""A report for someone who is still working: as much help as the teacher allows, and no right number unasked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .blocks import Block, as_html, as_text

if TYPE_CHECKING:
    from .report import Report

HELP = ("verdicts", "hint", "mistake", "values")  # each tells more than the one before


class Advice:
    """What a student is told about answers. It holds words only: nothing leads from it to the right numbers.

    Parameters
    ----------
    ok : bool
        Whether nothing is wrong.
    blocks : sequence of Block
        What is said.
    verdict : str
        Gives the display its colour.
    """

    def __init__(self, ok: bool, blocks: Sequence[Block], verdict: str) -> None:
        self.ok, self.blocks, self.verdict = ok, tuple(blocks), verdict

    def __repr__(self) -> str:
        return f"<Advice: {'nothing wrong' if self.ok else 'something to correct'}>"

    def __str__(self) -> str:
        return as_text(self.blocks)

    def _repr_html_(self) -> str:
        return as_html(self.blocks, self.verdict)


def advise(report: "Report", help: str = "hint") -> Advice:
    """Return what a student may know of a report.

    Parameters
    ----------
    report : Report
        What was found.
    help : {"verdicts", "hint", "mistake", "values"}
        "verdicts": which answers are right. "hint": also the first wrong line, to be worked out again. "mistake": also
        what went wrong there. "values": also the right numbers.

    Returns
    -------
    Advice
        Words only.
    """
    return Advice(report.ok, report.blocks(help), report.verdict)
