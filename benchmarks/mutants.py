"""Small faults planted in the code, one at a time, to see whether the tests notice.

    python -m benchmarks.mutants [--sample 300] [--seed 0] [--part ops] [--out results/mutants]

A mutant is a copy of the package with one thing changed: a comparison, a sign, a constant, a condition. It is killed
if one of the tests of its file fails (`TESTS` says which they are) or runs into the time limit; the others survive, and
are listed with their line, to be killed by a better test or found to be equivalent. What was done is kept in
`.mutants/`.
"""

import argparse
import ast
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from cbam_np.files import write_json, write_text
from cbam_np.train import describe_machine

ROOT = Path(__file__).parent.parent
KEPT = ROOT / ".mutants"
SECONDS = 240  # of processor time, for the tests of one mutant
TESTS = {  # by the longest beginning of a file's name that fits
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
COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
}


class Mutant(NamedTuple):
    """One change: in which file, the number of its place there, its line, and what it does."""

    file: str
    place: int
    line: int
    change: str


def places(tree: ast.Module) -> Iterator[tuple[ast.AST, str, Callable[[], None]]]:
    """Yield (node, what is changed, what changes it) for every place that can be mutated."""
    skipped = set()
    for node in ast.walk(tree):
        for name in ("annotation", "returns", "type_params"):
            part = getattr(node, name, None)
            if isinstance(part, ast.AST):
                skipped |= set(ast.walk(part))
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Assert):  # words for people, and what mypy needs
            skipped |= set(ast.walk(node))
    for node in ast.walk(tree):
        if node not in skipped:
            yield from _changes(node)


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, str, Callable[[], None]]]:
    def change(name: str, value: Any) -> Callable[[], None]:
        return lambda: setattr(node, name, value)

    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
        other = COMPARED[type(node.ops[0])]
        yield node, f"{type(node.ops[0]).__name__} to {other.__name__}", change("ops", [other(), *node.ops[1:]])
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in CALCULATED:
        other_op = CALCULATED[type(node.op)]
        yield node, f"{type(node.op).__name__} to {other_op.__name__}", change("op", other_op())
    elif isinstance(node, ast.BoolOp):
        both = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield node, f"{type(node.op).__name__} to {both.__name__}", change("op", both())
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield node, f"{node.value} to {node.value + 1}", change("value", node.value + 1)
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield node, f"{node.value} to {not node.value}", change("value", not node.value)
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield node, "condition to its opposite", change("test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node, "minus to plus", change("op", ast.UAdd())


def mutants_of(part: str) -> list[Mutant]:
    """Return all mutants of a part of the package."""
    found = []
    for path in sorted((ROOT / "cbam_np" / part).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        name = path.relative_to(ROOT / "cbam_np").as_posix()
        for at, (node, what, _) in enumerate(places(tree)):
            found.append(Mutant(name, at, getattr(node, "lineno", 0), what))
    return found


def source_of(mutant: Mutant) -> str:
    """Return the text of the mutant's file; place -1 is the file as it is."""
    tree = ast.parse((ROOT / "cbam_np" / mutant.file).read_text(encoding="utf-8"))
    if mutant.place >= 0:
        list(places(tree))[mutant.place][2]()
    return ast.unparse(ast.fix_missing_locations(tree))


def tests_of(file: str) -> list[str]:
    """Return the tests that are to notice a fault in a file."""
    best = max((start for start in TESTS if file.startswith(start)), key=len)
    named = [f"tests/test_{name}.py" for name in TESTS[best].split()]
    return [name for name in named if (ROOT / name).exists()]


def try_mutant(mutant: Mutant, seconds: int = SECONDS) -> str:
    """Run the tests of a mutant; return "killed", "too slow" or "survived"."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        for name in ("cbam_np", "tests", "benchmarks", "results"):
            if name == "cbam_np":
                shutil.copytree(ROOT / name, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                os.symlink(ROOT / name, Path(folder) / name)
        for name in ("pyproject.toml", "conftest.py", "notebooks", "README.md", "TEACHING.md", "requirements.txt"):
            os.symlink(ROOT / name, Path(folder) / name)
        (Path(folder) / "cbam_np" / mutant.file).write_text(source_of(mutant), encoding="utf-8")
        words = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", "-p", "no:nbval"]
        words += ["-o", "addopts=--import-mode=importlib", "-m", "not slow and not browser and not oracle"]
        environment = os.environ | {"PYTHONPATH": folder, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [*words, *tests_of(mutant.file)],
            cwd=folder,
            env=environment,
            capture_output=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5)),
        )
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return "too slow"
    return "survived" if done.returncode == 0 else "killed"


def run(sample: list[Mutant], kept: Path) -> list[dict[str, Any]]:
    """Try mutants one after the other; those that were tried before are read."""
    kept.parent.mkdir(exist_ok=True)
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    done = {tuple(told["mutant"]): told for told in map(json.loads, lines)}
    for mutant in tqdm(sample, unit="mutant"):
        if tuple(mutant) not in done:
            done[tuple(mutant)] = told = {"mutant": list(mutant), "came": try_mutant(mutant)}
            with open(kept, "a", encoding="utf-8") as file:
                print(json.dumps(told), file=file)
    return [done[tuple(mutant)] for mutant in sample]


def markdown(found: list[dict[str, Any]], seed: int) -> str:
    """Return counts and survivors as a page."""
    rows: dict[str, Counter[str]] = {}
    for told in found:
        rows.setdefault(told["mutant"][0].partition("/")[0], Counter())[told["came"]] += 1
    lines = [
        "# Faults planted in the code",
        "",
        f"{len(found)} mutants, drawn from seed {seed}; each has one thing changed, and the tests of its file run. "
        "Made by `python -m benchmarks.mutants`.",
        "",
        "| part | mutants | killed | tests too slow | survived | score |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for part, came in rows.items():
        count = came.total()
        noticed = came["killed"] + came["too slow"]
        lines.append(
            f"| {part} | {count} | {came['killed']} | {came['too slow']} | {came['survived']} | {noticed / count:.0%} |"
        )
    survivors = [told["mutant"] for told in found if told["came"] == "survived"]
    lines += ["", "Survivors:", ""] + [f"- `{file}`, line {line}: {what}" for file, _, line, what in survivors]
    return "\n".join([*lines, ""])


def main() -> int:
    """Draw a sample, try it, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", action="append", help="ops, cbam, engine or teach; default: all of them")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    every = [mutant for part in given.part or ("ops", "cbam", "engine", "teach") for mutant in mutants_of(part)]
    sample = random.Random(given.seed).sample(every, min(given.sample, len(every)))
    found = run(sample, KEPT / "tried.jsonl")
    print(markdown(found, given.seed))
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        write_json(given.out / "mutants.json", {"seed": given.seed, "tried": found, "machine": describe_machine()})
        write_text(given.out / "README.md", markdown(found, given.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
