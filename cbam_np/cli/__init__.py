"""The shell command `cbam-np`: a file for each subcommand, and a row in `COMMANDS`."""

import argparse
import os
import sys
from io import TextIOWrapper

from . import bench, check, compare, dialects, gradcam, lecture, train, worksheet
from .errors import UserError

COMMANDS = {
    "lecture": ("walk through the lecture's example, number by number", lecture),
    "check": ("check answers worked out by hand, and say what went wrong first", check),
    "worksheet": ("make new examples to work out by hand, each with its key", worksheet),
    "dialects": ("show how public implementations of CBAM differ", dialects),
    "bench": ("time the NumPy code, next to PyTorch where it is installed", bench),
    "train": ("train a small network with or without attention", train),
    "compare": ("train variants of a network with paired seeds, and say what of a difference is noise", compare),
    "gradcam": ("draw where networks with and without CBAM found a class in an image", gradcam),
}


def main(argv=None, prog="cbam-np"):
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
        Exit status: 0 on success, 1 if `check` finds something wrong, 2 on bad input, 130 after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8")  # σ and ⊗, also where the terminal's own encoding has none
    parser = argparse.ArgumentParser(prog=prog, description="CBAM in NumPy: read it, train it, see it.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (summary, module) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        module.declare(command)
        command.set_defaults(run=module.run, command=f"{prog} {name}")
    given = vars(parser.parse_args(argv))
    run, command = given.pop("run"), given.pop("command")
    try:
        status = run(command, **given)
        sys.stdout.flush()
    except UserError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stopped:
        print(f"\n{command}: {stopped or 'stopped'}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader had enough, as in `cbam-np lecture | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status or 0
