"""Files with answers, read without interpreting the numbers: "0.80" has to keep its zero.

CSV is read line by line: a name, a comma, semicolon, tab, `=` or `:`, and the answer, which is the rest of the line. A
name's own commas are inside its brackets, so neither `M_s[2,3],0.5` nor `M_s[2,3];0,5` needs quotes.
"""

import json
import re
import tomllib
from os import fsdecode
from pathlib import Path

from .numerals import AnswerError, shown

LARGEST = 1_000_000  # bytes
SHEETS = (".xlsx", ".xls", ".ods", ".numbers", ".ipynb")
HEADS = ("", "step", "name", "sep")  # first cells of lines that are no answers
LINE = re.compile(r'(?s)\s*(?:"((?:[^"]|"")*)"|([^,;\t=:\[(]*(?:[\[(][^\])]*[\])])?))\s*[,;\t=:]?(.*)')
DOTTED = re.compile(r"""(?:\.\s*["'\w-]+\s*){20}""")  # tomllib takes minutes for a.a.a. and so on


def read_file(path):
    """Read names and answers as they stand in a file.

    Parameters
    ----------
    path : path-like
        A .csv, .tsv or .txt file with an answer a line, or a .json or .toml file. UTF-8, or UTF-16 with a BOM.

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


def entries(path):
    """Return a file's answers as a list of (line, name, answer); line is "line 3" in CSV, and "" elsewhere."""
    path = Path(fsdecode(path))
    name, suffix = shown(path.name or str(path)), path.suffix.lower()
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        reason = getattr(error, "strerror", None) or error
        raise AnswerError(f"cannot read {name}: {reason}") from None
    if suffix in SHEETS:
        raise AnswerError(f"{name} cannot be read as it is: export it as CSV")
    if suffix not in READERS:
        raise AnswerError(f"{name} is of an unknown kind, expected a .csv, .json or .toml file")
    if len(data) > LARGEST:
        raise AnswerError(f"{name} is larger than 1 MB: answers are a few lines of text")
    try:
        found = READERS[suffix](_decoded(data))
    except RecursionError:
        raise AnswerError(f"{name} is nested too deeply, expected lists of numbers") from None
    except AnswerError as error:
        raise AnswerError(f"{name} {error}") from None
    if not found:
        raise AnswerError(f"{name} has no answers: write them a line each, such as F_avg[1],8/9")
    return found


def _decoded(data):
    encoding = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "UTF-8"
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise AnswerError(f"is not {encoding}, see byte {error.start + 1}: save it as UTF-8") from None


def _lines(text):
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip(' \t"').startswith("#"):
            continue
        quoted, bare, answer = LINE.fullmatch(line).groups()
        name = bare.strip() if quoted is None else quoted.replace('""', '"').strip()
        answer = answer.rstrip(' \t",;').lstrip(' \t"')
        if name.lower() not in HEADS or (not name and answer):
            found.append((f"line {number}", name, answer))
    return found


def _json(text):
    if not text.strip():
        return []
    try:  # NaN becomes text as well, and is complained about where it stands
        answers = json.loads(text, object_pairs_hook=_once, parse_float=str, parse_int=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise AnswerError(f"is not JSON: {error}") from None
    if not isinstance(answers, dict):
        raise AnswerError('has no names, expected an object such as {"F_avg[1]": "8/9"}')
    return [("", name, answer) for name, answer in answers.items()]


def _toml(text):
    hint = 'put names in quotes, as in "M_c[1]" = 0.81'
    if DOTTED.search(text):
        raise AnswerError(f"is not TOML with answers, it has too many dots: {hint}")
    try:
        answers = tomllib.loads(text, parse_float=str)
    except ValueError as error:  # not TOML, or a whole number with thousands of digits
        raise AnswerError(f"is not TOML: {str(error)[:100]}; {hint}") from None
    return [("", name, answer) for name, answer in answers.items()]


READERS = {".csv": _lines, ".tsv": _lines, ".txt": _lines, ".json": _json, ".toml": _toml}


def _once(pairs):
    """Return a dict, after checking that no name has two answers."""
    found = {}
    for name, answer in pairs:
        if found.setdefault(name, answer) != answer:
            raise AnswerError(f"has {shown(name)} twice, with different answers: keep one")
    return found
