"""A PyTorch module, run as it is. PyTorch is not imported: a module is known by what it can do."""

import copy
import re
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import product
from typing import Any

import numpy as np

from .calling import Unusable
from .foreign import Foreign
from .subject import SPACES, Subject, Unit, channel_guesses, dimension_guesses, first_output

LAYOUTS = ("channels first", "channels last", "a sequence")
POOL = re.compile(r"Pool[123]d$")
LARGE = 5  # from here on, a pool without padding is one over all of its input


def _made_for(pool: Any, dimensions: int) -> tuple[int, ...] | None:
    """Return the size of the input that a pool is made for: where it is not adaptive, its window is as large."""
    window = getattr(pool, "kernel_size", None)
    if window is None or getattr(pool, "padding", 0) not in (0, (0,) * dimensions):
        return None
    sides = tuple(window) if isinstance(window, tuple) else (window,) * dimensions
    return sides if len(sides) == dimensions and min(sides) >= LARGE else None


def is_module(f: object) -> bool:
    """Tell whether this is a module of PyTorch, or of anything like it."""
    return all(hasattr(f, name) for name in ("named_parameters", "state_dict", "zero_grad"))


def _copied(module: Any) -> Any:
    """Return a copy on the CPU. Tensors that an earlier run left behind in it, with their history, are cut off."""
    left = [value for layer in module.modules() for value in vars(layer).values() if _has_history(value)]
    try:
        return copy.deepcopy(module, {id(tensor): tensor.detach() for tensor in left}).to("cpu")
    except Exception as error:
        raise Unusable(f"it cannot be copied ({error}), and is not to be changed: make a new one for this") from None


def _has_history(value: Any) -> bool:
    return getattr(value, "grad_fn", None) is not None and hasattr(value, "detach")


