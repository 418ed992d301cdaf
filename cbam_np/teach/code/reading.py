"""What a student's function returns, read leniently by the trace's names; what cannot be read is told in words."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..calculation.trace import ALIASES
from ..mistakes.code import WEIGHTS
from .calling import Unusable
from .cases import Case

Numbers: TypeAlias = np.ndarray | np.generic
Shape: TypeAlias = tuple[int, ...]

NO_CACHE = object()
LABELS = {"dF": "dx"}  # what the steps are called where gradients are returned


class Problem(NamedTuple):
    """What is wrong with an answer other than its numbers.

    `step` is the step that it is in, if it is in one; `same` is what other inputs have in common that show it too.
    """

    text: str
    step: str | None = None
    same: object = None


class Answer(NamedTuple):
    """What a function returned: named arrays in the trace's shapes.

    `output` is the name of the step that the function ends with, `given` the shape in which it gave that.
    """

    values: dict[str, np.ndarray]
    problems: list[Problem]
    output: str | None = None
    given: Shape = ()
    cache: object = NO_CACHE
    tolerance: float = 1e-6


def as_numbers(value: Any, name: str) -> Numbers:
    """Return what was given for `name` as an array of finite numbers."""
    if hasattr(value, "detach"):  # a framework's tensor
        value = value.detach().cpu().numpy()
    if value is None:
        raise Unusable(f"{name} is None: is the return statement missing?")
    if not isinstance(value, np.ndarray | np.generic):
        raise Unusable(f"{name} is of type {type(value).__name__}, expected a NumPy array")
    if value.dtype.kind not in "fiub":
        raise Unusable(f"{name} holds {value.dtype}, expected real numbers")
    bad = np.count_nonzero(~np.isfinite(value))
    if bad:
        raise Unusable(f"{name} has {bad} of {value.size} entries that are NaN or infinite")
    return value


def tolerance_of(arrays: Iterable[Numbers]) -> float:
    """Return the relative difference that rounding may make."""
    floats = [a.dtype.itemsize for a in arrays if a.dtype.kind == "f"]
    return max(({2: 1e-2, 4: 1e-4}.get(size, 1e-6) for size in floats), default=1e-6)


def read_forward(result: Any, case: Case) -> Answer:
    """Read what a forward function returned: the output, or named steps, alone or with a cache.

    Parameters
    ----------
    result : object
        An array, or a dict of named steps, or a tuple of that and a cache.
    case : Case
        The input that it was run on.

    Returns
    -------
    Answer
        By the trace's names.
    """
    cache = NO_CACHE
    if isinstance(result, tuple):
        if len(result) != 2:
            raise Unusable(f"it returns a tuple of {len(result)}, expected the output, or (output, cache)")
        result, cache = result
    if isinstance(result, Mapping):
        names = [name for name in case.steps if not name.startswith("d")]
        values, problems, tolerance = _read_named(result, names, case)
        given = [name for name in values if name in ("M_c", "M_s", case.output)]
        output = case.output if case.output in given else given[-1] if given else None
        return Answer(values, problems, output, case.shape(output) if output else (), cache, tolerance)
    array = as_numbers(result, "the output")
    maps = [name for name in ("M_c", "M_s") if name in case.steps]
    ends = [case.output, *maps] if len(maps) == 1 else [case.output]
    fitting = [name for name in ends if _fits(array.shape, case.shape(name))]
    if not fitting:
        expected = ", or ".join(str(_usual(name, case.shape(name))) for name in ends)
        why = next(filter(None, (_why(array.shape, name, case) for name in ends)), "")
        raise Unusable(f"the output has the shape {array.shape}, expected {expected}{why}")
    name = fitting[0]
    values = {name: shaped(array, name, case)}
    return Answer(values, [], name, array.shape, cache, tolerance_of([array]))


def read_backward(result: Any, case: Case) -> Answer:
    """Read what a backward function returned: dx, or (dx, grads), where grads may name steps on the way as well."""
    if isinstance(result, tuple):
        if len(result) != 2 or not isinstance(result[1], Mapping):
            raise Unusable(
                f"it returns a tuple of {len(result)}, expected dx, or (dx, grads) with grads a dict by name"
            )
        dx, grads = result
    else:
        dx, grads = result, {}
    grads = {f"d{name}" if f"d{name}" in WEIGHTS else name: value for name, value in grads.items()}
    names = [name for name in case.steps if name.startswith("d") and name != "dF"]
    values, problems, tolerance = _read_named(grads, names, case) if grads else ({}, [], 1e-6)
    dx = as_numbers(dx, "dx")
    values["dF"] = shaped(dx, "dF", case)
    return Answer(values, problems, tolerance=max(tolerance, tolerance_of([dx])))


def _read_named(
    given: Mapping[Any, Any], names: Sequence[str], case: Case
) -> tuple[dict[str, np.ndarray], list[Problem], float]:
    """Return what was given for the steps `names`, in their order, and what was wrong with the rest of it."""
    given = {ALIASES.get(name, name): value for name, value in given.items()}
    values, problems, arrays = {}, [], []
    for name in given:
        if name not in names and name not in case.given[0]:
            near = difflib.get_close_matches(str(name), names, cutoff=0.4) or names
            problems.append(Problem(f"there is no step {name!r}; the nearest are {', '.join(near[:8])}"))
    for name in names:
        if name in given:
            try:
                arrays.append(as_numbers(given[name], name))
                values[name] = shaped(arrays[-1], name, case)
            except Unusable as error:
                problems.append(Problem(str(error), name))
    if not given:
        problems.append(Problem("the dict of steps is empty"))
    return values, problems, tolerance_of(arrays)


def _fits(came: Shape, expected: Shape) -> bool:
    return [n for n in came if n > 1] == [n for n in expected if n > 1]


def shaped(array: Numbers, name: str, case: Case) -> np.ndarray:
    """Return an array in the trace's shape, which differs at most by axes of length 1."""
    expected = case.shape(name)
    if not _fits(array.shape, expected):
        label, why = LABELS.get(name, name), _why(array.shape, name, case)
        raise Unusable(f"{label} has the shape {array.shape}, expected {_usual(name, expected)}{why}")
    return array.reshape(expected).astype(float)


def _usual(name: str, expected: Shape) -> Shape:
    """Return the shape that a function should give: with keepdims, as in the lecture's code."""
    if name == "M_c":
        return (*expected, 1, 1)
    if name in ("M_s", "z_s") or name.startswith("Fs_"):
        return (expected[0], 1, *expected[1:])
    return (1, *expected) if name == "dW7" else expected


def _why(came: Shape, name: str, case: Case) -> str:
    """Guess what led to a wrong shape."""
    expected, (N, C, H, W) = case.shape(name), case.x.shape
    rows = case.params["W7"].shape[-1] - 1 if "W7" in case.params else 0
    if rows and len(came) > 2 and tuple(came[-2:]) == (H - rows, W - rows):
        return f": padding was forgotten, k // 2 = {rows // 2} zeros on each side"
    long, usual = [n for n in came if n > 1], [n for n in expected if n > 1]
    if N > 1 and long == usual[1:]:
        return ": the batch axis is missing"
    if sorted(long) == sorted(usual):
        return ": its axes are in another order"
    if name == case.output and long in ([n for n in s if n > 1] for s in ((N, C), (N, H, W))):
        return ": is it an attention map that was not multiplied on yet?"
    if name == case.output and len(long) > 3:
        return (
            ": were axes lost in a mean or max, so that its result was repeated along others? keepdims=True keeps them"
        )
    return ""
