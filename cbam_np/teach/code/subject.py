"""What is checked, whatever it is: something that has parameters, takes a feature map and returns one."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from .calling import Unusable


class Unit(NamedTuple):
    """One layer, by what it holds.

    Parameters
    ----------
    kind : {"dense", "kernel", "norm", "vector", "other"}
        A matrix (a 1×1 convolution too), a larger convolution, a normalisation, a vector by itself, anything else.
    name : str
        Its parameter's name; a normalisation's scale.
    shape : tuple of int
        Of that parameter.
    bias : str
        The bias's name, or a normalisation's shift; "" if there is none.
    buffers : dict of str to str
        Names of a batch normalisation's running `mean` and `var`.
    eps : float
        Of a normalisation.
    loose : bool
        Whether it is a bare array, whose axes may be in another order than a layer's.
    label : str
        What it is, for a person.
    """

    kind: str
    name: str
    shape: tuple[int, ...]
    bias: str = ""
    buffers: Mapping[str, str] = MappingProxyType({})
    eps: float = 1e-5
    loose: bool = False
    label: str = ""


class Subject(ABC):
    """Something to check. Subclasses know how to run PyTorch modules, objects with NumPy arrays, and functions.

    Attributes
    ----------
    units : list of Unit
        What it holds.
    shapes : dict of str to tuple of int
        All parameters and running statistics that can be set, by their names.
    channels : int
        C of the feature maps that it takes.
    space : tuple of int
        Their other axes.
    channel_last : bool
        Whether it wants (N, H, W, C).
    exact : bool
        Whether it computes in float64.
    normalises_by_batch : bool
        Whether its batch normalisation is in training mode.
    known : dict of str to ndarray
        What it holds that cannot be set.
    notes : list of str
        What is worth knowing about how it was run.
    problems : list of str
        What has to be changed about it, whatever it computes.
    """

    units: list[Unit]
    shapes: dict[str, tuple[int, ...]]
    known: dict[str, np.ndarray]
    channels: int
    space: tuple[int, ...]
    channel_last = False
    exact = True
    normalises_by_batch = False

    def __init__(self) -> None:
        self.units, self.shapes, self.known = [], {}, {}
        self.notes: list[str] = []
        self.problems: list[str] = []

    @abstractmethod
    def run(self, x: np.ndarray, values: dict[str, np.ndarray]) -> np.ndarray:
        """Return the output for a feature map (N, C, …), with these parameters."""

    @abstractmethod
    def gradients(
        self, x: np.ndarray, values: dict[str, np.ndarray], dout: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]] | None:
        """Return dx and the gradients of parameters by name; None where there is no way back."""

    @property
    def tolerance(self) -> float:
        """The relative difference that rounding may make."""
        return 1e-7 if self.exact else 2e-4


SPACES = {1: (37,), 2: (8, 9), 3: (5, 6, 7)}
GUESSES = (64, 32, 16, 8, 6)  # of C, where no parameter tells


def first_output(result: Any, how: str, shape: tuple[int, ...] = ()) -> Any:
    """Return what is compared of what came back; an Unusable says why there is nothing.

    Of several things it is the only one of the input's shape, or the first of two.
    """
    if isinstance(result, tuple | list):
        alike = [each for each in result if tuple(getattr(each, "shape", ())) == shape]
        if len(alike) == 1 and shape:
            return alike[0]
        if len(result) > 2 or not result:
            raise Unusable(
                f"it returns {len(result)} things, and which of them is CBAM's output cannot be known: write a module "
                f"whose forward ends in that one alone, such as `return self.{how.partition('(')[0].lower()}(x)[0]`"
            )
        return first_output(result[0], how, shape)
    if result is None:
        raise Unusable("it returns None: is the return statement missing?")
    if not hasattr(result, "shape") and callable(result):
        raise Unusable(
            f"it returns a {type(result).__name__}, a layer and not a feature map: in forward, a layer has to be "
            "called, `self.conv(x)`; one that is made there, `nn.Conv2d(...)`, also has new weights at every call"
        )
    return result


def refuse_a_class(f: object) -> None:
    """Raise a TypeError where a class is given instead of an object of it."""
    if inspect.isclass(f):
        raise TypeError(
            f"{f.__name__} is a class, expected an object of it: write check_function({f.__name__}({_arguments(f)}))"
        )


def _arguments(cls: type) -> str:
    """Return how the arguments of a class may look: 64 for its first, if it needs one."""
    try:
        given = list(inspect.signature(cls).parameters.values())
    except (TypeError, ValueError):
        return "64"
    needed = [p for p in given if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return ", ".join(["64", *(p.name for p in needed[1:])][: len(needed)])


def channel_guesses(units: list[Unit]) -> list[int]:
    """Return what C may be, the likeliest first: what leads to a hidden layer and back has it on one side."""
    sizes = [size for unit in units if unit.kind == "dense" for size in unit.shape[:2]]
    wide = [unit.shape[1] for unit in units if unit.kind in ("kernel", "other") and len(unit.shape) > 2]
    counted = sorted(set(sizes), key=lambda size: (-min(sizes.count(size), 2), -size))
    return list(dict.fromkeys([*counted, *(size for size in wide if size > 3), *GUESSES]))


def dimension_guesses(units: list[Unit]) -> list[int]:
    """Return how many axes of space there may be, the likeliest first: as the convolutions have."""
    seen = [len(unit.shape) - 2 for unit in units if len(unit.shape) > 2 and not unit.loose]
    seen = sorted(set(seen), key=lambda d: (-max(len(u.shape) - 2 == d and u.shape[1] > 1 for u in units), -d))
    return list(dict.fromkeys([*(d for d in seen if d in SPACES), 2, 1, 3]))
