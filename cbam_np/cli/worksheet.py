"""`cbam-np worksheet`, and the options that say which worksheet is meant."""

import argparse
from pathlib import Path

from .errors import UserError


def declare_kind(parser):
    """Declare the options that worksheets are made with; those not given are left out."""
    from ..teach.worksheets.worksheet import LEVELS

    kind = parser.add_argument_group("kind of worksheet")
    kind.add_argument(
        "--level",
        choices=LEVELS,
        default=argparse.SUPPRESS,
        help="what is asked: the way to F'', that and the way back, or the way back alone; default: forward",
    )
    for flag, what in (
        ("--channels", "channels of F, 2 to 6; default: 3"),
        ("--size", "rows and columns of F, 2 to 5; default: 3"),
        ("--hidden", "hidden units of the MLP, 2 to the number of channels; default: 2"),
        ("--kernel-size", "3, 5 or 7; default: 3, so that it can be done by hand"),
    ):
        kind.add_argument(flag, type=int, metavar="N", default=argparse.SUPPRESS, help=what)
    kind.add_argument("--bias", action="store_true", default=argparse.SUPPRESS, help="an MLP with biases")
    kind.add_argument(
        "--ties", action="store_true", default=argparse.SUPPRESS, help="a maximum that is reached twice in a channel"
    )


def make(seed, kind):
    """Make a worksheet; what cannot be made is said."""
    from ..teach.worksheets.worksheet import worksheet

    try:
        return worksheet(seed, **kind)
    except ValueError as error:
        raise UserError(error) from error


def declare(parser):
    """Declare which worksheets, and where they go."""
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which worksheet; default: 1")
    parser.add_argument(
        "--count",
        type=int,
        default=1,
        metavar="N",
        help="so many different ones, from that seed on, and a table for the teacher; default: 1",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")
    declare_kind(parser)
    parser.epilog = (
        "Each worksheet is written as a page to print (.html, needs no connection), as its key, and as a notebook that "
        "checks itself as it is filled in. `cbam-np check FILE --worksheet N` checks answers on paper."
    )


def run(command, seed, count, out, **kind):
    """Write worksheets, and say what was written."""
    from ..teach.worksheets.files import write_worksheets

    if count < 1:
        raise UserError(f"--count is {count}, expected at least 1")
    sheets = [make(seed + at, kind) for at in range(count)]
    try:
        files = write_worksheets(sheets, out)
    except OSError as error:
        raise UserError(f"{error.strerror}: {error.filename}; choose another folder with --out") from error
    first = ", ".join(file.name for file in files[:3])
    rest = f"; the same for {count - 1} more, and {files[-2].name} and {files[-1].name} to mark by" if count > 1 else ""
    print(f"{out} holds {first}{rest}.")
    for sheet in sheets:
        for name, other in sheet.alike:
            alike = f"these two mistakes give the same numbers: {name}; {other}" if other else f"no trace of: {name}"
            print(f"In worksheet {sheet.seed}, {alike}.")
