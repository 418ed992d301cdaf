"""How many random wrong numbers the checker explains: what has no reason should be given none.

    python -m benchmarks.guesses [--numbers 10000] [--out results/guesses]

Whole sheets, worked out rightly with three decimals: the lecture's example, both readings of its MLP, and worksheets of
several kinds. One number of a sheet is replaced by a random one, drawn from the range of its step and one beyond; those
that happen to be right, or to follow, are drawn again. A known mistake that fits is there by chance.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import cbam_np
from cbam_np.teach.calculation.trace import Trace
from cbam_np.teach.report.report import Report

from .student import Student

DECIMALS = 3
KINDS: tuple[dict[str, Any], ...] = ({}, {"bias": True, "hidden": 3, "ties": True}, {"size": 4, "hidden": 3})
SHEETS = 40  # two of them the lecture's


class Sheet(NamedTuple):
    """An example, how it is checked, the steps that are asked, and right answers to all of them."""

    trace: Trace
    check: Callable[[Any], Report]
    asked: tuple[str, ...]
    right: dict[str, np.ndarray]


class Outcome(NamedTuple):
    """What came of one random number: its step, the mistakes named, their chance, and the CPU seconds it took."""

    step: str
    names: tuple[str, ...]
    chance: float
    seconds: float


@lru_cache(maxsize=2)
def sheet_of(number: int) -> Sheet:
    """Return a sheet with all right answers."""
    if number < 2:
        trace = cbam_np.lecture.trace(("slides", "shared")[number])
        check, asked = partial(cbam_np.check, trace=trace), tuple(trace.rules)
    else:
        sheet = cbam_np.worksheet(number, "full", **KINDS[number % len(KINDS)])
        trace, check, asked = sheet.trace, sheet.check, sheet.asked
    return Sheet(trace, check, asked, Student(trace, DECIMALS).answers(asked))


def tried(number: int, tries: int) -> list[Outcome]:
    """Put random numbers into a sheet, one at a time."""
    sheet, rng, found = sheet_of(number), np.random.default_rng([4, number]), []
    while len(found) < tries:
        step = str(rng.choice(sheet.asked))
        index = tuple(int(rng.integers(n)) for n in sheet.trace[step].shape)
        values = np.asarray(sheet.trace[step].value, float)
        answers = {name: texts.copy() for name, texts in sheet.right.items()}
        answers[step][index] = f"{rng.uniform(values.min() - 1, values.max() + 1):.{DECIMALS}f}"
        began = time.process_time()
        report = sheet.check(answers)
        if [(j.step, j.index) for j in report.wrong] != [(step, index)]:
            continue
        names = tuple(explanation.name for explanation in report.explanations)
        chance = report.explanations[0].chance if names else 0.0
        found.append(Outcome(step, names, chance, time.process_time() - began))
    return found


def summarise(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Count what was explained, by what, and where."""
    explained = [outcome for outcome in outcomes if outcome.names]
    tries, by_step = Counter(o.step for o in outcomes), Counter(o.step for o in explained)
    return {
        "numbers": len(outcomes),
        "explained": len(explained),
        "share": round(len(explained) / len(outcomes), 5),
        "said first": dict(Counter(outcome.names[0] for outcome in explained).most_common()),
        "by step": {step: [by_step[step], tries[step]] for step in sorted(tries)},
        "CPU seconds": {
            "median": round(float(np.median([o.seconds for o in outcomes])), 4),
            "worst": round(max(o.seconds for o in outcomes), 4),
        },
    }


def told(summary: dict[str, Any]) -> str:
    """Write the result as Markdown."""
    lines = [
        "# Random wrong numbers",
        "",
        f"{summary['explained']} of {summary['numbers']} are explained ({summary['share']:.2%}). Each stands alone on "
        f"a sheet that is right otherwise, with {DECIMALS} decimals; judging and searching took "
        f"{1000 * summary['CPU seconds']['median']:.0f} ms of CPU time (median; at most "
        f"{1000 * summary['CPU seconds']['worst']:.0f} ms).",
        "",
        "| what is said first | times |",
        "|---|---|",
        *(f"| {name} | {times} |" for name, times in summary["said first"].items()),
        "",
        "| step | explained | numbers |",
        "|---|---|---|",
        *(f"| {step} | {explained} | {tries} |" for step, (explained, tries) in summary["by step"].items()),
    ]
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> None:
    """Try random numbers, print and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=Path("results/guesses"))
    options = parser.parse_args(argv)
    sheets = min(SHEETS, options.numbers)
    tries = [options.numbers // sheets + (n < options.numbers % sheets) for n in range(sheets)]
    with ProcessPoolExecutor() as pool:
        outcomes = [outcome for found in pool.map(tried, range(sheets), tries) for outcome in found]
    summary = summarise(outcomes)
    text = told(summary)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "README.md").write_text(text, encoding="utf-8")
    result = summary | {"command": "python -m benchmarks.guesses"}
    (options.out / "guesses.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
