"""A function `f(x, params)` of NumPy arrays or of tensors, run with parameters by the lecture's names."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .calling import Unusable
from .foreign import Foreign, call
from .reading import NO_CACHE, as_numbers
from .subject import Subject, Unit

CHANNELS, HIDDEN, SPACE, KERNEL = 6, 2, (5, 6), 3
KEYS = (
    ("W0", "W1", "W7"),
    ("W0", "b0", "W1", "b1", "W7"),
    ("W0", "W1", "W7", "gamma", "beta"),
    ("W0", "b0", "W1", "b1", "W7", "gamma", "beta"),
)
EPS = 1e-5  # of batch normalisation, as everyone has it


class FunctionSubject(Subject):
    """A function, with the parameters that it needs.

    Parameters
    ----------
    f : callable
        ``f(x, params)``, as `check_function` takes it.
    backward : callable, optional
        ``backward(dout, cache)``.
    params : mapping, optional
        Fixed parameters; else it is tried which of `KEYS` it needs.
    """

    def __init__(self, f: Callable, backward: Callable | None = None, params: Mapping[str, Any] | None = None):
        super().__init__()
        self.f, self.backward = f, backward
        self.channels, self.space = CHANNELS, SPACE
        self.normalises_by_batch = True
        if params is not None:
            self.channels = np.shape(params["W0"])[-1] if "W0" in params else self.channels
            self._hold({name: np.shape(W) for name, W in params.items()})
            return
        self._find_keys()

    def _find_keys(self) -> None:
        """Find which parameters it needs, by trying."""
        first = None
        x = np.random.default_rng(0).normal(size=(2, self.channels, *self.space))
        for maps in (2, 1, 3):
            for keys in KEYS:
                self._hold({name: shape_of(name, maps) for name in keys})
                try:
                    self.run(x, {name: np.full(shape, 0.1) for name, shape in self.shapes.items()})
                    return
                except Unusable as error:
                    first = first or error
        assert first is not None
        raise first

    def _hold(self, shapes: dict[str, tuple[int, ...]]) -> None:
        self.shapes, self.units = shapes, []
        for name, shape in shapes.items():
            if name[:2] in ("W0", "W1", "W7"):
                bias = f"b{name[1:]}"
                kind = "kernel" if name == "W7" else "dense"
                self.units.append(Unit(kind, name, shape, bias if bias in shapes else "", label=name))
        if "gamma" in shapes:
            self.units.append(Unit("norm", "gamma", (1,), "beta", {}, EPS, label="BatchNorm2d"))

    def run(self, x: np.ndarray, values: dict[str, np.ndarray]) -> np.ndarray:
        """Return the output for x with these parameters."""
        return self._output(self._call(x, values)[0])

    def with_statistics(self) -> "FunctionSubject | None":
        """Return it with the statistics that its batch normalisation has been given; None if none can be found.

        With W1 = 0 the channels are all weighted alike, and with a kernel of one pixel the score is that pixel's: two
        runs tell the straight line from the convolution to the score.
        """
        if "gamma" not in self.shapes:
            return None
        x = np.random.default_rng(0).normal(size=(2, self.channels, *self.space)) + 1
        values = {name: np.zeros(shape) for name, shape in self.shapes.items()} | {"gamma": np.ones(1)}
        middle = np.zeros(self.shapes["W7"])
        middle[..., KERNEL // 2, KERNEL // 2] = 1
        scores = []
        for kernel in (np.zeros(middle.shape), middle):
            weights = self.run(x, values | {"W7": kernel}) / x * 2
            scores.append(np.log(weights / (1 - weights))[:, 0])
        pooled = (x.mean(1) + x.max(1)) * (0.5 if middle.shape[1] == 2 else 0.25)  # of F / 2
        slope = ((scores[1] - scores[0]) / pooled).mean()
        if not (np.isfinite(slope) and slope > 0 and np.allclose(scores[1] - scores[0], slope * pooled, rtol=1e-6)):
            return None
        found = FunctionSubject(self.f, self.backward, {name: np.empty(s) for name, s in self.shapes.items()})
        found.units[-1] = found.units[-1]._replace(buffers={"mean": "running mean", "var": "running var"})
        found.known = {"running mean": -scores[0].mean(keepdims=True).ravel() / slope, "running var": slope**-2 - EPS}
        found.known["running var"] = np.array([found.known["running var"]])
        found.normalises_by_batch = False
        return found

    def _call(self, x: np.ndarray, values: dict[str, np.ndarray]) -> tuple[Any, Any]:
        values = {name: value for name, value in values.items() if name in self.shapes}
        changed: list[str] = []
        result = call(self.f, x, values, how="f(x, params)", changed=changed)
        return result if isinstance(result, tuple) and len(result) == 2 else (result, NO_CACHE)

    def _output(self, result: Any) -> np.ndarray:
        if isinstance(result, Mapping):
            last = [name for name in ("F''", "F'", "M_s", "M_c") if name in result]
            if not last:
                raise Unusable("the dict of steps has no output")
            result = result[last[0]]
        out = as_numbers(result, "the output")
        if out.dtype == np.float32:
            self.exact = False
        return out.astype(float)

    def gradients(
        self, x: np.ndarray, values: dict[str, np.ndarray], dout: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]] | None:
        """Return what backward gives."""
        if self.backward is None:
            return None
        out, cache = self._call(x, values)
        if cache is NO_CACHE:
            raise Unusable("backward needs a cache: let the forward function return (output, cache)")
        dout = dout.reshape(np.shape(out)) if not isinstance(out, Mapping) else dout
        result = call(self.backward, dout, cache, how="backward(dout, cache)", changed=[])
        dx, grads = result if isinstance(result, tuple) and len(result) == 2 else (result, {})
        dx = as_numbers(dx, "dx").astype(float)
        if dx.shape != x.shape:
            raise Unusable(f"dx has the shape {dx.shape}, expected {x.shape}")
        named = {
            name if name in values else str(name).removeprefix("d"): np.asarray(g, float) for name, g in grads.items()
        }
        for name, gradient in named.items():
            if name in values and gradient.size != values[name].size:
                raise Unusable(f"d{name} has the shape {gradient.shape}, expected {values[name].shape}")
        return dx, {name: g.reshape(values[name].shape) for name, g in named.items() if name in values}


def shape_of(name: str, maps: int) -> tuple[int, ...]:
    """Return the shape of a parameter that is drawn for a function."""
    C, h = CHANNELS, HIDDEN
    shapes = {"W0": (h, C), "b0": (h,), "W1": (C, h), "b1": (C,), "W7": (1, maps, KERNEL, KERNEL)}
    return shapes.get(name, (1,))


# --- functions of tensors ---


def needs_tensors(f: Callable, x: np.ndarray, params: dict[str, np.ndarray]) -> bool:
    """Tell whether a function fails on arrays and runs on PyTorch's tensors, where PyTorch is loaded already."""
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    try:
        with Foreign("f(x, params)"):
            f(x.copy(), {name: W.copy() for name, W in params.items()})
        return False
    except Unusable as error:
        if not isinstance(error.__context__, TypeError | AttributeError):
            return False  # anything else is the function's own, and will be told
    try:
        with Foreign("f(x, params)"):
            f(torch.tensor(x), {name: torch.tensor(W) for name, W in params.items()})
        return True
    except Unusable:
        return False


