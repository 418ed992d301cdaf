"""Build JupyterLite with the notebooks that need no data: python scripts/lite.py OUT [PYODIDE].

JupyterLite is JupyterLab in a browser, with Python compiled to WebAssembly (Pyodide). OUT is the folder for the pages.
PYODIDE is a folder with Pyodide, which is copied, so that the pages need no connection; without it they load Pyodide
from its publisher's servers when somebody opens them. `scripts/pyodide.py` makes such a folder.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ("00", "01", "02", "03", "07")  # the others train, or time, or read results
WHEELS = (
    "anywidget",
    "comm",
    "ipywidgets",
    "latex2mathml",
    "psygnal",
    "tqdm",
    "typing_extensions",
)  # what Pyodide does not bring
BROUGHT = ("numpy", "matplotlib", "pillow", "threadpoolctl")  # what it does, and what nothing in a cell names
SETTINGS = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}  # every cell, not only those in sight
SET_UP = f"""\
# In this browser alone: load what the notebook needs, which takes a few seconds.
import logging

import piplite

logging.getLogger("matplotlib").setLevel("ERROR")
await piplite.install({[*BROUGHT]!r})
await piplite.install({[*WHEELS, "cbam-np"]!r}, deps=False)"""


def prepared(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook without outputs, which loads what it needs where the original says how to open it elsewhere."""
    new = {"outputs": [], "execution_count": None}
    first, _, *others = notebook["cells"]
    set_up = {"cell_type": "code", "id": "set-up", "metadata": {}, "source": SET_UP} | new
    others = [cell | new if cell["cell_type"] == "code" else cell for cell in others]
    return notebook | {"cells": [first, set_up, *others]}


def wheels(folder: Path) -> None:
    """Put this package, and what Pyodide lacks, into a folder as wheels that run everywhere."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    pure = ["--only-binary", ":all:", "--platform", "any", "--implementation", "py", "--abi", "none"]
    subprocess.run([*pip, "download", "--no-deps", *pure, "--dest", folder, *WHEELS], check=True)


def build(out: Path, pyodide: Path | None = None) -> None:
    """Build the pages."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "files").mkdir()
        for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
            if path.stem[:2] in NOTEBOOKS:
                notebook = prepared(json.loads(path.read_text(encoding="utf-8")))
                (folder / "files" / path.name).write_text(json.dumps(notebook), encoding="utf-8")
        (folder / "overrides.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
        wheels(folder / "pypi")
        if pyodide is not None:
            shutil.copytree(pyodide, folder / "static" / "pyodide")
        command = [sys.executable, "-m", "jupyterlite_core", "build", "--apps", "lab", "--no-sourcemaps"]
        command += ["--lite-dir", folder, "--contents", folder / "files", "--output-dir", out.resolve()]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    print(Path(sys.argv[1]) / "lab" / "index.html")
