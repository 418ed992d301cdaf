"""Single numbers and single names, as they are typed: what is read must be what was written."""

import math
from fractions import Fraction
from pathlib import Path

import cbam_np
from cbam_np.teach.answers.names import find_name
from cbam_np.teach.answers.numerals import AnswerError, written

from .answers import right_answers
from .draws import Draws
from .entrance import RIGHT, TAKEN, Case, Entrance, demand

WRAPPED = ("{}", " {} ", "≈ {}", "= {}", "{}.", "\u200b{}", '"{}"', "${}$", "about {}", "{} (rounded)", "x = {}")


def make(draws: Draws) -> Case:
    """Draw a number or a name, written in one of several ways, or spoiled."""
    if draws.chance(0.3):
        name = draws.one(list(right_answers("slides")))
        spoiled = draws.chance(0.7)
        return {"name": draws.damaged_text(name) if spoiled else name, "is": None if spoiled else name}
    kind = draws.one(["decimal", "fraction", "text", "text"])
    if kind == "text":
        start = f"{draws.rng.normal():.3g}" if draws.chance(0.7) else draws.text(20)
        return {"text": draws.damaged_text(draws.damaged_text(start)), "is": None}
    if kind == "decimal":
        number = f"{'-' * draws.below(2)}{draws.below(100)}.{draws.below(10000):0{1 + draws.below(4)}d}"
        value = Fraction(number)
        number = number.replace("-", draws.one("-−")).replace(".", draws.one(".,"))
    else:
        a, b = draws.below(50), 1 + draws.below(50)
        number, value = f"{a}/{b}", Fraction(a, b)
    return {"text": draws.one(WRAPPED).format(number), "is": [value.numerator, value.denominator]}


def run(case: Case, folder: Path) -> str:
    """Read it, and compare."""
    if "name" in case:
        step, index, _ = find_name(case["name"], cbam_np.lecture.trace())
        demand(all(i >= 1 for i in index), f"{case['name']!r} is {step} at {index}")
        if case["is"] is None:
            return TAKEN
        found = f"{step}[{','.join(map(str, index))}]" if index else step
        demand(found == case["is"], f"{case['name']!r} was read as {found}")
        return RIGHT
    number = written(case["text"], "M_c[1]")
    if case["is"] is None:
        demand(number is None or math.isfinite(number.value), "no finite number")
        return TAKEN
    demand(number is not None and number.value == Fraction(*case["is"]), f"{case['text']!r} was read as {number}")
    return RIGHT


ENTRANCE = Entrance(make, run, share=350, own=(AnswerError,))
