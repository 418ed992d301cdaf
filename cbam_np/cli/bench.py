"""`cbam-np bench`: the benchmark itself is in `cbam_np`'s neighbour `benchmarks`, in a checkout of the project."""

import argparse
import sys
from importlib import import_module, util
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import UserError

ROOT = Path(__file__).resolve().parents[2]


def _speed() -> ModuleType | None:
    """Return the benchmark, or None where the package was installed without it."""
    package = ROOT / "benchmarks" / "__init__.py"
    if not package.is_file():
        return None
    if "benchmarks" not in sys.modules:
        spec = util.spec_from_file_location("benchmarks", package)
        assert spec is not None and spec.loader is not None
        sys.modules["benchmarks"] = module = util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return import_module("benchmarks.speed")


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the benchmark's own options."""
    speed = _speed()
    if speed:
        speed.declare(parser)


def run(command: str, **options: Any) -> int:
    """Run the benchmark."""
    speed = _speed()
    if speed is None:
        raise UserError("the benchmarks are not in the installed package: run this in a checkout of the project")
    return speed.run(**options)
