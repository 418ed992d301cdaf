"""How a pool makes one number out of many, over space or over channels, and how its gradient comes back."""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from .rules import (
    Arrays,
    Index,
    Interval,
    Rule,
    average,
    pooled,
    products,
    reduction,
    size_bound,
    spread,
    term,
)

TINY = np.finfo(float).tiny
PLACES = ("first", "last")
SPECS = {"space": "cij->c", "channels": "cij->ij"}


class Pooling(NamedTuple):
    """What is pooled into what.

    Parameters
    ----------
    source, result : str
        Names of the feature map and of what is pooled from it.
    over : {"space", "channels"}
        What is pooled away.
    shape : tuple of int
        (C, H, W) of the feature map.
    ties : {"first", "split"}
        Who gets the gradient of a maximum that is reached more than once.
    """

    source: str
    result: str
    over: str
    shape: tuple[int, ...]
    ties: str

    @property
    def spec(self) -> str:
        """In Einstein's notation."""
        return SPECS[self.over]

    @property
    def size(self) -> int:
        """How many numbers are pooled into one."""
        C, H, W = self.shape
        return H * W if self.over == "space" else C


class PoolRules(NamedTuple):
    """A pool as rules and formulas; in these, n is how many are pooled, x one of them, d the gradient from above.

    Parameters
    ----------
    forward, backward : callable
        Pooling -> the rule of what is pooled, and of the gradient's way back through it.
    formula, gradient : str
        LaTeX, to be filled with `n`, `over`, `x`, `pooled` and `d`.
    """

    forward: Callable[[Pooling], Rule]
    backward: Callable[[Pooling], Rule]
    formula: str
    gradient: str


def repeated(shape: tuple[int, ...]) -> Callable[[np.ndarray], Arrays]:
    """Return an arrangement that repeats a vector over pixels, or a map over channels, up to `shape`."""

    def arrange(x: np.ndarray) -> Arrays:
        return (np.broadcast_to(x[:, None, None] if x.ndim == 1 else x, shape),)

    return arrange


# --- average and maximum, as in the lecture ---


def _average(p: Pooling) -> Rule:
    return average(p.spec, p.source, p.size)


def shared_evenly(d: str, shape: tuple[int, ...], size: int) -> Rule:
    """Return the rule of an average's gradient: every one of the `size` entries gets its part."""
    return products(term("cij->cij", d, arrange=repeated(shape)), divide=size)


def _average_back(p: Pooling) -> Rule:
    return shared_evenly(f"d{p.result}", p.shape, p.size)


def _maximum(p: Pooling) -> Rule:
    return reduction(p.source, p.spec, np.max, "max")


def share_of_max(d: str, source: str, spec: str, ties: str) -> Rule:
    """Return the rule of a maximum's gradient: `d` goes to where the maximum is, and 0 everywhere else.

    Where it is reached more than once, `ties` says who gets it: "first", "split" (shared evenly), and what people do by
    mistake, "last" and "all" (all of it to each).
    """
    letters, out = spec.split("->")
    axes = tuple(i for i, letter in enumerate(letters) if letter not in out)

    def compute(dmax: np.ndarray, x: np.ndarray) -> np.ndarray:
        entries = _rivals_last(x, axes)
        wins = entries == entries.max(axis=-1, keepdims=True)
        if ties == "first":
            wins = wins & (np.cumsum(wins, axis=-1) == 1)
        elif ties == "last":
            wins = wins & (np.cumsum(wins[..., ::-1], axis=-1)[..., ::-1] == 1)
        shares = 1 if ties == "all" else wins.sum(axis=-1, keepdims=True)
        return _back_in_place(wins * (dmax[..., None] / shares), axes, x.shape)

    def bound(lows: Arrays, highs: Arrays) -> Interval:
        if np.array_equal(lows[1], highs[1]):
            return compute(lows[0], lows[1]), compute(highs[0], lows[1])
        low, high = _rivals_last(lows[1], axes), _rivals_last(highs[1], axes)
        may_win, must_win = high >= _best_rival(low), low > _best_rival(high)
        least = np.where(must_win, lows[0][..., None], np.minimum(lows[0][..., None], 0)) * may_win
        most = np.where(must_win, highs[0][..., None], np.maximum(highs[0][..., None], 0)) * may_win
        return _back_in_place(least, axes, lows[1].shape), _back_in_place(most, axes, lows[1].shape)

    def spell(index: Index, texts: Arrays) -> str:
        at = tuple(i for i, letter in zip(index, letters, strict=True) if letter in out)
        rivals, mine = pooled(spec, at, texts[1]), str(texts[1][index])
        is_it = f"this {mine} is the {ties}" if ties in PLACES and _is_tied(mine, rivals) else f"{mine} is the"
        return f"{texts[0][at]} if {is_it} maximum of ({', '.join(rivals)}), else 0"

    return Rule((d, source), compute, bound, spell)


def _is_tied(mine: str, rivals: list[str]) -> bool:
    """Tell whether a number, as text, is the largest of several and comes more than once."""
    try:
        return rivals.count(mine) > 1 and Fraction(mine) == max(map(Fraction, rivals))
    except ValueError:  # written in another way
        return False


