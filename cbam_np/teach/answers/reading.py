"""A student's answers, from a dict or a file, as numbers with their places in a trace."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from os import PathLike, fsdecode
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..calculation.trace import Trace
from .files import NOTEBOOK, entries, in_notebook, read_file
from .lists import split_list
from .names import find_name
from .numerals import AnswerError, Written, bare, is_blank, shown, written

__all__ = ["AnswerError", "Answers", "Unplaced", "Unread", "Written", "read_answers", "read_file", "written"]

Index: TypeAlias = tuple[int, ...]

ABOUT_THE_SHEET = re.compile(  # rows that are no answers
    r"(?:first |last |sur)?name|vorname|nachname|nom|prénom|student(?: id)?|id|matrikel(?:nummer)?|date|datum|time|zeit"
    r"|duration|class|klasse|course|group|gruppe|team|(?:work)?sheet|exercise|homework|title|page|remarks?|comments?|notes?"
    r"|bemerkung(?:en)?"
)
TITLE = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)*")  # of a file or its columns: words and no numbers
NUMBER = re.compile(r"\s*[-+−≈~=]?\s*[.,]?\d")
MOST_UNPLACED = 100  # answers without a place, after which nothing more is read


class Unread(NamedTuple):
    """An answer that is no number, at its place.

    Parameters
    ----------
    text : str
        What was written, short.
    hint : str
        What to do about it.
    """

    text: str
    hint: str


class Unplaced(NamedTuple):
    """An answer without a place in the trace.

    Parameters
    ----------
    where : str
        The name as it was written, with the line of a file.
    text : str
        What was written, short.
    hint : str
        Why it has no place.
    """

    where: str
    text: str
    hint: str


@dataclass
class Answers:
    """What was read.

    Parameters
    ----------
    found : dict of str to dict of tuple of int to Written, Unread or None
        By step, by 0-based index; () is the index of a single number. None is a blank.
    unplaced : list of Unplaced
        What has no place among them.
    """

    found: dict[str, dict[Index, Written | Unread | None]] = field(default_factory=dict)
    unplaced: list[Unplaced] = field(default_factory=list)

    def numbers(self) -> dict[str, dict[Index, Written]]:
        """Return what could be read, without blanks."""
        kept = {
            name: {index: number for index, number in given.items() if isinstance(number, Written)}
            for name, given in self.found.items()
        }
        return {name: numbers for name, numbers in kept.items() if numbers}


def read_answers(answers: Any, trace: Trace) -> Answers:
    """Read answers, and find their places in a trace. What cannot be read keeps nothing else from being read.

    Parameters
    ----------
    answers : mapping of str to object, or path-like
        Names to numbers, such as ``{"M_c[1]": "0.25"}``; see `written` for what a number can look like, and `names` for
        names. Whole maps are nested lists, arrays, or text: ``{"M_c": ["0.25", "?", "0.75"]}``, ``{"M_c": "1, 2, 3"}``.
        Or a file with the same, see `read_file`, or a notebook, of which the lines ``answers["M_c"] = [...]`` are read
        and nothing is run.
    trace : Trace
        Whose steps the names are.

    Returns
    -------
    Answers
        Numbers, blanks, what could not be read, and what has no place.

    Raises
    ------
    AnswerError
        If `answers` is neither a mapping nor a file that can be opened, or if the file has no answers.

    Examples
    --------
    >>> import cbam_np
    >>> answers = read_answers({"z_c(F)_1": "1 + 3/4", "M_c[2]": "O.5"}, cbam_np.lecture.trace())
    >>> float(answers.found["z_c"][0,].value), answers.found["M_c"][1,].hint
    (1.75, 'did you mean 0.5?')
    """
    problems: tuple[str, ...] = ()
    if isinstance(answers, Mapping):
        given = [("", name, answer) for name, answer in answers.items()]
    elif isinstance(answers, str | PathLike) and fsdecode(answers).lower().endswith(NOTEBOOK):
        handed = in_notebook(answers)
        given, problems = [("", name, answer) for name, answer in handed.answers.items()], handed.problems
    elif isinstance(answers, str | PathLike):
        given = entries(answers)
        if all(is_blank(answer) for _, _, answer in given):
            raise AnswerError("the file has no answers yet: every one is blank")
    else:
        raise AnswerError(f'answers is {shown(answers)}, expected a dict such as {{"M_c[1]": "0.25"}}, or a path')
    reader = _Reader(trace)
    for line, key, answer in given:
        reader.read(line, key, answer)
        if len(reader.answers.unplaced) >= MOST_UNPLACED:
            reader.unplaced(line, "the rest", "", "the answers from here on were not read: correct these first")
            break
    reader.answers.unplaced += [Unplaced("a cell of the notebook", "", problem) for problem in problems]
    if not reader.answers.found:  # then they are what there is
        for title in reader.titles:
            reader.unplaced(*title)
    return reader.answers


class _Reader:
    """Reads answers one by one."""

    def __init__(self, trace: Trace) -> None:
        self.trace, self.answers = trace, Answers()
        self.titles: list[tuple[str, object, object, str]] = []

    def read(self, line: str, key: object, answer: object) -> None:
        key = f"{key[0]}[{','.join(map(str, key[1:]))}]" if isinstance(key, tuple) and key else key
        if isinstance(answer, Mapping) and answer:
            for part, own in list(answer.items()):
                self.read(line, f"{key}[{part}]", None if isinstance(own, Mapping) else own)
            return
        try:
            step, index, name = find_name(key, self.trace)
            cells = list(_spread(bare(answer), self.trace[step].shape, name, index))
        except AnswerError as error:
            if self.is_title(line, key, answer):
                self.titles.append((line, key, answer, str(error)))
            elif not (isinstance(key, str) and ABOUT_THE_SHEET.fullmatch(key.strip(" :").casefold())):
                self.unplaced(line, key, answer, str(error))
            return
        for at, cell in cells:
            self.place(line, step, name, at, cell)

    def is_title(self, line: str, key: object, answer: object) -> bool:
        """Tell whether a row is a title, of a file or of its columns: words above the first answer, and no number."""
        first = bool(line) and not self.answers.found
        return (
            first
            and isinstance(key, str)
            and TITLE.fullmatch(key.strip()) is not None
            and not NUMBER.match(str(answer))
        )

    def place(self, line: str, step: str, name: str, at: Index, cell: object) -> None:
        here, entry = _entry(name, at), tuple(i - 1 for i in at)
        found = self.answers.found.setdefault(step, {})
        number: Written | Unread | None
        try:
            number = written(cell, here)
        except AnswerError as error:
            number = Unread(shown(cell).strip("'\""), error.hint)
        before = found.get(entry)
        if before is None or (isinstance(before, Unread) and number is not None):
            found[entry] = number
        elif number is not None and not _agree(before, number):
            self.unplaced(line, here, cell, f"{_entry(step, at)} is {before.text} already: keep one of the two")

    def unplaced(self, line: str, key: object, answer: object, hint: str) -> None:
        name = shown(key).strip("'\"") if isinstance(key, str) else shown(key)
        self.answers.unplaced.append(Unplaced(f"{line}: {name}" if line else name, shown(answer).strip("'\""), hint))


def _agree(a: Written | Unread, b: Written | Unread) -> bool:
    return isinstance(a, Written) and isinstance(b, Written) and abs(a.value - b.value) <= a.tolerance + b.tolerance


def _entry(name: str, index: Index) -> str:
    return f"{name}[{','.join(map(str, index))}]" if index else name


def _spread(answer: Any, shape: Index, name: str, index: Index) -> Iterator[tuple[Index, Any]]:
    """Yield (index, answer) for every entry of `name` at or below a 1-based index."""
    rest = shape[len(index) :]
    answer = _array_of(answer, rest)
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
    elif isinstance(answer, str) and (parts := split_list(answer, rest)):
        yield from _spread(parts, shape, name, index)
    elif isinstance(answer, str) and (found := _with_index(answer, rest)):
        yield (*index, *found[0]), found[1]
    else:
        one = _entry(name, (*index, *(1 for _ in rest)))
        size = f"{_entry(name, index)} has {_times(rest)} entries"
        raise AnswerError(f"{size}, got one answer, {shown(answer)}: say which entry it is, as in {one}")


def _array_of(answer: Any, rest: Index) -> Any:
    """Return an array as nested lists; axes of length 1 may be missing, or there may be more of them."""
    if hasattr(answer, "detach") and hasattr(answer, "tolist"):
        answer = np.asarray(answer.detach().cpu())
    if isinstance(answer, np.ndarray):
        if answer.shape != rest and _long(answer.shape) == _long(rest):
            answer = answer.reshape(rest)
        return list(answer) if answer.ndim else answer[()]
    if isinstance(answer, list | tuple):
        shape = _shape(answer)
        if len(shape) > len(rest) and _long(shape) == _long(rest) and 1 in shape:
            return _unwrapped(answer, shape, rest)
    return answer


def _long(shape: Index) -> list[int]:
    return [n for n in shape if n != 1]


def _unwrapped(answer: list | tuple, shape: Index, rest: Index) -> list | tuple:
    """Return nested lists in the shape `rest`; the answer as it is where its parts differ in length."""
    try:
        cells = np.empty(shape, object)
        cells[...] = np.array(answer, dtype=object).reshape(shape)
    except ValueError:
        return answer
    return cells.reshape(rest).tolist()


def _with_index(text: str, rest: Index) -> tuple[Index, str] | None:
    """Read "1, 2, 0.5" as the entry [1,2] and its answer, as in a table with a column for each index."""
    found = re.fullmatch(r"\s*" + r"(\d)\s*[,;\t]\s*" * len(rest) + r"(.+)", text)
    index = tuple(map(int, found.groups()[:-1])) if found else ()
    return (
        (index, found[len(rest) + 1]) if found and all(1 <= i <= n for i, n in zip(index, rest, strict=True)) else None
    )


def _shape(answer: object, axes: int = 6) -> Index:
    """Return the shape of nested lists, as far as their first parts tell."""
    if axes == 0 or not isinstance(answer, list | tuple | np.ndarray):
        return ()
    return (len(answer), *(_shape(answer[0], axes - 1) if len(answer) else ()))


def _times(shape: Index) -> str:
    return "×".join(map(str, shape[:4]))
