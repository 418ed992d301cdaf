"""`cbam-np page`."""

import argparse
from pathlib import Path

from .arguments import a_file, whole
from .errors import UserError


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--out",
        type=a_file(": {}/cbam.html"),
        default=Path("cbam.html"),
        metavar="FILE",
        help="where (default: %(default)s)",
    )
    parser.add_argument("--order", default="channel-spatial", help="which attention comes first (default: %(default)s)")
    parser.add_argument(
        "--reduction", type=whole(1, 4), default=1, metavar="R", help="r, 1 or 3 (default: %(default)s)"
    )
    parser.add_argument("--kernel", default="lecture", help="the 7×7 kernel to begin with (default: %(default)s)")


def run(command: str, out: Path, order: str, reduction: int, kernel: str) -> None:
    """Write the page."""
    from ..classroom.example import Example
    from ..classroom.page import save

    try:
        example = Example(order=order, reduction=reduction, kernel=kernel)
    except ValueError as error:
        raise UserError(str(error)) from None
    save(out, example)
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB. Open it in any browser; it needs no connection.")
