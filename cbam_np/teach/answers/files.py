"""Files with answers, read without interpreting the numbers: "0.80" has to keep its zero.

CSV is read line by line: a name, a comma, semicolon, tab, `=` or `:`, and the answer, which is the rest of the line. A
name's own commas are inside its brackets, so neither `M_s[2,3],0.5` nor `M_s[2,3];0,5` needs quotes.
"""

import json
import re
import tomllib
from collections.abc import Iterable
from os import PathLike, fsdecode
from pathlib import Path
from typing import TypeAlias

from .layout import one_a_line
from .notebooks import Handed, read_notebook
from .numerals import AnswerError, shown

Line: TypeAlias = tuple[str, str, object]  # where it is, a name and its answer

LARGEST = 1_000_000  # bytes
MOST_LINES = 20_000
LONGEST_LINE = 5_000  # characters
SHEETS = (".xlsx", ".xls", ".ods", ".numbers")
NOTEBOOK = ".ipynb"
HEADS = ("", "step", "name", "sep", "entry", "symbol", "quantity", "variable")  # first cells of lines without answers
LINE = re.compile(  # a name with its indices, a separator, the answer
    r'''(?s)\s*(?:"((?:[^"]|"")*)"'''
    r"""|((?:[^,;\t=:≈|\[({]|(?<=_\d),(?=\d(?:,\d)?\s*[=:;\t≈])|(?<=_\d,\d),(?=\d\s*[=:;\t≈,])|(?<=_\d),(?=\d,\d,))*"""
    r"""(?:[\[({][^\])}]*[\])}](?:[_^'′″’]+(?:\w+(?:,\d)*(?=\s*[=:;\t≈])|\w+|(?=\{)))*)*))"""
    r"""\s*[,;\t=:≈|]?(.*)"""
)
BULLET = re.compile(r"\s*(?:[-*•]\s+|\(?[a-z\d]{1,2}[.)]\s+)(?=[^\d\s])")
RULE = re.compile(r"[\s|:=+-]*")
DOTTED = re.compile(r"""(?:\.\s*["'\w-]+\s*){20}""")  # tomllib takes minutes for a.a.a. and so on


def read_file(path: str | PathLike[str]) -> dict[str, object]:
    """Read names and answers as they stand in a file.

    Parameters
    ----------
    path : path-like
        A .csv, .tsv, .txt or .md file with one answer per line, a .json or .toml file, or a notebook. UTF-8, or UTF-16
        with a BOM.

    Returns
    -------
    dict of str to object
        Names to answers: text where a number was written, lists where a whole map was.

    Raises
    ------
    AnswerError
        If the file cannot be read, is none of these, or has no answers.
    """
    return _once((name, answer) for _, name, answer in entries(path))


def entries(path: str | PathLike[str]) -> list[Line]:
    """Return a file's answers as a list of (line, name, answer); line is "line 3" in CSV, and "" elsewhere."""
    path = Path(fsdecode(path))
    name, suffix = shown(path.name or str(path)), path.suffix.lower()
    if suffix == NOTEBOOK:
        return [("", where, answer) for where, answer in in_notebook(path).answers.items()]
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        reason = getattr(error, "strerror", None) or error
        raise AnswerError(f"cannot read {name}: {reason}") from None
    if suffix in SHEETS:
        raise AnswerError(f"{name} cannot be read as it is: export it as CSV")
    if suffix not in READERS:
        raise AnswerError(f"{name} is of an unknown kind, expected a .csv, .json or .toml file, or a notebook")
    if len(data) > LARGEST:
        raise AnswerError(f"{name} is larger than 1 MB: answers are a few lines of text")
    try:
        found = READERS[suffix](_decoded(data))
    except RecursionError:
        raise AnswerError(f"{name} is nested too deeply, expected lists of numbers") from None
    except AnswerError as error:
        raise AnswerError(f"{name} {error}") from None
    if not found:
        raise AnswerError(f"{name} has no answers: write them a line each, such as F_avg[1],3/4")
    return found


def in_notebook(path: str | PathLike[str]) -> Handed:
    """Return what a notebook hands in; what is wrong with it is said with its name."""
    path = Path(fsdecode(path))
    try:
        return read_notebook(path)
    except AnswerError as error:
        raise AnswerError(f"{shown(path.name)} {error}") from None


def _decoded(data: bytes) -> str:
    encoding = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "UTF-8"
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise AnswerError(f"is not {encoding}, see byte {error.start + 1}: save it as UTF-8") from None


def _lines(text: str) -> list[Line]:
    found, lines = [], text.splitlines()
    if len(lines) > MOST_LINES:
        raise AnswerError(f"has more than {MOST_LINES} lines: answers are a few lines of text")
    for number, line in one_a_line([line[:LONGEST_LINE] for line in lines]):
        if RULE.fullmatch(line) or line.lstrip(' \t"').startswith("#"):
            continue
        line = BULLET.sub("", line.strip().strip("|"), count=1)
        parts = LINE.fullmatch(line)
        assert parts is not None  # it takes any line
        quoted, bare, answer = parts.groups()
        name = bare.strip() if quoted is None else quoted.replace('""', '"').strip()
        answer = answer.rstrip(' \t",;|').lstrip(' \t\n"')
        apart = re.fullmatch(r"(\S.*?)\s+([-+−]?[\d.]\S*)", name)
        if not answer and apart:  # M_c1 0.5
            name, answer = apart.groups()
        if name.casefold() not in HEADS or (not name and answer):
            found.append((f"line {number}", name, answer))
    return found


def _json(text: str) -> list[Line]:
    if not text.strip():
        return []
    try:  # names that come twice stay in the list of pairs
        answers = json.loads(text, object_pairs_hook=_Pairs, parse_float=str, parse_int=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise AnswerError(f"is not JSON: {error}") from None
    if not isinstance(answers, _Pairs):
        raise AnswerError('has no names, expected an object such as {"F_avg[1]": "3/4"}')
    return [("", name, _plain(answer)) for name, answer in answers]


class _Pairs(list):
    """The pairs of an object in JSON, in their order."""


def _plain(answer: object) -> object:
    """Return pairs within an answer as a dict."""
    return {name: _plain(own) for name, own in answer} if isinstance(answer, _Pairs) else answer


def _toml(text: str) -> list[Line]:
    hint = 'put names in quotes, as in "M_c[1]" = 0.81'
    if DOTTED.search(text):
        raise AnswerError(f"is not TOML with answers, it has too many dots: {hint}")
    try:
        answers = tomllib.loads(text, parse_float=str)
    except ValueError as error:  # not TOML, or a whole number with thousands of digits
        raise AnswerError(f"is not TOML: {str(error)[:100]}; {hint}") from None
    return [("", name, answer) for name, answer in answers.items()]


READERS = {".csv": _lines, ".tsv": _lines, ".txt": _lines, ".md": _lines, ".json": _json, ".toml": _toml}


def _once(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Return a dict, after checking that no name has two answers."""
    found: dict[str, object] = {}
    for name, answer in pairs:
        if found.setdefault(name, answer) != answer:
            raise AnswerError(f"has {shown(name)} twice, with different answers: keep one")
    return found
