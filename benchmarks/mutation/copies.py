"""A copy of the project whose package may be changed, and tests that run in it."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from .places import ROOT, Mutant, source_of

COPIED = ("cbam_np", "tests")
HIDDEN = (".ci", ".github", ".gitignore")  # what tests look at
LEFT_OUT = ("__pycache__", "*.pyc")
PYTEST = [
    "pytest",
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:nbval",
    "-p",
    "no:xdist",
    "-p",
    "benchmarks.mutation.plugin",
]
PYTEST += ["-o", "addopts=--import-mode=importlib", "-m", "not browser and not oracle and not site and not lite"]
WAIT = 1200  # seconds on the clock for one run, however busy the machine is


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
        self._changed: str | None = None

    def __enter__(self) -> "Copy":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, where: TracebackType | None) -> None:
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

    def test(
        self, words: list[str], settings: dict[str, str], seconds: int | None = None, before: tuple[str, ...] = ()
    ) -> Ended:
        """Run pytest; ``seconds`` of processor time are allowed, ``before`` goes between python and pytest."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COVERAGE_"))
        }
        environment |= {"PYTHONPATH": str(self.folder), "OPENBLAS_NUM_THREADS": "1"} | settings
        output = self.folder / "output.txt"  # a file, not a pipe: what the tests leave running would keep it open
        with open(output, "wb") as file:
            process = subprocess.Popen(
                [sys.executable, *before, "-m", *PYTEST, *words],
                cwd=self.folder,
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # and ends with them
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5)) if seconds else None,
            )
            try:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=WAIT)
            finally:
                ended = process.poll()
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        in_time = ended is not None and ended not in (-signal.SIGXCPU, -signal.SIGKILL)
        return Ended(ended if in_time else None, output.read_text(encoding="utf-8", errors="replace"))
