r"""What each step is computed from, and how: any step can be computed anew, from anybody's numbers.

A rule does three things with the same formula: it computes, it carries bounds, and it writes itself out with numbers
put in. Nearly every step of CBAM is a sum of products and is written in Einstein's notation: ``"hc,c->h"`` is
h = W0 v. A trace's values come from the network itself; a test holds the rules equal to them.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np

Arrays: TypeAlias = Sequence[np.ndarray]  # the inputs of a rule, in their order
Interval: TypeAlias = tuple[np.ndarray, np.ndarray]  # low and high, entry by entry
Index: TypeAlias = tuple[int, ...]  # 0-based
Compute: TypeAlias = Callable[..., np.ndarray]
Bound: TypeAlias = Callable[[Arrays, Arrays], Interval]
Spell: TypeAlias = Callable[[Index, Arrays], str]


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
    is_sum : bool
        Whether it is a sum of products, so that its terms can be told apart.
    """

    inputs: tuple[str, ...]
    compute: Compute
    bound: Bound
    spell: Spell
    is_sum: bool = False


# --- bounds ---


def polynomial_bound(compute: Compute) -> Bound:
    """Carry bounds through a polynomial without negative coefficients.

    With every input within r of its middle m, such an f stays within f(|m| + r) - f(|m|) of f(m).
    """

    def bound(lows: Arrays, highs: Arrays) -> Interval:
        middles, sizes, reaches = [], [], []
        for low, high in zip(lows, highs, strict=True):
            middle = low if low is high else (low + high) / 2
            size = np.abs(middle)
            middles.append(middle)
            sizes.append(size)
            reaches.append(size if low is high else size + (high - low) / 2)
        middle = compute(*middles)
        radius = compute(*reaches) - compute(*sizes)
        return middle - radius, middle + radius

    return bound


def monotone_bound(compute: Compute) -> Bound:
    """Carry bounds through a function that falls in none of its inputs."""

    def bound(lows: Arrays, highs: Arrays) -> Interval:
        return compute(*lows), compute(*highs)

    return bound


def size_bound(compute: Compute) -> Bound:
    """Carry bounds through a function of one array that rises with the sizes |x| of its entries, as a norm does."""

    def bound(lows: Arrays, highs: Arrays) -> Interval:
        (low,), (high,) = lows, highs
        smaller, larger = np.minimum(np.abs(low), np.abs(high)), np.maximum(np.abs(low), np.abs(high))
        return compute(np.where(low * high < 0, 0, smaller)), compute(larger)

    return bound


def corner_bound(compute: Compute, turns: Sequence[float] = (0.0, 0.5)) -> Bound:
    """Carry bounds through a function of single entries that turns at 0 or 1/2, if at all, as M (1 - M) does.

    In each input by itself it rises or falls between these turns, so that it is largest and smallest at them or at the
    ends.
    """

    def bound(lows: Arrays, highs: Arrays) -> Interval:
        choices: list[list[np.ndarray]] = []
        for low, high in zip(lows, highs, strict=True):
            if low is high:
                choices.append([low])
                continue
            inside = [turn for turn in turns if ((low < turn) & (turn < high)).any()]
            choices.append([low, high, *(np.clip(turn, low, high) for turn in inside)])
        values = [compute(*choice) for choice in product(*choices)]
        return reduce(np.minimum, values), reduce(np.maximum, values)

    return bound


# --- sums of products ---


class Term(NamedTuple):
    """A sum of products, `spec`, over steps; `arrange` may move the steps' entries about before it."""

    spec: str
    names: tuple[str, ...]
    arrange: Callable[..., Arrays] | None = None

    def operands(self, arrays: Arrays) -> Arrays:
        """Return what the products are taken of."""
        return self.arrange(*arrays) if self.arrange else arrays

    def spell(self, index: Index, texts: Arrays) -> Iterator[str]:
        """Yield the products that add up to one entry, "0.5·2", without those that have a factor 0."""
        letters, out = self.spec.split("->")
        operands = list(zip(letters.split(","), self.operands(texts), strict=True))
        where = dict(zip(out, index, strict=True))
        sizes = {x: n for xs, text in operands for x, n in zip(xs, text.shape, strict=True) if x not in where}
        for at in product(*map(range, sizes.values())):
            where |= dict(zip(sizes, at, strict=True))
            factors = [str(text[tuple(where[x] for x in xs)]) for xs, text in operands]
            if len(factors) == 1 or "0" not in factors:
                yield "·".join(f"({f})" if f.startswith("-") and i else f for i, f in enumerate(factors))


def term(spec: str, *names: str, arrange: Callable[..., Arrays] | None = None) -> Term:
    """Return a `Term`: ``term("hc,c->h", "W0", "F_avg")``."""
    return Term(spec, names, arrange)


