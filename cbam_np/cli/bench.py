"""`cbam-np bench`: the benchmark lies beside the package, in a checkout of the project."""

import sys
from pathlib import Path

from .errors import UserError

ROOT = Path(__file__).resolve().parents[2]


def _speed():
    """Return the benchmark, or None where the package was installed without it."""
    if not (ROOT / "benchmarks" / "speed.py").is_file():
        return None
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    from benchmarks import speed

    return speed


def declare(parser):
    """Declare the benchmark's own options."""
    speed = _speed()
    if speed:
        speed.declare(parser)


def run(command, **options):
    """Run the benchmark."""
    speed = _speed()
    if speed is None:
        raise UserError("the benchmarks are not in the installed package: run this in a checkout of the project")
    return speed.run(**options)
