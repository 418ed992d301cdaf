"""What every layer is: parameters, gradients and the last cache, and a forward and a backward pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

import numpy as np


class Layer:
    """A part of a network.

    Parameters
    ----------
    params, state : dict of str to ndarray, optional
        What the attributes of these names start as.

    Attributes
    ----------
    params : dict of str to ndarray
        What is learned; an optimiser writes into these arrays.
    grads : dict of str to ndarray
        Gradients from the last `backward`, with the names of `params`.
    state : dict of str to ndarray
        What is kept but not learned, such as running averages.
    cache : tuple
        What the last `forward` left for `backward`; nothing where `remembers` is set to False.
    """

    remembers = True
    heard: dict[str, np.ndarray] | None = None  # where somebody listens, see `listen`
    cache: Any
    params: Any  # of arrays by name; a container's are its parts'
    grads: Any
    state: Any

    def __init__(self, params: dict[str, np.ndarray] | None = None, state: dict[str, np.ndarray] | None = None) -> None:
        self.params, self.grads, self.state = params or {}, {}, state or {}

    def __setattr__(self, name: str, value: object) -> None:
        if name != "cache" or self.remembers:
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        hint = ": run forward before backward" if name == "cache" else ""
        raise AttributeError(f"{type(self).__name__} has no {name!r}{hint}")

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """Return the output for a batch; `training` tells layers that behave differently then."""
        raise TypeError(f"{type(self).__name__} does not say what its forward is")

    def backward(self, dout: np.ndarray) -> np.ndarray | None:
        """Return the gradient of the input and fill `grads`; needs a `forward` before it."""
        raise TypeError(f"{type(self).__name__} does not say what its backward is")

    def run(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """Do `forward` as a part of a larger layer, which others may listen to."""
        out = self.forward(x, training)
        if self.heard is not None:
            self.heard["out"] = out
        return out

    def run_back(self, dout: np.ndarray) -> np.ndarray | None:
        """Do `backward` as a part of a larger layer, which others may listen to."""
        if self.heard is not None:
            self.heard["dout"] = dout
        return self.backward(dout)

    @contextmanager
    def listen(self) -> Iterator[dict[str, np.ndarray]]:
        """Yield a dict that will hold what the layer gives, `out`, and the gradient that comes back to it, `dout`.

        It hears the passes of the network that the layer is a part of, as long as the context lasts.
        """
        heard: dict[str, np.ndarray] = {}
        self.heard = heard
        try:
            yield heard
        finally:
            self.heard = None

    def twin(self) -> "Layer":
        """Return a layer for another piece of the batch: with the same params and state, not copied."""
        twin = copy(self)
        twin.grads, twin.heard = {}, None
        twin.__dict__.pop("cache", None)
        return twin

    def leave_out_dx(self) -> None:
        """Let `backward` return None from now on, if that saves work: for what comes first, in training."""

    def layers(self) -> "Iterator[tuple[str, Layer]]":
        """Yield (name, layer) for this layer, "" being its own name, and all inside it."""
        yield "", self
