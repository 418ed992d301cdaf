"""Answers in a notebook, read from its source: nothing in it is run."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .numerals import AnswerError

LARGEST = 5_000_000  # bytes; a notebook may hold pictures
DEEPEST = 8  # lists in lists
CALLS = ("Practice", "worksheet")  # what a notebook makes its sheet with
MAGIC = re.compile(r"^\s*[%!].*$", re.MULTILINE)


class Handed(NamedTuple):
    """What a file says: whose it is, which worksheet, and the answers by name.

    `kind` has the arguments of `worksheet` as far as the file tells them, such as `seed` and `level`.
    """

    id: str
    kind: dict[str, Any]
    answers: dict[str, Any]
    problems: tuple[str, ...] = ()


def read_notebook(path: Path) -> Handed:
    """Read a notebook's answers: the literals that its cells put into `answers`.

    Parameters
    ----------
    path : Path
        The notebook.

    Returns
    -------
    Handed
        Numbers are kept as they are written, so that 0.80 keeps its zero.

    Raises
    ------
    AnswerError
        If it is no notebook, or puts nothing into `answers`.
    """
    book = _loaded(path)
    about = book.get("metadata", {}).get("cbam_np", {})
    about = about if isinstance(about, dict) else {}
    kind: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    problems = []
    for number, source in enumerate(_sources(book), start=1):
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            problems.append(f"code cell {number} is not valid Python: its answers were not read")
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                kind |= _kind(node)
            elif isinstance(node, ast.Assign):
                _collect(node, source, answers)
    if not answers and not problems:
        raise AnswerError('puts nothing into answers, expected lines such as answers["F_max[1]"] = "…"')
    if not kind and isinstance(about.get("worksheet"), int):
        kind = {"seed": about["worksheet"], "level": str(about.get("level", "forward"))}
    student = about.get("student", "")
    return Handed(student if isinstance(student, str) else "", kind, answers, tuple(problems))


def _loaded(path: Path) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        raise AnswerError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > LARGEST:
        raise AnswerError("is larger than 5 MB: clear its outputs and save it again")
    try:
        book = json.loads(data)
    except (ValueError, RecursionError):
        raise AnswerError("is no notebook: it is not JSON") from None
    if not isinstance(book, dict) or not isinstance(book.get("cells"), list):
        raise AnswerError("is no notebook: it has no cells")
    return book


def _sources(book: dict[str, Any]) -> Iterator[str]:
    """Yield the source of the code cells, without the lines that only IPython understands."""
    for cell in book["cells"]:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", "")
            if isinstance(source, list):
                source = "".join(part for part in source if isinstance(part, str))
            yield MAGIC.sub("", source if isinstance(source, str) else "")


def _kind(call: ast.Call) -> dict[str, Any]:
    """Return which worksheet a call makes; {} for any other call."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name not in CALLS:
        return {}
    try:
        values = [ast.literal_eval(argument) for argument in call.args]
        options = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg}
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return {}
    options.pop("help", None)
    return dict(zip(("seed", "level"), values, strict=False)) | options


def _collect(node: ast.Assign, source: str, answers: dict[str, Any]) -> None:
    """Take over what an assignment puts into `answers`."""
    for target in node.targets:
        if isinstance(target, ast.Name) and target.id == "answers" and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    answers[key.value] = _written(value, source)
        elif (
            isinstance(target, ast.Subscript)
            and isinstance(target.value, ast.Name)
            and target.value.id == "answers"
            and isinstance(target.slice, ast.Constant)
            and isinstance(target.slice.value, str)
        ):
            answers[target.slice.value] = _written(node.value, source)


def _written(node: ast.expr, source: str, depth: int = 0) -> Any:
    """Return an answer as it is written: lists as lists, text as text, anything else as its piece of source."""
    if isinstance(node, ast.List | ast.Tuple) and depth < DEEPEST:
        return [_written(element, source, depth + 1) for element in node.elts]
    if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str)):
        return node.value
    return ast.get_source_segment(source, node) or "?"
