"""The state of the explorer: the numbers, the choices, and what follows from them; no widget is known here."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from ..cbam import ORDERS, get_dialect
from ..ops.checks import check_option, unmasked
from ..teach.answers.numerals import AnswerError, written
from ..teach.calculation.steps import trace_cbam
from ..teach.calculation.trace import Trace
from ..teach.example import lecture
from .kernels import KERNELS
from .mlps import mlps

LARGEST = (4, 5, 5)  # channels, rows, columns: more cannot be read
SIMPLE = 100  # denominators up to which a float is taken to be a fraction
CHOICES = ("order", "channel_pools", "spatial_pools", "ties", "mlp_bias", "spatial_norm")
POOLS = (("avg", "max"), ("max", "avg"), ("avg",), ("max",), ("mixed",), ("lp",), ("lse",))
Texts: TypeAlias = "str | list[Texts]"  # an array of numbers as text
NORM = {"gamma": Fraction(1), "beta": Fraction(0)}  # what a normalisation begins with


class Example:
    """A feature map, weights, choices, and a gradient of the output.

    Parameters
    ----------
    F : array_like, shape (C, H, W), optional
        The lecture's where none is given.
    reduction : int
        r; the MLP has C // r hidden units.
    kernel : str
        A name in `KERNELS`.
    **choices
        Any of `CHOICES`.

    Raises
    ------
    ValueError
        If F is too large, or a choice is unknown.
    """

    def __init__(self, F: Any = None, reduction: int = 1, kernel: str = "lecture", **choices: Any) -> None:
        F = lecture.F if F is None else unmasked(F, "F")
        if F.ndim != 3 or any(size > largest for size, largest in zip(F.shape, LARGEST, strict=True)):
            raise ValueError(f"F has shape {F.shape}, expected (C, H, W), at most {LARGEST}: more cannot be read")
        check_option(kernel, "kernel", KERNELS)
        known = mlps(len(F))
        if reduction not in known:
            raise ValueError(
                f"reduction is {reduction}, expected one of {list(known)}: it has to divide {len(F)} channels"
            )
        dialect = get_dialect(**choices)
        self.choices = {name: getattr(dialect, name) for name in CHOICES}
        self.reduction, self.kernel = reduction, kernel
        self.numbers = {"F": simple(F), "W7": KERNELS[kernel]()[0], "dF_out": simple(_upstream(F)), **known[reduction]}
        self.numbers |= {name: np.array(value, object) for name, value in NORM.items()}

    @classmethod
    def taken(cls, numbers: Mapping[str, Any], choices: Mapping[str, Any]) -> "Example":
        """Return an example as the front end has it.

        Parameters
        ----------
        numbers : dict of str to nested lists of str
            Every array, with numbers as text.
        choices : dict
            Any of `CHOICES`, `reduction` and `kernel`, which may be "own".
        """
        example = cls.__new__(cls)
        example.numbers = {name: _fractions(array) for name, array in numbers.items()}
        example.choices = {c: tuple(v) if isinstance(v, list) else v for c, v in choices.items() if c in CHOICES}
        example.reduction, example.kernel = int(choices["reduction"]), str(choices["kernel"])
        return example

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the weights that the chosen order and pools use."""
        attentions, pools = ORDERS[self.choices["order"]], self.choices["spatial_pools"]
        used = {}
        if "channel" in attentions:
            names = ("W0", "b0", "W1", "b1") if self.choices["mlp_bias"] else ("W0", "W1")
            used = {name: self.numbers[name] for name in names}
        if "spatial" in attentions:
            used["W7"] = self.numbers["W7"][None, [int(pool == "max") for pool in pools]]
            if self.choices["spatial_norm"]:
                used |= {name: self.numbers[name].reshape(1) for name in NORM}
        return used

    def trace(self) -> Trace:
        """Return every step, forward and backward."""
        return trace_cbam(self.numbers["F"], self.parameters(), self.numbers["dF_out"], **self.choices)


def _upstream(F: np.ndarray) -> np.ndarray:
    """Return the lecture's gradient of the output where it fits, and otherwise 1 for the first entry."""
    if F.shape == lecture.F.shape:
        return lecture.upstream()
    one = np.zeros(F.shape, int)
    one[0, 0, 0] = 1
    return one


def _fractions(texts: Texts) -> np.ndarray:
    array = np.array(texts, object)
    return np.array([_fraction(text) for text in array.flat], object).reshape(array.shape)


def _fraction(text: str) -> Fraction:
    """Read a number as the checker does: 8/9, 0,5, −1/3."""
    found = written(text, "a number")
    if found is None:
        raise AnswerError("a number is missing")
    return found.value


def simple(values: np.ndarray) -> np.ndarray:
    """Return numbers as fractions where all are simple ones, and otherwise as floats."""
    kept = [v if isinstance(v, Fraction) else Fraction(repr(float(v))) for v in values.flat]
    if any(fraction.denominator > SIMPLE for fraction in kept):
        return values.astype(float)
    return np.array(kept, object).reshape(values.shape)
