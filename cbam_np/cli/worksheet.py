"""`cbam-np worksheet`, and the options that say which worksheet is meant."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import a_file, a_folder, whole
from .errors import UserError, words

if TYPE_CHECKING:
    from ..teach.worksheets.roster import Student
    from ..teach.worksheets.worksheet import Worksheet

MOST = 1000  # worksheets at once
SEED = whole(0, 999_999_999)  # nine digits, which `cbam-np mark` reads in the name of a file
FORMATS = {
    "files": "pages to print, their keys, and notebooks that check themselves",
    "nbgrader": "an assignment for nbgrader",
    "otter": "an assignment for otter-grader",
    "moodle": "questions for Moodle's import, as XML",
}


def declare_kind(parser: argparse.ArgumentParser) -> None:
    """Declare the options that worksheets are made with; those not given are left out."""
    from ..teach.worksheets.levels import LEVELS

    kind = parser.add_argument_group("kind of worksheet")
    kind.add_argument(
        "--level",
        choices=list(LEVELS),
        default=argparse.SUPPRESS,
        help="how much is asked. quick: channel 1 and one pixel, ten minutes; forward: all of F''; full: that and the "
        "way back; backward: the way back alone; default: forward",
    )
    for flag, least, most, what in (
        ("--channels", 2, 6, "channels of F, 2 to 6; default: 3"),
        ("--size", 2, 5, "rows and columns of F, 2 to 5; default: 3"),
        ("--hidden", 2, 6, "hidden units of the MLP, 2 to the number of channels; default: 2"),
        ("--kernel-size", 3, 7, "3, 5 or 7; default: 3, so that it can be done by hand"),
    ):
        kind.add_argument(flag, type=whole(least, most), metavar="N", default=argparse.SUPPRESS, help=what)
    kind.add_argument("--bias", action="store_true", default=argparse.SUPPRESS, help="an MLP with biases")
    kind.add_argument(
        "--ties", action="store_true", default=argparse.SUPPRESS, help="a maximum that is reached twice in a channel"
    )


def make(seed: int, kind: Mapping[str, Any]) -> Worksheet:
    """Make a worksheet, or end with a sentence that says why it cannot be made."""
    from ..teach.worksheets.worksheet import worksheet

    try:
        return worksheet(seed, **kind)
    except ValueError as error:
        raise UserError(error) from error


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare which worksheets, and where they go."""
    parser.add_argument("--seed", type=SEED, default=1, metavar="N", help="which worksheet; default: 1")
    several = parser.add_mutually_exclusive_group()
    several.add_argument(
        "--count",
        type=whole(1, MOST),
        default=1,
        metavar="N",
        help="how many different ones, from that seed on; default: 1",
    )
    several.add_argument(
        "--class",
        dest="roster",
        type=a_file(),
        metavar="CSV",
        help="one for each student of a class: a file with one id or name per line, or with the columns id, name, "
        "worksheet and level; worksheets that are not listed are drawn from the ids",
    )
    parser.add_argument("--out", type=a_folder(), required=True, metavar="DIR", help="folder for the files")
    parser.add_argument("--replace", action="store_true", help="replace files that are there and differ")
    formats = "; ".join(f"{name}: {what}" for name, what in FORMATS.items())
    parser.add_argument("--format", choices=list(FORMATS), default="files", help=f"{formats}; default: files")
    declare_kind(parser)
    parser.epilog = (
        "For a class, print class.html; class-KEY.html and class-KEY.csv have the answers. Then `cbam-np mark FOLDER "
        "--class DIR/roster.csv` marks what comes back; `cbam-np check FILE --worksheet N` checks one sheet."
    )


def run(
    command: str, seed: int, count: int, roster: Path | None, out: Path, replace: bool, format: str, **kind: Any
) -> None:
    """Write worksheets, and say what was written."""
    from ..teach.worksheets.files import Existing, write_files

    students, sheets = _class(seed, count, roster, kind)
    texts = _texts(students, sheets, format, alone=roster is None and count == 1)
    try:
        files = write_files(texts, out, replace)
    except Existing as error:
        raise UserError(
            f"{out} has a {error} already, which may have been filled in: choose another folder, or use --replace"
        ) from error
    except OSError as error:
        raise UserError(f"{words(error)}; choose another folder with --out") from error
    shown = ", ".join(file.relative_to(out).as_posix() for file in files[:5])
    rest = f", and a page and a notebook for each of {len(sheets)} worksheets" if len(files) > 5 else ""
    print(f"{out} holds {shown}{rest}.")
    for sheet in sheets:
        for name, other in sheet.alike:
            alike = f"these two mistakes give the same numbers: {name}; {other}" if other else f"no trace of: {name}"
            print(f"In worksheet {sheet.seed}, {alike}.")


def _class(
    seed: int, count: int, roster: Path | None, kind: Mapping[str, Any]
) -> tuple[Sequence[Student], list[Worksheet]]:
    """Return the students, without names where none were listed, and the worksheet of each."""
    from tqdm import tqdm

    from ..teach.worksheets.roster import RosterError, numbered, read_roster

    if roster is None:
        students = numbered(seed, count)
    else:
        try:
            students = read_roster(roster)
        except RosterError as error:
            raise UserError(error) from error
    bar = tqdm(students, desc="worksheets", unit="sheet", disable=None if len(students) > 1 else True, leave=False)
    return students, [
        make(student.seed, {**kind, **({"level": student.level} if student.level else {})}) for student in bar
    ]


def _texts(students: Sequence[Student], sheets: list[Worksheet], format: str, alone: bool) -> dict[str, str]:
    """Return the files to write, by name."""
    from ..teach.worksheets.assignments import nbgrader_files, otter_files
    from ..teach.worksheets.files import class_files, sheet_files
    from ..teach.worksheets.moodle import moodle_xml

    if format == "files":
        return sheet_files(sheets[0]) if alone else class_files(students, sheets)
    if format == "moodle":
        return {"moodle.xml": moodle_xml(sheets)}
    if not alone:
        raise UserError(f"--format {format} makes one assignment for the whole class: leave out --class and --count")
    return {"nbgrader": nbgrader_files, "otter": otter_files}[format](sheets[0])
