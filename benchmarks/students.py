"""How well the checker reads, judges and explains answer sheets as students write them.

    python -m benchmarks.students SHEETS.json [SHEETS.json ...] [--labels LABELS.json] [--out results/students]

SHEETS.json is a list of answer sheets: `id`, `example` (the lecture's, or a worksheet's seed and level), `answers` (or
`file`, a text with its suffix), `truth` by answer, and `mistake`, what the student did. Truths: "ok" (right, or follows
from the student's own numbers), "wrong", "trunc" (cut off instead of rounded), "early" and "either" (accepted, or named
as rounding), "unread" (no number), "blank". LABELS.json, beside it unless named, says what the mistakes are called: a
regular expression for each, which a name in the report has to match.
"""

import argparse
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cbam_np
from cbam_np.teach.answers.names import find_name
from cbam_np.teach.report.report import Report
from cbam_np.teach.report.verdicts import BLANK, CUT, SOUND, UNREAD, WRONG

ACCEPTED = {"ok": SOUND, "trunc": (*SOUND, WRONG), "early": (*SOUND, WRONG), "either": (*SOUND, WRONG)}
ROUNDING = re.compile("round|cut off", re.IGNORECASE)
NAMED = ("first", "among", "another", "none")


@dataclass
class Score:
    """What came of one sheet."""

    id: str
    category: str
    judged: bool = True
    seconds: float = 0.0
    right: int = 0
    accepted: int = 0
    wrong: int = 0
    found: int = 0
    first: bool | None = None  # whether the first wrong step was found; None where nothing is wrong
    named: list[str] = field(default_factory=list)  # for each mistake, one of NAMED
    short: list[str] = field(default_factory=list)  # what falls short, in words


@lru_cache
def judge_of(example: str) -> Callable[[Any], Report]:
    """Return what checks answers to an example, which is given as JSON."""
    options = json.loads(example)
    if options.pop("lecture", False):
        return partial(cbam_np.check, trace=cbam_np.lecture.trace(options.get("mlp", "slides")))
    return cbam_np.worksheet(options.pop("seed"), options.pop("level"), **options).check


