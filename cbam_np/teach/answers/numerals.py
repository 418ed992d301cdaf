"""A number as a student wrote it: what it says, and how far the last place written lets it be off.

Both are kept as fractions, so that 0.0625 written as 0.062 or as 0.063 is a tie to the last digit, and not a matter of
how floats round.
"""

import re
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from numbers import Rational
from string import whitespace
from typing import NamedTuple

import numpy as np

LONGEST = 40  # characters
LARGEST_EXPONENT = 30
MOST_BITS = 1000  # of a fraction's two numbers, so that it still fits a float
EDGES = whitespace + "\xa0\u202f\ufeff\"'“”‘’"  # what may stand around a number
ABOUT = "≈~="  # what may stand before it
PLAIN = str.maketrans("−–—⁄", "---/")

BLANK = re.compile(rf"[?_…-]{{0,{LONGEST}}}|\.\.\.")
FRACTION = re.compile(r"[+-]?\s*\d+\s*/\s*0*[1-9]\d*", re.ASCII)
DECIMAL = re.compile(r"[+-]?\s*(?:\d+\.?|\d*\.(\d+))(?:e([+-]?\d+))?", re.ASCII | re.IGNORECASE)
HINTS = {  # for what is neither; the first that fits
    r".*%": "divide by 100 and leave out the %",
    rf".{{{LONGEST + 1}}}": f"write at most {LONGEST} characters",
    r"[+-]?\s*\d+\s*/\s*0+": "nothing can be divided by 0",
    r"[+-]?[\d.,;\s]+": "write one number, without separators of thousands",
    r"[\d.,\s+-]+e[+-]?\d+": f"write an exponent from -{LARGEST_EXPONENT} to {LARGEST_EXPONENT}",
    r".*": "work it out and write the result",
}


class AnswerError(ValueError):
    """What is wrong with a student's answers, in words for the student."""


class Written(NamedTuple):
    """One number as it was written.

    Parameters
    ----------
    text : str
        As written, without spaces, quotes or ≈ around it.
    value : Fraction
        The number.
    tolerance : Fraction
        Half a unit of the last place written; 0 for whole numbers and fractions, which are exact.
    """

    text: str
    value: Fraction
    tolerance: Fraction


def shown(answer):
    """Return an answer as an error message quotes it: short, and without characters that do not print."""
    if isinstance(answer, str):
        return repr(answer if len(answer) <= LONGEST else answer[: LONGEST - 1] + "…")
    if isinstance(answer, bool | float | complex | np.generic):
        return str(answer)[:LONGEST]
    return f"of type {type(answer).__name__}"


def is_blank(answer):
    """Tell whether nothing was answered: None, "", "?", "_", "-", "…" or "..."."""
    return answer is None or (isinstance(answer, str) and BLANK.fullmatch(_plain(_bare(answer))) is not None)


def _bare(text):
    return text.strip(EDGES).lstrip(EDGES + ABOUT)


def _plain(text):
    """Return the text with ASCII signs, cut where it is too long anyway."""
    return text[: LONGEST + 1].translate(PLAIN)


def written(answer, where):
    """Read one number.

    Text says how precise it is: "0.80" is 0.80 ± 0.005, "-1.2e-3" is -0.0012 ± 0.00005, "8/9" and "2" are exact. It may
    have a decimal comma, a Unicode minus, or quotes, spaces or ≈ around it.

    Parameters
    ----------
    answer : str, int, float, Fraction, Decimal, NumPy scalar or None
        As the student gave it. A float has lost its trailing zeros, so that 0.80 counts as 0.8 ± 0.05: pass text where
        they matter. float32 ends in noise, and is taken as ± 0.001 % instead.
    where : str
        What error messages call it, such as "M_c[1]".

    Returns
    -------
    Written or None
        None for a blank: None, "", "?", "_", "-", "…" or "...".

    Raises
    ------
    AnswerError
        If it is anything but one number: a formula, a percentage, several numbers, nan, a truth value, ...
    """
    if isinstance(answer, np.ndarray) and answer.ndim == 0:
        answer = answer[()]
    if isinstance(answer, Decimal):
        answer = str(answer)
    if is_blank(answer):
        return None
    found, text = None, ""
    if isinstance(answer, str):
        text = _bare(answer)
        found = _read(_plain(text), LARGEST_EXPONENT) if len(text) <= LONGEST else None
    elif isinstance(answer, float):  # np.float64 is one, too
        text = repr(float(answer))
        found = _read(text)
    elif isinstance(answer, np.floating) and isfinite(answer):
        text, value = str(answer), Fraction(float(answer))
        found = value, abs(value) * Fraction(max(1e-5, float(np.finfo(answer.dtype).eps)))
    elif isinstance(answer, Rational) and not isinstance(answer, bool):
        value = Fraction(int(answer.numerator), int(answer.denominator))
        if max(abs(value.numerator), value.denominator).bit_length() <= MOST_BITS:
            text, found = str(value), (value, Fraction(0))
    if found is None:
        hint = next(hint for form, hint in HINTS.items() if re.fullmatch(form, _plain(text), re.DOTALL | re.I))
        raise AnswerError(f"{where} is {shown(answer)}, expected a number such as 0.81 or 8/9: {hint}")
    return Written(text, *found)


def _read(text, largest_exponent=400):
    """Return the value and the tolerance of a plain text, or None."""
    text = re.sub(r"(?<=\d),(?=\d)", ".", text)  # a decimal comma; a second one, or a point, leaves no number
    if FRACTION.fullmatch(text):
        return Fraction("".join(text.split())), Fraction(0)
    found = DECIMAL.fullmatch(text)
    exponent = int(found[2] or 0) if found else 0
    if not found or abs(exponent) > largest_exponent:
        return None
    exact = found[1] is None and found[2] is None
    places = len(found[1] or "") - exponent
    return Fraction("".join(text.split())), Fraction(0) if exact else Fraction(10) ** -places / 2
