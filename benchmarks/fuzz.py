"""Hostile input at every entrance of the package, drawn from a seed: `make fuzz`.

    python -m benchmarks.fuzz [--cases 200000] [--entrance weights] [--seed 0] [--processes 2] [--out results/fuzz]

A case is a fault where it ends in anything but a right answer or a sentence of the package's own, takes more than 5 s
of processor time (more for commands and code, where the work itself may take that long) or 1 GB, or where something
else is read than is known to be written. What was done is kept in `.fuzz/`, by seed, and not repeated; --again forgets
it. Every fault that was mended stands in `tests/fuzz_corpus.json` and is tried again by the tests.
"""

import argparse
import json
import select
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from tqdm import tqdm

from cbam_np.files import write_json, write_text
from cbam_np.train import describe_machine

from .fuzzing import page
from .fuzzing.entrance import RIGHT, USUAL
from .fuzzing.entrances import ENTRANCES

SILENCE = 600.0  # seconds without a word, after which a process is taken to hang, on a busy machine too
KEPT = Path(".fuzz")


class Block(NamedTuple):
    """Cases with consecutive numbers."""

    entrance: str
    first: int
    last: int


def blocks_of(cases: int, names: list[str]) -> list[Block]:
    """Share cases out among entrances, and cut them into blocks."""
    shares = {name: ENTRANCES[name].share for name in names}
    found = []
    for name, share in shares.items():
        count = round(cases * share / sum(shares.values()))
        size = ENTRANCES[name].block
        found += [Block(name, at, min(at + size, count)) for at in range(0, count, size)]
    return found


def run_block(block: Block, seed: int) -> dict[str, Any]:
    """Run a block, in one process after the other where one dies; return what came of it."""
    told: dict[str, Any] = {"block": list(block), "came": Counter(), "faults": [], "slowest": 0.0, "peak": 0}
    at = block.first
    while at < block.last:
        words = [sys.executable, "-m", "benchmarks.fuzzing.child", block.entrance, str(seed), str(at), str(block.last)]
        at = _follow(words, at, told)
    return told


def _follow(words: list[str], at: int, told: dict[str, Any]) -> int:
    """Read what a process says; return the number of the case to go on with."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        while True:
            ready, _, _ = select.select([process.stdout], [], [], SILENCE)
            line = process.stdout.readline() if ready else b""
            if not line:
                process.kill()
                how = "the process hangs" if not ready else f"the process ended, {process.wait()}"
                told["faults"].append({"number": at, "fault": how})
                return at + 1
            said = json.loads(line)
            at = said.get("at", at)
            if "fault" in said:
                told["faults"].append(said)
            if "done" in said:
                told["came"].update(said["came"])
                told["slowest"] = max(told["slowest"], said["slowest"])
                told["peak"] = max(told["peak"], said["peak"])
                return said["done"]


def run_blocks(blocks: list[Block], seed: int, processes: int, kept: Path) -> list[dict[str, Any]]:
    """Run blocks side by side; those that were done before are read."""
    kept.parent.mkdir(exist_ok=True)
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    done = {tuple(told["block"]): told for told in map(json.loads, lines)}
    lock = Lock()

    def work(block: Block) -> dict[str, Any]:
        if tuple(block) not in done:
            told = run_block(block, seed)
            with lock, open(kept, "a", encoding="utf-8") as file:
                print(json.dumps(told), file=file)
            done[tuple(block)] = told
        bar.update(block.last - block.first)
        return done[tuple(block)]

    total = sum(block.last - block.first for block in blocks)
    with tqdm(total=total, unit="case") as bar, ThreadPoolExecutor(processes) as pool:
        return list(pool.map(work, blocks))


def summary(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return counts by entrance."""
    rows: dict[str, dict[str, Any]] = defaultdict(
        lambda: {"cases": 0, "came": Counter(), "faults": [], "slowest": 0.0, "peak": 0}
    )
    for told in found:
        name, first, last = told["block"]
        row = rows[name]
        row["cases"] += last - first
        row["came"].update(told["came"])
        row["faults"] += told["faults"]
        row["slowest"] = max(row["slowest"], told["slowest"])
        row["peak"] = max(row["peak"], told["peak"])
    return dict(rows)


def markdown(rows: dict[str, dict[str, Any]], seed: int) -> str:
    """Return the table as a page."""
    cases = sum(row["cases"] for row in rows.values())
    others = ", ".join(f"{name} {one.seconds:g} s" for name, one in ENTRANCES.items() if one.seconds != USUAL)
    lines = [
        "# Hostile input",
        "",
        f"`python -m benchmarks.fuzz --cases {cases} --seed {seed}`. A fault is anything but a right answer or a "
        f"sentence of the package's own, more than {USUAL:g} s of processor time ({others}), more than 1 GB, or "
        "something else read than is known to have been written.",
        "",
        "| entrance | cases | share | refused in a sentence | read | of these compared with the truth | faults "
        "| slowest (s) | most memory (MB) |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in rows.items():
        read = sum(count for what, count in row["came"].items() if not what.startswith("refused"))
        refused = sum(row["came"].values()) - read
        lines.append(
            f"| {name} | {row['cases']} | {row['cases'] / cases:.1%} | {refused} | {read} "
            f"| {row['came'].get(RIGHT, 0)} | {len(row['faults'])} | {row['slowest']:.2f} | {row['peak'] / 1e6:.0f} |"
        )
    return "\n".join([*lines, ""])


def main() -> int:
    """Run cases, print the table and the faults; return 1 where there are any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=200_000, help="how many; default: 200000")
    parser.add_argument("--entrance", choices=list(ENTRANCES), action="append", help="this one alone; default: all")
    parser.add_argument("--seed", type=int, default=0, help="what all cases are drawn from; default: 0")
    parser.add_argument("--processes", type=int, default=2, help="how many at once; default: 2")
    parser.add_argument("--again", action="store_true", help="forget what was done before")
    parser.add_argument("--out", type=Path, help="folder for the table and fuzz.json")
    given = parser.parse_args()
    names = given.entrance or [name for name in ENTRANCES if name != "page" or page.available()]
    if given.again:
        shutil.rmtree(KEPT, ignore_errors=True)
    found = run_blocks(blocks_of(given.cases, names), given.seed, given.processes, KEPT / f"seed-{given.seed}.jsonl")
    rows = summary(found)
    print(markdown(rows, given.seed))
    kinds = Counter((name, fault["fault"]) for name, row in rows.items() for fault in row["faults"])
    for (name, fault), count in kinds.most_common():
        number = next(one["number"] for one in rows[name]["faults"] if one["fault"] == fault)
        print(f"{count:6}  {name} {number}: {fault}")
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        write_json(given.out / "fuzz.json", {"seed": given.seed, "entrances": rows, "machine": describe_machine()})
        write_text(given.out / "README.md", markdown(rows, given.seed))
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