def checked(sheet: dict[str, Any], judge: Callable[[Any], Report]) -> Report:
    """Check the answers of a sheet."""
    if "file" not in sheet:
        return judge(sheet["answers"])
    text, suffix = _file_of(sheet["file"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"answers{suffix}"
        path.write_text(text, encoding="utf-8")
        return judge(path)


def _file_of(file):
    if isinstance(file, dict):
        return file["text"], file.get("suffix", ".csv")
    text, suffix = file
    return (suffix, text) if text.startswith(".") and len(text) < 8 else (text, suffix)


def verdicts_of(report: Report) -> dict[str, str]:
    """Return the verdicts by the names of the entries, and of what has no place by its own name."""
    found = {judgement.entry.name: judgement.verdict for judgement in report.judgements}
    return {answer.where.rpartition(": ")[2]: UNREAD for answer in report.unplaced} | found


def score(sheet: dict[str, Any], labels: dict[str, dict[str, str]]) -> Score:
    """Check a sheet and hold the report against the truth."""
    result = Score(sheet["id"], sheet["category"])
    judge = judge_of(json.dumps(sheet["example"], sort_keys=True))
    began = time.process_time()
    try:
        report = checked(sheet, judge)
        named = names_in(report)
    except Exception as error:  # whatever it is, the student has no report
        result.judged, result.short = False, [f"{type(error).__name__}: {str(error)[:120]}"]
        result.right = sum(truth != "wrong" for truth in sheet["truth"].values())
        result.wrong = len(sheet["truth"]) - result.right
        result.named = ["none"] * len(sheet["mistake"])
        return result
    result.seconds = time.process_time() - began
    _judge(sheet, report, named, result)
    for which, mistake in enumerate(sheet["mistake"]):
        how = how_named(mistake, which, sheet, report, named, labels)
        result.named.append(how)
        if how != "first":
            said = "; ".join(f"{step}: {', '.join(names[:3]) or 'nothing'}" for step, names in named.items())
            result.short.append(f"{labels[mistake]['plain']}: named {how}. Said: {said or 'nothing'}")
    return result


def names_in(report: Report) -> dict[str, list[str]]:
    """Return the names of the explanations by the wrong step that they explain, in the order of the steps."""
    return {step: [e.name for e in explanations] for step, explanations in report.diagnoses.items()}


def _judge(sheet, report, named, result):
    verdicts = verdicts_of(report)
    truths = {}
    for key, truth in sheet["truth"].items():
        step, index, _ = find_name(key, report.trace)
        truths[f"{step}[{','.join(map(str, index))}]" if index else step] = truth
    said_rounding = any(ROUNDING.search(name) for names in named.values() for name in names[:1])
    for entry, truth in truths.items():
        verdict = verdicts.get(entry, BLANK)
        if truth == "wrong":
            result.wrong += 1
            result.found += verdict == WRONG
        elif truth in ACCEPTED:
            result.right += 1
            fine = verdict in ACCEPTED[truth] and (truth == "ok" or verdict != WRONG or said_rounding)
            result.accepted += fine
            if not fine:
                result.short.append(f"{entry}, {truth}, is called {verdict}")
        elif truth == "unread" and verdict != UNREAD:
            result.short.append(f"{entry}, no number, is called {verdict}")
        if truth == "wrong" and verdict != WRONG:
            result.short.append(f"{entry}, wrong, is called {verdict}")
    wrong = [entry for entry, truth in truths.items() if truth == "wrong"]
    if wrong:
        order = {step.name: at for at, step in enumerate(report.trace)}
        first = min(wrong, key=lambda entry: order[entry.partition("[")[0]]).partition("[")[0]
        result.first = report.first_wrong is not None and report.first_wrong.name.partition("[")[0] == first
        if not result.first:
            result.short.append(
                f"the first wrong step is {first}, found: {report.first_wrong and report.first_wrong.name}"
            )


def how_named(mistake, which, sheet, report, named, labels):
    """Say whether a mistake is named first, among others, another one is, or none."""
    pattern = re.compile(labels[mistake]["regex"], re.IGNORECASE)
    truths = set(sheet["truth"].values())
    if report.having(CUT) and pattern.search(CUT):
        return "first"
    if "wrong" not in truths and not report.wrong:
        return "first"  # accepted, as a rounding may be
    found = list(named.values())
    if any(names and pattern.search(names[0]) for names in (found[which:] if which else found[:1])):
        return "first"
    if which and found and found[0] and pattern.search(found[0][0]):
        return "first"  # both mistakes together
    if any(pattern.search(name) for names in found for name in names):
        return "among"
    return "another" if any(found) else "none"


def summarise(scores: list[Score]) -> dict[str, Any]:
    """Add up the scores."""
    named = Counter(how for score in scores for how in score.named)
    sheets = [score for score in scores if score.judged]
    return {
        "sheets": len(scores),
        "judged": len(sheets),
        "every right answer accepted": sum(s.judged and s.right == s.accepted for s in scores),
        "right answers": sum(s.right for s in scores),
        "right answers accepted": sum(s.accepted for s in scores),
        "wrong answers": sum(s.wrong for s in scores),
        "wrong answers found": sum(s.found for s in scores),
        "sheets with something wrong": sum(s.first is not None for s in scores),
        "first wrong step found": sum(s.first is True for s in scores),
        "mistakes": sum(named.values()),
        "named": {how: named[how] for how in NAMED},
        "slowest, CPU seconds": round(max(s.seconds for s in scores), 3),
    }


def told(results: dict[str, list[Score]]) -> str:
    """Write the results of files, by their names, as Markdown."""
    lines = [
        "# Answer sheets",
        "",
        "The sheets imitate students; those of `benchmarks/answer_sheets` are in this repository. `python -m "
        "benchmarks.students FILE` scores any file of the same form.",
    ]
    for name, scores in results.items():
        short = [f"- {s.id} ({s.category}): {'; '.join(s.short)}." for s in scores if s.short]
        lines += ["", f"## {name}", "", *_counts(summarise(scores)), "", "What falls short:", ""]
        lines += short or ["- nothing."]
    return "\n".join(lines) + "\n"


def _counts(summary: dict[str, Any]) -> list[str]:
    named, mistakes = summary["named"], summary["mistakes"]
    return [
        f"- {summary['judged']} of {summary['sheets']} sheets judged.",
        f"- Every right answer accepted on {summary['every right answer accepted']} of {summary['sheets']} sheets"
        f" ({summary['right answers accepted']} of {summary['right answers']} answers).",
        f"- Wrong answers found: {summary['wrong answers found']} of {summary['wrong answers']}. First wrong step: "
        f"{summary['first wrong step found']} of {summary['sheets with something wrong']} sheets.",
        f"- Mistakes: {named['first']} of {mistakes} named first ({named['first'] / max(mistakes, 1):.0%}), "
        f"{named['among']} among others, {named['another']} another one named, {named['none']} none.",
        f"- Slowest sheet: {1000 * summary['slowest, CPU seconds']:.0f} ms of CPU time, report and explanations.",
    ]


def scored(path: Path, labels: Path | None, only: str) -> list[Score]:
    """Score the sheets of a file whose ids begin so."""
    sheets = json.loads(path.read_text(encoding="utf-8"))
    known = json.loads((labels or path.with_name("labels.json")).read_text(encoding="utf-8"))
    sheets = sheets["sheets"] if isinstance(sheets, dict) else sheets
    return [score(sheet, known) for sheet in sheets if sheet["id"].startswith(only)]


def main(argv: list[str] | None = None) -> None:
    """Score files, print and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheets", type=Path, metavar="SHEETS.json", nargs="+", help="named by their folders")
    parser.add_argument("--labels", type=Path, metavar="LABELS.json", help="default: labels.json beside the sheets")
    parser.add_argument("--out", type=Path, default=Path("results/students"))
    parser.add_argument("--only", default="", help="score the sheets whose id begins with this, and write nothing")
    options = parser.parse_args(argv)
    results = {path.resolve().parent.name: scored(path, options.labels, options.only) for path in options.sheets}
    text = told(results)
    print(text)
    if not options.only:
        options.out.mkdir(parents=True, exist_ok=True)
        found = {name: {"summary": summarise(s), "sheets": [asdict(one) for one in s]} for name, s in results.items()}
        (options.out / "students.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
        (options.out / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
