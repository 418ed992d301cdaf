r"""What each step is computed from, and how: any step can be computed anew, from anybody's numbers.

A rule does three things with the same formula: it computes, it carries bounds, and it writes itself out with numbers
put in. Nearly every step of CBAM is a sum of products and is written in Einstein's notation: ``"hc,c->h"`` is
h = W0 v. A trace's values come from the network itself; a test holds the rules equal to them.
"""

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np


class Rule(NamedTuple):
    """How a step follows from other steps.

    Parameters
    ----------
    inputs : tuple of str
        Names of the steps that it is computed from.
    compute : callable
        The inputs' arrays -> the step's array.
    bound : callable
        (lows, highs) -> (low, high): what the step can be if every input lies between its bounds.
    spell : callable
        (index, texts) -> the formula for one entry, with numbers as text; `texts` are the inputs' arrays as text.
    """

    inputs: tuple
    compute: Callable
    bound: Callable
    spell: Callable


# --- bounds ---


def polynomial_bound(compute):
    """Carry bounds through a polynomial without negative coefficients.

    With every input within r of its middle m, such an f stays within f(|m| + r) - f(|m|) of f(m).
    """

    def bound(lows, highs):
        middles = [(low + high) / 2 for low, high in zip(lows, highs, strict=True)]
        radii = [(high - low) / 2 for low, high in zip(lows, highs, strict=True)]
        middle = compute(*middles)
        if not any(r.any() for r in radii):
            return middle, middle
        sizes = [np.abs(m) for m in middles]
        radius = compute(*(m + r for m, r in zip(sizes, radii, strict=True))) - compute(*sizes)
        return middle - radius, middle + radius

    return bound


def monotone_bound(compute):
    """Carry bounds through a function that falls in none of its inputs."""
    return lambda lows, highs: (compute(*lows), compute(*highs))


def corner_bound(compute):
    """Carry bounds through a function of single entries that turns at 0 or 1/2, if at all, as M (1 - M) does."""

    def bound(lows, highs):
        turns = (0.0, 0.5)
        choices = [
            (low, high, *(np.clip(turn, low, high) for turn in turns)) for low, high in zip(lows, highs, strict=True)
        ]
        values = [compute(*choice) for choice in product(*choices)]
        return np.min(values, axis=0), np.max(values, axis=0)

    return bound


# --- rules ---


class Term(NamedTuple):
    """A sum of products, `spec`, over steps; `arrange` may move the steps' entries about before it."""

    spec: str
    names: tuple
    arrange: Callable | None = None


def _operands(t, arrays):
    return t.arrange(*arrays) if t.arrange else arrays


def _spell_term(t, index, texts):
    """Yield the products that add up to one entry, "0.5·2", without those that have a factor 0."""
    letters, out = t.spec.split("->")
    operands = list(zip(letters.split(","), _operands(t, texts), strict=True))
    where = dict(zip(out, index, strict=True))
    sizes = {x: n for xs, text in operands for x, n in zip(xs, text.shape, strict=True) if x not in where}
    for at in product(*map(range, sizes.values())):
        where |= dict(zip(sizes, at, strict=True))
        factors = [str(text[tuple(where[x] for x in xs)]) for xs, text in operands]
        if len(factors) == 1 or "0" not in factors:
            yield "·".join(f"({f})" if f.startswith("-") and i else f for i, f in enumerate(factors))


def term(spec, *names, arrange=None):
    """Return a `Term`: ``term("hc,c->h", "W0", "F_avg")``."""
    return Term(spec, names, arrange)


def products(*terms, divide=1):
    """Return the rule of a sum of `Term`s, divided by a whole number."""
    starts = np.cumsum([0, *(len(t.names) for t in terms)])

    def own(arrays):
        return [(t, arrays[a : a + len(t.names)]) for t, a in zip(terms, starts, strict=False)]

    def compute(*arrays):
        total = sum(np.einsum(t.spec, *_operands(t, part)) for t, part in own(arrays))
        return total / divide if divide != 1 else total

    def spell(index, texts):
        parts = [text for t, part in own(texts) for text in _spell_term(t, index, part)]
        total = " + ".join(parts).replace("+ -", "- ") or "0"
        if divide == 1:
            return total
        return f"({total})/{divide}" if len(parts) > 1 else f"{total}/{divide}"

    return Rule(tuple(name for t in terms for name in t.names), compute, polynomial_bound(compute), spell)


