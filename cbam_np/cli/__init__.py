"""The shell command `cbam-np`: a file for each subcommand, and a row in `COMMANDS`."""

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

from . import bench, check, check_code, compare, convert, dialects, gradcam, lecture, mark, page, train, worksheet
from .arguments import check_text
from .errors import UserError, words
from .streams import Forgiving, forgiving

COMMANDS: dict[str, tuple[str, ModuleType]] = {
    "lecture": ("walk through the lecture's example, number by number", lecture),
    "check": ("check answers worked out by hand, and say what went wrong first", check),
    "check-code": ("check a module or function of your own, and say what it computes", check_code),
    "page": ("write the explorer as one HTML file that needs nothing", page),
    "worksheet": ("make new examples to work out by hand, each with its key", worksheet),
    "mark": ("mark the worksheets of a class, and show what went wrong first", mark),
    "dialects": ("show how public implementations of CBAM differ", dialects),
    "bench": ("time the NumPy code, next to PyTorch where it is installed", bench),
    "train": ("train a small network with or without attention", train),
    "compare": ("train variants of a network with paired seeds, and say what of a difference is noise", compare),
    "convert": ("turn weights that PyTorch saved into a file that is safe to read", convert),
    "gradcam": ("draw where networks with and without CBAM found a class in an image", gradcam),
}
GONE, WRONG, STOPPED = 1, 2, 130  # exit statuses


def main(argv: list[str] | None = None, prog: str = "cbam-np") -> int:
    """Run a subcommand.

    Parameters
    ----------
    argv : list of str, optional
        Arguments; those of the process where none are given.
    prog : str
        What the command is called in messages.

    Returns
    -------
    int
        Exit status: 0 on success, 1 if `check` or `check-code` finds something wrong, 2 on bad input, 130 after Ctrl-C.
    """
    os.environ["MPLBACKEND"] = "agg"  # pictures go to files; a notebook's back end may not be installed here
    given = sys.argv[1:] if argv is None else argv
    with forgiving() as (printed, _):
        try:
            check_text(given)
            options = vars(_parser(prog).parse_args(given))
        except UserError as error:
            return _say(prog, error)
        except SystemExit as left:  # argparse's, after its help or its complaint
            status = left.code if isinstance(left.code, int) else WRONG
            raise SystemExit(_unless_lost(prog, printed, status)) from None
        except KeyboardInterrupt as stopped:
            return _stopped(prog, stopped)
        command = options.pop("command")
        return _unless_lost(command, printed, _run(options.pop("run"), command, options))


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="CBAM in NumPy: read it, train it, see it.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (summary, module) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        module.declare(command)
        command.set_defaults(run=module.run, command=f"{prog} {name}")
    return parser


def _run(run: Callable[..., int | None], command: str, options: dict[str, Any]) -> int:
    """Run a subcommand, and end in words whatever the input or the system may be to blame for."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning  # type: ignore[assignment]
            return run(command, **options) or 0
    except (UserError, OSError, MemoryError) as error:
        return _say(command, error)
    except KeyboardInterrupt as stopped:
        return _stopped(command, stopped)


def _unless_lost(command: str, printed: Forgiving, status: int) -> int:
    """Return the exit status, another one where what was printed did not arrive."""
    printed.flush()
    if printed.lost is None:
        return status
    if isinstance(printed.lost, BrokenPipeError):  # the reader had enough, as in `cbam-np lecture | head`
        return GONE
    return _say(command, f"the text could not be written: {words(printed.lost)}; files that were written are whole")


def _stopped(command: str, stopped: KeyboardInterrupt) -> int:
    """Say that Ctrl-C was heard, and what is known of where that leaves the work; return the exit status."""
    _say(f"\n{command}", str(stopped) or "stopped")
    return STOPPED


def _say(command: str, error: BaseException | str) -> int:
    """Print what went wrong; return the exit status."""
    print(f"{command}: {error if isinstance(error, str) else words(error)}", file=sys.stderr, flush=True)
    return WRONG


def _show_warning(message: Warning | str, *about: Any) -> None:
    """Print a warning as a sentence, without the line of the program that gave it."""
    print(f"note: {message}", file=sys.stderr)
