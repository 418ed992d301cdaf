"""Which tests run which lines of the package, and how long each takes: recorded once for each file of tests.

A line is known by the function it stands in and by its text, so that a recording holds when lines move.
"""

import ast
import hashlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from .copies import Copy
from .places import ROOT, Mutant, keys_of, surroundings

APART = (
    "sdist",
    "oracle_live",
    "oracle_recipe",
    "readme",
    "gradebooks",
    "address",
    "trust_benchmarks",
    "mutants",
)  # not of a copy
RC = """
[run]
source_pkgs = cbam_np
parallel = true
data_file = {folder}/data
context = ${{PYTEST_CURRENT_TEST-}}
patch = subprocess
sigterm = true
core = ctrace
disable_warnings = no-data-collected,module-not-measured,module-not-imported
"""


def files_of_tests() -> list[Path]:
    """Return the files of tests that can run in a copy."""
    return [p for p in sorted((ROOT / "tests").glob("test_*.py")) if p.stem.removeprefix("test_") not in APART]


def record(path: Path, kept: Path) -> None:
    """Run a file of tests under coverage, with a context for each test, and keep what ran."""
    with tempfile.TemporaryDirectory(prefix="recording-") as folder, Copy(Path(folder) / "copy") as copy:
        rc, notes = Path(folder) / "rc", Path(folder) / "notes"
        rc.write_text(RC.format(folder=folder), encoding="utf-8")
        notes.touch()
        copy.test([f"tests/{path.name}"], {"MUTATION_NOTES": str(notes), "MUTATION_COVERAGE": str(rc)})
        tests = [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]
        passed = {name: round(seconds, 4) for name, seconds, well in tests if well}
        told = {"hash": _hash(path), "seconds": passed, "lines": _lines(Path(folder), copy.folder / "cbam_np", passed)}
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(told), encoding="utf-8")


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _lines(folder: Path, package: Path, passed: dict[str, float]) -> dict[str, dict[str, list[int]]]:
    """Return the numbers of the tests that ran each line, by file and by what the line is known by."""
    from coverage import CoverageData

    number = {name: at for at, name in enumerate(passed)}
    found: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for part in folder.glob("data*"):
        data = CoverageData(str(part))
        data.read()
        for measured in data.measured_files():
            if package not in Path(measured).parents or not Path(measured).exists():
                continue
            name = Path(measured).relative_to(package).as_posix()
            keys = keys_of(Path(measured).read_text(encoding="utf-8"))
            for line, contexts in data.contexts_by_lineno(measured).items():
                names = {context.rpartition(" (")[0] if context.endswith(")") else context for context in contexts}
                names.update(contexts)
                if 0 < line <= len(keys):
                    found[name][keys[line - 1]] |= {number[name] for name in names if name in number}
    return {name: {key: sorted(tests) for key, tests in lines.items()} for name, lines in found.items()}


class Touched:
    """What was recorded, for all files of tests.

    Parameters
    ----------
    folder
        Where recordings are kept. Those of tests that have changed since are made again.
    """

    def __init__(self, folder: Path) -> None:
        self.seconds: dict[str, float] = {}
        self._told: list[tuple[list[str], dict[str, Any]]] = []
        for path in tqdm(files_of_tests(), unit="file", desc="which tests run which lines"):
            kept = folder / f"{path.stem}.json"
            told = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
            if told.get("hash") != _hash(path):
                record(path, kept)
                told = json.loads(kept.read_text(encoding="utf-8"))
            self.seconds |= told["seconds"]
            self._told.append((list(told["seconds"]), told["lines"]))

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the tests that run the mutant's statement; else those that run its function.

        There are none where it stands in no function, and runs when it is imported.
        """
        text = (ROOT / "cbam_np" / mutant.file).read_text(encoding="utf-8")
        keys = keys_of(text)
        statement, function = surroundings(ast.parse(text), mutant.line)
        for lines in (statement, function) if function else ():
            wanted = {keys[line - 1] for line in lines or ()}
            found = set(self._running(mutant.file, wanted))
            if found:
                return sorted(found)
        return []

    def tests_of_file(self, file: str) -> list[str]:
        """Return the tests that run anything in a file."""
        return sorted(set(self._running(file, None)))

    def _running(self, file: str, wanted: set[str] | None) -> Iterator[str]:
        for names, lines in self._told:
            for key, tests in lines.get(file, {}).items():
                if wanted is None or key in wanted:
                    yield from (names[test] for test in tests)
