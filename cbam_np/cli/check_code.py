"""`cbam-np check-code`."""

import argparse
import json as as_json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from .arguments import whole
from .errors import UserError

EPILOG = """
TARGET is a file and what is in it: a class, an object or a function f(x, params).

    cbam-np check-code models/cbam.py:CBAM
    cbam-np check-code models/cbam.py:CBAM --channels 128 --json
    cbam-np check-code "models/cbam.py:CBAM(64, reduction=8)"

A class is made with the number of channels, if it takes an argument. The file
is imported, so its code runs: in a process of its own, with a time limit.

Exit status: 0 if it is CBAM, under legitimate choices; 1 if it is not, or that
cannot be told; 2 if it cannot be imported or made, or takes too long.
"""
LONGEST = 3600


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the target, and how it is made."""
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EPILOG
    parser.add_argument("target", metavar="TARGET", help="the file and the name in it, mymodule.py:CBAM")
    parser.add_argument("--channels", type=whole(1, 4096), default=64, help="C of the feature map; default: 64")
    parser.add_argument("--what", choices=["channel", "spatial", "cbam"], help="what it should compute")
    parser.add_argument("--dialect", help="whose choices exactly: paper, official, timm, ...; default: any")
    parser.add_argument("--seconds", type=whole(1, LONGEST), default=120, help="how long it may take; default: 120")
    parser.add_argument("--json", action="store_true", help="print the report as JSON, for a program")


def run(
    command: str, target: str, channels: int, what: str | None, dialect: str | None, seconds: int, json: bool
) -> int:
    """Check what a file holds, in a process of its own."""
    file, name = _split(target)
    print(f"{command}: importing {file} and running {name}, at most {seconds} s", file=sys.stderr)
    order = {"file": str(file), "name": name, "channels": channels, "what": what, "dialect": dialect}
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        child = [sys.executable, "-m", "cbam_np.cli.check_code_child", as_json.dumps(order), str(answer)]
        try:
            done = subprocess.run(child, timeout=seconds, capture_output=True, text=True, check=False)
        except subprocess.TimeoutExpired as error:
            raise UserError(f"{name} took more than {seconds} s: give it longer with --seconds") from error
        print(done.stdout, done.stderr, sep="", end="", file=sys.stderr)  # what the file itself has to say
        if not answer.exists():
            raise UserError(f"{file} ended the process, with status {done.returncode}")
        found = as_json.loads(answer.read_text(encoding="utf-8"))
    if "error" in found:
        raise UserError(found["error"])
    print(as_json.dumps(found["report"], indent=1, ensure_ascii=False) if json else found["text"])
    return 0 if found["report"]["ok"] else 1


def _split(target: str) -> tuple[Path, str]:
    """Return the file and the name of a target."""
    file, colon, name = target.rpartition(".py:")
    if not colon or not name:
        what = "is a folder" if os.path.isdir(os.path.expanduser(target)) else "names no file and what is in it"
        raise UserError(f"{target} {what}: write it as mymodule.py:CBAM")
    path = Path(f"{file}.py").expanduser()
    if not path.is_file():
        raise UserError(f"there is no file {path}: check the name")
    return path, name
