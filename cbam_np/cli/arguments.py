"""Arguments, checked where they enter: each is read by one of these, which says in a sentence what was expected."""

import argparse
from collections.abc import Callable
from pathlib import Path

from ..train.options import Range
from .errors import UserError


def number(allowed: Range) -> Callable[[str], int | float]:
    """Return what reads a number for argparse, within a range."""

    def read(text: str) -> int | float:
        try:
            return allowed.read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def whole(least: int, most: int) -> Callable[[str], int | float]:
    """Return what reads a whole number for argparse, `least` to `most`."""
    return number(Range(int, least, most))


def path(text: str) -> Path:
    """Read the name of a file or a folder; "~" is the home folder."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        user = text.partition("/")[0]
        raise argparse.ArgumentTypeError(f"{text!r}: there is no home folder {user}, write the whole path") from error


def check_text(words: list[str]) -> None:
    """Raise a UserError where an argument is not text: it could neither be kept nor shown."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError as error:
            shown = word.encode("utf-8", "backslashreplace").decode()
            raise UserError(
                f"the argument '{shown}' has bytes that are not UTF-8 text: write it in another way"
            ) from error
