"""Whether an honest habit is ever called wrong: right calculations, written down and carried on in the ways of people.

    python -m benchmarks.habits [--worksheets 8] [--out results/habits]

Every habit is tried on the lecture's example, both readings of its MLP, and on worksheets of all levels: all steps
handed in, and only the ends of the submodules. Nothing may be called wrong, but for the one mistyped number of the
habit that has one; "right, but cut off" is said only to those who cut off.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import cbam_np
from cbam_np.teach.calculation.trace import Trace
from cbam_np.teach.report.report import Report
from cbam_np.teach.report.verdicts import CUT, WRONG

ENDS = ("F_avg", "F_max", "M_c", "F'", "M_s", "F''", "dF'", "dW7", "dM_c", "dW1", "dW0", "dF")
Round = Callable[[np.ndarray], np.ndarray]


def at_school(x: np.ndarray, places: int) -> np.ndarray:
    """Round a half away from 0, as binary noise allows."""
    return np.sign(x) * np.floor(np.abs(x) * 10**places + 0.5 + 1e-9) / 10**places


def half_to_even(x: np.ndarray, places: int) -> np.ndarray:
    """Round a half to the even neighbour."""
    return np.round(np.round(x, places + 6), places)


def cut(x: np.ndarray, places: int) -> np.ndarray:
    """Drop the digits after so many places."""
    return np.sign(x) * np.floor(np.abs(x) * 10**places + 1e-9) / 10**places


def as_is(x: np.ndarray) -> np.ndarray:
    """Carry all digits on, as a calculator's memory does."""
    return x