def products(*terms: Term, divide: int = 1) -> Rule:
    """Return the rule of a sum of `Term`s, divided by a whole number."""
    ends = np.cumsum([len(t.names) for t in terms])
    parts = [(t, slice(end - len(t.names), end)) for t, end in zip(terms, ends, strict=True)]

    def compute(*arrays: np.ndarray) -> np.ndarray:
        sums = [np.einsum(t.spec, *t.operands(arrays[part])) for t, part in parts]
        total = sums[0] if len(sums) == 1 else sum(sums)
        return np.asarray(total / divide if divide != 1 else total)

    def spell(index: Index, texts: Arrays) -> str:
        spelled = [text for t, part in parts for text in t.spell(index, texts[part])]
        total = added(spelled) or "0"
        if divide == 1:
            return total
        return f"({total})/{divide}" if len(spelled) > 1 else f"{total}/{divide}"

    return Rule(tuple(name for t in terms for name in t.names), compute, polynomial_bound(compute), spell, is_sum=True)


def added(texts: Sequence[str]) -> str:
    """Write a sum, "1 - 2" for 1 and -2."""
    return " + ".join(texts).replace("+ -", "- ")


# --- pools ---


def average(spec: str, name: str, size: int) -> Rule:
    """Return the rule of an average of `size` entries; unlike in a sum of products, zeros are written out."""

    def spell(index: Index, texts: Arrays) -> str:
        return f"({added(pooled(spec, index, texts[0]))})/{size}"

    return products(term(spec, name), divide=size)._replace(spell=spell)


def reduction(
    name: str, spec: str, function: Compute, word: str, bound: Callable[[Compute], Bound] = monotone_bound
) -> Rule:
    """Return the rule of a function over some axes, such as the maximum: ``"cij->c"`` is over space.

    `function` takes an array and `axis`, as NumPy's do; `word` is what it is called.
    """
    letters, out = spec.split("->")
    axes = tuple(i for i, letter in enumerate(letters) if letter not in out)

    def compute(x: np.ndarray) -> np.ndarray:
        return function(x, axis=axes)

    def spell(index: Index, texts: Arrays) -> str:
        return f"{word}({', '.join(pooled(spec, index, texts[0]))})"

    return Rule((name,), compute, bound(compute), spell)


def pooled(spec: str, index: Index, texts: np.ndarray) -> list[str]:
    """Return the entries, as text, that go into one pooled entry."""
    letters, out = spec.split("->")
    where: dict[str, int] = dict(zip(out, index, strict=True))
    return [str(text) for text in np.ravel(texts[tuple(where.get(letter, slice(None)) for letter in letters)])]


# --- functions of single entries ---


def entrywise(function: Compute, template: str, *names: str, bound: Callable[[Compute], Bound] = corner_bound) -> Rule:
    """Return the rule of a function of single entries; `template` has a {} for each input."""

    def spell(index: Index, texts: Arrays) -> str:
        return template.format(*(text[index] for text in texts))

    return Rule(names, function, bound(function), spell)


def spread(spec: str, function: Compute, template: str, *names: str) -> Rule:
    """Return the rule of a function of single entries, of inputs that are spread out: ``"c,cij->cij"``.

    In each input by itself, the function has to rise or fall all the way.
    """
    letters, out = spec.split("->")
    missing = [tuple(i for i, letter in enumerate(out) if letter not in xs) for xs in letters.split(",")]
    ends = corner_bound(function, turns=())

    def expanded(arrays: Arrays) -> Arrays:
        return [np.expand_dims(array, axes) for array, axes in zip(arrays, missing, strict=True)]

    def compute(*arrays: np.ndarray) -> np.ndarray:
        return function(*expanded(arrays))

    def bound(lows: Arrays, highs: Arrays) -> Interval:
        return ends(expanded(lows), expanded(highs))

    def spell(index: Index, texts: Arrays) -> str:
        kept = [tuple(i for at, i in enumerate(index) if at not in axes) for axes in missing]
        return template.format(*(text[at] for text, at in zip(texts, kept, strict=True)))

    return Rule(names, compute, bound, spell)


# --- rules made of rules ---


def summed(rule: Rule, divide: int = 1) -> Rule:
    """Return the rule of the sum of all entries of another rule's result, divided by a whole number."""

    def compute(*arrays: np.ndarray) -> np.ndarray:
        return np.asarray(rule.compute(*arrays).sum() / divide)

    def bound(lows: Arrays, highs: Arrays) -> Interval:
        low, high = rule.bound(lows, highs)
        return np.asarray(low.sum() / divide), np.asarray(high.sum() / divide)

    def spell(index: Index, texts: Arrays) -> str:
        parts = [rule.spell(at, texts) for at in np.ndindex(*texts[0].shape)]
        return added(parts) if divide == 1 else f"({added(parts)})/{divide}"

    return Rule(rule.inputs, compute, bound, spell)


def difference(first: Rule, second: Rule) -> Rule:
    """Return the rule of one rule's result minus another's."""
    at = len(first.inputs)

    def compute(*arrays: np.ndarray) -> np.ndarray:
        return first.compute(*arrays[:at]) - second.compute(*arrays[at:])

    def bound(lows: Arrays, highs: Arrays) -> Interval:
        low, high = first.bound(lows[:at], highs[:at])
        least, most = second.bound(lows[at:], highs[at:])
        return low - most, high - least

    def spell(index: Index, texts: Arrays) -> str:
        return f"{first.spell(index, texts[:at])} - ({second.spell(index, texts[at:])})"

    return Rule((*first.inputs, *second.inputs), compute, bound, spell)
