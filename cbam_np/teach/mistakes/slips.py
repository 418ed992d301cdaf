"""Slips of the pen: the calculation was right, what was written down is not."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from ..calculation.bounds import round_to


@dataclass(frozen=True)
class Slip:
    """A right number that was written down wrongly.

    Parameters
    ----------
    name : str
        A few words.
    sentence : str
        What happened and what is right, for the student.
    write : callable
        (value, decimals) -> the wrong text, or None where it would be the right one.
    readings : callable
        What was written, a `Written` -> the numbers that may have been meant, as (value, tolerance).
    """

    name: str
    sentence: str
    write: Callable
    readings: Callable
    combines: ClassVar[bool] = False  # a slip explains by itself, or not at all


def _decimals(written):
    mantissa = written.text.lower().partition("e")[0]
    return len(mantissa.replace(",", ".").partition(".")[2])


def _point_moved(value, decimals):
    return f"{10 * round_to(value, 10.0**-decimals):.{max(decimals - 1, 0)}f}"


def _readings_of_moved_point(w):
    return [(float(w.value) * factor, w.tolerance * factor) for factor in (0.1, 10, 0.01, 100)]


def _swaps(text):
    """Yield the number with each two neighbouring digits exchanged."""
    digits = [i for i, character in enumerate(text) if character.isdigit()]
    for i, j in pairwise(digits):
        if text[i] != text[j]:
            yield text[:i] + text[j] + text[i + 1 : j] + text[i] + text[j + 1 :]


def _digits_swapped(value, decimals):
    return next(_swaps(f"{value:.{decimals}f}"[::-1]), "")[::-1] or None


def _readings_of_swapped_digits(w):
    if "/" in w.text or "e" in w.text.lower():
        return []
    text = f"{float(w.value):.{_decimals(w)}f}"
    return [(float(swapped), w.tolerance) for swapped in _swaps(text)]


def _cut_off(value, decimals):
    cut = np.trunc(value * 10**decimals) / 10**decimals
    text = f"{cut:.{decimals}f}"
    return text if text != f"{value:.{decimals}f}" else None


def _readings_of_cut_off(w):
    """Return what lies up to one unit of the last place further from 0."""
    if not w.tolerance:
        return []
    sign = -1 if w.text.lstrip().startswith(("-", "−")) else 1
    return [(float(w.value) + sign * w.tolerance, w.tolerance)]


def _too_few_digits(value, decimals):
    text = f"{np.round(value, max(decimals - 1, 0)):.{decimals}f}"
    return text if text != f"{value:.{decimals}f}" else None


def _readings_of_too_few_digits(w):
    """Return what a whole number, or zeros at the end, may have been rounded from."""
    if "/" in w.text:
        return []
    decimals = _decimals(w)
    text = f"{float(w.value):.{decimals}f}"
    zeros = len(text) - len(text.rstrip("0")) if decimals else 0
    return [(float(w.value), 0.5 * 10.0 ** (kept - decimals)) for kept in range(1, zeros + 1)] or (
        [] if w.tolerance else [(float(w.value), 0.5)]
    )


SLIPS = (
    Slip(
        "the sign lost",
        "The number is right, its sign is not.",
        lambda value, decimals: f"{-value:.{decimals}f}",
        lambda w: [(-float(w.value), w.tolerance)],
    ),
    Slip(
        "the decimal point in the wrong place",
        "The digits are right, the decimal point is not.",
        _point_moved,
        _readings_of_moved_point,
    ),
    Slip(
        "two digits swapped",
        "Two neighbouring digits have changed places.",
        _digits_swapped,
        _readings_of_swapped_digits,
    ),
    Slip(
        "cut off instead of rounded",
        "The last digit was cut off: if what follows is 5 or more, it goes up by one.",
        _cut_off,
        _readings_of_cut_off,
    ),
    Slip(
        "rounded further than written",
        "The number was rounded to fewer digits than are written: write only as many as you know.",
        _too_few_digits,
        _readings_of_too_few_digits,
    ),
)
