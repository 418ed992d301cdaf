"""How well `check_function` judges modules: of our own writing, strangers', and cases in which a mistake hides.

    python -m benchmarks.code [--census LIST.json --sources FOLDER] [--seeds 100] [--out results/code]
        [--second LIST.json --second-sources FOLDER [--before ROWS.json]]

It needs PyTorch. Own: `benchmarks/modules`, each with its truth. Census: any list of strangers' modules, which
is a JSON list of

    {"name": ..., "file": "cbam.py", "make": "CBAM(64)", "kind": "bug", "choices": [...], "departures": [...]}

where `make` is evaluated in the file of that name in FOLDER, `kind` is "paper" or "choice" (right), "bug" or "odd"
(wrong), or "broken" (cannot run), and the two lists hold names of `cbam_np/teach/mistakes/variants.py`, or null where
the truth has no name there. The file's code is run: only give it what you have read. A second list of that form,
found when the work was done, is given by `--second` and `--second-sources`; of it the page has counts alone, and with
`--before`, a file with its rows as an earlier commit judged them, what they were then. Hiding: modules whose mistake
shows with some weights only, each made anew with every seed; none may be called right.
"""

import argparse
import importlib.util
import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

import cbam_np
from cbam_np.train.machine import describe_machine

RIGHT = ("paper", "choice")
KINDS = {"paper": "right", "choice": "right", "bug": "wrong", "odd": "wrong", "broken": "cannot run"}
VERDICTS = ("right", "departures named", "unknown", "cannot tell", "a sentence why not")


def verdict_of(report: Any) -> str:
    """Return what a report says, in a few words."""
    if report.ok:
        return "right"
    if report.cannot_tell:
        return "cannot tell"
    if report.departures:
        return "departures named"
    return "unknown" if report.unknown and report.inputs else "a sentence why not"


def judge(name: str, module: Any, kind: str, choices: Iterable[str] | None, departures: Iterable[str] | None) -> dict:
    """Check one module, and compare with its truth."""
    start = time.process_time()
    report = cbam_np.check_function(module)
    seconds = time.process_time() - start
    came = {"choices": sorted(c.name for c in report.choices), "departures": sorted(d.name for d in report.departures)}
    if kind == "broken":
        as_told = not report.ok and bool(report.problems)
    else:
        wanted = {"choices": choices, "departures": departures}
        named = all(wanted[what] is None or sorted(wanted[what]) == came[what] for what in came)
        as_told = named and report.ok == (kind in RIGHT)
    return {
        "name": name,
        "truth": KINDS[kind],
        "verdict": verdict_of(report),
        "as the truth says": as_told,
        "dialect": report.dialect,
        **came,
        "seconds": round(seconds, 3),
    }


def own() -> list[dict]:
    """Check the modules of our own writing."""
    import torch

    from .modules.own import ROWS

    found = []
    for name, make, choices, departures in ROWS:
        torch.manual_seed(0)
        found.append(judge(name, make(), "bug" if departures else "choice", choices, departures))
    return found


def census(path: Path, sources: Path) -> list[dict]:
    """Check the modules of a list."""
    found = []
    for entry in json.loads(path.read_text(encoding="utf-8")):
        try:
            module = eval(entry["make"], vars(load(sources / entry["file"])))
        except Exception as error:
            raise SystemExit(f"{entry['name']}: {entry['make']} in {entry['file']} raises {error!r}") from error
        found.append(judge(entry["name"], module, entry["kind"], entry["choices"], entry["departures"]))
    return found


def load(path: Path) -> Any:
    """Import a file of sources, once."""
    name = f"census_{path.resolve().parent.name}_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise SystemExit(f"{path} is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def hiding(seeds: int) -> dict[str, Counter]:
    """Check modules in which a mistake hides, or in which right looks like wrong, with many starts."""
    import torch

    from .modules.own import HIDING

    found = {}
    for name, (make, departures) in HIDING.items():
        counts: Counter = Counter()
        for seed in range(seeds):
            torch.manual_seed(seed)
            report = cbam_np.check_function(make(), rng=np.random.default_rng(seed))
            counts[verdict_of(report)] += 1
            counts["as the truth says"] += {d.name for d in report.departures} == departures
        found[name] = counts
    return found


# --- the table ---


def confusion(rows: list[dict]) -> str:
    """Return a table of truths and verdicts."""
    counts = Counter((row["truth"], row["verdict"]) for row in rows)
    lines = [f"| truth | {' | '.join(VERDICTS)} |", "|---|" + "---:|" * len(VERDICTS)]
    for truth in dict.fromkeys(KINDS.values()):
        if any(row["truth"] == truth for row in rows):
            lines.append(f"| {truth} | {' | '.join(str(counts[truth, v]) for v in VERDICTS)} |")
    return "\n".join(lines)


