"""The front end as one piece: its modules joined for a widget or a page, which can load only one."""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "front"
IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let)\b)", re.MULTILINE)


def modules(entry: str) -> list[str]:
    """Return the names of a module and of all that it imports, each after those that it needs.

    Parameters
    ----------
    entry : str
        A file in `front/`.

    Returns
    -------
    list of str
        File names; `entry` comes last.
    """
    found: list[str] = []

    def visit(name: str) -> None:
        if name in found:
            return
        for needed in IMPORT.findall(_read(name)):
            visit(needed)
        found.append(name)

    visit(entry)
    return found


def script(entry: str) -> str:
    """Join a module and all that it imports into one.

    The lines that import from a neighbour go, and so does the word `export`; nothing else is changed, so that no two
    modules may define the same name at their top level. What the entry exports by name, it exports still.

    Parameters
    ----------
    entry : str
        A file in `front/`.

    Returns
    -------
    str
        JavaScript.
    """
    return "\n".join(EXPORT.sub("", IMPORT.sub("", _read(name))) for name in modules(entry))


def style() -> str:
    """Return the style sheet."""
    return _read("style.css")


@cache
def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
