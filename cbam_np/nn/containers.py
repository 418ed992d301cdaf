"""Layers made of layers: one after the other, or side by side."""

from collections.abc import Iterator
from copy import copy
from typing import Any

import numpy as np

from ..ops.checks import check_shape, unmasked
from .layer import Layer
from .weight_files import in_groups

SHOWN = 6  # names, or problems, that are told one by one


class Container(Layer):
    """A layer made of named layers; its params, grads and state are theirs, under "name.parameter".

    Parameters
    ----------
    **parts
        The layers.
    """

    def __init__(self, **parts: Layer) -> None:
        self.parts = parts

    def __getattr__(self, name: str) -> Any:
        parts = self.__dict__.get("parts", {})
        if name in parts:
            return parts[name]
        raise AttributeError(f"{type(self).__name__} has no layer {name!r}, only {', '.join(parts)}")

    def _collect(self, kind: str) -> dict[str, np.ndarray]:
        return {
            f"{name}.{key}": array for name, part in self.parts.items() for key, array in getattr(part, kind).items()
        }

    @property
    def params(self) -> dict[str, np.ndarray]:
        return self._collect("params")

    @property
    def grads(self) -> dict[str, np.ndarray]:
        return self._collect("grads")

    @property
    def state(self) -> dict[str, np.ndarray]:
        return self._collect("state")

    def twin(self) -> "Container":
        twin = copy(self)
        twin.parts = {name: part.twin() for name, part in self.parts.items()}
        return twin

    def layers(self) -> Iterator[tuple[str, Layer]]:
        yield "", self
        for name, part in self.parts.items():
            for inner, layer in part.layers():
                yield f"{name}.{inner}".rstrip("."), layer

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return all that makes this network what it is: parameters and state, by name, not copied."""
        return self.params | self.state

    def load_state_dict(self, arrays: dict[str, np.ndarray]) -> None:
        """Copy arrays into parameters and state.

        Parameters
        ----------
        arrays : dict of str to ndarray
            What `state_dict` returned for a network of the same architecture.

        Raises
        ------
        ValueError
            If names are missing or unexpected, or a shape, a dtype or a number cannot be used; all of them are
            listed, and nothing has been changed.
        """
        own = self.state_dict()
        problems = _of_names([name for name in own if name not in arrays], "missing")
        problems += _of_names([name for name in arrays if name not in own], "unexpected")
        wrong = [p for name in own if name in arrays for p in _problems(name, unmasked(arrays[name], name), own[name])]
        problems += wrong[:SHOWN] + ([f"and {len(wrong) - SHOWN} more like these"] if len(wrong) > SHOWN else [])
        if problems:
            raise ValueError("the arrays are not this network's: " + "; ".join(problems))
        for name, array in own.items():
            array[...] = arrays[name]


def _of_names(names: list[str], what: str) -> list[str]:
    """Say of a few names one by one, and of many in groups, that they are missing or unexpected."""
    if len(names) > SHOWN:
        return [f"{len(names)} names are {what}: {in_groups(names)}"]
    return [f"{name} is {what}" for name in names]


def _problems(name: str, array: np.ndarray, own: np.ndarray) -> Iterator[str]:
    """Yield why an array cannot take the place of the network's own."""
    if array.shape != own.shape:
        yield f"{name} has shape {array.shape}, expected {own.shape}"
    if array.dtype.kind != "f" or not np.can_cast(array.dtype, own.dtype, "safe"):
        yield f"{name} is {array.dtype}, expected {own.dtype}"
    elif not np.isfinite(array).all():
        yield f"{name} has entries that are not finite"
    elif name.endswith("var") and (array < 0).any():
        yield f"{name} has negative entries"


class Sequential(Container):
    """Layers one after the other."""

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        for part in self.parts.values():
            x = part.run(x, training)
        return x

    def backward(self, dout: np.ndarray) -> np.ndarray | None:
        dx: np.ndarray | None = dout
        for part in reversed(self.parts.values()):
            if dx is None:  # left out
                return None
            dx = part.run_back(dx)
        return dx

    def leave_out_dx(self) -> None:
        first = next((part for part in self.parts.values() if part.params), None)
        if first is not None:
            first.leave_out_dx()


class Residual(Container):
    """branch(x) + shortcut(x), where the shortcut is x itself unless a layer is given (He et al., CVPR 2016).

    Parameters
    ----------
    branch : Layer
        What is learned on top of x.
    shortcut : Layer, optional
        Brings x to the branch's shape where that differs.
    """

    def __init__(self, branch: Layer, shortcut: Layer | None = None) -> None:
        super().__init__(branch=branch, **({} if shortcut is None else {"shortcut": shortcut}))

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        out = self.branch.run(x, training)
        shortcut = self.shortcut.run(x, training) if "shortcut" in self.parts else x
        check_shape(shortcut, "the shortcut's output", out.shape, "it is added to the branch's; give a shortcut layer")
        return out + shortcut

    def backward(self, dout: np.ndarray) -> np.ndarray | None:
        dx = self.shortcut.run_back(dout) if "shortcut" in self.parts else dout
        return dx + self.branch.run_back(dout)  # x feeds both paths: the gradients add
