"""Texts that are not laid out with one answer on a line: brought into that form, before anything is read.

Several answers on one line, a matrix on the lines below its name, and a table with the names on top and a row for each
channel.
"""

import re
from collections.abc import Sequence

NAME = r"d?[FMhazW][\w'′″’^{}]*(?:\(F['′’]*\))?"
INDEXED = rf"{NAME}(?:[\[(][\d,\s]+[\])]|(?<=\d)|_\d+(?:,\d+)*)"
ANOTHER = re.compile(rf"[;,]\s*(?={INDEXED}\s*[=≈])")
GIVEN = re.compile(r"[^=≈]*[=≈]\s*\S")
ALONE = re.compile(rf"\s*\"?{NAME}(?:[\[(][\d,\s]+[\])])*\"?[\s,;:=|]*")
EXPONENT = re.compile(r"(?<=[\d.])[eE](?=[+-]?\d)")
CELLS = re.compile(r"[;\t]")
COMMAS = re.compile(r",(?![^\[(]*[\])])")  # but for those within an index
HEAD = re.compile(rf"\s*\"?{NAME}(?:[\[(][\d,\s]+[\])])*\"?\s*")
INDEX = re.compile(r"\s*\d{1,2}\s*")
SEPARATORS = " \t,;:=|"
WIDEST = 500  # characters of a table's line
LONGEST = 4000  # characters of an answer on several lines


def one_a_line(lines: Sequence[str]) -> list[tuple[int, str]]:
    r"""Return lines with one name and one answer, each with the number of the line that it comes from.

    Parameters
    ----------
    lines : sequence of str
        As they stand in a file.

    Returns
    -------
    list of (int, str)
        The same where they have that form already.

    Examples
    --------
    >>> one_a_line(["F_avg[1] = 3/4; F_max[1] = 2"])
    [(1, 'F_avg[1] = 3/4'), (1, 'F_max[1] = 2')]
    >>> one_a_line(["M_c:", "0.25 0.5", "0.75 1"])
    [(1, 'M_c:\n0.25 0.5\n0.75 1')]
    """
    table = _table(lines)
    if table:
        return table
    joined: list[tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        if joined and _numbers_only(line) and _is_open(joined[-1][1]):
            at, before = joined[-1]
            before = f"{before.rstrip(SEPARATORS)}:" if ALONE.fullmatch(before) else before
            joined[-1] = at, f"{before}\n{line.strip(' ,;|')}"
        else:
            joined.append((number, line))
    return [(number, part) for number, line in joined for part in _parts(line)]


def _numbers_only(line: str) -> bool:
    plain = EXPONENT.sub("", line)
    return re.search(r"\d", plain) is not None and re.search(r"[^\W\d]|[=≈:#\"']", plain) is None


def _is_open(line: str) -> bool:
    """Tell whether the answer goes on below: there is none yet, or its brackets are open, or it has begun to."""
    if len(line) > LONGEST:
        return False
    return "\n" in line or ALONE.fullmatch(line) is not None or line.count("[") > line.count("]")


def _parts(line: str) -> list[str]:
    """Return the answers of a line by themselves: "F_avg[1] = 3/4, F_max[1] = 2" has two."""
    line = line.strip()
    if line.startswith(("\\[", "\\(")) and line.endswith(("\\]", "\\)")):
        line = line[2:-2]
    parts = ANOTHER.split(line)
    return parts if len(parts) > 1 and GIVEN.match(parts[0]) else [line]


def _table(lines: Sequence[str]) -> list[tuple[int, str]]:
    """Return the answers of a table with names on top: below them one row, or one for each channel; else nothing."""
    rows = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if len(rows) < 2 or len(rows[0][1]) > WIDEST:
        return []
    separator = CELLS if CELLS.search(rows[0][1]) else COMMAS
    head = _cells(rows[0][1], separator)
    channels = not HEAD.fullmatch(head[0])  # the first column says which
    names = head[1:] if channels else head
    if len(head) < 2 or not all(map(HEAD.fullmatch, names)) or (len(rows) > 2 and not channels):
        return []
    if any(len(line) > WIDEST for _, line in rows):
        return []
    body = [_cells(line, separator) for _, line in rows[1:]]
    if any(len(cells) != len(head) or not all(map(_number_or_blank, cells)) for cells in body):
        return []
    if channels and not all(INDEX.fullmatch(cells[0]) for cells in body):
        return []
    return [
        (number, f"{name}[{cells[0]}]\t{cell}" if channels else f"{name}\t{cell}")
        for (number, _), cells in zip(rows[1:], body, strict=True)
        for name, cell in zip(names, cells[1:] if channels else cells, strict=True)
    ]


def _cells(line: str, separator: re.Pattern[str]) -> list[str]:
    return [cell.strip(' "') for cell in separator.split(line)]


def _number_or_blank(cell: str) -> bool:
    return not cell or _numbers_only(cell) or cell in "?-–"
