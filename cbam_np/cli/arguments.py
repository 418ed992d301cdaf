"""Arguments, checked where they enter: each is read by one of these, which says in a sentence what was expected."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from shlex import quote

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


def a_file(hint: str = "") -> Callable[[str], Path]:
    """Return what reads the name of a file for argparse, and says so where it is a folder's.

    Parameters
    ----------
    hint : str
        What else to do with a folder; "{}" is its name.
    """

    def read(text: str) -> Path:
        found = path(text)
        if os.path.isdir(found):  # which does not mind a name that is too long
            raise argparse.ArgumentTypeError(f"{found} is a folder, expected a file{hint.format(quote(str(found)))}")
        return found

    return read


def a_folder(hint: str = "") -> Callable[[str], Path]:
    """Return what reads the name of a folder for argparse, and says so where it is a file's.

    Parameters
    ----------
    hint : str
        What else to do with a file; "{}" is its name.
    """

    def read(text: str) -> Path:
        found = path(text)
        if os.path.isfile(found):
            raise argparse.ArgumentTypeError(f"{found} is a file, expected a folder{hint.format(quote(str(found)))}")
        return found

    return read


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
