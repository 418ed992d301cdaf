"""Notebooks as pages, or as a deck, that can be shown without a connection.

python scripts/pages.py html OUT NOTEBOOK …
python scripts/pages.py slides OUT REVEAL NOTEBOOK …

REVEAL is the folder that npm puts reveal.js into; it is copied beside the deck. Formulas become MathML.
"""

import re
import shutil
import sys
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter, SlidesExporter
from nbformat import NotebookNode

sys.path.insert(0, str(Path(__file__).parent.parent))
from scripts.formulas import put_mathml_into_outputs, with_mathml

TEMPLATES = Path(__file__).parent / "templates"
MISSING = """\
{reveal} is not there: the deck needs reveal.js, which npm has. Install Node.js, which brings npm, and run make slides
once while there is a connection; from then on neither making nor showing the deck needs one. make html needs none."""


def read(path: Path) -> NotebookNode:
    """Return a notebook whose formulas are MathML."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = with_mathml(cell.source)
        else:
            put_mathml_into_outputs(cell)
    return notebook


def export(exporter: HTMLExporter, path: Path, target: Path) -> None:
    """Write one notebook."""
    html, _ = exporter.from_notebook_node(read(path), {"metadata": {"name": path.stem}})
    html = re.sub(r"(</?)ns\d+:", r"\1", html)  # nbconvert reads headings as XML, and names what is in them anew
    target.write_text(html, encoding="utf-8")
    print(target)


def pages(out: Path, notebooks: list[Path]) -> None:
    """Write pages to read."""
    exporter = HTMLExporter(template_name="page", extra_template_basedirs=[str(TEMPLATES)])
    for path in notebooks:
        export(exporter, path, out / f"{path.stem}.html")


def deck(out: Path, reveal: Path, notebooks: list[Path]) -> None:
    """Write decks, and what they need into the folder beside them."""
    if not (reveal / "dist" / "reveal.js").exists():
        raise SystemExit(MISSING.format(reveal=reveal))
    shutil.copytree(reveal / "dist", out / "reveal.js" / "dist", dirs_exist_ok=True)
    exporter = SlidesExporter(
        template_name="deck", extra_template_basedirs=[str(TEMPLATES)], reveal_url_prefix="reveal.js"
    )
    exporter.reveal_theme, exporter.reveal_width, exporter.reveal_height = "white", "1280", "720"
    for path in notebooks:
        export(exporter, path, out / f"{path.stem}.slides.html")


if __name__ == "__main__":
    kind, folder, *arguments = sys.argv[1], Path(sys.argv[2]), *map(Path, sys.argv[3:])
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "html":
        pages(folder, arguments)
    else:
        deck(folder, arguments[0], arguments[1:])
