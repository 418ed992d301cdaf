"""`cbam-np mark`."""

import argparse
from pathlib import Path
from typing import Any

from ..train.options import Range
from .arguments import a_file, a_folder, number
from .errors import UserError, words
from .worksheet import declare_kind

SHARE = number(Range(float, 0, 1))
FILES = """
FOLDER may hold notebooks (.ipynb, which are read and never run), .csv, .tsv,
.txt, .json and .toml files, one for each student, and tables for all: with a
column id, and either the columns step and answer, or a column for each number.
Which worksheet it is stands in the file (worksheet,123456 on a line of its own),
in the file's name (worksheet-123456.csv), or in the list of the class.

Written are grades.csv, class.html, and a page for each student in feedback/.
"""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what is marked, and how."""
    from ..teach.report.advice import HELP

    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, FILES
    parser.add_argument(
        "folder",
        type=a_folder("; one file is checked with: cbam-np check {}"),
        metavar="FOLDER",
        help="what the class has handed in",
    )
    parser.add_argument(
        "--class",
        dest="roster",
        type=a_file(),
        metavar="CSV",
        help="the class: roster.csv beside the sheets, or your list",
    )
    parser.add_argument("--out", type=a_folder(), default=Path("report"), metavar="DIR", help="folder for the result")
    parser.add_argument(
        "--points",
        action="append",
        default=[],
        metavar="STEP=N",
        help="points of each number of a step, such as M_c=2; may be given several times; default: 1",
    )
    parser.add_argument("--following", type=SHARE, default=1.0, metavar="X", help="share of what follows; default: 1")
    parser.add_argument(
        "--cut-off", type=SHARE, default=0.5, metavar="X", help="share of what is cut off; default: 0.5"
    )
    parser.add_argument(
        "--tell", choices=HELP, default="values", help="how much the feedback pages tell; default: values"
    )
    declare_kind(parser)


def run(
    command: str,
    folder: Path,
    roster: Path | None,
    out: Path,
    points: list[str],
    following: float,
    cut_off: float,
    tell: str,
    **kind: Any,
) -> int:
    """Mark a folder, and say what came out."""
    from ..teach.marking.class_page import class_page, commonest
    from ..teach.marking.feedback import feedback_name, feedback_page, grades_csv
    from ..teach.worksheets.files import write_files

    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: expected one with the files that were handed in")
    scheme = _scheme(points, following, cut_off)
    found = _marked(folder, _students(roster), kind, scheme, out)
    texts = {"grades.csv": grades_csv(found), "class.html": class_page(found)}
    texts |= {f"feedback/{feedback_name(one)}": feedback_page(one, tell) for one in found.marked}
    for file, reason in found.unreadable:
        print(f"Not marked: {file}: {reason}")
    if not found.marked:
        raise UserError(f"nothing in {folder} could be marked")
    try:
        write_files(texts, out, replace=True)
    except OSError as error:
        raise UserError(f"{words(error)}; choose another folder with --out") from error
    common = commonest(found)
    print(f"{len(found.marked)} worksheets marked; {out} holds grades.csv, class.html and feedback/.")
    if common:
        print(f"Commonest mistake: {common[0].name} (explains {common[0].students}).")
    return 0


def _scheme(points: list[str], following: float, cut_off: float) -> Any:
    from ..teach.marking.points import Scheme
    from ..teach.report.verdicts import CUT, FOLLOWS

    steps = {}
    for text in points:
        step, _, number = text.rpartition("=")
        try:
            steps[step] = float(number)
        except ValueError:
            step = ""
        if not step:
            raise UserError(f"--points is {text!r}, expected STEP=N, such as M_c=2")
    try:
        return Scheme(steps, {FOLLOWS: following, CUT: cut_off})
    except ValueError as error:
        raise UserError(error) from error


def _students(roster: Path | None) -> Any:
    from ..teach.worksheets.roster import RosterError, read_roster

    try:
        return read_roster(roster) if roster else []
    except RosterError as error:
        raise UserError(error) from error


def _marked(folder: Path, students: Any, kind: dict[str, Any], scheme: Any, out: Path) -> Any:
    """Read and mark, with a bar that shows how far it is."""
    from tqdm import tqdm

    from ..teach.marking.marks import mark_class
    from ..teach.marking.submissions import read_folder

    submissions, unreadable = read_folder(folder, students, kind, skip=out)
    bar = tqdm(submissions, desc="marking", unit="sheet", disable=None, leave=False)
    try:
        return mark_class(bar, unreadable, students, scheme)
    except ValueError as error:
        raise UserError(error) from error
