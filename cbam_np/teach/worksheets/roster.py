"""A class: who is in it, and which worksheet each of them gets."""

import csv
import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import NamedTuple

LARGEST = 1_000_000  # bytes of a file
LONGEST = 80  # characters of an id or a name
MOST = 1000  # students
SEEDS = 900_000  # different worksheets of six digits
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet calculate
COLUMNS = {  # what the columns of a class may be called
    "id": ("id", "student", "student id", "number", "matriculation", "username", "email"),
    "name": ("name", "full name"),
    "worksheet": ("worksheet", "seed", "sheet"),
    "level": ("level",),
}


class RosterError(ValueError):
    """What is wrong with the list of a class, in words for the teacher."""


class Student(NamedTuple):
    """One student of a class.

    Parameters
    ----------
    id : str
        What grades are listed by; may be a name.
    name : str
        What is printed on the worksheet, if that is not the id.
    seed : int
        Which worksheet.
    level : str
        Of the worksheet, where the class's list tells it.
    """

    id: str
    name: str = ""
    seed: int = 0
    level: str = ""

    @property
    def shown(self) -> str:
        """What is printed on the worksheet: the name and the id."""
        return f"{self.name} ({self.id})" if self.name and self.name != self.id else self.id


def numbered(seed: int, count: int) -> list[Student]:
    """Return a number of students without names, with worksheets from a seed on."""
    return [Student("", seed=seed + at) for at in range(count)]


def read_roster(path: str | PathLike[str]) -> list[Student]:
    """Read a class from a CSV file: one student per line, an id or a name first.

    A heading is optional. With one, the columns `id`, `name`, `worksheet` and `level` may stand in any order; a
    worksheet that is not listed is drawn from the id, so that the same class always gets the same worksheets.

    Parameters
    ----------
    path : path-like
        The file, UTF-8.

    Returns
    -------
    list of Student
        In the order of the file.

    Raises
    ------
    RosterError
        If the file cannot be read, lists nobody, or lists an id or a worksheet twice.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RosterError(f"cannot read {path.name!r}: {error.strerror}") from None
    if len(data) > LARGEST:
        raise RosterError(f"{path.name!r} is larger than 1 MB: expected one student per line")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RosterError(f"{path.name!r} is not UTF-8: save it as CSV in UTF-8") from None
    try:
        return _students(_rows(text))
    except RosterError as error:
        raise RosterError(f"{path.name!r}: {error}") from None


def _rows(text: str) -> list[tuple[int, list[str]]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(text.splitlines(), delimiter=delimiter)
    return [
        (number, [from_spreadsheet(cell.strip()) for cell in row])
        for number, row in enumerate(rows, start=1)
        if any(cell.strip() for cell in row)
    ]


def _students(rows: list[tuple[int, list[str]]]) -> list[Student]:
    places = _heading(rows[0][1]) if rows else {}
    if places:
        rows = rows[1:]
    else:
        places = {"id": 0}
    if not rows:
        raise RosterError("lists nobody: write one id or name per line")
    if len(rows) > MOST:
        raise RosterError(f"lists {len(rows)} students, expected at most {MOST}")
    found: list[Student] = []
    for number, row in rows:
        cells = {column: row[at] if at < len(row) else "" for column, at in places.items()}
        student = _student(number, cells)
        if any(student.id == other.id for other in found):
            raise RosterError(f"line {number}: {student.id!r} is listed twice")
        found.append(student)
    return with_seeds(found)


def _heading(row: Sequence[str]) -> dict[str, int]:
    """Return where the columns are, {} if the row is no heading."""
    found: dict[str, int] = {}
    for at, cell in enumerate(row):
        for column, names in COLUMNS.items():
            if cell.casefold() in names:
                found.setdefault(column, at)
    return found if "id" in found or "name" in found else {}


def _student(number: int, cells: dict[str, str]) -> Student:
    name = cells.get("name", "")
    id = cells.get("id", "") or name
    if not id:
        raise RosterError(f"line {number} has no id")
    for text in (id, name):
        if len(text) > LONGEST or not text.isprintable():
            raise RosterError(f"line {number}: expected an id and a name of at most {LONGEST} printable characters")
    seed = cells.get("worksheet", "")
    if seed and not (seed.isascii() and seed.isdigit() and len(seed) <= 9):
        raise RosterError(f"line {number}: worksheet is {seed!r}, expected a whole number")
    return Student(id, name, int(seed or 0), cells.get("level", "").lower())


def with_seeds(students: Iterable[Student]) -> list[Student]:
    """Give each student without a worksheet one drawn from the id, of six digits and different from all others."""
    students = list(students)
    taken = {s.seed for s in students if s.seed}
    if len(taken) < sum(bool(s.seed) for s in students):
        raise RosterError("a worksheet is listed twice: give each student another one, or none to have it drawn")
    found = []
    for student in students:
        seed, attempt = student.seed, 0
        while not seed:
            text = unicodedata.normalize("NFC", student.id) + f"#{attempt}" * (attempt > 0)
            drawn = 100_000 + int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % SEEDS
            seed, attempt = (0 if drawn in taken else drawn), attempt + 1
        taken.add(seed)
        found.append(student._replace(seed=seed))
    return found


def for_spreadsheet(cell: str) -> str:
    """Return a cell of a CSV file so that a spreadsheet shows it as text, and does not calculate it."""
    is_number = cell.removeprefix("-").replace(".", "", 1).isdigit()
    return f"'{cell}" if cell.startswith(FORMULAS) and not is_number else cell


def from_spreadsheet(cell: str) -> str:
    """Undo `for_spreadsheet`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULAS) else cell
