"""Pictures that come after results: where one cannot be drawn or written, that is said, and nothing else is lost."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import words

if TYPE_CHECKING:
    from ..viz import Figure


def save(figure: "Figure", path: Path) -> None:
    """Write a figure to a file as a PNG, at once or not at all."""
    from ..train.files import written_whole

    with written_whole(path) as file:
        figure.savefig(file, dpi=150, format="png")


def save_if_possible(draw: Callable[[], "Figure"], path: Path) -> bool:
    """Draw a figure and write it to a file; where that fails, say why and return False."""
    try:
        save(draw(), path)
    except Exception as error:  # whatever it is: the results are on the disk, and must be told
        print(f"{path.name} could not be drawn ({words(error)}); the results are safe.", file=sys.stderr)
        return False
    return True
