"""How people write numbers: a grammar of texts whose value is known, and texts that are anything at all.

    python -m benchmarks.handwriting [--texts 1000000] [--out results/handwriting]

Every text of the grammar is read, and the reading may be off by no more than it says itself. Random texts, and texts of
the grammar with characters changed, are a number, a blank or "not read". None takes longer than 10 ms.
"""

import argparse
import json
import math
import time
from collections import Counter
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np

from cbam_np.teach.answers.numerals import AnswerError, written

SLOW = 0.010  # seconds
NOISE = Fraction(1, 10**9)  # of a float, next to 1 or to the number
RAISED, LOWERED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"), str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
BEFORE = ["", "", "", "≈", "≈ ", "~", "= ", "ca. ", "about ", "approx. ", "circa ", "approximately ", "\\approx ", "'"]
AFTER = [
    "",
    "",
    "",
    ".",
    ";",
    "!",
    " (rounded)",
    " px",
    " (twice)",
    " exactly",
    " ✓",
    " ",
    "\xa0",
    ",",
    " (2 d.p.)",
    "?",
]
NAMED = ["M_c[1] = ", "M_c(F)_1 = ", "x = ", "F_avg^c[1] = ", "σ(z_c) = ", "z_avg + z_max = ", "→ "]
PRINTED = ["np.float64({})", "tensor({})", "array([{}])", "[{}]", "tensor({}, dtype=torch.float64)", "[[{}]]", "${}$"]
LETTERS = [chr(c) for c in (*range(32, 127), *range(0xA0, 0x180), *range(0x2000, 0x2220), 0x305, 0x304, 0x660, 0x1D7CE)]


