"""One step of one input: the function's numbers beside the right ones."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..mistakes.code import WEIGHTS
from .reading import LABELS


@dataclass(frozen=True, eq=False)
class Comparison:
    """One step of one input: the function's numbers and the right ones.

    Parameters
    ----------
    number : int
        Which input, from 1.
    name : str
        The step's name in the trace.
    yours, expected : ndarray
        The numbers, for the whole batch.
    tolerance : float
        The relative difference that rounding may make.
    """

    number: int
    name: str
    yours: np.ndarray
    expected: np.ndarray
    tolerance: float

    @cached_property
    def differences(self) -> np.ndarray:
        """Differences relative to the largest number."""
        return np.abs(self.yours - self.expected) / (np.abs(self.expected).max(initial=0) or 1)

    @property
    def ok(self) -> bool:
        """True where nothing is wrong."""
        return bool((self.differences <= self.tolerance).all())

    @property
    def label(self) -> str:
        """What the step is called where gradients are returned: dx for dF."""
        return LABELS.get(self.name, self.name)

    @property
    def first_wrong(self) -> str:
        """The first wrong entry in words: where, what came, what was expected."""
        index = tuple(np.argwhere(self.differences > self.tolerance)[0])
        image, entry = ("", index) if self.name in WEIGHTS else (f" of image {index[0] + 1}", index[1:])
        yours, expected = _distinct(self.yours[index], self.expected[index])
        where = f"{self.label}[{','.join(str(i + 1) for i in entry)}]{image}, input {self.number}"
        return f"{where}: yours {yours}, expected {expected}"


def _distinct(*values: float) -> list[str]:
    for digits in (4, 8, 16):
        texts = [f"{float(value):.{digits}g}" for value in values]
        if len(set(texts)) == len(texts):
            break
    return texts
