"""What a class has handed in: a folder of files of any kind, each read by itself."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..answers.files import entries
from ..answers.notebooks import Handed, read_notebook
from ..answers.numerals import AnswerError
from ..worksheets.roster import COLUMNS, Student
from .tables import kind_of, read_table

READ = (".ipynb", ".csv", ".tsv", ".txt", ".md", ".json", ".toml")
IGNORED = ("roster.csv",)  # what `cbam-np worksheet` writes beside the sheets, and nobody fills in
MOST_FILES = 5000
IN_NAME = re.compile(r"worksheet[-_ ]?(\d{1,9})", re.IGNORECASE)
OPTIONS = ("channels", "size", "hidden", "kernel_size", "bias", "ties")


class Submission(NamedTuple):
    """One student's answers.

    Parameters
    ----------
    id : str
        Whose.
    file : str
        Where they stand, as a path below the folder.
    kind : dict
        The arguments of `worksheet`.
    answers : dict of str to object
        As written, by name.
    notes : tuple of str
        What the teacher should know about this file.
    """

    id: str
    file: str
    kind: dict[str, Any]
    answers: dict[str, Any]
    notes: tuple[str, ...] = ()


class Unreadable(NamedTuple):
    """A file, or a part of one, that could not be marked, and why."""

    file: str
    reason: str


def read_folder(
    folder: Path, students: Sequence[Student] = (), kind: Mapping[str, Any] | None = None, skip: Path | None = None
) -> tuple[list[Submission], list[Unreadable]]:
    """Read everything that a class has handed in.

    Which worksheet it is stands in the file, in its name (`worksheet-123456.csv`), or in the list of the class.

    Parameters
    ----------
    folder : Path
        Where the files are, some of them perhaps in folders of their own.
    students : sequence of Student
        The class, where there is a list.
    kind : dict, optional
        Arguments of `worksheet` that hold where a file does not say otherwise.
    skip : Path, optional
        A folder that is left out, where reports are written to.

    Returns
    -------
    list of Submission, list of Unreadable
        In the order of the files' names; one submission for each student.
    """
    found: dict[str, Submission] = {}
    unreadable: list[Unreadable] = []
    for path in _files(folder, skip):
        file = path.relative_to(folder).as_posix()
        try:
            handed = _read(path)
        except AnswerError as error:
            unreadable.append(Unreadable(file, str(error)))
            continue
        for one in handed:
            try:
                submission = _placed(one, path, file, students, kind or {})
            except AnswerError as error:
                where = f"{file}, {one.id}" if one.id else file
                unreadable.append(Unreadable(where, str(error)))
                continue
            if submission.id in found:
                other = found[submission.id].file
                unreadable.append(Unreadable(file, f"{submission.id} has handed in {other} already; that was marked"))
            else:
                found[submission.id] = submission
    return list(found.values()), unreadable


def _files(folder: Path, skip: Path | None) -> Iterator[Path]:
    """Yield the files to read, by name."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in paths[:MOST_FILES]:
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith((".", "~", "_")) for part in parts)
        if not hidden and path.name not in IGNORED and not (skip and path.resolve().is_relative_to(skip.resolve())):
            yield path


def _read(path: Path) -> list[Handed]:
    """Read a file; messages do not name it."""
    if path.suffix.lower() not in READ:
        raise AnswerError(f"is a {path.suffix or 'nameless'} file, expected {', '.join(READ[:-1])} or {READ[-1]}")
    if path.suffix.lower() == ".ipynb":
        return [read_notebook(path)]
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        table = read_table(_text(path))
        if table is not None:
            return [one for one in table if any(isinstance(a, list) or a.strip() for a in one.answers.values())]
    try:
        found = entries(path)
    except AnswerError as error:
        raise AnswerError(str(error).removeprefix(repr(path.name)).strip()) from None
    return [_single((name, answer) for _, name, answer in found)]


def _text(path: Path) -> str:
    """Return a file as text, or nothing where it is no text: then the reader of answers says what is wrong with it."""
    try:
        return path.read_bytes()[:20_000_000].decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""


def _single(pairs: Iterable[tuple[str, Any]]) -> Handed:
    """Sort one student's file into who, which worksheet, and answers."""
    cells: dict[str, str] = {}
    options: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    for name, answer in pairs:
        column = next((c for c, names in COLUMNS.items() if name.strip().casefold() in names), None)
        if column:
            cells[column] = str(answer).strip()
        elif name.strip() in OPTIONS:
            options[name.strip()] = _option(answer)
        elif name.strip().casefold() == "answers" and isinstance(answer, dict):
            answers |= answer
        else:
            answers[name] = answer
    return Handed(cells.get("id") or cells.get("name", ""), kind_of(cells) | options, answers)


def _option(text: Any) -> Any:
    word = str(text).strip().lower()
    if word in ("true", "false"):
        return word == "true"
    if word.isascii() and word.isdigit() and len(word) < 4:
        return int(word)
    raise AnswerError(f"has an option of a worksheet that is {word!r}, expected a small number, true or false")


def _placed(handed: Handed, path: Path, file: str, students: Sequence[Student], kind: Mapping[str, Any]) -> Submission:
    """Find out whose answers these are, and to which worksheet."""
    if not handed.answers:
        raise AnswerError("; ".join(handed.problems) or "has no answers")
    by_id = {student.id: student for student in students}
    named = IN_NAME.search(path.name)
    seed = handed.kind.get("seed", int(named[1]) if named else None)
    by_seed = next((student for student in students if student.seed == seed), None)
    stems = [path.stem, path.parent.name]
    by_name = next((by_id[stem] for stem in stems if stem in by_id), None)
    student = by_id.get(handed.id) or (None if handed.id else by_name or by_seed)
    notes = list(handed.problems)
    if students and student is None:
        notes.append("is not in the list of the class")
    if seed is None:
        if student is None:
            raise AnswerError(
                "does not say which worksheet it is: write worksheet,NUMBER as a line of its own, or put it into the "
                "file's name, as in worksheet-123456.csv"
            )
        seed = student.seed
    elif student and student.seed != seed:
        notes.append(f"is worksheet {seed}, but the class lists worksheet {student.seed}")
    level = {"level": student.level} if student and student.level else {}
    whole = {**kind, **level, **handed.kind, "seed": seed}
    return Submission(student.id if student else handed.id or path.stem, file, whole, handed.answers, tuple(notes))
