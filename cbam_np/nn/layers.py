"""Layers: thin classes over the mathematics, which is in `ops` and `cbam`."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import cbam, ops
from ..engine import is_first_piece, share, total
from ..ops.checks import as_float, check_option, check_rng
from .layer import Layer


def he_normal(rng: np.random.Generator, shape: Sequence[int], dtype: DTypeLike) -> np.ndarray:
    """Draw weights from N(0, 2 / fan-in), which keeps the variance through a ReLU (He et al., ICCV 2015)."""
    check_rng(rng)
    return (rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))).astype(dtype)


def uniform(rng: np.random.Generator, shape: Sequence[int], dtype: DTypeLike) -> np.ndarray:
    """Draw weights uniformly from ±1/√fan-in, as PyTorch's layers do."""
    check_rng(rng)
    return (rng.uniform(-1, 1, shape) / np.sqrt(np.prod(shape[1:]))).astype(dtype)


def dirac(rng: np.random.Generator, shape: Sequence[int], dtype: DTypeLike, rest: Callable = he_normal) -> np.ndarray:
    """Let the first kernels pass their channel on as it is, one entry 1 and the others 0, and draw the rest.

    Source: Zagoruyko and Komodakis, DiracNets, arXiv:1706.00388.
    """
    W = rest(rng, shape, dtype)
    passing, middle = np.arange(min(shape[:2])), shape[2] // 2
    W[passing] = 0
    W[passing, passing, middle, middle] = 1
    return W


CONV_STARTS: dict[str, Callable[..., np.ndarray]] = {
    "he": he_normal,
    "dirac": dirac,
    "dirac-uniform": partial(dirac, rest=uniform),
}


class ReLU(Layer):
    """max(x, 0)."""

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        out, self.cache = ops.relu_forward(x)
        return out

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return ops.relu_backward(dout, self.cache)


class GELU(Layer):
    """x Φ(x), smoother than ReLU."""

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        out, self.cache = ops.gelu_forward(x)
        return out

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return ops.gelu_backward(dout, self.cache)


class MaxPool2d(Layer):
    """The largest of every size × size window."""

    def __init__(self, size: int = 2, stride: int | None = None, padding: int = 0) -> None:
        super().__init__()
        self.size, self.stride, self.padding = size, stride, padding

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        if not self.remembers:
            return ops.max_pool2d(x, self.size, self.stride, self.padding)
        out, self.cache = ops.max_pool2d_forward(x, self.size, self.stride, padding=self.padding)
        return out

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return ops.max_pool2d_backward(dout, self.cache)


class GlobalAvgPool(Layer):
    """Each channel's average over space, (N, C, H, W) -> (N, C)."""

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        out, self.cache = ops.avg_pool_forward(x, over="space")
        return out

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return ops.avg_pool_backward(dout, self.cache)