class Writer:
    """Writes numbers in the ways people do; each method returns a text and the number that is meant.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the choices come from.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def pick(self, choices):
        """Return one of some choices."""
        return choices[int(self.rng.integers(len(choices)))]

    def whole(self, most):
        """Return a whole number from 1 on."""
        return int(self.rng.integers(1, most + 1))

    def number(self):
        """Return a number as it may come up in the lecture."""
        return Fraction(int(self.rng.integers(-5_000_000, 5_000_000)), 10**6)

    def text(self):
        """Return a text of any kind, with what people put around numbers."""
        kind = self.pick(self.KINDS)
        text, exact = kind(self)
        if kind in (Writer.decimal, Writer.fraction, Writer.scientific) and self.rng.random() < 0.1:
            return self.pick(PRINTED[3:] if kind is Writer.fraction else PRINTED).format(text), exact
        named = self.pick(NAMED) if self.rng.random() < 0.1 else ""
        before = self.pick(BEFORE) if not named else ""
        after = self.pick(AFTER)
        if text.endswith(("…", "..", "...")) and after in (".", "?", "!", ",", ";"):
            after = ""
        return f"{named}{before}{text}{after}", exact

    def decimal(self):
        """Write 0.89 · 0,89 · .89 · −0.89."""
        exact, places = self.number(), self.whole(6)
        text = f"{float(round(exact, places)):.{places}f}"
        if self.rng.random() < 0.2:
            text = text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
        return self.signed(self.pick([text, text.replace(".", ",")])), exact

    def signed(self, text):
        """Write a minus in one of the ways."""
        return text.replace("-", self.pick("-−–—"), 1) if text.startswith("-") else self.pick(["", "", "+"]) + text

    def integer(self):
        """Write 2."""
        n = int(self.rng.integers(-30, 31))
        return self.signed(str(n)), Fraction(n)

    def fraction(self):
        """Write 8/9 · 8:9 · 8÷9 · ⁸⁄₉, or LaTeX."""
        a, b = self.whole(40), self.whole(30)
        raised = f"{str(a).translate(RAISED)}⁄{str(b).translate(LOWERED)}"
        forms = [f"{a}/{b}", f"{a} / {b}", f"{a}:{b}", f"{a}÷{b}", f"{a}⁄{b}", raised, rf"\frac{{{a}}}{{{b}}}"]
        forms += [rf"$\dfrac{{{a}}}{{{b}}}$", f"({a})/({b})", f"{a}/{b}"]
        sign = self.pick(["", "", "-", "−"])
        return sign + self.pick(forms), Fraction(-a if sign else a, b)

    def mixed(self):
        """Write 1 4/9 · 1+4/9 · 1⁴⁄₉, or LaTeX."""
        n, b = self.whole(9), self.whole(28) + 1
        a = int(self.rng.integers(1, b))
        raised = f"{n}{str(a).translate(RAISED)}⁄{str(b).translate(LOWERED)}"
        return self.pick(
            [f"{n} {a}/{b}", f"{n}+{a}/{b}", f"{n} + {a}/{b}", raised, rf"{n}\frac{{{a}}}{{{b}}}"]
        ), n + Fraction(a, b)

    def repeating(self):
        """Write 0.(8) · 0.8̅ · 0.1(6)."""
        head, period = self.pick(["", str(self.whole(99))]), str(self.whole(99))
        n = int(self.rng.integers(0, 4))
        ending = Fraction(int(period), 10 ** len(period) - 1) if int(period) else Fraction(0)
        exact = n + (int(head or 0) + ending) / 10 ** len(head)
        over = "".join(f"{digit}\u0305" for digit in period)
        return f"{n}.{head}" + self.pick([f"({period})", over, rf"\overline{{{period}}}"]), exact

    def going_on(self):
        """0.88… · 0.88..."""
        exact, places = abs(self.number()), 1 + self.whole(4)
        cut = Fraction(math.floor(exact * 10**places), 10**places)
        return f"{float(cut):.{places}f}" + self.pick(["…", "...", "..", "…"]), exact

    def percent(self):
        """Write 81% · 80.9 %."""
        exact, places = abs(self.number()) / 5, int(self.rng.integers(0, 3))
        return f"{float(100 * exact):.{places}f}" + self.pick(["%", " %", r"\%", " percent"]), exact

    def scientific(self):
        """Write 8.9·10⁻¹ · 8.9e-1 · 8.9*10^-1."""
        power, places = int(self.rng.integers(-3, 4)), self.whole(4)
        mantissa = self.number() or Fraction(1)
        text, exact = f"{float(round(mantissa, places)):.{places}f}", mantissa * Fraction(10) ** power
        raised = str(power).translate(RAISED)
        forms = [
            f"{text}e{power}",
            f"{text}E{power}",
            f"{text}·10{raised}",
            f"{text}*10^{power}",
            f"{text} x 10^({power})",
        ]
        return self.pick([*forms, rf"{text} \cdot 10^{{{power}}}", f"{text}×10^{power}"]), exact

    def calculation(self):
        """Write 0.5·0.89 · (1+0+2)/9 · 0.445 + 1."""
        a, b = (Fraction(int(n), 1000) for n in self.rng.integers(1, 4000, 2))
        left, right = f"{float(a)}", f"{float(b)}"
        kind = self.pick(["product", "sum", "difference", "average", "quotient"])
        if kind == "product":
            times = self.pick(["·", "*", " × ", " x ", "∙", r" \cdot "])
            return f"{left}{times}{right}", a * b
        if kind == "sum":
            return f"{left} + {right}", a + b
        if kind == "difference":
            return f"{left} {self.pick('-−')} {right}", a - b
        if kind == "quotient":
            return f"{left}/{right}", a / b
        numbers = [int(n) for n in self.rng.integers(0, 5, self.whole(8) + 1)]
        return f"({'+'.join(map(str, numbers))})/{len(numbers)}", Fraction(sum(numbers), len(numbers))

    def sigmoid(self):
        """Write 1/(1+e^-1.445) · σ(1.445) · e^-2."""
        z = Fraction(int(self.rng.integers(-4000, 4000)), 1000)
        t = f"{float(z)}"
        minus = f"{float(-z)}"
        exact = Fraction(1 / (1 + math.exp(-z)))
        forms = [f"σ({t})", f"sigmoid({t})", f"1/(1+e^({minus}))", f"1/(1 + exp({minus}))", rf"\sigma({t})"]
        forms += [f"1/(1+e^{minus})", rf"\frac{{1}}{{1+e^{{{minus}}}}}", f"(1+e^{minus})^-1"]
        return self.pick(forms), exact

    def chain(self):
        """Write 8/9 = 0.89 ≈ 0.9."""
        text, exact = self.pick([Writer.fraction, Writer.mixed, Writer.calculation, Writer.sigmoid])(self)
        steps = sorted({self.whole(5), self.whole(5)}, reverse=True)
        for places in steps:
            text += self.pick([" = ", "=", " ≈ ", " → ", "->", r" \approx "]) + f"{float(exact):.{places}f}"
        return text, exact

    def any_text(self):
        """Return characters of any kind, or a text of the grammar with some of them changed."""
        if self.rng.random() < 0.5:
            return "".join(self.pick(LETTERS) for _ in range(int(self.rng.integers(0, 60))))
        characters = list(self.text()[0])
        for _ in range(self.whole(3)):
            at = int(self.rng.integers(len(characters) + 1))
            characters[at : at + int(self.rng.integers(0, 2))] = self.pick(LETTERS)
        return "".join(characters)

    KINDS = (
        decimal,
        decimal,
        integer,
        fraction,
        mixed,
        repeating,
        going_on,
        percent,
        scientific,
        calculation,
        sigmoid,
        chain,
    )


def off(text: str, exact: Fraction) -> str:
    """Read a text and say what is wrong with the reading; "" where it is within what it says of itself."""
    try:
        number = written(text, "x")
    except AnswerError as error:
        return f"not read: {error.hint}"
    if number is None:
        return "read as a blank"
    if number.note:
        return number.note
    return (
        ""
        if abs(number.value - exact) <= number.tolerance + NOISE * (1 + abs(exact))
        else f"read as {float(number.value)}"
    )


def _seconds(text):
    began = time.process_time()
    with suppress(AnswerError):
        written(text, "x")
    return time.process_time() - began


def run(texts: int, seed: int = 0) -> dict:
    """Read so many texts, half of them of the grammar, and return what came out."""
    writer = Writer(np.random.default_rng(seed))
    counts, wrong, slow, slowest = Counter(), [], [], 0.0
    for at in range(texts):
        known = at % 2 == 0
        text, exact = writer.text() if known else (writer.any_text(), Fraction(0))
        began = time.process_time()
        try:
            number = written(text, "x")
            outcome = "blank" if number is None else "read"
        except AnswerError:
            outcome = "not read"
        seconds = time.process_time() - began
        if seconds > SLOW:  # the machine may have been busy: read it again
            seconds = min(seconds, *(_seconds(text) for _ in range(3)))
        slowest = max(slowest, seconds)
        if seconds > SLOW:
            slow.append(text)
        counts[("grammar, " if known else "random, ") + outcome] += 1
        problem = off(text, exact) if known else ""
        if problem:
            wrong.append(f"{text!r} is {float(exact)}: {problem}")
    return {
        "texts": texts,
        "counts": dict(sorted(counts.items())),
        "wrong": len(wrong),
        "examples": wrong[:20],
        "slow": len(slow),
        "slowest, CPU ms": round(1000 * slowest, 2),
        "slow texts": slow[:5],
    }


def main(argv: list[str] | None = None) -> None:
    """Read, print and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("results/handwriting"))
    options = parser.parse_args(argv)
    result = run(options.texts, options.seed)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "handwriting.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
