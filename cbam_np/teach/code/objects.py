"""An object with NumPy arrays in it, `forward` and perhaps `backward`, as courses write layers: run as it is."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from .calling import Unusable
from .foreign import Foreign
from .subject import SPACES, Subject, Unit, channel_guesses, dimension_guesses, first_output
from .torch_modules import loose_unit


def is_object(f: object) -> bool:
    """Tell whether this is an object with a method `forward`."""
    return callable(getattr(f, "forward", None)) and not isinstance(f, type)


class NumPyObject(Subject):
    """An object with NumPy arrays. A copy of it is run; the object stays as it is.

    Parameters
    ----------
    layer : object
        Has ``forward(x)``, and perhaps ``backward(dout)``, which returns dx and leaves gradients behind.
    channels : int, optional
        C, where no parameter tells.
    """

    def __init__(self, layer: Any, channels: int | None = None):
        super().__init__()
        self.how = f"{type(layer).__name__}.forward(x)"
        try:
            self.layer = copy.deepcopy(layer)
        except Exception as error:
            raise Unusable(
                f"it cannot be copied ({error}), and is not to be changed: make a new one for this"
            ) from None
        for _, holder, key in list(self._arrays(self.layer)):
            holder[key] = holder[key].astype(float)
        self.fresh = copy.deepcopy(self.layer)
        self.units = self._find_units(set())
        guesses = [channels] if channels else channel_guesses(self.units)
        self._find_inputs(guesses, dimension_guesses(self.units))
        self.units = self._find_units(self._changing())
        names = {name for unit in self.units for name in (unit.name, unit.bias, *unit.buffers.values()) if name}
        self.shapes = {name: holder[key].shape for name, holder, key in self._arrays(self.fresh) if name in names}

    def _find_units(self, changing: set[str]) -> list[Unit]:
        """Return what it holds, without gradients and without what a run leaves behind."""
        arrays = {name: holder[key].shape for name, holder, key in self._arrays(self.fresh) if name not in changing}
        gradients = {name for name in arrays if "grad" in name.lower() or _is_gradient(name, arrays)}
        arrays = {name: shape for name, shape in arrays.items() if shape and name not in gradients}
        return [*_norms(arrays), *(loose_unit(name, shape) for name, shape in arrays.items())]

    def _changing(self) -> set[str]:
        """Return the names of arrays that a run changes: what it keeps for its way back."""
        layer = copy.deepcopy(self.fresh)
        before = {name: holder[key].copy() for name, holder, key in self._arrays(layer)}
        self._forward(layer, np.random.default_rng(1).normal(size=(3, self.channels, *self.space)))
        after = {name: holder[key] for name, holder, key in self._arrays(layer)}
        return {name for name, array in before.items() if name not in after or not np.array_equal(array, after[name])}

    def _find_inputs(self, channels: list[int], dimensions: list[int]) -> None:
        """Find C, the axes of space, and whether the channels come last, by trying."""
        first, rng = None, np.random.default_rng(0)
        for C in channels:
            for self.channel_last in (False, True):
                for d in dimensions:
                    self.channels, self.space = C, SPACES[d]
                    try:
                        x = rng.normal(size=(4, C, *self.space))
                        out = self.run(x, {})
                        if out.shape[0] == 4:
                            if self.channel_last:
                                self.notes.append("It takes channels last, (N, H, W, C): its input was transposed.")
                            return
                    except Unusable as error:
                        first = first or error
        raise first or Unusable("it returns an array without the batch axis")

    def _arrays(self, layer: Any) -> Iterator[tuple[str, Any, Any]]:
        """Yield the arrays of real numbers that it held before it was run, as (name, holder, key)."""
        yield from _arrays_in(vars(layer), "", 3)

    # --- running it ---

    def run(self, x: np.ndarray, values: dict[str, np.ndarray]) -> np.ndarray:
        """Return the output for x with these parameters."""
        layer = self._with(values)
        return self._forward(layer, x)

    def gradients(
        self, x: np.ndarray, values: dict[str, np.ndarray], dout: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]] | None:
        """Return dx and the gradients that `backward` leaves behind or returns."""
        if not callable(getattr(self.layer, "backward", None)):
            return None
        layer = self._with(values)
        self._forward(layer, x)
        before = {name: holder[key].copy() for name, holder, key in _arrays_in(vars(layer), "", 3)}
        with Foreign(f"{type(layer).__name__}.backward(dout)"):
            result = layer.backward(self._theirs(dout))
        result, given = result if isinstance(result, tuple) and len(result) == 2 else (result, {})
        if result is None:
            raise Unusable("backward returns None: let it return dx")
        dx = np.asarray(result, float)
        dx = np.moveaxis(dx, -1, 1) if self.channel_last else dx
        if dx.shape != x.shape:
            raise Unusable(f"backward returns dx with the shape {dx.shape}, expected {x.shape}")
        after = {name: holder[key] for name, holder, key in _arrays_in(vars(layer), "", 3)}
        moved = [name for name in values if name in after and not np.array_equal(before[name], after[name])]
        if moved:
            self.notes.append(
                f"backward changes {', '.join(moved)}: updating weights is an optimiser's work, between two batches."
            )
        return dx, self._grads(given if isinstance(given, dict) else {}, after)

    def _grads(self, given: dict, after: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the gradients of parameters, by the names that people give them."""
        found = {}
        for name, shape in self.shapes.items():
            path, _, last = name.rpartition(".")
            path = path and f"{path}."
            names = [f"{path}d{last}", f"{path}d_{last}", f"{path}{last}_grad", f"{path}grad_{last}", f"{path}g{last}"]
            names += [f"grads.{last}", f"{path.removesuffix('params.')}grads.{last}"]
            for candidate in names:
                if candidate in after and after[candidate].shape == shape:
                    found[name] = np.array(after[candidate], float)
                    break
            if last in given and np.shape(given[last]) == shape:
                found[name] = np.array(given[last], float)
        return found

    def _with(self, values: dict[str, np.ndarray]) -> Any:
        layer = copy.deepcopy(self.fresh)
        for name, holder, key in list(self._arrays(layer)):
            if name in values:
                holder[key] = values[name].reshape(holder[key].shape).copy()
        return layer

    def _forward(self, layer: Any, x: np.ndarray) -> np.ndarray:
        given = self._theirs(x)
        with Foreign(self.how):
            out = first_output(layer.forward(given), self.how, given.shape)
        if not isinstance(out, np.ndarray):
            raise Unusable(f"it returns a {type(out).__name__}, expected a NumPy array")
        out = out.astype(float)
        return np.moveaxis(out, -1, 1) if self.channel_last and out.ndim == x.ndim else out

    def _theirs(self, x: np.ndarray) -> np.ndarray:
        """Return an array in the layout and precision that it takes, its own to keep."""
        x = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if self.channel_last else x.copy()
        return x