class Linear(Layer):
    """x Wᵀ + b, or x Wᵀ · scale without a bias.

    Parameters
    ----------
    inputs, outputs : int
        D and M.
    rng : numpy.random.Generator
        Draws W.
    bias : bool
        Whether there is a bias.
    scale : float
        What the outputs are multiplied by, so that scores start small.
    dtype : dtype
        Of the parameters.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        rng: np.random.Generator,
        bias: bool = True,
        scale: float = 1.0,
        dtype: DTypeLike = np.float32,
    ) -> None:
        b = {"b": np.zeros(outputs, dtype)} if bias else {}
        super().__init__({"W": he_normal(rng, (outputs, inputs), dtype)} | b)
        self.scale: Any = np.asarray(scale, dtype)[()]

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        out, self.cache = ops.linear_forward(x, **self.params)
        return out if self.scale == 1 else self.scale * out

    def backward(self, dout: np.ndarray) -> np.ndarray:
        dx, dW, db = ops.linear_backward(dout if self.scale == 1 else self.scale * dout, self.cache)
        self.grads = {"W": dW} if db is None else {"W": dW, "b": db}
        return dx


class Conv2d(Layer):
    """2-D convolution without bias, since a batch normalisation follows, with padding that keeps the size."""

    want_dx = True

    def leave_out_dx(self) -> None:
        self.want_dx = False

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: int = 3,
        stride: int = 1,
        *,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
        start: str = "he",
    ) -> None:
        check_option(start, "start", CONV_STARTS)
        super().__init__({"W": CONV_STARTS[start](rng, (outputs, inputs, kernel_size, kernel_size), dtype)})
        self.stride, self.padding = stride, kernel_size // 2

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        out, self.cache = ops.conv2d_forward(x, self.params["W"], stride=self.stride, padding=self.padding)
        return out

    def backward(self, dout: np.ndarray) -> np.ndarray | None:
        dx, self.grads["W"], _ = ops.conv2d_backward(dout, self.cache, self.want_dx)
        return dx


def keep_moments(state: dict[str, np.ndarray], moments: ops.Moments, momentum: float) -> None:
    """Move the running averages `mean` and `var` towards a batch's; its variance is a sample's, so over M - 1."""
    if not is_first_piece():  # it does so for all
        return
    for name, new in (("mean", moments.mean), ("var", moments.squares / (moments.M - 1))):
        state[name] += momentum * (new - state[name])


class BatchNorm2d(Layer):
    """Batch normalisation that keeps running averages for inference.

    Parameters
    ----------
    channels : int
        C.
    momentum : float
        Part of each batch's statistics in the running averages.
    eps : float
        Added to the variance.
    scale : bool
        Whether γ is learned; otherwise it stays 1.
    dtype : dtype
        Of parameters and averages.
    """

    def __init__(
        self,
        channels: int,
        momentum: float = 0.1,
        eps: float = 1e-5,
        scale: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        gamma = np.ones(channels, dtype)
        super().__init__(
            params=({"gamma": gamma} if scale else {}) | {"beta": np.zeros(channels, dtype)},
            state={"mean": np.zeros(channels, dtype), "var": np.ones(channels, dtype)},
        )
        self.momentum, self.eps, self._fixed_gamma = momentum, eps, None if scale else gamma

    def _scale_and_shift(self) -> tuple[np.ndarray, np.ndarray]:
        gamma = self.params["gamma"] if self._fixed_gamma is None else self._fixed_gamma
        return gamma, self.params["beta"]

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        gamma, beta = self._scale_and_shift()
        if not training:
            running = self.state["mean"], self.state["var"]
            out, self.cache = ops.batch_norm_forward(x, gamma, beta, running, self.eps)
            return out
        moments = ops.merge_moments(share(ops.batch_norm_moments(x)))  # of the whole batch, where x is a piece of it
        out, self.cache = ops.batch_norm_forward(x, gamma, beta, None, self.eps, moments)
        keep_moments(self.state, moments, self.momentum)
        return out

    def backward(self, dout: np.ndarray) -> np.ndarray:
        own = ops.batch_norm_sums(dout, self.cache)
        self.grads = {name: grad for name, grad in zip(("gamma", "beta"), own, strict=True) if name in self.params}
        pieces = [own] if self.cache.moments is None else share(own)
        sums = list(map(total, zip(*pieces, strict=True)))  # of the whole batch
        return ops.batch_norm_backward(dout, self.cache, sums)[0]


class CBAM(Layer):
    """Convolutional Block Attention Module, see `cbam_np.cbam_forward`.

    Parameters
    ----------
    channels, reduction, kernel_size : int
        C, r and k, as in `cbam_np.init_cbam`; r is the dialect's where none is given.
    rng : numpy.random.Generator
        Draws the weights.
    dialect : str or Dialect
        Choices, see `cbam_np.Dialect`.
    dtype : dtype
        Of the weights.
    start : {"zero", "he", "pytorch", "official", "fan-out"}
        As in `cbam_np.init_cbam`; in a network, maps that start at 1/2 train better than random ones.
    **changes
        Any field of `Dialect`.
    """

    def __init__(
        self,
        channels: int,
        reduction: int | None = None,
        kernel_size: int = 7,
        *,
        rng: np.random.Generator,
        dialect: str | cbam.Dialect = "paper",
        dtype: DTypeLike = np.float32,
        start: str = "zero",
        **changes: Any,
    ) -> None:
        self.dialect = cbam.get_dialect(dialect, **changes)
        of: dict[str, Any] = {"rng": rng, "dialect": self.dialect, "dtype": dtype, "start": start}
        params = cbam.init_cbam(channels, reduction, kernel_size, **of)
        state = {"mean": np.zeros(1, dtype), "var": np.ones(1, dtype)} if "gamma" in params else {}
        super().__init__(params, state)

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        running = (self.state["mean"], self.state["var"]) if self.state and not training else None
        out, cache = cbam.cbam_forward(x, self.params, self.dialect, running)
        if cache.moments is not None:
            keep_moments(self.state, cache.moments, self.dialect.norm_momentum)
        self.cache = cache
        return out

    def backward(self, dout: np.ndarray) -> np.ndarray:
        dx, self.grads = cbam.cbam_backward(dout, self.cache)
        return dx


class SE(CBAM):
    """Squeeze-and-excitation: CBAM's channel attention with the average pool alone (paper, Table 1)."""

    def __init__(
        self,
        channels: int,
        reduction: int = 16,
        *,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
        start: str = "zero",
    ) -> None:
        of: dict[str, Any] = {"rng": rng, "dtype": dtype, "start": start}
        super().__init__(channels, reduction, order="channel", channel_pools=("avg",), **of)


class Normalise(Layer):
    """Images to the numbers a network likes: (image - mean) / std, channel by channel.

    Parameters
    ----------
    channels : int
        C.
    dtype : dtype
        Of the output.
    """

    def __init__(self, channels: int = 3, dtype: DTypeLike = np.float32) -> None:
        super().__init__(state={"mean": np.full(channels, 127.5, dtype), "std": np.full(channels, 64.0, dtype)})

    def fit(self, images: np.ndarray) -> None:
        """Take mean and std from training images, uint8 (N, C, H, W), in units of their values 0 to 255."""
        parts = np.array_split(images, -(-len(images) // 1000))  # a count takes eight times the memory of its images
        counts = [sum(np.bincount(part[:, c].ravel(), minlength=256) for part in parts) for c in range(images.shape[1])]
        for c, count in enumerate(counts):
            mean = np.average(np.arange(256), weights=count)
            self.state["mean"][c] = mean
            self.state["std"][c] = max(1.0, np.sqrt(np.average((np.arange(256) - mean) ** 2, weights=count)))

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        mean, std = self.state["mean"], self.state["std"]
        if np.ndim(x) != 4 or x.shape[1] != len(mean):
            raise ValueError(f"images have shape {np.shape(x)}, expected (N, {len(mean)}, H, W): one image is x[None]")
        return (x - mean[:, None, None]) / std[:, None, None]

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return as_float(dout, "dout", "N C H W") / self.state["std"][:, None, None]
