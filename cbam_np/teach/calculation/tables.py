"""The one writer of HTML tables: every cell is escaped, every heading has its scope, and no heading is empty."""

from collections.abc import Collection, Iterable, Sequence
from html import escape

CELL = "padding:2px 10px 2px 0"
BOXED = "padding:2px 8px;border:1px solid #8888"


class Markup(str):
    """Text that is HTML already, such as a formula in MathML. Any other text is escaped before it is shown."""

    __slots__ = ()


def as_markup(text: str) -> Markup:
    """Return text as HTML: `Markup` as it is, anything else escaped."""
    return text if isinstance(text, Markup) else Markup(escape(text))


def code(text: str) -> Markup:
    """Return text as HTML in the type of a program."""
    return Markup(f"<code>{escape(text)}</code>")


def html_table(
    rows: Iterable[Sequence[str]],
    heads: Sequence[str] = (),
    *,
    label: str = "",
    caption: str = "",
    row_heads: bool = False,
    right: Collection[int] = (),
    boxed: bool = False,
    kind: str | None = None,
) -> Markup:
    """Write a table.

    Parameters
    ----------
    rows : iterable of sequence of str
        The cells: plain text, or `Markup`.
    heads : sequence of str
        Headings of the columns; an empty one, as in the corner of a matrix, becomes an ordinary cell.
    label : str
        What a screen reader calls the table.
    caption : str
        A line above the table.
    row_heads : bool
        Whether the first cell of a row is its heading.
    right : collection of int
        Columns that are aligned to the right, counted from 0.
    boxed : bool
        Whether every cell has a border.
    kind : str, optional
        Class of the table, on a page with a style sheet. Without one, as in a notebook, each cell has its own style.

    Returns
    -------
    Markup
        A ``<table>`` element.

    Examples
    --------
    >>> html_table([["M_c", "<0.81>"]], ["step", "value"], row_heads=True, kind="key")[:46]
    '<table class="key"><thead><tr><th scope="col">'
    """

    def cell(at: int, text: str, heading: str = "") -> str:
        tag = f'th scope="{heading}"' if heading and text else "td"
        align = "right" if at in right else "center" if boxed else "left"
        style = f' style="text-align:{align};{BOXED if boxed else CELL}"' if kind is None else ""
        number = ' class="number"' if kind is not None and at in right else ""
        return f"<{tag}{style}{number}>{as_markup(text)}</{tag[:2]}>"

    head = "".join(cell(at, text, "col") for at, text in enumerate(heads))
    body = [
        "".join(cell(at, text, "row" if row_heads and not at else "") for at, text in enumerate(row)) for row in rows
    ]
    attributes = ' style="margin:6px 0;border-collapse:collapse"' if kind is None else f' class="{escape(kind)}"'
    attributes = attributes.replace(' class=""', "") + (f' aria-label="{escape(label)}"' if label else "")
    return Markup(
        f"<table{attributes}>{f'<caption>{as_markup(caption)}</caption>' if caption else ''}"
        f"{f'<thead><tr>{head}</tr></thead>' if head else ''}"
        f"<tbody>{''.join(f'<tr>{row}</tr>' for row in body)}</tbody></table>"
    )
