"""A copy of the project whose package may be changed, and tests that run in it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from .places import ROOT, Mutant, source_of

COPIED = ("cbam_np", "tests")
HIDDEN = (".ci", ".github", ".gitignore")  # what tests look at
LEFT_OUT = ("__pycache__", "*.pyc")
NO_PLUGINS = ("cacheprovider", "nbval", "xdist")
PYTEST = ["-q", *(f"-pno:{name}" for name in NO_PLUGINS), "-pbenchmarks.mutation.plugin"]
PYTEST += ["-o", "addopts=--import-mode=importlib"]
PYTEST += ["-m", "not browser and not site and not lite and not nbgrader and not otter"]


class Ended(NamedTuple):
    """How a run of tests ended: its status (None if it ran out of time), and what it printed."""

    status: int | None
    said: str


class Copy:
    """The project in another folder: the package and the tests copied, the rest linked.

    Parameters
    ----------
    folder
        Where to put it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        for path in ROOT.iterdir():
            if path.name in COPIED:
                shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns(*LEFT_OUT))
            elif not path.name.startswith(".") or path.name in HIDDEN:
                os.symlink(path, folder / path.name)
        self.output = folder / "output.txt"  # a file, not a pipe: what the tests leave running would keep it open
        self._changed: str | None = None
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forking.py"))],
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Copy":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process that runs the tests, and remove the copy."""
        self._server.communicate()
        shutil.rmtree(self.folder)

    def change(self, mutant: Mutant) -> None:
        """Change one thing; what was changed before is as it was."""
        if self._changed:
            self._write(self._changed, (ROOT / "cbam_np" / self._changed).read_text(encoding="utf-8"))
        self._write(mutant.file, source_of(mutant))
        self._changed = mutant.file

    def _write(self, name: str, text: str) -> None:
        path = self.folder / "cbam_np" / name
        path.write_text(text, encoding="utf-8")
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()  # Python looks at time and size only, and may take it for the new file's

    def test(self, words: list[str], settings: dict[str, str], seconds: int = 0) -> Ended:
        """Run pytest in the copy; so many seconds of processor time are allowed, if any are given."""
        self.output.write_bytes(b"")
        order = {
            "folder": str(self.folder),
            "output": str(self.output),
            "words": [*PYTEST, *words],
            "settings": {"PYTHONPATH": str(self.folder)} | settings,
            "seconds": seconds,
        }
        assert self._server.stdin is not None and self._server.stdout is not None
        print(json.dumps(order), file=self._server.stdin, flush=True)
        status = json.loads(self._server.stdout.readline())
        return Ended(status, self.output.read_text(encoding="utf-8", errors="replace"))
