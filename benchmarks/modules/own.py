"""Modules of our own writing, each with what it truly is: `ROWS`, and `HIDING`, where a mistake hides."""

from . import right, wrong_channel, wrong_spatial, wrong_together, pairs, others  # noqa: F401, I001  the rows' order
from .hiding import HIDING
from .rows import ROWS

__all__ = ["HIDING", "ROWS"]
