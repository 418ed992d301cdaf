"""What comes after results, above all pictures: where it cannot be made, that is said, and nothing else is lost."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import UserError, words

if TYPE_CHECKING:
    from ..viz import Figure


def check_place(path: Path) -> None:
    """Raise an OSError or a UserError where a picture cannot be written, before anything is calculated for it."""
    with suppress(FileNotFoundError):
        os.lstat(path)  # complains of a name that is too long
    if path.is_dir():
        raise UserError(f"{path} is a folder: name a file, as in {path / 'picture.png'}")
    if not path.parent.is_dir():
        raise UserError(f"there is no folder {path.parent}: make it, or choose another")


def save(figure: "Figure", path: Path) -> None:
    """Write a figure to a file as a PNG, at once or not at all."""
    from ..files import written_whole

    with written_whole(path) as file:
        figure.savefig(file, dpi=150, format="png")


def save_if_possible(draw: Callable[[], "Figure"], path: Path) -> bool:
    """Draw a figure and write it to a file; where that fails, say why and return False."""
    return attempt(lambda: save(draw(), path), path)


def attempt(write: Callable[[], object], path: Path) -> bool:
    """Write what can be made again from the results; where that fails, say why and return False."""
    try:
        write()
    except Exception as error:  # whatever it is: the results are on the disk, and must be told
        print(f"{path.name} could not be made ({words(error)}); the results are safe.", file=sys.stderr)
        return False
    return True
