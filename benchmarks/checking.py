"""How long a check takes: reading, judging and explaining a sheet, and making a worksheet.

    python -m benchmarks.checking [--out results/checking]

CPU seconds and seconds by the clock, the best of three of each; the reports are written out as text, too. The lecture's
sheet has all of its numbers, three decimals each, and every way of making every mistake in turn. The worksheets go
forward and back, with three mistakes each, drawn at random.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

import cbam_np
from cbam_np.teach.mistakes import further_occurrences, occurrences, relatives
from cbam_np.teach.report.report import Report
from cbam_np.train.machine import describe_machine

from .student import Student

DECIMALS = 3
SHEETS = 8  # worksheets
TRIPLES = 6  # of mistakes, in each of them
REPEATS = 3
GOALS = {"lecture, a mistake": 0.050, "worksheet, three mistakes": 0.500}  # seconds of CPU time


def timed(work: Callable[[], object], repeats: int = REPEATS) -> tuple[float, float]:
    """Return the least CPU seconds and the least seconds by the clock that something took."""
    cpu, wall = [], []
    for _ in range(repeats):
        cpu_began, began = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - cpu_began)
        wall.append(time.perf_counter() - began)
    return min(cpu), min(wall)


def told_of(check: Callable[[Any], Report], answers: dict[str, np.ndarray]) -> str:
    """Check answers, and write the report."""
    return str(check(answers))


def first_of_all() -> None:
    """Check a sheet as if nothing had been checked before: no mistake has been listed yet."""
    for cached in (occurrences, further_occurrences, relatives):
        cached.cache_clear()
    trace = cbam_np.lecture.trace("shared")
    change = next(made.changes for made in occurrences(trace) if made.name == "the kernel flipped")
    told_of(lambda a: cbam_np.check(a, trace), Student(trace, DECIMALS, change).answers(list(trace.rules)))


def lecture_sheets() -> Iterable[Callable[[], object]]:
    """Yield the check of the lecture's sheet with each mistake that shows on it."""
    trace = cbam_np.lecture.trace("shared")
    names = list(trace.rules)
    for made in (*occurrences(trace), *further_occurrences(trace)):
        student = Student(trace, DECIMALS, made.changes)
        if student.first_wrong(names):
            answers = student.answers(names)
            yield lambda answers=answers: told_of(lambda a: cbam_np.check(a, trace), answers)


def worksheets() -> Iterable[Callable[[], object]]:
    """Yield the check of worksheets with three mistakes each."""
    for seed in range(SHEETS):
        sheet, rng = cbam_np.worksheet(seed, "full"), np.random.default_rng([5, seed])
        changes = {made.name: made.changes for made in occurrences(sheet.trace)}
        for _ in range(TRIPLES):
            chosen = rng.choice(list(changes), 3, replace=False)
            together = {step: rule for name in chosen for step, rule in changes[str(name)].items()}
            try:
                answers = Student(sheet.trace, DECIMALS, together).answers(sheet.asked)
            except RecursionError:
                continue  # these three lead in a circle
            yield lambda check=sheet.check, answers=answers: told_of(check, answers)


def singles() -> Iterable[Callable[[], object]]:
    """Yield the check of one wrong number alone, for which pairs of mistakes are tried."""
    trace = cbam_np.lecture.trace("shared")
    for name in ("M_c[1]", "F'[1,1,1]", "F''[1,1,1]", "dW7[1,1,1]", "dF[1,1,1]"):
        yield lambda name=name: told_of(lambda a: cbam_np.check(a, trace), {name: "0.777"})


def measured() -> dict[str, dict[str, float]]:
    """Return how long everything took: median and worst, in CPU seconds and by the clock."""
    trace = cbam_np.lecture.trace("shared")
    right = Student(trace, DECIMALS).answers(list(trace.rules))
    cases: dict[str, Iterable[Callable[[], object]]] = {
        "lecture, all right": [lambda: told_of(lambda a: cbam_np.check(a, trace), right)],
        "lecture, a mistake": lecture_sheets(),
        "lecture, a mistake, the first check of all": [first_of_all],
        "lecture, one wrong number alone, pairs tried": singles(),
        "worksheet, three mistakes": worksheets(),
        **{
            f"making a worksheet, {level}": [lambda n=n, level=level: cbam_np.worksheet(n, level) for n in range(20)]
            for level in ("forward", "full")
        },
    }
    found = {}
    for name, works in cases.items():
        seconds = np.array([timed(work) for work in works])
        cpu, wall = seconds.T
        found[name] = {
            "cases": len(seconds),
            "median CPU": round(float(np.median(cpu)), 4),
            "worst CPU": round(float(cpu.max()), 4),
            "median": round(float(np.median(wall)), 4),
            "worst": round(float(wall.max()), 4),
        }
    return found


def told(result: dict[str, dict[str, float]]) -> str:
    """Write the result as Markdown."""
    lines = [
        "# How long a check takes",
        "",
        "Milliseconds, the report as text included; CPU time, and in parentheses by the clock.",
        "",
        "| what | cases | median | worst |",
        "|---|---|---|---|",
        *(
            f"| {name} | {row['cases']} | {1000 * row['median CPU']:.0f} ({1000 * row['median']:.0f}) "
            f"| {1000 * row['worst CPU']:.0f} ({1000 * row['worst']:.0f}) |"
            for name, row in result.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> None:
    """Measure, print and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/checking"))
    options = parser.parse_args(argv)
    result = measured()
    text = told(result)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "README.md").write_text(text, encoding="utf-8")
    whole = {
        "seconds": result,
        "goals": GOALS,
        "machine": describe_machine(),
        "command": "python -m benchmarks.checking",
    }
    (options.out / "checking.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
