"""How well the checker judges and names mistakes, measured on simulated students.

    python -m benchmarks.diagnosis [--examples 10000] [--worksheets 200] [--out results/diagnosis]

Right: random examples, all kinds of sizes, ties and saturated sigmoids among them, worked out rightly and rounded at
every step; nothing may be called wrong. Planted: every mistake of the catalogue in every worksheet, answers rounded to
three decimals; all of them handed in, or only the maps and gradients that end a submodule (few answers). The students
make the catalogue's own mistakes: this measures whether mistakes are told apart, and not how many of the mistakes that
real students make are in the catalogue. Random: one answer of a worksheet replaced by a random number, which nothing
should explain.
"""

import argparse
import json
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

import cbam_np
from cbam_np.teach.calculation.steps import trace_cbam
from cbam_np.teach.check import check
from cbam_np.teach.mistakes import SLIPS, further_occurrences, occurrences, relatives
from cbam_np.teach.worksheets.worksheet import worksheet
from cbam_np.train.machine import describe_machine

from .slips import written_wrongly
from .student import Student

DECIMALS = 3
KINDS = ({}, {"bias": True, "hidden": 3, "ties": True}, {"size": 4, "hidden": 3})
RANDOM_WRONG = 10  # random numbers a worksheet
FEW = ("M_c", "F'", "M_s", "F''", "dF'", "dW7", "dM_c", "dW1", "dW0", "dF")
FEW_SHEETS = 90  # worksheets of which few answers are handed in as well
OUTCOMES = ("shown", "found", "named", "first", "few shown", "few named", "few first")


def random_example(seed):
    """Draw an example without asking whether its numbers are friendly."""
    rng = np.random.default_rng([1, seed])
    C, H, W, hidden = (int(n) for n in rng.integers(1, [5, 5, 5, 4]))
    k, bias = int(rng.choice([1, 3, 5, 7])), bool(rng.integers(2))
    F, dF_out = rng.integers(-3, 5, size=(2, C, H, W))
    shapes = {"W0": (hidden, C), "W1": (C, hidden), "W7": (1, 2, k, k)} | ({"b0": hidden, "b1": C} if bias else {})
    params = {name: rng.integers(-6, 7, size=shape) / 4 for name, shape in shapes.items()}
    order = str(rng.choice(["channel-spatial", "spatial-channel", "parallel"]))
    return trace_cbam(F, params, dF_out, order=order, mlp_bias=bias, ties=str(rng.choice(["first", "split"])))


def right(seed):
    """Check an example that was worked out rightly: the decimals, the answers, how many were called wrong."""
    trace, decimals = random_example(seed), 1 + seed % 4
    student = Student(trace, decimals)
    names = list(trace.rules)
    report = check(student.answers(names), trace)
    return decimals, len(report.judgements), len(report.wrong)


def make_sheet(seed):
    """Return a worksheet of the kind that depends on the seed; each mistake can occur in one kind at least."""
    return worksheet(seed, "full", **KINDS[seed % len(KINDS)])


def outcome(sheet, student, name, few):
    """Say whether the first wrong step was found and the mistake named, or named first; None where it does not show."""
    truth = student.first_wrong(sheet.asked)
    if truth is None:
        return None
    report = sheet.check(student.answers(sheet.asked))
    step = report.first_wrong.name.partition("[")[0] if report.first_wrong else None
    named = [explanation.name for explanation in report.explanations]
    found = {"shown": 1, "found": step == truth, "named": name in named, "first": named[:1] == [name]}
    report = sheet.check(student.answers(FEW)) if few else None
    if report and not report.ok:
        named = [explanation.name for explanation in report.explanations]
        found |= {"few shown": 1, "few named": name in named, "few first": named[:1] == [name]}
    return found


def planted(seed):
    """Plant every mistake in a worksheet: {mistake: outcome}."""
    sheet, rng, few = make_sheet(seed), np.random.default_rng([2, seed]), seed < FEW_SHEETS
    outcomes, changes = {}, {}
    for mistake, _, change in occurrences(sheet.trace):
        changes.setdefault(mistake.name, []).append(change)
    for name, variants in changes.items():
        for at in rng.permutation(len(variants)):  # one way of making it, if it shows
            result = outcome(sheet, Student(sheet.trace, DECIMALS, variants[at]), name, few)
            if result:
                outcomes[name] = result
                break
    for slip in SLIPS:
        for _ in range(20):
            step, index, value = random_entry(sheet, rng)
            text = written_wrongly(slip.name, value, DECIMALS)
            if text is None:
                continue
            result = outcome(sheet, Student(sheet.trace, DECIMALS, written={step: {index: text}}), slip.name, few)
            if result:
                outcomes[slip.name] = result
                break
    return outcomes


def random_entry(sheet, rng):
    """Return a step, an index in it, and its value as a student has it who makes no mistake."""
    step = str(rng.choice(sheet.asked))
    index = tuple(int(rng.integers(n)) for n in sheet.trace[step].shape)
    return step, index, float(Student(sheet.trace, DECIMALS).computed(step, sheet.trace.rules)[index])


