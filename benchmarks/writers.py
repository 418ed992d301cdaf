"""Two processes that save to the same files and read them, again and again: nobody fails, nobody reads half a file.

python -m benchmarks.writers [--saves 10000] [--out results/writers]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from cbam_np.files import write_json, write_text
from cbam_np.train import describe_machine, load_checkpoint, save_checkpoint

WRITERS = 2
SIZE = 5000  # numbers in a checkpoint


def save_and_read(folder: Path, who: int, times: int) -> dict[str, Any]:
    """Save a checkpoint and read it back, whoever wrote it last; count what goes wrong."""
    path, found = folder / "checkpoint.npz", {"saves": 0, "reads": 0, "errors": 0, "damaged": 0, "first": ""}

    def attempt(kind: str, work: Callable[[], object]) -> None:
        try:
            work()
            found[kind] += 1
        except AssertionError:
            found["damaged"] += 1
        except Exception as error:
            found["errors"] += 1
            found["first"] = found["first"] or f"{type(error).__name__}: {error}"

    def read() -> None:
        arrays, metadata = load_checkpoint(path)
        assert (arrays["a"] == metadata["by"]).all()

    for turn in range(times):
        by = who + WRITERS * turn
        attempt("saves", lambda by=by: save_checkpoint(path, {"a": np.full(SIZE, float(by))}, {"by": by}))
        attempt("reads", read)
    return found


def run(saves: int, folder: Path) -> dict[str, Any]:
    """Let all writers work side by side; return their counts together."""
    start = time.perf_counter()
    jobs = [(folder, who, saves // WRITERS) for who in range(WRITERS)]
    with get_context("spawn").Pool(WRITERS) as pool:
        found = pool.starmap(save_and_read, jobs)
    left = sorted(path.name for path in folder.iterdir() if path.name != "checkpoint.npz")
    counts = {name: sum(one[name] for one in found) for name in ("saves", "reads", "errors", "damaged")}
    first = next((one["first"] for one in found if one["first"]), "")
    return counts | {"left": left, "first": first, "seconds": time.perf_counter() - start}


def markdown(found: dict[str, Any]) -> str:
    """Return the counts as a page."""
    return (
        "# Two writers\n\nTwo processes save a checkpoint of "
        f"{SIZE} numbers under one name, and read it after each save. Made by `python -m benchmarks.writers`.\n\n"
        "| saves | reads | errors | damaged | files left over | seconds |\n|---:|---:|---:|---:|---:|---:|\n"
        f"| {found['saves']} | {found['reads']} | {found['errors']} | {found['damaged']} | {len(found['left'])} "
        f"| {found['seconds']:.0f} |\n"
    )


def main() -> int:
    """Run, and print the counts; return 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--saves", type=int, default=10_000)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(given.saves, Path(folder))
    print(markdown(found), found["first"])
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        write_json(given.out / "writers.json", found | {"machine": describe_machine()})
        write_text(given.out / "README.md", markdown(found))
    return 1 if found["errors"] or found["damaged"] or found["left"] else 0


if __name__ == "__main__":
    sys.exit(main())