def summary(rows: list[dict]) -> str:
    """Say in a sentence how well a set was judged."""
    good = sum(row["as the truth says"] for row in rows)
    wrong_right = sum(row["truth"] != "right" and row["verdict"] == "right" for row in rows)
    right_wrong = sum(row["truth"] == "right" and row["verdict"] != "right" for row in rows)
    seconds = sorted(row["seconds"] for row in rows)
    return (
        f"{good} of {len(rows)} ({good / len(rows):.1%}) judged as the truth says; {wrong_right} wrong called right, "
        f"{right_wrong} right not called right. CPU seconds: median {seconds[len(seconds) // 2]:.2f}, worst "
        f"{seconds[-1]:.2f}."
    )


def listed(rows: list[dict]) -> str:
    """Return a table with a line for each module."""
    lines = ["| module | truth | verdict | choices | departures | as the truth says |", "|---|---|---|---|---|---|"]
    for row in rows:
        verdict = ", ".join(filter(None, (row["verdict"], row["dialect"])))
        lines.append(
            f"| {row['name']} | {row['truth']} | {verdict} | {'; '.join(row['choices'])} | "
            f"{'; '.join(row['departures'])} | {'yes' if row['as the truth says'] else '**no**'} |"
        )
    return "\n".join(lines)


def counts_only(result: dict) -> str:
    """Return the counts of the second list: as it was judged first, and as it is judged now."""
    now = result["second"]
    parts = ["These are further modules of other people. What is true of each was written down before it was checked."]
    if "before" in result:
        before = result["before"]
        parts += [f"At the first run, before any change (commit {before['commit']}): {summary(before['rows'])}"]
        parts += [confusion(before["rows"]), "Now, with what that run taught:"]
    return "\n\n".join([*parts, summary(now), confusion(now)])


def page(result: dict) -> str:
    """Return the whole page."""
    parts = [
        "# Is my code right?",
        "Written by `python -m benchmarks.code`; the modules of others are not in this repository.",
    ]
    for title, key in (("Modules of our own writing", "own"), ("Modules of others", "census")):
        rows = result.get(key)
        if rows:
            parts += [f"## {title}", summary(rows), confusion(rows), listed(rows)]
    if "second" in result:
        parts += ["## A second list, found when the work was done", counts_only(result)]
    if result["hiding"]:
        lines = ["| module | seeds | called right | named as the truth says |", "|---|---:|---:|---:|"]
        for name, counts in result["hiding"].items():
            lines.append(
                f"| {name} | {result['seeds']} | {counts.get('right', 0)} | {counts.get('as the truth says', 0)} |"
            )
        parts += [
            "## Where a mistake hides",
            "Each with many starts; the last line is right, and must be called so.",
            "\n".join(lines),
        ]
    return "\n\n".join(parts) + "\n"


def without_names(result: dict) -> dict:
    """Return the result with the second list's rows as anonymous as its table."""
    kept = dict(result)
    if "second" in kept:
        kept["second"] = [_anonymous(row) for row in kept["second"]]
    if "before" in kept:
        kept["before"] = kept["before"] | {"rows": [_anonymous(row) for row in kept["before"]["rows"]]}
    return kept


def _anonymous(row: dict) -> dict:
    return {key: row[key] for key in ("truth", "verdict", "as the truth says", "seconds")}


def main(argv: list[str] | None = None) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--census", type=Path, help="a list of modules, JSON")
    parser.add_argument("--sources", type=Path, help="the folder with their files")
    parser.add_argument("--second", type=Path, help="a second list, of which counts alone are shown")
    parser.add_argument("--second-sources", type=Path, help="the folder with its files")
    parser.add_argument("--before", type=Path, help="the second list's rows at an earlier commit, JSON")
    parser.add_argument("--seeds", type=int, default=100, help="starts of each module in which a mistake hides")
    parser.add_argument("--out", type=Path, default=Path("results/code"), help="where the table goes")
    options = parser.parse_args(argv)
    if (options.census is None) != (options.sources is None):
        parser.error("--census and --sources belong together")
    if (options.second is None) != (options.second_sources is None) or (options.before and not options.second):
        parser.error("--second and --second-sources belong together, and --before belongs to them")
    warnings.simplefilter("ignore")  # strangers' code warns of many things
    of_hiding = hiding(options.seeds)
    result: dict[str, Any] = {"own": own(), "seeds": options.seeds, "hiding": of_hiding}
    if options.census:
        result["census"] = census(options.census, options.sources)
    if options.second:
        result["second"] = census(options.second, options.second_sources)
    if options.before:
        result["before"] = json.loads(options.before.read_text(encoding="utf-8"))
    result |= {"command": "python -m benchmarks.code", "machine": describe_machine()}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "code.json").write_text(
        json.dumps(without_names(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (options.out / "README.md").write_text(page(result), encoding="utf-8")
    for key in ("own", "census", "second"):
        if key in result:
            print(key, summary(result[key]), confusion(result[key]), sep="\n")
            print(*(row for row in result[key] if not row["as the truth says"]), sep="\n")
    print(*of_hiding.items(), sep="\n")


if __name__ == "__main__":
    main()