def random_wrong(seed):
    """Put random numbers into a worksheet, one at a time: how many there were, were called wrong, were unexplained."""
    sheet, rng = make_sheet(seed), np.random.default_rng([3, seed])
    counts = Counter()
    for _ in range(RANDOM_WRONG):
        step, index, _ = random_entry(sheet, rng)
        values = np.asarray(sheet.trace[step].value, float)
        text = f"{rng.uniform(values.min() - 1, values.max() + 1):.{DECIMALS}f}"
        student = Student(sheet.trace, DECIMALS, written={step: {index: text}})
        if not student.is_wrong(step)[index]:
            continue
        report = sheet.check(student.answers(sheet.asked))
        wrong = [judgement.entry.name for judgement in report.wrong]
        here = f"{step}[{','.join(str(i + 1) for i in index)}]"
        counts += Counter(
            tried=1, wrong=here in wrong, unexplained=not report.explanations, others=len(set(wrong) - {here})
        )
    return counts


def timed(answers, trace, repeats):
    """Return the least CPU seconds of a check with its diagnosis, and the number of explanations."""
    seconds = []
    for _ in range(repeats):
        for cached in (occurrences, further_occurrences, relatives):
            cached.cache_clear()
        began = time.process_time()
        report = check(answers, trace)
        explanations = report.explanations
        seconds.append(time.process_time() - began)
    return min(seconds), len(explanations)


def speed():
    """Time the check of the whole lecture trace, right, with a mistake, and with a number that nothing explains."""
    trace = cbam_np.lecture.trace("shared")
    names = list(trace.rules)
    right = Student(trace, DECIMALS).answers(names)
    flipped = next(change for mistake, _, change in occurrences(trace) if mistake.name == "the kernel flipped")
    wrong = Student(trace, DECIMALS, flipped).answers(names)
    return {
        "all answers right": timed(right, trace, 15)[0],
        "a mistake in the convolution": timed(wrong, trace, 15)[0],
        "one wrong number of F'', pairs tried": timed({"F''[1,1,1]": "0.777"}, trace, 5)[0],
        "one wrong number of dF, pairs tried": timed({"dF[1,1,1]": "0.777"}, trace, 5)[0],
    }


def table(rows):
    """Write the outcomes as a Markdown table, the least reliable first."""
    head = ["mistake", "worksheets", "first wrong step found", "named", "alone or first"]
    head += ["few answers: shows", "named", "alone or first"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, row in sorted(rows.items(), key=lambda item: (item[1]["first"] / item[1]["shown"], item[0])):
        shares = [f"{row[what] / row['shown']:.1%}" for what in ("found", "named", "first")]
        few = [f"{row[f'few {what}'] / max(row['few shown'], 1):.1%}" for what in ("named", "first")]
        lines.append(f"| {' | '.join([name, str(row['shown']), *shares, str(row['few shown']), *few])} |")
    return "\n".join(lines)


def main(argv=None):
    """Measure, print and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--worksheets", type=int, default=200, help="of each kind")
    parser.add_argument("--out", type=Path, default=Path("results/diagnosis"))
    options = parser.parse_args(argv)
    with ProcessPoolExecutor() as pool:
        run = partial(pool.map, chunksize=2)
        of_right = list(tqdm(run(right, range(options.examples)), "right", options.examples))
        sheets = range(options.worksheets * len(KINDS))
        of_planted = list(tqdm(run(planted, sheets), "planted", len(sheets)))
        of_random = sum(tqdm(run(random_wrong, sheets), "random", len(sheets)), Counter())
    rows = {}
    for outcomes in of_planted:
        for name, result in outcomes.items():
            rows[name] = Counter(rows.get(name, {})) + Counter(result)
    total = sum(rows.values(), Counter())
    result = {
        "right": {
            "examples": len(of_right),
            "answers": sum(answers for _, answers, _ in of_right),
            "called wrong": sum(wrong for _, _, wrong in of_right),
        },
        "planted": {what: total[what] for what in OUTCOMES},
        "random": dict(of_random),
        "seconds": speed(),
        "mistakes": {name: dict(row) for name, row in sorted(rows.items())},
        "command": f"python -m benchmarks.diagnosis --examples {options.examples} --worksheets {options.worksheets}",
        "machine": describe_machine(),
    }
    summary = summarise(result)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "diagnosis.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (options.out / "README.md").write_text(f"# Diagnosis\n\n{summary}\n\n{table(rows)}\n", encoding="utf-8")
    print(summary, table(rows), sep="\n\n")


def summarise(result):
    """Say in a few lines what was found."""
    of_right, of_planted, of_random = result["right"], result["planted"], result["random"]

    def share(part, whole):
        return f"{part} of {whole} ({part / whole:.2%})"

    return "\n".join(
        [
            f"- Right answers, rounded to 1, 2, 3 or 4 decimals at every step: {of_right['examples']} examples, "
            f"{of_right['answers']} answers, {of_right['called wrong']} called wrong.",
            f"- Planted mistakes, {len(result['mistakes'])} kinds: first wrong step found in "
            f"{share(of_planted['found'], of_planted['shown'])}, mistake named in "
            f"{share(of_planted['named'], of_planted['shown'])}, alone or first in "
            f"{share(of_planted['first'], of_planted['shown'])}.",
            f"- The same with few answers ({', '.join(FEW)}): named in "
            f"{share(of_planted['few named'], of_planted['few shown'])}, alone or first in "
            f"{share(of_planted['few first'], of_planted['few shown'])}.",
            f"- Random wrong numbers: called wrong {share(of_random['wrong'], of_random['tried'])}, unexplained "
            f"{share(of_random['unexplained'], of_random['tried'])}; other answers called wrong: "
            f"{of_random.get('others', 0)}.",
            "- Milliseconds of CPU time for a check of the lecture's example, diagnosis included: "
            + "; ".join(f"{what} {1000 * seconds:.0f}" for what, seconds in result["seconds"].items())
            + ".",
        ]
    )


if __name__ == "__main__":
    main()
