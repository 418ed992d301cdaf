"""The shell command `cbam-np`: a file for each subcommand, and a row in `COMMANDS`."""

import argparse
import atexit
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from io import TextIOWrapper
from types import ModuleType
from typing import Any, TextIO

from . import bench, check, check_code, compare, convert, dialects, gradcam, lecture, mark, page, train, worksheet
from .arguments import check_text
from .errors import UserError, words

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
WRONG, STOPPED = 2, 130  # exit statuses


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
    _open_streams()
    os.environ["MPLBACKEND"] = "agg"  # pictures go to files; a notebook's back end may not be installed here
    given = sys.argv[1:] if argv is None else argv
    try:
        check_text(given)
    except UserError as error:
        return _say(prog, error)
    options = vars(_parser(prog).parse_args(given))
    return _run(options.pop("run"), options.pop("command"), options)


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
        with warnings.catch_warnings(), redirect_stderr(_Forgiving(sys.stderr)):
            warnings.showwarning = _show_warning  # type: ignore[assignment]
            status = run(command, **options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader had enough, as in `cbam-np lecture | head`
        _drop_output()
        return 1
    except (UserError, OSError, MemoryError) as error:
        if isinstance(error, OSError) and error.strerror and not error.filename:  # not a file's: the output's
            _drop_output()
            return _say(command, f"the text could not be written: {error.strerror}")
        return _say(command, error)
    except KeyboardInterrupt as stopped:
        _say(f"\n{command}", str(stopped) or "stopped")
        return STOPPED
    return status or 0


def _say(command: str, error: BaseException | str) -> int:
    """Print what went wrong; return the exit status."""
    text = error if isinstance(error, str) else words(error)
    with suppress(OSError):  # nobody listens
        print(f"{command}: {text}", file=sys.stderr, flush=True)
    return WRONG


def _drop_output() -> None:
    """Throw away what is still to be printed, so that the interpreter does not complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_streams() -> None:
    """Make output UTF-8, also where the terminal's own encoding has no σ; where it is closed, open it to nowhere."""
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 it stays open to the end
            atexit.register(nowhere.close)
            setattr(sys, name, nowhere)
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


class _Forgiving:
    """A stream whose reader may leave: what can no longer be written is dropped, and the work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text, or drop it."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Pass on what was written, or drop it."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _show_warning(message: Warning | str, *about: Any) -> None:
    """Print a warning as a sentence, without the line of the program that gave it."""
    print(f"note: {message}", file=sys.stderr)
