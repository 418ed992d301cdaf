"""Layers made of layers: one after the other, or side by side."""

from copy import copy

import numpy as np

from ..ops.checks import check_shape
from .layer import Meeting


class Container(Meeting):
    """A layer made of named layers; its params, grads and state are theirs, under "name.parameter".

    Parameters
    ----------
    **parts
        The layers.
    """

    def __init__(self, **parts):
        self.parts = parts

    def __getattr__(self, name):
        parts = self.__dict__.get("parts", {})
        if name in parts:
            return parts[name]
        raise AttributeError(f"{type(self).__name__} has no layer {name!r}, only {', '.join(parts)}")

    def _collect(self, kind):
        return {
            f"{name}.{key}": array for name, part in self.parts.items() for key, array in getattr(part, kind).items()
        }

    params = property(lambda self: self._collect("params"))
    grads = property(lambda self: self._collect("grads"))
    state = property(lambda self: self._collect("state"))

    def twin(self):
        twin = copy(self)
        twin.parts = {name: part.twin() for name, part in self.parts.items()}
        return twin

    def layers(self):
        yield "", self
        for name, part in self.parts.items():
            for inner, layer in part.layers():
                yield f"{name}.{inner}".rstrip("."), layer

    def state_dict(self):
        """Return all that makes this network what it is: parameters and state, by name, not copied."""
        return self.params | self.state

    def load_state_dict(self, arrays):
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
        problems = [f"{name} is missing" for name in own if name not in arrays]
        problems += [f"{name} is unexpected" for name in arrays if name not in own]
        for name in own:
            if name in arrays:
                problems += _problems(name, np.asarray(arrays[name]), own[name])
        if problems:
            raise ValueError("the arrays are not this network's: " + "; ".join(problems))
        for name, array in own.items():
            array[...] = arrays[name]


def _problems(name, array, own):
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

    def forward_steps(self, x, training=False):
        for part in self.parts.values():
            x = yield from part.forward_steps(x, training)
        return x

    def backward_steps(self, dout):
        for part in reversed(self.parts.values()):
            dout = yield from part.backward_steps(dout)
            if dout is None:  # left out
                return None
        return dout

    def leave_out_dx(self):
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

    def __init__(self, branch, shortcut=None):
        super().__init__(branch=branch, **({} if shortcut is None else {"shortcut": shortcut}))

    def forward_steps(self, x, training=False):
        out = yield from self.branch.forward_steps(x, training)
        shortcut = (yield from self.shortcut.forward_steps(x, training)) if "shortcut" in self.parts else x
        check_shape(shortcut, "the shortcut's output", out.shape, "it is added to the branch's; give a shortcut layer")
        return out + shortcut

    def backward_steps(self, dout):
        dx = (yield from self.shortcut.backward_steps(dout)) if "shortcut" in self.parts else dout
        return dx + (yield from self.branch.backward_steps(dout))  # x feeds both paths: the gradients add
