"""Slips of the pen: the calculation was right, what was written down is not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, TypeAlias

from ..answers.reading import Written

Meanings: TypeAlias = list[tuple[float, float]]  # numbers that may have been meant, each with its tolerance


@dataclass(frozen=True)
class Slip:
    """A right number that was written down wrongly.

    Parameters
    ----------
    name : str
        A few words.
    sentence : str
        What happened and what is right, for the student.
    meanings : callable
        What was written, a `Written` -> the numbers that may have been meant, as (value, tolerance).
    """

    name: str
    sentence: str
    meanings: Callable[[Written], Meanings]
    combines: ClassVar[bool] = False  # a slip explains by itself, or not at all


def _decimals(written: Written) -> int:
    mantissa = written.numeral.lower().partition("e")[0]
    return len(mantissa.replace(",", ".").partition(".")[2])


def _other_sign(w: Written) -> Meanings:
    return [(-float(w.value), float(w.tolerance))]


def _moved_point(w: Written) -> Meanings:
    return [(float(w.value) * factor, float(w.tolerance) * factor) for factor in (0.1, 10, 0.01, 100)]


def digits_swapped(text: str) -> Iterator[str]:
    """Yield a number's text with each two neighbouring digits exchanged."""
    digits = [i for i, character in enumerate(text) if character.isdigit()]
    for i, j in pairwise(digits):
        if text[i] != text[j]:
            yield text[:i] + text[j] + text[i + 1 : j] + text[i] + text[j + 1 :]


def _swapped_digits(w: Written) -> Meanings:
    if "/" in w.numeral or "e" in w.numeral.lower():
        return []
    text = f"{float(w.value):.{_decimals(w)}f}"
    return [(float(swapped), float(w.tolerance)) for swapped in digits_swapped(text)]


def _too_few_digits(w: Written) -> Meanings:
    """Return what a whole number, or zeros at the end, may have been rounded from."""
    if "/" in w.numeral:
        return []
    decimals = _decimals(w)
    text = f"{float(w.value):.{decimals}f}"
    zeros = len(text) - len(text.rstrip("0")) if decimals else 0
    if not zeros:
        return [] if w.tolerance else [(float(w.value), 0.5)]
    return [(float(w.value), 0.5 * 10.0 ** (kept - decimals)) for kept in range(1, zeros + 1)]


SLIPS = (
    Slip("the sign lost", "The number is right, its sign is not.", _other_sign),
    Slip("the decimal point in the wrong place", "The digits are right, the decimal point is not.", _moved_point),
    Slip("two digits swapped", "Two neighbouring digits have changed places.", _swapped_digits),
    Slip(
        "rounded further than written",
        "The number was rounded to fewer digits than are written: write only as many as you know.",
        _too_few_digits,
    ),
)