def average(spec, name, size):
    """Return the rule of an average of `size` entries; unlike in a sum of products, zeros are written out."""
    rule = products(term(spec, name), divide=size)

    def spell(index, texts):
        return f"({' + '.join(_pooled(spec, index, texts[0])).replace('+ -', '- ')})/{size}"

    return rule._replace(spell=spell)


def reduction(name, spec, function, word, bound=monotone_bound):
    """Return the rule of a function over some axes, such as the maximum: ``"cij->c"`` is over space."""
    letters, out = spec.split("->")
    axes = tuple(i for i, letter in enumerate(letters) if letter not in out)

    def compute(x):
        return function(x, axis=axes)

    def spell(index, texts):
        return f"{word}({', '.join(_pooled(spec, index, texts[0]))})"

    return Rule((name,), compute, bound(compute), spell)


def _pooled(spec, index, texts):
    """Return the entries, as text, that go into one pooled entry."""
    letters, out = spec.split("->")
    where = dict(zip(out, index, strict=True))
    return [str(text) for text in np.ravel(texts[tuple(where.get(letter, slice(None)) for letter in letters)])]


def entrywise(function, template, *names, bound=corner_bound):
    """Return the rule of a function of single entries; `template` has a {} for each input."""

    def spell(index, texts):
        return template.format(*(t[index] for t in texts))

    return Rule(names, function, bound(function), spell)


def share_of_max(d, source, spec, ties):
    """Return the rule of a maximum's gradient: `d` goes to where the maximum is, and 0 everywhere else."""
    letters, out = spec.split("->")
    axes = tuple(i for i, letter in enumerate(letters) if letter not in out)

    def flat(x):  # the entries that compete come last, in reading order
        kept = [n for i, n in enumerate(x.shape) if i not in axes]
        return np.moveaxis(x, axes, range(-len(axes), 0)).reshape(*kept, -1)

    def unflat(x, shape):
        moved = [n for i, n in enumerate(shape) if i not in axes] + [shape[i] for i in axes]
        return np.moveaxis(x.reshape(moved), range(-len(axes), 0), axes)

    def compute(dmax, x):
        entries = flat(x)
        wins = entries == entries.max(axis=-1, keepdims=True)
        if ties == "first":
            wins = wins & (np.cumsum(wins, axis=-1) == 1)
        return unflat(wins * (dmax[..., None] / wins.sum(axis=-1, keepdims=True)), x.shape)

    def bound(lows, highs):
        if np.array_equal(lows[1], highs[1]):
            return compute(lows[0], lows[1]), compute(highs[0], lows[1])
        low, high = flat(lows[1]), flat(highs[1])
        may_win, must_win = high >= _rival(low), low > _rival(high)
        least = np.where(must_win, lows[0][..., None], np.minimum(lows[0][..., None], 0)) * may_win
        most = np.where(must_win, highs[0][..., None], np.maximum(highs[0][..., None], 0)) * may_win
        return unflat(least, lows[1].shape), unflat(most, lows[1].shape)

    def spell(index, texts):
        at = tuple(i for i, letter in zip(index, letters, strict=True) if letter in out)
        rivals = ", ".join(_pooled(spec, at, texts[1]))
        return f"{texts[0][at]} if {texts[1][index]} is the maximum of ({rivals}), else 0"

    return Rule((d, source), compute, bound, spell)


def _rival(x):
    """Return, for each entry, the largest of the others along the last axis."""
    if x.shape[-1] == 1:
        return np.full(x.shape, -np.inf)
    second, first = np.moveaxis(np.sort(x, axis=-1)[..., -2:], -1, 0)
    return np.where(x == first[..., None], second[..., None], first[..., None])


def windows(maps, k, pad="constant", before=None):
    """Return what a k×k kernel meets at every pixel: (..., H, W) -> (..., H, W, k, k).

    Outside are zeros, or what `pad` says, as for `numpy.pad`; `before` is how far the kernel reaches up and left of
    its pixel, k // 2 if its middle lies there.
    """
    before = k // 2 if before is None else before
    width = [(0, 0)] * (maps.ndim - 2) + [(before, k - 1 - before)] * 2
    outside = {"constant_values": "0" if maps.dtype == object else 0} if pad == "constant" else {}
    return np.lib.stride_tricks.sliding_window_view(np.pad(maps, width, mode=pad, **outside), (k, k), axis=(-2, -1))


def repeated(shape):
    """Return an arrangement that repeats a vector over pixels, or a map over channels, up to `shape`."""
    return lambda x: (np.broadcast_to(x[:, None, None] if x.ndim == 1 else x, shape),)
