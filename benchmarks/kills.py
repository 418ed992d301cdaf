"""Training and comparisons, killed at random moments and started again at once: every bit as if nothing had happened.

    python -m benchmarks.kills [--times 200] [--processes 2] [--out results/kills]

Each time a command is started, a signal is sent to it, to one of its workers, or to all of them, as Ctrl-C in a
terminal does; as soon as it has ended the command is run again. What it leaves is compared, bit for bit, with what an
undisturbed run left; 5 seconds later no process of either may be there. A command that had finished before its moment
came does not count. What was done is kept in `.kills/`, by seed, and not repeated. Needs Linux, whose /proc tells which
processes are whose.
"""

import argparse
import itertools
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
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from cbam_np.files import write_json, write_text
from cbam_np.train import describe_machine, load_checkpoint

SMALL = "--attention none --images 96 --batch-size 16 --channels 4 --epochs 3"
OF_COMPARE = "start --images 96 --batch-size 16 --channels 4 --epochs 2 --reduction 2 --seeds 1 --workers 2"
COMMANDS = ("train", "compare")
SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT")
TOO_LATE = "too late"
MARK = "CBAM_NP_KILLS"  # in the environment of all processes of a command
PATIENCE = 5.0  # seconds, after which nothing may be left
KEPT = Path(".kills")


class Trial(NamedTuple):
    """What was killed, and what came of it."""

    number: int
    command: str
    target: str
    signal: str
    after: float
    ended: float
    same: bool
    left: int
    traceback: str


def words_of(command: str, out: Path) -> list[str]:
    """Return a command; a training that has begun is gone on with."""
    words = [sys.executable, "-m", "cbam_np", command]
    if command == "compare":
        return [*words, *OF_COMPARE.split(), "--out", str(out)]
    begun = (out / "checkpoint.npz").exists()
    return [*words, *(["--resume"] if begun else SMALL.split()), "--out", str(out)]


