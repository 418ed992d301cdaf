"""How the site is built: Sphinx reads the repository's own texts where they are. See `make site`.

Nothing is written twice: the front page is README, and links that work in the repository work on the site. What the
site needs and a text does not have is added while it is read: a table of contents, and a file for a link to a folder.
"""

import json
import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]

from scripts.formulas import put_mathml_into_outputs, with_mathml  # noqa: E402 - from the repository

_project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project, version = _project["name"], _project["version"]
author = copyright = "the authors of cbam-np"
language = "en"
root_doc = "README"
include_patterns = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "TEACHING.md"]
include_patterns += ["docs/*.md", "notebooks/*.ipynb", "results/**/README.md", "results/README.md"]
exclude_patterns = [".*", "docs/contents.md", "build", "html", "site", "slides"]

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "mathml"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the notebooks are committed as they ran, and the tests hold them to it
nb_merge_streams = True
autodoc_typehints = "none"  # numpydoc says them, with shapes
numpydoc_show_class_members = False
default_role = "code"
nitpicky = True
suppress_warnings = ["mystnb.unknown_mime_type"]  # widgets: the page has the text beside them

html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "navigation_with_keys": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_title = "cbam_np"
html_sidebars = {"docs/api": [], "TEACHING": []}  # nothing is below them
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False

SITE = re.compile(r"\[([^]]+)\]\(https://[\w-]+\.github\.io/[\w.-]+/(explorer\.html)\)")
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
FOLDER = re.compile(r"\]\(([^)#:]+)\)")
CONTENTS = {  # by the page, what is added to its end
    root_doc: (HERE / "contents.md").read_text(encoding="utf-8"),
    "results/README": "\n```{toctree}\n:hidden:\n:glob:\n\n*/README\n```\n",
}


def add_what_the_site_needs(app: Any, docname: str, source: list[str]) -> None:
    """Draw the formulas in a notebook's outputs; turn links to folders into links to what they hold; add contents."""
    path = Path(app.env.doc2path(docname))
    if path.suffix == ".ipynb":
        notebook = json.loads(source[0])
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                put_mathml_into_outputs(cell)
            else:  # MyST leaves HTML as it is
                cell["source"] = FOLDED.sub(lambda found: with_mathml(found[0]), "".join(cell["source"]))
        source[0] = json.dumps(notebook)
        return

    def file_in(link: re.Match[str]) -> str:
        folder = path.parent / link[1]
        if not folder.is_dir():
            return link[0]
        inside = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
        file = next((name for name in ("README.md", "result.json") if name in inside), inside[0])
        return f"]({link[1].rstrip('/')}/{file})"

    text = SITE.sub(r'<a href="\2">\1</a>', source[0])  # a page of this site that Sphinx does not know of
    source[0] = FOLDER.sub(file_in, text) + CONTENTS.get(docname, "")


def add_pages(app: Any, error: Exception | None) -> None:
    """Write the explorer, which needs no other file, and a front page under the name that servers look for."""
    if error is None and app.builder.name == "html":
        import cbam_np

        cbam_np.explore().save(Path(app.outdir) / "explorer.html")
        shutil.copyfile(Path(app.outdir) / f"{root_doc}.html", Path(app.outdir) / "index.html")


def setup(app: Any) -> None:
    """Listen to Sphinx."""
    app.connect("source-read", add_what_the_site_needs)
    app.connect("build-finished", add_pages)
