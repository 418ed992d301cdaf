"""A student's answers, from a dict or a file, as numbers with their places in a trace."""

import re
from collections.abc import Mapping
from math import prod
from os import PathLike

import numpy as np

from .files import entries, read_file
from .numerals import AnswerError, Written, is_blank, shown, written

__all__ = ["AnswerError", "Written", "read_answers", "read_file", "written"]

MOST_PROBLEMS = 10
LONGEST_NAME = 60
SPELLINGS = str.maketrans(  # what keyboards and word processors make of primes and brackets
    dict.fromkeys("′’‘´`", "'") | dict.fromkeys('″”"', "''") | {"(": "[", ")": "]"}
)
NAME = re.compile(r"\s*([^\[\]]*?)\s*(?:\[([\d\s,]+)\]\s*)?", re.ASCII)


def read_answers(answers, trace, blanks=False):
    """Read answers, and find their places in a trace.

    Parameters
    ----------
    answers : mapping of str to object, or path-like
        Names to numbers, such as ``{"M_c[1]": "0.81"}``; see `written` for what a number can look like. Whole maps are
        nested lists or arrays: ``{"M_c": ["0.81", "?", "0.83"]}``. Or a file with the same, see `read_file`.
    trace : Trace
        Whose steps the names are. Spelling is lenient: "Mc(1)" will do for "M_c[1]".
    blanks : bool
        Whether blanks are kept, as None.

    Returns
    -------
    dict of str to dict of tuple of int to Written
        By step, by 0-based index; () is the index of a single number. Blanks are left out, unless they are kept.

    Raises
    ------
    AnswerError
        If anything cannot be read or has no place in the trace, or if two answers differ for one entry. It tells up to
        ten problems at once, a line each.
    """
    if isinstance(answers, Mapping):
        given = [("", name, answer) for name, answer in answers.items()]
    elif isinstance(answers, str | PathLike):
        given = entries(answers)
        if all(is_blank(answer) for _, _, answer in given):
            raise AnswerError("the file has no answers yet: every one is blank")
    else:
        raise AnswerError(f'answers is {shown(answers)}, expected a dict such as {{"M_c[1]": "0.81"}}, or a path')
    found, first, problems = {}, {}, []
    for line, key, answer in given:
        try:
            step, name, index = _find(key, trace)
            for at, raw in _spread(answer, step.shape, name, index):
                here = _entry(name, at)
                number, entry = written(raw, here), tuple(i - 1 for i in at)
                if number is None:
                    if blanks:
                        found.setdefault(step.name, {}).setdefault(entry, None)
                    continue
                place, other = first.setdefault((step.name, at), (f"{here} in {line}" if line else here, number))
                if other.text != number.text:
                    raise AnswerError(f"{here} is {number.text}, but {place} is {other.text}: the same entry, keep one")
                found.setdefault(step.name, {})[entry] = other
        except AnswerError as error:
            problems.append(f"{line}: {error}" if line else str(error))
            if len(problems) == MOST_PROBLEMS:
                problems.append("and perhaps more: correct these first")
                break
    if problems:
        raise AnswerError("\n".join(problems))
    return found


def _find(key, trace):
    """Return the step that a name means, the name without its index, and the 1-based index, which may be a part."""
    if not isinstance(key, str):
        raise AnswerError(f"a name is {shown(key)}, expected text such as 'M_c[1]'")
    key = key if len(key) <= LONGEST_NAME else key[: LONGEST_NAME - 1] + "…"
    match = NAME.fullmatch(key.translate(SPELLINGS))
    name, index = match.groups() if match else (key, None)
    known = [name] if name in trace.by_name else [n for n in trace.names if _squeezed(n) == _squeezed(name)]
    try:
        step = trace[known[0] if len(known) == 1 else name]
        index = tuple(int(i) for i in re.findall(r"\d+", index or ""))
        if index:
            trace[_entry(step.name, index + (1,) * (len(step.shape) - len(index)))]
    except LookupError as error:
        raise AnswerError(error.args[0]) from None
    return step, name, index


def _squeezed(name):
    return re.sub(r"[\s_]", "", name)


def _entry(name, index):
    return f"{name}[{','.join(map(str, index))}]" if index else name


def _spread(answer, shape, name, index):
    """Yield (index, answer) for every entry of `name` at or below a 1-based index."""
    rest = shape[len(index) :]
    if isinstance(answer, np.ndarray) and answer.ndim:
        answer = list(answer)
    if not rest:
        yield index, answer
    elif isinstance(answer, list | tuple):
        if len(answer) != rest[0]:
            raise AnswerError(f"{_entry(name, index)} has {_times(rest)} entries, got {_times(_shape(answer))}")
        for i, part in enumerate(answer, start=1):
            yield from _spread(part, shape, name, (*index, i))
    elif prod(rest) == 1:
        yield (*index, *rest), answer
    elif is_blank(answer):
        yield from (((*index, *(i + 1 for i in at)), answer) for at in np.ndindex(rest))
    else:
        one = _entry(name, (*index, *(1 for _ in rest)))
        size = f"{_entry(name, index)} has {_times(rest)} entries"
        raise AnswerError(f"{size}, got one answer, {shown(answer)}: say which entry it is, as in {one}")


def _shape(answer, axes=4):
    """Return the shape of nested lists, as far as their first parts tell."""
    if axes == 0 or not isinstance(answer, list | tuple | np.ndarray):
        return ()
    return (len(answer), *(_shape(answer[0], axes - 1) if len(answer) else ()))


def _times(shape):
    return "×".join(map(str, shape))
