"""What the tests say to a mutant: those that run its line, the quickest first."""

import json
from typing import Any

from .copies import Copy, Ended
from .places import ROOT, Mutant
from .touched import Touched

BUDGET = 40.0  # seconds of processor time for the tests of one mutant, as recorded
ALLOWED = 30, 4  # so many seconds, and so many times what the tests take: what runs longer hangs
TESTS = {  # the tests that are about a file, and run first; by the longest beginning of its name that fits
    "ops/": "definitions oracle_frozen",
    "ops/conv": "conv definitions oracle_frozen",
    "ops/linear": "linear definitions",
    "ops/loss": "loss definitions",
    "ops/norm": "norm definitions oracle_frozen",
    "ops/activations": "activations definitions",
    "ops/pooling": "pooling definitions",
    "ops/windows": "windows pooling",
    "ops/soft_pooling": "soft_pooling",
    "ops/checks": "checks activations linear loss",
    "cbam/": "cbam oracle_frozen dialects slices",
    "engine/": "engine slices pieces conv pooling windows norm activations definitions threads cbam loop",
    "teach/answers/": "answers report",
    "teach/calculation/": "rules trace bounds check lecture cbam mistakes",
    "teach/diagnosis/": "search diagnose report check",
    "teach/mistakes/": "mistakes diagnose functions in_use code",
    "teach/code/": "functions code code_modules check_code",
    "teach/report/": "report check functions",
    "teach/worksheets/": "worksheet handout moodle gradebooks",
    "teach/marking/": "marking grading handout",
    "teach/example/": "lecture dialects walkthrough trace",
    "teach/": "check report diagnose",
}


def tests_of(file: str) -> list[str]:
    """Return the files of tests that are about a file."""
    best = max((start for start in TESTS if file.startswith(start)), key=len)
    named = [f"tests/test_{name}.py" for name in TESTS[best].split()]
    return [name for name in named if (ROOT / name).exists()]


def stages(mutant: Mutant, touched: Touched, budget: float = BUDGET) -> list[list[str]]:
    """Return the tests to run: of those that are about the file, then of all others, the quickest first."""
    about = tests_of(mutant.file)
    names = touched.tests_of(mutant) or [name for name in touched.seconds if name.partition("::")[0] in about]
    chosen: list[list[str]] = [[], []]
    for later in (False, True):
        part = [name for name in names if (name.partition("::")[0] not in about) == later]
        for name in sorted(part, key=lambda name: touched.seconds[name]):
            budget -= touched.seconds[name]
            if budget > 0:
                chosen[later].append(name)
    return [part for part in chosen if part]


def try_mutant(mutant: Mutant, copy: Copy, touched: Touched) -> dict[str, Any]:
    """Run the tests of a mutant.

    Returns
    -------
    dict
        ``came`` is "killed", "too slow" or "survived"; ``by`` is the test that failed, ``tests`` how many were to run.
    """
    copy.change(mutant)
    told: dict[str, Any] = {"came": "survived", "by": "", "tests": 0}
    for names in stages(mutant, touched):
        told["tests"] += len(names)
        ended = run_tests(names, copy, sum(touched.seconds[name] for name in names))
        if ended.status != 0:
            failed = [line for line in ended.said.splitlines() if line.startswith(("FAILED ", "ERROR "))]
            told["by"] = " ".join(failed)[:200] or ended.said[-200:]
            told["came"] = "too slow" if ended.status is None else "killed"
            break
    return told


def run_tests(names: list[str], copy: Copy, seconds: float) -> Ended:
    """Run tests in this order, up to the first that fails."""
    choice = copy.folder / "choice.json"
    choice.write_text(json.dumps(names), encoding="utf-8")
    files = sorted({name.partition("::")[0] for name in names})
    allowed = ALLOWED[0] + int(ALLOWED[1] * seconds)
    ended = copy.test(["-x", "--tb=no", *files], {"MUTATION_CHOICE": str(choice)}, allowed)
    if ended.status == 5:  # as when none of the tests has that name any more
        raise RuntimeError(f"none of these tests was found: {names[:3]}\n{ended.said[-2000:]}")
    return ended
