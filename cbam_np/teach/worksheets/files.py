"""Worksheets as files."""

import json
from pathlib import Path

from .jupyter import notebook
from .marking import class_csv, class_table
from .paper import page


def write_worksheets(sheets, out):
    """Write worksheets into a folder: of each a page to print, its key and a notebook; of several, a table for marking.

    Everything is made before the first file is written.

    Parameters
    ----------
    sheets : sequence of Worksheet
        The worksheets.
    out : path-like
        The folder, made if it is not there. Files of the same names are replaced.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    texts = {}
    for sheet in sheets:
        name = f"worksheet-{sheet.seed}"
        texts[f"{name}.html"] = page(sheet)
        texts[f"{name}-key.html"] = page(sheet, key=True)
        texts[f"{name}.ipynb"] = json.dumps(notebook(sheet), indent=1, ensure_ascii=False) + "\n"
    if len(sheets) > 1:
        texts |= {"class.html": class_table(sheets), "class.csv": class_csv(sheets)}
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    return [out / name for name in texts]
