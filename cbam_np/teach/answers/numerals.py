"""One answer of any type: a text, a float, a fraction, a scalar of NumPy or PyTorch."""

from decimal import Decimal
from fractions import Fraction
from math import isfinite, isnan
from numbers import Rational

import numpy as np

from . import cells
from .cells import Written, read_cell
from .expressions import MOST_BITS, NotNumeric

SHORT = 40  # characters of a text that is quoted
DEEPEST = 6  # lists of one number within lists
PLAIN = str.maketrans("−–—⁄", "---/")
SINGLE = 1e-5  # of a number in single precision


class AnswerError(ValueError):
    """What is wrong with a student's answers, in words for the student.

    Parameters
    ----------
    message : str
        All of it.
    hint : str, optional
        What to do about it, alone.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or message


def shown(answer: object) -> str:
    """Return an answer as an error message quotes it: short, and without characters that do not print."""
    if isinstance(answer, str):
        return repr(answer if len(answer) <= SHORT else answer[: SHORT - 1] + "…")
    if isinstance(answer, bool | float | complex | np.generic):
        return str(answer)[:SHORT]
    return f"of type {type(answer).__name__}"


def is_blank(answer: object) -> bool:
    """Tell whether nothing was answered: None, nan, "", "?", "-", "n/a", "idk", "…".

    Examples
    --------
    >>> is_blank(None), is_blank("none"), is_blank(0)
    (True, True, False)
    """
    if isinstance(answer, str):
        return cells.is_blank(answer)
    if isinstance(answer, Decimal):
        return answer.is_nan()
    return answer is None or (isinstance(answer, float | np.floating) and isnan(answer))


def written(answer: object, where: str) -> Written | None:
    """Read one number.

    Text says how precise it is: "0.80" is 0.80 ± 0.005, "-1.2e-3" is -0.0012 ± 0.00005, "3/4" and "2" are exact. It may
    be a calculation, or have remarks, LaTeX or an ≈ around it; see `cells`.

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
        None for a blank.

    Raises
    ------
    AnswerError
        If it is anything but one number: several numbers, words, a truth value, ...

    Examples
    --------
    >>> written("1,5", "z_c[1]").value
    Fraction(3, 2)
    """
    answer = bare(answer)
    if is_blank(answer):
        return None
    try:
        found = _read(answer)
    except NotNumeric as error:
        message = f"{where} is {shown(answer)}, expected a number such as 1.75 or 7/4: {error}"
        raise AnswerError(message, str(error)) from None
    return found


def bare(answer: object) -> object:
    """Return an answer without what wraps it: arrays, tensors and lists of a single number, and Decimal."""
    if hasattr(answer, "detach") and hasattr(answer, "tolist"):
        answer = np.asarray(answer.detach().cpu())
    if isinstance(answer, np.ndarray) and answer.size == 1:
        answer = answer.reshape(-1)[0]
    for _ in range(DEEPEST):
        if isinstance(answer, list | tuple) and len(answer) == 1:
            answer = answer[0]
    return str(answer) if isinstance(answer, Decimal) else answer


def _read(answer: object) -> Written | None:
    if isinstance(answer, str):
        return read_cell(answer)
    if isinstance(answer, float):  # np.float64 is one, too
        if not isfinite(answer):
            raise NotNumeric("write a finite number")
        return _of_float(float(answer))
    if isinstance(answer, np.floating) and isfinite(answer):
        value = Fraction(float(answer))
        tolerance = abs(value) * Fraction(max(SINGLE, float(np.finfo(answer.dtype).eps)))
        return Written(str(answer), value, tolerance)
    if isinstance(answer, Rational) and not isinstance(answer, bool):
        value = Fraction(int(answer.numerator), int(answer.denominator))
        if max(abs(value.numerator), value.denominator).bit_length() <= MOST_BITS:
            return Written(str(value), value, Fraction(0))
    raise NotNumeric("write it as text or as a plain number")


def _of_float(answer: float) -> Written:
    """Read a float as Python prints it: to its last digit, or to single precision where there are many."""
    text = repr(answer)
    digits, _, exponent = text.partition("e")
    places = len(digits.partition(".")[2]) - int(exponent or 0)
    value, tolerance = Fraction(text), Fraction(10) ** -places / 2
    if len(digits.replace(".", "").lstrip("-0")) >= cells.MANY_DIGITS:
        tolerance = max(tolerance, cells.SINGLE * min(max(abs(value), Fraction(1)), abs(value) * 10**3))
    return Written(text, value, tolerance)
