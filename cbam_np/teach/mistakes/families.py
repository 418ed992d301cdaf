"""Mistakes that the rules of the calculation bring with them: each rule has operands, terms and neighbours to confuse.

Whole steps: another step of the same shape as an operand, a kernel that lies somewhere else. Single entries: an entry
beside, another channel's weight, a term of the sum left out, counted twice or with the other sign, a sum that is one
off, a digit that is one off.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from ..calculation.cbam_rules import convolution
from .mistake import Calculation, Change, Mistake, Occurrence

if TYPE_CHECKING:
    from ..diagnosis.numbers import EntriesOnPaper

Index: TypeAlias = tuple[int, ...]  # 0-based
Interval: TypeAlias = tuple[float, float]
Candidates: TypeAlias = "Callable[[EntriesOnPaper, Index], list[Interval]]"

MOST_TERMS = 40  # of a sum in which one is looked for
ENOUGH = 1e-12  # a term as small as this is none


# --- whole steps ---


def exchanged_operands(c: Calculation) -> Iterator[Occurrence]:
    """Yield, for every operand of every rule, the other steps of its shape in its place."""
    shapes = {step.name: step.shape for step in c.trace}
    for name, rule in c.items():
        for at, operand in enumerate(rule.inputs):
            for other, shape in shapes.items():
                if shape != shapes[operand] or other in (operand, name) or other.startswith("d") > name.startswith("d"):
                    continue
                inputs = (*rule.inputs[:at], other, *rule.inputs[at + 1 :])
                said = Mistake(
                    f"{other} in place of {operand}", f"{name} needs {operand}, not {other}.", (), combines=False
                )
                yield Occurrence(said, _nothing, {name: rule._replace(inputs=inputs)})


def displaced_kernels(c: Calculation) -> Iterator[Occurrence]:
    """Yield the convolution with the kernel off by any number of rows and columns, and with padding of another size."""
    if c.convolved not in c:
        return
    half, maps = c.k // 2, c.maps
    for down in range(-half, half + 1):
        for right in range(-half, half + 1):
            if down == right == 0:
                continue
            rule = convolution("W7", *maps, turn=_moved(down, right))
            if down == right:
                name = f"padding of {half - down} instead of {half}"
                sentence = (
                    f"With a {c.k}×{c.k} kernel, the map is padded by {half} on every side: its middle is on the pixel."
                )
            else:
                name = (
                    f"the kernel off by {_steps(down, 'row')}{' and ' * bool(down and right)}{_steps(right, 'column')}"
                )
                sentence = "The kernel's middle entry lies on the pixel that is computed."
            yield Occurrence(Mistake(name, sentence, (), combines=False), _nothing, {c.convolved: rule})


def _steps(n: int, what: str) -> str:
    return f"{abs(n)} {what}{'s' if abs(n) > 1 else ''}" if n else ""


def _moved(down: int, right: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return a turn of the kernel that moves its entries; what leaves it is lost."""

    def turn(W: np.ndarray) -> np.ndarray:
        size = W.shape[-1]
        moved = np.zeros_like(W)
        if W.dtype == object:
            moved[...] = "0"
        rows, columns = (slice(max(0, n), size + min(0, n)) for n in (down, right))
        from_rows, from_columns = (slice(max(0, -n), size + min(0, -n)) for n in (down, right))
        moved[..., rows, columns] = W[..., from_rows, from_columns]
        return moved

    return turn


def _nothing(calculation: Calculation) -> Change:
    return {}


# --- single entries ---


@dataclass(frozen=True)
class EntrySlip:
    """A mistake at single entries of a step.

    Parameters
    ----------
    name, sentence : str
        As of a `Mistake`.
    candidates : callable
        (numbers on paper, index) -> from where to where the entry may lie if the mistake was made there.
    """

    name: str
    sentence: str
    candidates: Candidates
    combines: ClassVar[bool] = False


def _right(numbers: "EntriesOnPaper", index: Index) -> Interval:
    low, high = numbers.right
    return float(low[index]), float(high[index])


def _shifted(numbers: "EntriesOnPaper", index: Index, by: Iterable[float]) -> list[Interval]:
    low, high = _right(numbers, index)
    return [(low + delta, high + delta) for delta in by]


def _sum_one_off(numbers: "EntriesOnPaper", index: Index) -> list[Interval]:
    """Return the average of whole numbers whose sum is one too large or too small."""
    rule = numbers.trace.rules[numbers.name]
    if not numbers.name.endswith("_avg") or numbers.name.startswith(("d", "h", "a", "z")):
        return []
    source = np.asarray(numbers.trace[rule.inputs[0]].value, float)
    size = source.size / numbers.wrong.size
    return _shifted(numbers, index, (-1 / size, 1 / size)) if np.array_equal(source, source.round()) else []