class TorchModule(Subject):
    """A PyTorch module. A copy of it is run; the module, its weights, gradients and mode stay as they are.

    Parameters
    ----------
    module : torch.nn.Module
        Takes a tensor (N, C, H, W), or one with one or three axes of space, and returns one, alone or with its map.
    channels : int, optional
        C, where no parameter tells.
    """

    layout = "channels first"
    returned = 1

    def __init__(self, module: Any, channels: int | None = None):
        super().__init__()
        self.torch = sys.modules.get("torch")
        self.how = f"{type(module).__name__}(x)"
        self.module = _copied(module)
        guesses = [channels] if channels else channel_guesses(list(self._units()))
        self._find_inputs(guesses)
        self.units = list(self._units())
        self.tensors = dict(self.module.named_parameters()) | dict(self.module.named_buffers())
        self.shapes = {
            name: tuple(t.shape) for name, t in self.tensors.items() if t.is_floating_point() and "batches" not in name
        }
        self._find_precision()
        self._find_mode()

    # --- how it wants to be run ---

    def _find_inputs(self, channels: list[int]) -> None:
        """Find C and the axes that it takes, by trying; this also makes lazy weights appear."""
        first = None
        rng = np.random.default_rng(0)
        for layout, C, space in product(LAYOUTS, channels, self._spaces()):
            self.layout, self.channels, self.space = layout, C, space
            x = rng.normal(size=(4, C, *self.space))
            try:
                out = self._call(self._tensor(x))
            except Unusable as error:
                first = first or error
                continue
            if self.layout == "channels first" or tuple(out.shape) == x.shape:
                self._say_how_it_was_run()
                return
        raise first or Unusable("it gives nothing of the input's shape")

    def _spaces(self) -> list[tuple[int, ...]]:
        """Return the axes of space to try: as many as its layers are made for, as long as its pools' windows."""
        pools = [m for m in self.module.modules() if POOL.search(type(m).__name__)]
        by_name = [int(type(m).__name__[-2]) for m in pools]
        found = []
        for d in dict.fromkeys([*by_name, *dimension_guesses(list(self._units()))]):
            found += [size for m in pools if (size := _made_for(m, d))]
            found.append(SPACES[d])
        return list(dict.fromkeys(found))

    def _say_how_it_was_run(self) -> None:
        if self.layout == "channels last":
            self.notes.append("It takes channels last, such as (N, H, W, C): its input was transposed.")
        if self.layout == "a sequence":
            self.notes.append("It takes a sequence of feature maps, (N, T, C, H, W): it was run with T = 2.")
        if self.returned > 2:
            self.problems.append(
                f"It returns {self.returned} things, and what uses CBAM expects one. The only one of the input's shape "
                "was checked: let forward return that one alone."
            )
        if self.space not in SPACES.values():
            size = "×".join(map(str, self.space))
            self.notes.append(f"Its pools are made for inputs of {size}, and not for all: it was run on such.")

    def _find_precision(self) -> None:
        x = np.random.default_rng(0).normal(size=(4, self.channels, *self.space))
        narrow = _copied(self.module)
        self.module = self.module.double()
        try:
            self._call(self._tensor(x))
        except Unusable:  # it makes tensors of float32 itself
            self.module, self.exact = narrow, False
        self.tensors = dict(self.module.named_parameters()) | dict(self.module.named_buffers())

    def _find_mode(self) -> None:
        """Leave the mode as it is, unless two runs differ: dropout is then switched off."""
        x = np.random.default_rng(0).normal(size=(4, self.channels, *self.space))
        once, again = (self._array(self._call(self._tensor(x))) for _ in range(2))
        if not np.array_equal(once, again):
            self.module.eval()
            once, again = (self._array(self._call(self._tensor(x))) for _ in range(2))
            if not np.array_equal(once, again):
                raise Unusable(
                    "two runs on the same input give different numbers, in evaluation mode too: what is random in it?"
                )
            self.notes.append("Two runs in training mode differ, as with dropout: it was checked in evaluation mode.")
        norms = [m for m in self.module.modules() if getattr(m, "running_mean", None) is not None]
        self.normalises_by_batch = any(m.training for m in norms)

    # --- running it ---

    def run(self, x: np.ndarray, values: dict[str, np.ndarray]) -> np.ndarray:
        """Return the output for x with these parameters, each time from the same statistics."""
        self._set(values)
        return self._array(self._call(self._tensor(x)))

    def gradients(
        self, x: np.ndarray, values: dict[str, np.ndarray], dout: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return dx and the parameters' gradients, by the module's own way back."""
        self._set(values)
        for parameter in self.module.parameters():
            parameter.grad = None
            parameter.requires_grad_(True)
        leaf = self._tensor(x).requires_grad_(True)
        try:
            out = self._call(leaf * 1)  # no leaf: `x *= M` works as it does inside a network
            out.backward(self._tensor(dout.reshape(tuple(out.shape))))
        except RuntimeError as error:
            raise Unusable(f"its backward pass does not run: {error}") from None
        names = dict(self.module.named_parameters())
        grads = {name: self._gradient(p) for name, p in names.items()}
        return self._gradient(leaf), grads

    def _gradient(self, tensor: Any) -> np.ndarray:
        if tensor.grad is None:
            return np.zeros(tuple(tensor.shape))
        return tensor.grad.detach().cpu().numpy().astype(float)

    def _set(self, values: dict[str, np.ndarray]) -> None:
        for name, array in values.items():
            tensor = self.tensors[name]
            tensor.data = tensor.data.new_tensor(np.ascontiguousarray(array)).reshape(tensor.shape)

    def _call(self, tensor: Any) -> Any:
        with Foreign(self.how):
            given = self._laid_out(tensor)
            result = self.module(given)
            self.returned = len(result) if isinstance(result, tuple | list) else 1
            out = first_output(result, self.how, tuple(given.shape))
            return self._laid_back(out, tensor.ndim)

    def _laid_out(self, tensor: Any) -> Any:
        """Return (N, C, …) in the layout that it takes."""
        if self.layout == "channels last":
            return tensor.movedim(1, -1)
        if self.layout == "a sequence":
            frames = 2 - len(tensor) % 2
            return tensor.reshape(len(tensor) // frames, frames, *tensor.shape[1:])
        return tensor

    def _laid_back(self, out: Any, axes: int) -> Any:
        """Return what came out as (N, C, …) again."""
        if self.layout == "channels last" and getattr(out, "ndim", 0) == axes:
            return out.movedim(-1, 1)
        if self.layout == "a sequence" and getattr(out, "ndim", 0) > 2:
            return out.reshape(-1, *out.shape[2:])
        return out

    def _tensor(self, x: np.ndarray) -> Any:
        some = next((t for t in [*self.module.parameters(), *self.module.buffers()] if _is_real(t)), None)
        if some is not None:
            return some.detach().new_tensor(x)
        if self.torch is None:
            raise Unusable("it has no parameter to learn from which kind of tensor it takes")
        return self.torch.tensor(x)

    def _array(self, out: Any) -> np.ndarray:
        if not hasattr(out, "detach"):
            raise Unusable(f"it returns a {type(out).__name__}, expected a tensor")
        array = out.detach().cpu().numpy()
        if array.dtype.kind not in "fiub":
            raise Unusable(f"it returns {array.dtype}, expected real numbers")
        return array.astype(float)

    # --- what it holds ---

    def _units(self) -> Iterator[Unit]:
        """Yield the layers that hold something of their own, in the module's order."""
        for path, layer in self.module.named_modules():
            own = {n: p for n, p in layer.named_parameters(recurse=False) if _is_known(p)}
            buffers = {n: b for n, b in layer.named_buffers(recurse=False) if _is_known(b)}
            yield from layer_units(layer, f"{path}." if path else "", own, buffers)


def random_numbers_kept() -> Any:
    """Return a guard under which PyTorch's random numbers, where it is loaded, stay where they are."""
    torch = sys.modules.get("torch")
    return torch.random.fork_rng(devices=[]) if torch is not None else nullcontext()


def layer_units(layer: Any, prefix: str, own: dict, buffers: dict) -> Iterator[Unit]:
    """Yield the units of one layer: a weight with its bias, a normalisation, or bare arrays one by one."""
    shapes = {name: tuple(p.shape) for name, p in own.items()}
    label = type(layer).__name__
    if "running_mean" in buffers:
        running = {"mean": f"{prefix}running_mean", "var": f"{prefix}running_var"}
        scale = f"{prefix}weight" if "weight" in own else ""
        shift = f"{prefix}bias" if "bias" in own else ""
        yield Unit("norm", scale, tuple(buffers["running_mean"].shape), shift, running, layer.eps, label=label)
    elif (set(shapes) == {"weight", "bias"} and len(shapes["weight"]) == 1) or hasattr(layer, "normalized_shape"):
        eps = getattr(layer, "eps", 1e-5)
        yield Unit("norm", f"{prefix}weight", shapes["weight"], f"{prefix}bias", {}, eps, label=label)
    elif "weight" in shapes and set(shapes) <= {"weight", "bias"} and len(shapes["weight"]) > 1:
        shape = shapes["weight"]
        kind = "dense" if set(shape[2:]) <= {1} else "kernel"
        yield Unit(kind, f"{prefix}weight", shape, f"{prefix}bias" if "bias" in shapes else "", label=label)
    else:
        for name, shape in shapes.items():
            yield loose_unit(prefix + name, shape, label)


def loose_unit(name: str, shape: tuple[int, ...], label: str = "array") -> Unit:
    """Return the unit of a bare array."""
    long = [n for n in shape if n > 1]
    kind = "vector" if len(long) < 2 and len(shape) < 2 else "dense" if len(shape) == 2 else "kernel"
    if len(shape) > 2 and set(shape[2:]) <= {1}:
        kind = "dense"
    return Unit(kind, name, shape, loose=True, label=label)


def _is_known(tensor: Any) -> bool:
    return "Uninitialized" not in type(tensor).__name__


def _is_real(tensor: Any) -> bool:
    return _is_known(tensor) and tensor.is_floating_point()
