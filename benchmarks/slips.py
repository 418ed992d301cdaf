"""How students write a right number down wrongly: the other side of `cbam_np.teach.mistakes.slips`."""

from collections.abc import Callable

import numpy as np

from cbam_np.teach.calculation.bounds import round_to
from cbam_np.teach.mistakes.slips import digits_swapped


def _sign_lost(value: float, decimals: int) -> str:
    return f"{-value:.{decimals}f}"


def _point_moved(value: float, decimals: int) -> str:
    return f"{10 * round_to(np.asarray(value), 10.0**-decimals):.{max(decimals - 1, 0)}f}"


def _last_digits_swapped(value: float, decimals: int) -> str:
    backwards = f"{value:.{decimals}f}"[::-1]
    return next(digits_swapped(backwards), backwards)[::-1]


def _too_few_digits(value: float, decimals: int) -> str:
    return f"{np.round(value, max(decimals - 1, 0)):.{decimals}f}"


WRITE: dict[str, Callable[[float, int], str]] = {
    "the sign lost": _sign_lost,
    "the decimal point in the wrong place": _point_moved,
    "two digits swapped": _last_digits_swapped,
    "rounded further than written": _too_few_digits,
}


def written_wrongly(slip: str, value: float, decimals: int) -> str | None:
    """Return what a student writes who makes this slip with a number; None where that is right."""
    text = WRITE[slip](value, decimals)
    return text if text != f"{value:.{decimals}f}" else None
