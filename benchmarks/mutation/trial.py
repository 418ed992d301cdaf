"""What the tests say to a mutant: those that run its line, the quickest first."""

import json
from typing import Any

from .copies import Copy, Ended
from .places import ROOT, Mutant
from .touched import Touched

BUDGET = 25.0  # seconds of processor time for the tests of one mutant, as recorded
FEW, FEW_FILES, QUICK = 60, 3, 0.5  # tests, files, and seconds of a test, that come first
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
    "teach/mistakes/": "mistakes mistake_values mixups diagnose functions in_use code",
    "teach/code/": "code_parts functions code code_modules check_code",
    "teach/report/": "report check marking functions",
    "teach/worksheets/": "worksheet handout moodle gradebooks",
    "teach/marking/": "marking grading handout",
    "teach/example/": "lecture dialects walkthrough trace",
    "teach/": "check report diagnose show",
}


def tests_of(file: str) -> list[str]:
    """Return the files of tests that are about a file."""
    best = max((start for start in TESTS if file.startswith(start)), key=len)
    named = [f"tests/test_{name}.py" for name in TESTS[best].split()]
    return [name for name in named if (ROOT / name).exists()]


def stages(mutant: Mutant, touched: Touched, budget: float = BUDGET) -> list[list[str]]:
    """Return the tests to run, in groups, the quickest first in each.

    Of the tests that are about the file come the quickest, in a few files, which are soon imported; then the rest of
    these, and what stands beside them; then all others that run the line.
    """
    about = tests_of(mutant.file)
    names = touched.tests_of(mutant)
    if not names:  # a line that runs at import only, such as a table's
        names = touched.tests_of_file(mutant.file)
        names = list({*names, *(name for name in touched.seconds if name.partition("::")[0] in about)})
    first, later = ([n for n in names if (n.partition("::")[0] in about) == wanted] for wanted in (True, False))
    first, later = (sorted(part, key=lambda name: touched.seconds[name]) for part in (first, later))
    quick = [name for name in first[:FEW] if touched.seconds[name] < QUICK]
    files = list(dict.fromkeys(name.partition("::")[0] for name in quick))[:FEW_FILES]
    start = [name for name in quick if name.partition("::")[0] in files]
    beside = {name.partition("::")[0] for name in first}  # what is computed once and kept is run by the first test only
    kept = [name for name in touched.seconds if name not in names and name.partition("::")[0] in beside]
    kept.sort(key=lambda name: touched.seconds[name])
    chosen: list[list[str]] = []
    for part in (start, [name for name in first if name not in start], kept, later):
        chosen.append([])
        for name in part:
            budget -= touched.seconds[name]
            if budget > 0:
                chosen[-1].append(name)
    return [part for part in chosen if part]


def try_mutant(mutant: Mutant, copy: Copy, touched: Touched, sound: dict[str, bool]) -> dict[str, Any]:
    """Run the tests of a mutant.

    A test counts only if it passes where nothing is changed: `sound` remembers which do.

    Returns
    -------
    dict
        ``came`` is "killed", "too slow" or "survived"; ``by`` is the test that failed, ``tests`` how many were to run.
    """
    told: dict[str, Any] = {"came": "survived", "by": "", "tests": 0}
    copy.change(mutant)
    for names in stages(mutant, touched):
        told["tests"] += len(names)
        while names:
            ended = run_tests(names, copy, sum(touched.seconds[name] for name in names))
            if ended.status == 0:
                break
            if ended.status is None:
                return told | {"came": "too slow"}
            by = next((name for name in names if f" {name} " in f"{ended.said.replace(chr(10), ' ')} "), "")
            if by and by not in sound:
                copy.change(mutant._replace(place=-1))
                sound[by] = run_tests([by], copy, touched.seconds[by]).status == 0
                copy.change(mutant)
            if sound.get(by, True):
                return told | {"came": "killed", "by": by or ended.said[-300:]}
            names = [name for name in names if name != by]
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
