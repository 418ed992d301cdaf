"""What every report is made of, whatever was checked: headings, sentences, workings, tables and lists.

`as_text` writes them for a terminal of eighty columns, `as_html` for a notebook or a page.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from textwrap import wrap
from typing import NamedTuple, TypeAlias

from ..calculation import notation
from ..calculation.tables import Markup, code, html_table
from .verdicts import GREY, VERDICTS

WIDTH = 80


class Heading(NamedTuple):
    """What the blocks after it are about: a name, its formula in LaTeX, and where the lecture has it."""

    name: str
    formula: str = ""
    slide: str = ""


class Sentences(NamedTuple):
    """A paragraph, and what of its beginning matters most."""

    text: str
    first: str = ""


class Working(NamedTuple):
    """A calculation, line by line: (what the line is, the numbers)."""

    lines: Sequence[tuple[str, str]]


class Table(NamedTuple):
    """Rows of (verdict, cells): the first cell is a name, the last one is words, those between are numbers."""

    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    more: str = ""


class Items(NamedTuple):
    """A list, numbered where the reader chooses among the items. It belongs to the sentences before it."""

    items: Sequence[str]
    numbered: bool = False


Block: TypeAlias = Heading | Sentences | Working | Table | Items


def as_text(blocks: Iterable[Block]) -> str:
    """Write blocks for a terminal, an empty line between them; workings and lists belong to what stands above."""
    text = ""
    for block in blocks:
        lines = TEXT[type(block)](block)
        if lines:
            gap = "" if not text else "\n" if isinstance(block, Working | Items) else "\n\n"
            text += gap + "\n".join(lines)
    return text


def _heading_text(heading: Heading) -> list[str]:
    where = f"   ({heading.slide})" if heading.slide else ""
    return _wrapped(f"{heading.name}{': ' if heading.formula else ''}{notation.plain(heading.formula)}{where}")


def _sentences_text(sentences: Sentences) -> list[str]:
    return _wrapped(" ".join(filter(None, (sentences.first, sentences.text))))


def _working_text(working: Working) -> list[str]:
    widest = max((len(label) for label, _ in working.lines), default=0) + 3
    return [line for label, text in working.lines for line in _wrapped(text, f"    {label + ':':<{widest}}")]


def _items_text(items: Items) -> list[str]:
    if items.numbered:
        labels = [f"{n:>3}. " for n in range(1, 1 + len(items.items))]
    else:
        labels = ["    " if len(items.items) == 1 else "  - "] * len(items.items)
    return [line for label, text in zip(labels, items.items, strict=True) for line in _wrapped(text, label)]


def _table_text(table: Table) -> list[str]:
    rows = [("", table.heads), *((VERDICTS[verdict].mark, cells) for verdict, cells in table.rows)]
    widths = [max(map(len, column)) for column in zip(*(cells[:-1] for _, cells in rows), strict=True)]
    lines = []
    for mark, (name, *numbers, words) in rows:
        aligned = [name.ljust(widths[0]), *(n.rjust(w) for n, w in zip(numbers, widths[1:], strict=True))]
        label = f"{mark:1}  {'  '.join(aligned)}  "
        lines += _wrapped(words, label) if words else [label.rstrip()]
    return [*lines, *([f"   {table.more}"] if table.more else [])]


TEXT: dict[type, Callable[..., list[str]]] = {
    Heading: _heading_text,
    Sentences: _sentences_text,
    Working: _working_text,
    Table: _table_text,
    Items: _items_text,
}


def _wrapped(text: str, label: str = "") -> list[str]:
    """Break text into lines that stand to the right of a label; no line ends with "=" or "≈"."""
    text = re.sub("([=≈]) ", "\\1\xa0", text)
    lines = wrap(text, WIDTH, initial_indent=label, subsequent_indent=" " * len(label), break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]


def dollars(formula: str) -> Markup:
    """Return a formula as a notebook renders it."""
    return Markup(f"${escape(formula)}$")


def as_html(
    blocks: Iterable[Block],
    verdict: str = "",
    typeset: Callable[[str], Markup] = dollars,
    heading: str = "p",
) -> Markup:
    """Write blocks as HTML: marks and words beside the colours, and nothing that a dark page would hide.

    Parameters
    ----------
    blocks : iterable of Block
        The report.
    verdict : str
        Gives the line on the left its colour; grey where there is none.
    typeset : callable
        Turns a formula in LaTeX into HTML: between dollars for a notebook, MathML for a page.
    heading : str
        The element of headings: "p" in a notebook, "h2" or "h3" on a page.

    Returns
    -------
    Markup
        A ``<div>`` element.
    """
    colour = VERDICTS[verdict].colour if verdict else GREY
    parts = [_html(block, typeset, heading) for block in blocks]
    style = f"border-left:4px solid {colour};padding-left:12px;max-width:52em"
    return Markup(f'<div style="{style}">{"".join(parts)}</div>')


def _html(block: Block, typeset: Callable[[str], Markup], heading: str) -> str:
    if isinstance(block, Heading):
        formula = f": {typeset(block.formula)}" if block.formula else ""
        slide = f" ({escape(block.slide)})" if block.slide else ""
        return _element(heading, f"{code(block.name)}{formula}{slide}")
    if isinstance(block, Sentences):
        strong = f"<strong>{escape(block.first)}</strong>" if block.first else ""
        return _element("p", " ".join(filter(None, (strong, escape(block.text)))))
    if isinstance(block, Working):
        return html_table([(label.replace(" ", "\xa0"), code(text)) for label, text in block.lines], row_heads=True)
    if isinstance(block, Table):
        return _table_html(block)
    tag, items = "ol" if block.numbered else "ul", "".join(f"<li>{escape(item)}</li>" for item in block.items)
    if len(block.items) == 1:
        return _element("p", escape(block.items[0]))
    return f'<{tag} style="margin:0 0 6px">{items}</{tag}>' if items else ""


def _table_html(table: Table) -> str:
    rows = [
        (code(name), *numbers, Markup(f"{_mark(verdict)} {escape(words)}"))
        for verdict, (name, *numbers, words) in table.rows
    ]
    return html_table(rows, table.heads, row_heads=True, right=range(1, len(table.heads) - 1)) + _element(
        "p", escape(table.more)
    )


def _mark(verdict: str) -> str:
    return f'<strong style="color:{VERDICTS[verdict].colour}">{VERDICTS[verdict].mark}</strong>'


def _element(tag: str, content: str) -> str:
    return f'<{tag} style="margin:0 0 6px">{content}</{tag}>' if content else ""
