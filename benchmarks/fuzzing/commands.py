"""The command line: every subcommand, with arguments as people mistype them, up to the work itself."""

import argparse
import contextlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

from cbam_np import cli
from cbam_np.cli import check_code, check_code_child
from cbam_np.train import run as run_module
from cbam_np.train.state import Training

from .draws import NUMBERS, Draws
from .entrance import RIGHT, TAKEN, Case, Entrance, check_words, demand
from .runs import SHAPES, folders

NAMES = tuple(name for name in cli.COMMANDS if name != "bench")  # whose work is timing
STATUS = (0, 1, 2, 130)
MODULE = (
    "import cbam_np\ndef f(x, p):\n    return cbam_np.cbam_forward(x, p)[0]\ndef g(x, p):\n    return x[0]\nh = 3\n"
)
SMALL = {"--images": "40", "--batch-size": "16", "--channels": "4", "--epochs": "1", "--seeds": "1", "--count": "2"}
FILES = ("answers.csv", "picture.png", "weights.npz", "run", "class.csv", "handed", "mine.py:f", "mine.py:g", "mine.py")


@lru_cache
def _options() -> dict[str, list[argparse.Action]]:
    """Return what each subcommand can be told, read from the parser itself."""
    subcommands = next(a for a in cli._parser("cbam-np")._actions if isinstance(a, argparse._SubParsersAction))
    return {name: [a for a in parser._actions if a.dest != "help"] for name, parser in subcommands.choices.items()}


def make(draws: Draws) -> Case:
    """Draw a subcommand, and arguments of which some are odd."""
    name = draws.one(NAMES)
    oddness = draws.one([0.0, 0.15, 0.5])
    words = [name]
    for action in _options()[name]:
        needed = action.required or (action.option_strings and action.option_strings[0] in SMALL)
        if not needed and not draws.chance(0.15):
            continue
        flag = draws.one(action.option_strings) if action.option_strings else ""
        if flag and draws.chance(oddness / 4):
            flag = draws.damaged_text(flag)
        words += [flag] if flag else []
        if action.nargs == 0:
            continue
        for _ in range(1 + draws.below(3) if action.nargs == "+" else 1):
            words.append(_odd(draws) if draws.chance(oddness) else _usual(draws, action))
    if draws.chance(oddness / 2):
        words.insert(draws.below(len(words) + 1), _odd(draws))
    return {"words": [word.replace("\x00", "") for word in words if "\ud800" not in word or draws.chance(0.2)]}


def _odd(draws: Draws) -> str:
    kind = draws.below(4)
    if kind == 0:
        return str(draws.one(NUMBERS))
    if kind == 1:
        return draws.text()
    if kind == 2:
        return draws.one(FILES)
    return draws.one(
        ["", "-", "--", "~nobody/x", "/", "/dev/null", "/dev/full", ".", "x/y/z", "--help", "x" * 300, "-1"]
    )


def _usual(draws: Draws, action: argparse.Action) -> str:
    """Return a value that fits."""
    flag = action.option_strings[0] if action.option_strings else action.dest
    if action.choices:
        return str(draws.one(list(action.choices)))
    if flag in SMALL:
        return SMALL[flag]
    named = {
        "--out": ["out", "out/x.png", "picture.png", "handed", "out.html"],
        "--networks": ["run", "smallcnn-cbam-shapes"],
        "file": ["answers.csv", "handed/a.ipynb", "class.csv", "picture.png"],
        "folder": ["handed", "run", "."],
        "target": ["mine.py:f", "mine.py:g", "mine.py:h", "mine.py:f(1)", "mine.py:nothing"],
        "--class": ["class.csv", "ring", "3", "disk"],
        "--dialect": ["paper", "timm", "official"],
        "source": ["weights.npz", "answers.csv"],
        "--image": ["picture.png"],
        "--dask": ["tcp://127.0.0.1:1"],
        "--data-root": ["handed"],
        "--layer": ["stage1", "head", "nothing"],
        "--points": ["M_c=2", "F_avg=0.5"],
        "--kernel": ["lecture", "own"],
        "--order": ["channel-spatial", "spatial"],
    }
    return draws.one(named.get(flag, ["1", "2", "3", "7", "0.5", "0"]))


