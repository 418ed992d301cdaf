"""Worksheets as files."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...files import write_text
from .controls import answers_csv, as_csv, key_csv
from .jupyter import notebook
from .paper import class_key, class_page, page
from .roster import Student
from .worksheet import Worksheet


def sheet_files(sheet: Worksheet) -> dict[str, str]:
    """Return the files of one worksheet, by name: a page to print, its key, and a notebook."""
    name = f"worksheet-{sheet.seed}"
    return {
        f"{name}.html": page(sheet),
        f"{name}-KEY.html": page(sheet, key=True),
        f"{name}.ipynb": as_json(notebook(sheet)),
    }


def class_files(students: Sequence[Student], sheets: Sequence[Worksheet]) -> dict[str, str]:
    """Return the files of a class, by name.

    `class.html` to print for the students, `class-KEY.html` and `class-KEY.csv` to keep, `roster.csv` and
    `answers.csv` for `cbam-np mark`, and a page and a notebook for each student.
    """
    texts = {
        "class.html": class_page(students, sheets),
        "class-KEY.html": class_key(students, sheets),
        "class-KEY.csv": key_csv(students, sheets),
        "roster.csv": _roster(students, sheets),
        "answers.csv": answers_csv(students, sheets),
    }
    for student, sheet in zip(students, sheets, strict=True):
        texts[f"worksheet-{sheet.seed}.html"] = class_page([student], [sheet])
        texts[f"worksheet-{sheet.seed}.ipynb"] = as_json(notebook(sheet, student.id))
    return texts


def _roster(students: Sequence[Student], sheets: Sequence[Worksheet]) -> str:
    rows = [
        [s.id or f"worksheet-{w.seed}", s.name, str(w.seed), w.level] for s, w in zip(students, sheets, strict=True)
    ]
    return as_csv([["id", "name", "worksheet", "level"], *rows])


def as_json(notebook: Mapping[str, Any]) -> str:
    """Return a notebook as text."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


class Existing(Exception):
    """A file that would be replaced, and may have been filled in meanwhile."""


def write_files(texts: Mapping[str, str], out: str | Path, replace: bool = False) -> list[Path]:
    """Write files into a folder, which is made if it is not there; everything is made before the first is written.

    Parameters
    ----------
    texts : dict of str to str
        Contents by name; a name may have folders in it.
    out : path-like
        The folder.
    replace : bool
        Whether files that are there and differ may be replaced.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    Existing
        If a file is there already and differs; nothing is written then.
    OSError
        If the folder cannot be written to; no file is cut.
    """
    out = Path(out)
    paths = {out / name: text for name, text in texts.items()}
    for path, text in paths.items():
        if not replace and path.exists() and path.read_bytes() != text.encode():
            raise Existing(path.name)
    for path, text in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text, durable=False)
    return list(paths)