def _rivals_last(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Bring the entries that are pooled together into one last axis, in reading order."""
    kept = [n for i, n in enumerate(x.shape) if i not in axes]
    return x.transpose(*(i for i in range(x.ndim) if i not in axes), *axes).reshape(*kept, -1)


def _back_in_place(x: np.ndarray, axes: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Undo `_rivals_last`."""
    order = [i for i in range(len(shape)) if i not in axes] + list(axes)
    return x.reshape([shape[i] for i in order]).transpose(np.argsort(order))


def _best_rival(x: np.ndarray) -> np.ndarray:
    """Return, for each entry, the largest of the others along the last axis."""
    if x.shape[-1] == 1:
        return np.full(x.shape, -np.inf)
    second, first = np.moveaxis(np.sort(x, axis=-1)[..., -2:], -1, 0)
    return np.where(x == first[..., None], second[..., None], first[..., None])


def _maximum_back(p: Pooling) -> Rule:
    return share_of_max(f"d{p.result}", p.source, p.spec, p.ties)


# --- the pools of other dialects ---


def _norm(p: Pooling) -> Rule:
    def norm(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
        return np.sqrt((x * x).sum(axis=axis))

    def spell(index: Index, texts: Arrays) -> str:
        return f"√({' + '.join(f'({x})²' for x in pooled(p.spec, index, texts[0]))})"

    return reduction(p.source, p.spec, norm, "", size_bound)._replace(spell=spell)


def _norm_back(p: Pooling) -> Rule:
    def slope(d: np.ndarray, x: np.ndarray, norm: np.ndarray) -> np.ndarray:
        return d * np.clip(x / np.maximum(norm, TINY), -1, 1)  # no entry is larger than the norm; 0/0 is 0

    return _entry_by_entry(p, slope, "{0}·{1}/{2}")


def _log_sum_exp(p: Pooling) -> Rule:
    def log_sum_exp(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
        largest = x.max(axis=axis, keepdims=True)
        return np.log(np.exp(x - largest).sum(axis=axis)) + largest.squeeze(axis)

    def spell(index: Index, texts: Arrays) -> str:
        return f"log({' + '.join(f'e^({x})' for x in pooled(p.spec, index, texts[0]))})"

    return reduction(p.source, p.spec, log_sum_exp, "")._replace(spell=spell)


def _log_sum_exp_back(p: Pooling) -> Rule:
    def slope(d: np.ndarray, x: np.ndarray, total: np.ndarray) -> np.ndarray:
        return d * np.exp(x - total)

    return _entry_by_entry(p, slope, "{0}·e^({1} - ({2}))")


def _entry_by_entry(p: Pooling, slope: Callable[..., np.ndarray], template: str) -> Rule:
    """Return the rule of a gradient that depends on each entry and on what all were pooled into."""
    letters = p.spec.partition("->")[2]
    return spread(f"{letters},cij,{letters}->cij", slope, template, f"d{p.result}", p.source, p.result)


def _mixture(p: Pooling) -> Rule:
    avg, largest = _average(p), _maximum(p)

    def mixed(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
        return (x.mean(axis=axis) + x.max(axis=axis)) / 2

    def spell(index: Index, texts: Arrays) -> str:
        return f"({avg.spell(index, texts)} + {largest.spell(index, texts)})/2"

    return reduction(p.source, p.spec, mixed, "")._replace(spell=spell)


def _mixture_back(p: Pooling) -> Rule:
    avg, largest = _average_back(p), _maximum_back(p)

    def compute(d: np.ndarray, x: np.ndarray) -> np.ndarray:
        return (avg.compute(d) + largest.compute(d, x)) / 2

    def bound(lows: Arrays, highs: Arrays) -> Interval:
        ends = zip(avg.bound(lows[:1], highs[:1]), largest.bound(lows, highs), strict=True)
        low, high = ((a + b) / 2 for a, b in ends)
        return low, high

    def spell(index: Index, texts: Arrays) -> str:
        return f"({avg.spell(index, texts[:1])} + ({largest.spell(index, texts)}))/2"

    return Rule(largest.inputs, compute, bound, spell)


AT_THE_MAXIMUM = r"%(d)s\text{ at the maximum, else 0}"
POOLS = {
    "avg": PoolRules(_average, _average_back, r"\frac{1}{%(n)s} \sum_{%(over)s} %(x)s", r"\frac{1}{%(n)s} %(d)s"),
    "max": PoolRules(_maximum, _maximum_back, r"\max_{%(over)s} %(x)s", AT_THE_MAXIMUM),
    "lp": PoolRules(_norm, _norm_back, r"\sqrt{\sum_{%(over)s} %(x)s^2}", r"%(d)s \cdot %(x)s / %(pooled)s"),
    "lse": PoolRules(
        _log_sum_exp,
        _log_sum_exp_back,
        r"\log \sum_{%(over)s} \exp(%(x)s)",
        r"%(d)s \cdot \exp(%(x)s - %(pooled)s)",
    ),
    "mixed": PoolRules(
        _mixture,
        _mixture_back,
        r"\frac{1}{2} (\frac{1}{%(n)s} \sum_{%(over)s} %(x)s + \max_{%(over)s} %(x)s)",
        rf"\frac{{1}}{{2}} (\frac{{1}}{{%(n)s}} %(d)s + {AT_THE_MAXIMUM})",
    ),
}
"""By the names that a dialect has for them."""
