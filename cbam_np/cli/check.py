"""`cbam-np check`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import a_file
from .errors import UserError
from .worksheet import SEED, declare_kind, make

if TYPE_CHECKING:
    from ..teach.report.report import Report

ANSWERS = """
FILE is a worksheet's notebook, which is read and not run; or it has one name
and answer per line, or is JSON or TOML with the same:

    F_avg[1], 3/4
    z_c(F)_1 = 0.5 + 0.75 = 1.25
    M_c[1]; 0,25
    M_c: 0.25, 0.5, 0.75

Names are those of the steps: F_avg, F_max, z_c, M_c, F', Fs_avg, M_s, F'', ...
Indices start at 1. A number is as precise as it is written, and what follows
from your own earlier numbers is not wrong. A blank or a ? is not judged. What
cannot be read is listed, and all other answers are judged.

Exit status: 0 if nothing is wrong; 1 if something is, or could not be read;
2 if FILE, or every answer in it, cannot be read.
"""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the file, and what it is held against."""
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, ANSWERS
    parser.add_argument(
        "file",
        type=a_file("; what a whole class has handed in is marked with: cbam-np mark {}"),
        metavar="FILE",
        help="the answers: .csv, .tsv, .txt, .md, .json, .toml, or a notebook",
    )
    of = parser.add_mutually_exclusive_group()
    of.add_argument(
        "--example",
        choices=["slides", "shared"],
        default="slides",
        help="the lecture's example: its MLP on each channel by itself, as on the slides, or shared; default: slides",
    )
    of.add_argument("--worksheet", type=SEED, metavar="SEED", help="the worksheet of this number and kind instead")
    parser.add_argument("--json", action="store_true", help="print the report as JSON, for a program")
    declare_kind(parser)


def run(command: str, file: Path, example: str, worksheet: int | None, json: bool, **kind: Any) -> int:
    """Print the report on a file of answers."""
    from ..teach.answers.numerals import AnswerError
    from ..teach.report.verdicts import JUDGED, UNREAD

    try:
        if file.suffix.lower() == ".ipynb":
            report = _of_a_notebook(file, worksheet, kind)
        else:
            report = _judge_of(example, worksheet, kind)(file)
    except AnswerError as error:
        raise UserError(error) from error
    print(report.to_json() if json else report)
    unread = len(report.having(UNREAD)) + len(report.unplaced)
    if unread and not report.having(*JUDGED):
        raise UserError(f"no answer in {file} could be read; what came instead is listed in the report")
    return 0 if report.ok and not unread else 1


def _of_a_notebook(file: Path, seed: int | None, kind: dict[str, Any]) -> "Report":
    """Return the report on a worksheet's notebook, which says itself which worksheet it is."""
    from ..teach.answers.notebooks import read_notebook
    from ..teach.answers.numerals import AnswerError

    try:
        handed = read_notebook(file)
    except AnswerError as error:
        raise UserError(f"{file.name} {error}") from error
    given = {"seed": seed} if seed is not None else {}
    whole = {**kind, **handed.kind, **given}
    if "seed" not in whole:
        raise UserError(f"{file.name} does not say which worksheet it is: add --worksheet SEED")
    return make(whole.pop("seed"), whole).check(handed.answers)


def _judge_of(example: str, seed: int | None, kind: dict[str, Any]) -> "Callable[[Path], Report]":
    """Return what turns a file of answers into a report."""
    from ..teach.check import check
    from ..teach.example import lecture

    if seed is not None:
        return make(seed, kind).check
    if kind:
        flag = "--" + next(iter(kind)).replace("_", "-")
        raise UserError(f"{flag} is a worksheet's: say which one, with --worksheet SEED")
    return lambda file: check(file, lecture.trace(example))