@lru_cache
def _files() -> Path:
    """Return a folder with a file of each kind that a command may be given."""
    folder = Path(mkdtemp(prefix="fuzz-"))
    (folder / "answers.csv").write_text("F_avg[1],0.89\nM_c[1],0.7\n", encoding="utf-8")
    (folder / "class.csv").write_text("id,name,worksheet\na,Ann,1\nb,Bob,2\n", encoding="utf-8")
    (folder / "mine.py").write_text(MODULE, encoding="utf-8")
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(folder / "picture.png")
    np.savez(folder / "weights.npz", a=np.zeros(3))
    (folder / "handed").mkdir()
    cell = {"cell_type": "code", "source": 'answers["F_max[1]"] = "2"'}
    book = {"cells": [cell], "metadata": {"cbam_np": {"worksheet": 1}}}
    (folder / "handed" / "a.ipynb").write_text(json.dumps(book), encoding="utf-8")
    (folder / "handed" / "worksheet-2.csv").write_text("F_max[1],3\n", encoding="utf-8")
    (folder / "run").mkdir()
    for name, content in folders()["finished"].items():
        (folder / "run" / name).write_bytes(content)
    return folder


def _stop(self: Training) -> None:
    raise KeyboardInterrupt


class _Here:
    """`subprocess` for check-code, without a process: what is wanted here is the arguments."""

    TimeoutExpired = TimeoutError

    @staticmethod
    def run(command: list[str], **options: Any) -> argparse.Namespace:
        """Do what the child does."""
        Path(command[-1]).write_text(json.dumps(check_code_child.answer(json.loads(command[-2]))), encoding="utf-8")
        return argparse.Namespace(stdout="", stderr="", returncode=0)


@contextlib.contextmanager
def _without_work(folder: Path) -> Iterator[None]:
    """Leave out what takes long when the arguments are good: every training step is as if somebody stopped it."""
    here, environment = os.getcwd(), dict(os.environ)
    os.chdir(folder)
    os.environ |= {"CBAM_NP_DATA": str(folder / "no-data"), "XDG_CACHE_HOME": str(folder)}
    refuse = patch("cbam_np.data.cifar10._download", side_effect=ConnectionError("there is no connection: connect"))
    compare = patch("cbam_np.train.compare.run_in_processes", side_effect=KeyboardInterrupt)
    chosen = patch("cbam_np.cli.gradcam._chosen", return_value=([0], ["first"]))
    steps, shapes = patch.object(Training, "take_step", _stop), patch.object(run_module, "SHAPES", SHAPES)
    try:
        with refuse, compare, chosen, steps, shapes, patch.object(check_code, "subprocess", _Here):
            yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(environment)


def run(case: Case, folder: Path) -> str:
    """Run the command, and look at its exit status and at what it says."""
    shutil.copytree(_files(), folder, dirs_exist_ok=True)
    out, shown, status = io.StringIO(), io.StringIO(), None
    with _without_work(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(shown):
        try:
            status = cli.main(case["words"])
        except SystemExit as left:  # argparse leaves by itself
            status = left.code
    demand(status in STATUS, f"exit status {status}")
    said = shown.getvalue()
    demand("Traceback" not in said, said[-300:])
    if status == 2:
        last = re.sub(r"^usage:.*?(?=cbam-np[\w -]*: )", "", said, flags=re.DOTALL)
        check_words(last, f"cbam-np {case['words'][:1]}")
        demand("cbam-np" in last, f"no sentence: {said[-200:]!r}")
        return "refused in a sentence"
    return RIGHT if status == 0 else TAKEN


# To draw a worksheet of an unusual size takes 3 s, and `mark` may need two.
ENTRANCE = Entrance(make, run, share=30, own=(), seconds=10.0, block=250)
