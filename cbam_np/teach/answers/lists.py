"""Several numbers in one cell: "1/2, 3/4", "1 0 1; 2 1 0", "[[1, 0], [2, 1]]"."""

import re
from math import prod

from .spelling import WRAPPED, plain

LONGEST = 4000  # characters
PRINTED = re.compile(  # as NumPy and PyTorch print arrays
    r"^(?:(?:np|numpy|torch)\.)?(?:array|tensor|asarray)\s*"
    r"\((.*?)(?:,\s*(?:dtype|device|grad_fn|requires_grad)\s*=.*)?\)$",
    re.DOTALL,
)
TWO_NUMBERS = re.compile(r"\d\s+[-+−]?\d+(?![\d\s]*/)")  # with nothing but space between them; 1 1/2 is one
SEPARATORS = (r"\s*[;\n|]\s*", r"\s*,\s+", r"\s*,\s*", r"\s+and\s+|\s*&\s*", r"\s{2,}|\t", r"\s+")


def split_list(text: str, shape: tuple[int, ...]) -> list | None:
    """Take the numbers of a whole vector or map out of one text.

    Parameters
    ----------
    text : str
        Numbers with commas, semicolons, line breaks or spaces between them, in brackets or not; rows in brackets of
        their own, on lines of their own, or with semicolons between them.
    shape : tuple of int
        How many there have to be.

    Returns
    -------
    list or None
        Nested lists of text in that shape; None where the text is no such list.

    Examples
    --------
    >>> split_list("1/2, 3/4, 0,5", (3,))
    ['1/2', '3/4', '0,5']
    >>> split_list("1 0; 2 1", (2, 2))
    [['1', '0'], ['2', '1']]
    """
    if len(text) > LONGEST or not shape:
        return None
    text = _inside(plain(text.strip().strip("\"'`")))
    rows = _rows(text) if len(shape) > 1 else None
    if rows is not None and len(rows) == shape[0]:
        found = [split_list(row, shape[1:]) for row in rows]
        if None not in found:
            return found
    if re.search(r"[\[\]]", text):
        text = re.sub(r"\[|\]", " ", text)
    if len(shape) == 1:
        return _row(text, shape[0])
    parts = _parts(text, SEPARATORS[0])
    if len(parts) == shape[0]:
        found = [split_list(part, shape[1:]) for part in parts]
        if None not in found:
            return found
    flat = split_list(text, (prod(shape),))
    return _folded(flat, shape) if flat else None


def _row(text: str, count: int) -> list[str] | None:
    """Return so many numbers; "0,75 1" is two with a decimal comma, not 0 and "75 1"."""
    ways = [parts for separator in SEPARATORS if len(parts := _parts(text, separator)) == count]
    single = (parts for parts in ways if not any(map(TWO_NUMBERS.search, parts)))
    return next(single, ways[0] if ways else None)


def _parts(text: str, separator: str) -> list[str]:
    return [part for part in re.split(separator, text.strip(" ,;|\n")) if part]


def _inside(text: str) -> str:
    """Return what stands within "array([...])", "[...]" or "(...)"."""
    text = PRINTED.sub(r"\1", text)
    if re.fullmatch(r"[(\[{].*[)\]}]", text, flags=re.S) and _closes_at_the_end(text):
        return text[1:-1].strip()
    match = WRAPPED.fullmatch(text)
    return match[1] if match else text


def _closes_at_the_end(text: str) -> bool:
    depth = 0
    for at, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            return at == len(text) - 1
    return False


def _rows(text: str) -> list[str] | None:
    """Return the groups in brackets that a text consists of; None if it does not."""
    rows, depth, start = [], 0, 0
    for at, character in enumerate(text):
        if character in "[({":
            start = at if depth == 0 else start
            depth += 1
        elif character in "])}":
            depth -= 1
            if depth == 0:
                rows.append(text[start : at + 1])
        elif depth == 0 and character not in " ,;\n|":
            return None
    return rows if rows and depth == 0 else None


def _folded(flat: list, shape: tuple[int, ...]) -> list:
    """Fold a flat list into a shape, row by row."""
    for n in reversed(shape[1:]):
        flat = [flat[i : i + n] for i in range(0, len(flat), n)]
    return flat