def _norms(arrays: dict[str, tuple[int, ...]]) -> Iterator[Unit]:
    """Take the arrays of batch normalisations out, and yield them as units: bare arrays have but their names."""
    for name in list(arrays):
        path, _, last = name.rpartition(".")
        if last not in ("gamma", "scale"):
            continue
        near = {other.rpartition(".")[2]: other for other in arrays if arrays[other] == arrays[name]}
        shift = next((near[n] for n in ("beta", "shift") if n in near), "")
        running = {
            role: near[n] for role in ("mean", "var") for n in (role, f"running_{role}", f"moving_{role}") if n in near
        }
        shape = arrays[name]
        for used in (name, shift, *running.values()):
            arrays.pop(used, None)
        yield Unit("norm", name, shape, shift, running, 1e-5, label="BatchNorm")


def _is_gradient(name: str, arrays: dict) -> bool:
    """Tell whether a name is another one's with a d in front: dW1, d_W1."""
    path, _, last = name.rpartition(".")
    bare = last.removeprefix("d").removeprefix("_")
    return last.startswith("d") and (f"{path}.{bare}" if path else bare) in arrays


def _arrays_in(holder: dict | list, prefix: str, depth: int) -> Iterator[tuple[str, Any, Any]]:
    """Yield the arrays in a dict, and in dicts, lists and objects in it, as (name, holder, key)."""
    for key, value in list(holder.items()) if isinstance(holder, dict) else list(enumerate(holder)):
        name = f"{prefix}{key}"
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            yield name, holder, key
        elif depth and isinstance(value, dict | list):
            yield from _arrays_in(value, f"{name}.", depth - 1)
        elif depth and _is_part(value):
            yield from _arrays_in(vars(value), f"{name}.", depth - 1)


def _is_part(value: Any) -> bool:
    """Tell whether this is an object that may hold arrays, and not a function or a class."""
    return (
        hasattr(value, "__dict__")
        and not isinstance(value, type)
        and (hasattr(value, "forward") or not callable(value))
    )
