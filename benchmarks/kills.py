"""Training and comparisons, killed at random moments and started again at once: every bit as if nothing had happened.

    python -m benchmarks.kills [--times 200] [--out results/kills]

Each time a command is started, a signal is sent to it or to one of its workers, and as soon as it has ended the command
is run again. What it leaves is compared, bit for bit, with what an undisturbed run left; 5 seconds later no process of
either may be there. Needs Linux, whose /proc tells which processes are whose.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from cbam_np.train import describe_machine, load_checkpoint
from cbam_np.train.files import write_json, write_text

SMALL = "--attention none --images 96 --batch-size 16 --channels 4 --epochs 3"
OF_COMPARE = "start --images 96 --batch-size 16 --channels 4 --epochs 2 --reduction 2 --seeds 1 --workers 2"
SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT")
MARK = "CBAM_NP_KILLS"  # in the environment of all processes of a command
PATIENCE = 5.0  # seconds, after which nothing may be left


class Trial(NamedTuple):
    """What was killed, and what came of it."""

    command: str
    target: str
    signal: str
    after: float
    ended: float
    same: bool
    left: int


def words_of(command: str, out: Path) -> list[str]:
    """Return a command; a training that has begun is gone on with."""
    words = [sys.executable, "-m", "cbam_np", command]
    if command == "compare":
        return [*words, *OF_COMPARE.split(), "--out", str(out)]
    begun = (out / "checkpoint.npz").exists()
    return [*words, *(["--resume"] if begun else SMALL.split()), "--out", str(out)]


def start(command: str, out: Path, mark: str) -> subprocess.Popen[bytes]:
    """Start a command whose processes can be found by a mark."""
    environment = os.environ | {MARK: mark, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        words_of(command, out), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def marked(mark: str) -> dict[int, int]:
    """Return the processes that carry a mark, each with its parent."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"{MARK}={mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                after_name = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                if after_name[0] != "Z":
                    found[int(entry.name)] = int(after_name[1])
        except OSError:  # it has ended meanwhile
            continue
    return found


def result_of(out: Path) -> dict[str, dict[str, bytes]]:
    """Return all arrays of all checkpoints in a folder."""
    return {
        str(path.relative_to(out)): {name: array.tobytes() for name, array in load_checkpoint(path)[0].items()}
        for path in sorted(out.rglob("checkpoint.npz"))
    }


def try_once(command: str, expected: dict[str, Any], longest: float, draw: random.Random) -> Trial:
    """Kill a command at a random moment, run it again, and compare."""
    kind, mark = draw.choice(SIGNALS), str(draw.getrandbits(60))
    target = draw.choice(["parent", "worker"]) if command == "compare" else "parent"
    after = draw.uniform(0.05, longest)
    out = Path(tempfile.mkdtemp(prefix="kills-")) / "run"
    process = start(command, out, mark)
    time.sleep(after)
    workers = [pid for pid, parent in marked(mark).items() if parent == process.pid]
    aimed = draw.choice(workers) if target == "worker" and workers else process.pid
    begun = time.monotonic()
    try:
        os.kill(aimed, getattr(signal, kind))
    except ProcessLookupError:
        kind = "too late"
    if aimed == process.pid:
        process.wait()
    ended = time.monotonic() - begun
    again = start(command, out, mark) if aimed == process.pid else process
    again.wait()
    if again.returncode != 0:  # a worker that was asked to end: its parent says so, and the command is run again
        start(command, out, mark).wait()
    same = result_of(out) == expected
    until = time.monotonic() + PATIENCE
    while marked(mark) and time.monotonic() < until:
        time.sleep(0.1)
    shutil.rmtree(out.parent)
    return Trial(command, "worker" if aimed != process.pid else "parent", kind, after, ended, same, len(marked(mark)))


def reference(command: str) -> tuple[dict[str, Any], float]:
    """Return what an undisturbed run leaves, and how long it takes."""
    out, begun = Path(tempfile.mkdtemp(prefix="kills-")) / "run", time.monotonic()
    if start(command, out, "reference").wait() != 0:
        raise RuntimeError(f"cbam-np {command} does not run here")
    found = result_of(out), time.monotonic() - begun
    shutil.rmtree(out.parent)
    return found


def run(times: int, seed: int) -> list[Trial]:
    """Kill so many commands."""
    draw = random.Random(seed)
    references = {command: reference(command) for command in ("train", "compare")}
    trials = []
    for number in range(times):
        command = draw.choice(list(references))
        trials.append(try_once(command, *references[command], draw))
        print(number, *trials[-1], file=sys.stderr)
    return trials


def markdown(trials: list[Trial]) -> str:
    """Return the table as a page."""
    lines = [
        "# Killed and started again",
        "",
        f"{len(trials)} times, at random moments: the signal went to the command or to one of its workers, the command "
        "was run again at once, and its result compared with an undisturbed one, bit for bit. Made by "
        "`python -m benchmarks.kills`.",
        "",
        f"| command | signal to | signal | times | same bits | left after {PATIENCE:g} s | longest to end (s) |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    counts = Counter((t.command, t.target, t.signal) for t in trials)
    for kind, count in sorted(counts.items()):
        of = [t for t in trials if (t.command, t.target, t.signal) == kind]
        longest = f"{max(t.ended for t in of):.1f}" if kind[1] == "parent" else "–"
        row = [*kind, count, sum(t.same for t in of), sum(t.left for t in of), longest]
        lines.append(f"| {' | '.join(map(str, row))} |")
    return "\n".join([*lines, ""])


def main() -> int:
    """Kill, and print the table; return 1 where a bit differs or a process is left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    trials = run(given.times, given.seed)
    print(markdown(trials))
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        kept = {"trials": [t._asdict() for t in trials], "machine": describe_machine()}
        write_json(given.out / "kills.json", json.loads(json.dumps(kept)))
        write_text(given.out / "README.md", markdown(trials))
    return 0 if all(t.same and not t.left for t in trials) else 1


if __name__ == "__main__":
    sys.exit(main())