class Person:
    """Somebody who makes no mistake.

    Parameters
    ----------
    trace : Trace
        The example.
    carry : callable
        What a result becomes before it is used.
    write : callable
        (name, result before it is rounded, right value) -> text.
    handed : dict
        Steps that are given as text, by name.
    """

    def __init__(self, trace: Trace, carry: Round, write: Callable[[str, float, float], str], handed: dict) -> None:
        self.trace, self.carry, self.write = trace, carry, write
        self.results = {step.name: np.asarray(step.value, float) for step in trace if step.given}
        self.results |= {n: np.vectorize(lambda t: float(Fraction(str(t))))(np.array(v)) for n, v in handed.items()}
        self.carried = dict(self.results)

    def has(self, name: str) -> np.ndarray:
        """Return a step as it is carried on."""
        if name not in self.carried:
            rule = self.trace.rules[name]
            self.results[name] = np.asarray(rule.compute(*map(self.has, rule.inputs)), float)
            self.carried[name] = self.carry(self.results[name]) + 0.0
        return self.carried[name]

    def answers(self, names: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Return what is handed in, text by step."""
        found = {}
        for name in names:
            self.has(name)
            pairs = zip(self.results[name].flat, np.asarray(self.trace[name].value, object).flat, strict=True)
            texts = [self.write(name, float(result), exact) for result, exact in pairs]
            found[name] = np.array(texts, dtype=object).reshape(self.trace[name].shape)
        return found


def decimals(places: int, rounding: Callable = at_school) -> Callable[[str, float, float], str]:
    """Write so many decimals."""
    return lambda name, result, exact: f"{float(rounding(np.float64(result), places)) + 0.0:.{places}f}"


def shortened(places: int) -> Callable[[str, float, float], str]:
    """Write so many decimals without zeros at the end."""

    def write(name, result, exact):
        return decimals(places)(name, result, exact).rstrip("0").rstrip(".") or "0"

    return write


def fractions_first(places: int) -> Callable[[str, float, float], str]:
    """Write a fraction where it is a short one, decimals elsewhere."""

    def write(name, result, exact):
        short = isinstance(exact, Fraction) and exact.denominator <= 36
        return str(exact) if short else decimals(places)(name, result, exact)

    return write


def weights_finer(name: str, result: float, exact: float) -> str:
    """Write the sigmoids' results with four decimals, all else with two."""
    return decimals(4 if name in ("M_c", "M_s") else 2)(name, result, exact)


def single(name: str, result: float, exact: float) -> str:
    """Write what a float32 prints."""
    return str(np.float32(result))


def rounding(places: int, how: Callable = at_school) -> Round:
    """Carry so many decimals on."""
    return partial(how, places=places)


HABITS: dict[str, tuple[Round, Callable[[str, float, float], str]]] = {
    **{f"{d} decimals carried on": (rounding(d), decimals(d)) for d in (2, 3, 4)},
    **{f"calculator memory, {d} decimals written": (as_is, decimals(d)) for d in (2, 3, 4)},
    **{f"fractions first, {d} decimals after them": (as_is, fractions_first(d)) for d in (2, 3)},
    **{f"fractions written, {d} decimals used": (rounding(d), fractions_first(d)) for d in (2, 3)},
    "weights with 4 decimals, used with 2": (rounding(2), weights_finer),
    **{f"half to even, {d} decimals": (rounding(d, half_to_even), decimals(d, half_to_even)) for d in (2, 3)},
    **{f"zeros at the end dropped, {d} decimals": (rounding(d), shortened(d)) for d in (2, 3)},
    **{f"cut off at {d} decimals, memory": (as_is, decimals(d, cut)) for d in (2, 3)},
    **{f"cut off at {d} decimals and carried on": (rounding(d, cut), decimals(d, cut)) for d in (2, 3)},
    "single precision": (as_is, single),
    "one number mistyped, not carried on": (rounding(3), decimals(3)),
    "5 decimals written where 3 were asked for and carried": (rounding(3), decimals(5)),
}


def examples(worksheets: int) -> Iterator[tuple[str, Trace, dict, tuple[str, ...], Callable[[Any], Report]]]:
    """Yield examples: a name, the trace, what is handed out, what is asked, and how answers are judged."""
    for mlp in ("slides", "shared"):
        trace = cbam_np.lecture.trace(mlp)
        yield f"lecture, {mlp}", trace, {}, tuple(trace.rules), partial(cbam_np.check, trace=trace)
    for seed in range(worksheets):
        level = ("forward", "full", "backward", "full")[seed % 4]
        sheet = cbam_np.worksheet(seed, level)
        handed = {name: values for name, values in sheet.handed.items() if not sheet.trace[name].given}
        yield f"worksheet {seed}, {level}", sheet.trace, handed, tuple(sheet.asked), sheet.check


def tried(
    habit: str, trace: Trace, handed: dict, asked: tuple, judge: Callable, seed: int
) -> tuple[Counter, list[str]]:
    """Hand in all answers, and the ends alone; count the answers and the false alarms, and name some of them."""
    carry, write = HABITS[habit]
    counts, named = Counter(), []
    for names in (asked, tuple(name for name in ENDS if name in asked)):
        answers = Person(trace, carry, write, handed).answers(names)
        typo = _mistype(answers, np.random.default_rng(seed)) if "mistyped" in habit else None
        report = judge(answers)
        alarms = (WRONG,) if "cut off" in habit else (WRONG, CUT)
        wrong = [j for j in report.having(*alarms) if (j.step, j.index) != typo]
        counts += Counter(answers=len(report.judgements), alarms=len(wrong))
        named += [f"{j.entry.name} = {j.number.text}, {j.verdict}" for j in wrong]
    return counts, named


def _mistype(answers, rng):
    """Change one digit of one answer, by more than rounding does; return where."""
    name = str(rng.choice(sorted(answers)))
    index = tuple(int(rng.integers(n)) for n in answers[name].shape)
    text = answers[name][index]
    answers[name][index] = text.replace(".", f".{(int(text[-3]) + 5) % 10}", 1) if "." in text else text + "7"
    return name, index


def main(argv: list[str] | None = None) -> None:
    """Try every habit, print and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worksheets", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("results/habits"))
    options = parser.parse_args(argv)
    totals: dict[str, Counter] = {habit: Counter() for habit in HABITS}
    alarms: dict[str, list[str]] = {}
    for seed, (name, trace, handed, asked, judge) in enumerate(examples(options.worksheets)):
        for habit in HABITS:
            if "asked for" in habit and name.startswith("lecture"):
                continue  # the lecture asks for no number of decimals
            counts, named = tried(habit, trace, handed, asked, judge, seed)
            totals[habit] += counts
            if named:
                alarms[f"{habit}: {name}"] = named[:6]
    lines = [
        "# Honest habits",
        "",
        "{answers} right answers, {alarms} false alarms.".format(**{"alarms": 0} | sum(totals.values(), Counter())),
        "",
        "| habit | answers | false alarms |",
        "|---|---|---|",
        *(f"| {habit} | {t['answers']} | {t['alarms']} |" for habit, t in totals.items()),
        "",
        *(f"- {where}: {'; '.join(named)}" for where, named in alarms.items()),
    ]
    text = "\n".join(lines).rstrip() + "\n"
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "README.md").write_text(text, encoding="utf-8")
    result = {"habits": {habit: dict(t) for habit, t in totals.items()}, "alarms": alarms}
    (options.out / "habits.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