def _digit_one_off(numbers: "EntriesOnPaper", index: Index) -> list[Interval]:
    """Return the number with one digit, not the last one, one too large or too small: a carry lost or made twice."""
    places = numbers.places(index)
    return _shifted(numbers, index, [sign * 10.0**-k for k in range(places) for sign in (-1, 1)])


def _terms(numbers: "EntriesOnPaper", index: Index) -> list[float]:
    """Return the products that an entry is the sum of, each with how far it is from being certain."""
    key = ("terms", index)
    if key not in numbers.memory:
        numbers.memory[key] = list(_find_terms(numbers, index))
    return numbers.memory[key]


def _find_terms(numbers: "EntriesOnPaper", index: Index) -> Iterator[float]:
    rule = numbers.trace.rules[numbers.name]
    carried = [numbers.bounds.carried(name) for name in rule.inputs]
    middles = [(low + high) / 2 for low, high in carried]
    whole = rule.compute(*middles)[index]
    fixed = [np.array_equal(low, high) for low, high in carried]
    seen: set[Any] = set()
    for at in sorted(range(len(middles)), key=lambda i: (fixed[i], i)):
        if seen and rule.inputs[at] in numbers.bounds.given:
            continue  # the other factor of terms that have been found
        for entry in np.argwhere(middles[at])[: 4 * MOST_TERMS]:
            without = [m.copy() if i == at else m for i, m in enumerate(middles)]
            without[at][tuple(entry)] = 0
            part = whole - rule.compute(*without)[index]
            key = round(float(part), 9)
            if abs(part) > ENOUGH and key not in seen and len(seen) < MOST_TERMS:
                seen.add(key)
                yield float(part)


def _with_terms(times: int) -> Candidates:
    def candidates(numbers: "EntriesOnPaper", index: Index) -> list[Interval]:
        low, high = _right(numbers, index)
        terms = _terms(numbers, index) if numbers.trace.rules[numbers.name].is_sum else []
        return [(low + times * part, high + times * part) for part in terms] if len(terms) > 1 else []

    return candidates


def _neighbours(numbers: "EntriesOnPaper", index: Index) -> list[Interval]:
    """Return the entries beside an entry, along every axis."""
    shape, found = numbers.wrong.shape, []
    for axis, n in enumerate(shape):
        for step in (-1, 1):
            at = tuple(i + step * (a == axis) for a, i in enumerate(index))
            if 0 <= at[axis] < n:
                found.append(_right(numbers, at))
    return found


def _not_the_largest(numbers: "EntriesOnPaper", index: Index) -> list[Interval]:
    """Return the other numbers among which the largest was looked for."""
    rule = numbers.trace.rules[numbers.name]
    if numbers.name not in ("F_max", "Fs_max"):
        return []
    low, high = numbers.bounds.carried(rule.inputs[0])
    at: tuple[Any, ...] = index if numbers.name == "F_max" else (slice(None), *index)
    rivals = low[at], high[at]
    return sorted({(float(a), float(b)) for a, b in zip(*map(np.ravel, rivals), strict=True)})


def _anothers_weight(numbers: "EntriesOnPaper", index: Index) -> list[Interval]:
    """Return the entry with another channel's M_c or another pixel's M_s."""
    rule = numbers.trace.rules[numbers.name]
    M = rule.inputs[0]
    if M not in ("M_c", "M_s") or len(index) != 3 or len(rule.inputs) != 2:
        return []
    (low, high), (below, above) = numbers.bounds.carried(M), numbers.bounds.carried(rule.inputs[1])
    mine = index[:1] if M == "M_c" else index[1:]
    found = []
    for at in np.ndindex(low.shape):
        if at != mine and sum(a != b for a, b in zip(at, mine, strict=True)) == 1:
            corners = [m * x for m in (low[at], high[at]) for x in (below[index], above[index])]
            found.append((float(min(corners)), float(max(corners))))
    return found


ARITHMETIC = (
    EntrySlip(
        "an arithmetic slip: the sum is one off",
        "What is averaged here adds up to one more, or one less.",
        _sum_one_off,
    ),
    EntrySlip(
        "an arithmetic slip: one digit is one off",
        "All digits but one are right, and that one is off by one: work out this line again.",
        _digit_one_off,
    ),
)
TERMS = (
    EntrySlip("one term of the sum left out", "One of the terms that add up here is missing.", _with_terms(-1)),
    EntrySlip("one term of the sum counted twice", "One of the terms that add up here is in it twice.", _with_terms(1)),
    EntrySlip(
        "one term of the sum with the wrong sign",
        "One of the terms that add up here has the other sign.",
        _with_terms(-2),
    ),
)
NEIGHBOURS = (
    EntrySlip("not the largest number", "A larger number is among them: look again.", _not_the_largest),
    EntrySlip("the neighbouring entry copied", "This is the number of the entry beside.", _neighbours),
    EntrySlip(
        "another entry's weight: a neighbour of the right one",
        "The weight M_c[c] belongs to channel c, and M_s[i,j] to row i and column j.",
        _anothers_weight,
    ),
)