def start(command: str, out: Path, mark: str) -> subprocess.Popen[bytes]:
    """Start a command in a group of its own; its processes can be found by a mark, and what it says goes to a file."""
    environment = os.environ | {MARK: mark, "OPENBLAS_NUM_THREADS": "1"}
    with open(out.parent / "said", "ab") as said:
        return subprocess.Popen(
            words_of(command, out), env=environment, stdout=said, stderr=said, start_new_session=True
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


def aim(process: subprocess.Popen[bytes], target: str, mark: str, draw: random.Random) -> int:
    """Return the process to send a signal to, or the group of all of them, as a negative number."""
    workers = [pid for pid, parent in marked(mark).items() if parent == process.pid]
    if target == "worker" and workers:
        return draw.choice(workers)
    return -process.pid if target == "all" else process.pid


def try_once(number: int, seed: int, references: dict[str, dict[str, Any]]) -> Trial:
    """Kill a command at a random moment, run it again, and compare."""
    draw = random.Random(f"{seed} {number}")
    command, kind, mark = draw.choice(COMMANDS), draw.choice(SIGNALS), f"{seed}-{number}-{os.getpid()}"
    targets = ["parent", *(["all"] if kind == "SIGINT" else []), *(["worker"] if command == "compare" else [])]
    target, after = draw.choice(targets), draw.uniform(0.05, references[command]["seconds"])
    out = Path(tempfile.mkdtemp(prefix="kills-")) / "run"
    process = start(command, out, mark)
    time.sleep(after)
    aimed = aim(process, target, mark, draw)
    begun = time.monotonic()
    if process.poll() is None:
        with suppress(ProcessLookupError):  # it has ended this very moment
            (os.kill if aimed > 0 else os.killpg)(abs(aimed), getattr(signal, kind))
    else:
        kind = TOO_LATE
    to_worker = aimed not in (process.pid, -process.pid)
    if not to_worker:
        process.wait()
    ended = time.monotonic() - begun
    again = process if to_worker else start(command, out, mark)
    again.wait()
    if again.returncode != 0:  # a worker that was asked to end: its parent says so, and the command is run again
        start(command, out, mark).wait()
    same = result_of(out) == references[command]["arrays"]
    until = time.monotonic() + PATIENCE
    while marked(mark) and time.monotonic() < until:
        time.sleep(0.1)
    said = (out.parent / "said").read_text(encoding="utf-8", errors="replace")
    shutil.rmtree(out.parent)
    target = "worker" if to_worker else "all" if aimed < 0 else "parent"
    return Trial(number, command, target, kind, after, ended, same, len(marked(mark)), last_line(said))


def last_line(said: str) -> str:
    """Return how a traceback ends; nothing where there is none."""
    _, found, rest = said.partition("Traceback (most recent call last):")
    return next(line for line in rest.splitlines()[1:] if not line.startswith(" ")) if found else ""


def reference(command: str) -> dict[str, Any]:
    """Return what an undisturbed run leaves, and how long it takes."""
    out, begun = Path(tempfile.mkdtemp(prefix="kills-")) / "run", time.monotonic()
    if start(command, out, "reference").wait() != 0:
        raise RuntimeError(f"cbam-np {command} does not run here")
    found = {"arrays": result_of(out), "seconds": time.monotonic() - begun}
    shutil.rmtree(out.parent)
    return found


def run(times: int, seed: int, processes: int) -> list[Trial]:
    """Kill so many commands that were still running; those that were killed before are read."""
    KEPT.mkdir(exist_ok=True)
    kept, lock = KEPT / f"seed-{seed}.jsonl", Lock()
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    trials = {trial.number: trial for trial in (Trial(**json.loads(line)) for line in lines)}
    references = {command: reference(command) for command in COMMANDS}
    numbers = (number for number in itertools.count() if number not in trials)

    def hits() -> int:
        return sum(trial.signal != TOO_LATE for trial in trials.values())

    def work() -> None:
        while True:
            with lock:
                if hits() >= times:
                    return
                number = next(numbers)
            trial = try_once(number, seed, references)
            with lock, open(kept, "a", encoding="utf-8") as file:
                trials[number] = trial
                print(json.dumps(trial._asdict()), file=file)
                print(hits(), *trial, file=sys.stderr, flush=True)

    with ThreadPoolExecutor(processes) as pool:
        for done in [pool.submit(work) for _ in range(processes)]:
            done.result()
    return sorted(trial for trial in trials.values() if trial.signal != TOO_LATE)


def markdown(trials: list[Trial]) -> str:
    """Return the table as a page."""
    lines = [
        "# Killed and started again",
        "",
        f"{len(trials)} times, at random moments: the signal went to the command, to one of its workers, or to all of "
        "its processes, as Ctrl-C in a terminal does. The command was run again at once, and its result compared with "
        "an undisturbed one, bit for bit. Made by `python -m benchmarks.kills`.",
        "",
        f"| command | signal to | signal | times | same bits | left after {PATIENCE:g} s | with a traceback "
        "| longest to end (s) |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    counts = Counter((t.command, t.target, t.signal) for t in trials)
    for kind, count in sorted(counts.items()):
        of = [t for t in trials if (t.command, t.target, t.signal) == kind]
        longest = "–" if kind[1] == "worker" else f"{max(t.ended for t in of):.1f}"
        row = [
            *kind,
            count,
            sum(t.same for t in of),
            sum(t.left for t in of),
            sum(bool(t.traceback) for t in of),
            longest,
        ]
        lines.append(f"| {' | '.join(map(str, row))} |")
    for words in sorted({t.traceback for t in trials if t.traceback}):
        moments = [t.after for t in trials if t.traceback == words]
        lines += [
            "",
            f"Tracebacks that end in `{words}`: {len(moments)}, at most {max(moments):.1f} s after the start.",
        ]
    return "\n".join([*lines, ""])


def main() -> int:
    """Kill, and print the table; return 1 where a bit differs or a process is left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2, help="how many commands at once; default: 2")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell has ignored by what runs behind it
    trials = run(given.times, given.seed, given.processes)
    print(markdown(trials))
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        kept = {"trials": [t._asdict() for t in trials], "machine": describe_machine()}
        write_json(given.out / "kills.json", json.loads(json.dumps(kept)))
        write_text(given.out / "README.md", markdown(trials))
    return 0 if all(t.same and not t.left for t in trials) else 1


if __name__ == "__main__":
    sys.exit(main())