class OfTensors:
    """A function of tensors as a pair of functions of arrays; the way back is PyTorch's."""

    def __init__(self, f: Callable):
        self.f, self.torch = f, sys.modules["torch"]

    def forward(self, x: np.ndarray, params: dict[str, np.ndarray]) -> tuple[Any, Any]:
        """Return the output, and what its way back needs."""
        leaf = self.torch.tensor(x).requires_grad_(True)
        leaves = {name: self.torch.tensor(W).requires_grad_(True) for name, W in params.items()}
        out = self.f(leaf * 1, leaves)
        if isinstance(out, Mapping):
            return {name: _array(value) for name, value in out.items()}, NO_CACHE
        out = out[0] if isinstance(out, tuple) else out
        return _array(out), (leaf, leaves, out)

    def backward(self, dout: np.ndarray, cache: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return dx and the parameters' gradients."""
        leaf, leaves, out = cache
        if not getattr(out, "requires_grad", False):
            raise Unusable("its output has no gradient: is there a `detach`, `no_grad` or `.data` in it?")
        out.backward(self.torch.tensor(dout))
        grads = {name: _gradient(tensor) for name, tensor in leaves.items()}
        return _gradient(leaf), grads


def _array(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _gradient(tensor: Any) -> np.ndarray:
    return np.zeros(tuple(tensor.shape)) if tensor.grad is None else tensor.grad.detach().cpu().numpy()
