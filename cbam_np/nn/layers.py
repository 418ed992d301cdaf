"""Layers: thin classes that hold parameters, gradients and the last cache. The mathematics is in `ops` and `cbam`."""

from copy import copy

import numpy as np

from .. import cbam, ops
from ..ops.checks import as_float, check_rng, check_shape
from .steps import alone


def he_normal(rng, shape, dtype):
    """Draw weights from N(0, 2 / fan-in), which keeps the variance through a ReLU (He et al., ICCV 2015)."""
    check_rng(rng)
    return (rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))).astype(dtype)


class Layer:
    """A step of a network.

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

    def __init__(self, params=None, state=None):
        self.params, self.grads, self.state = params or {}, {}, state or {}

    def __setattr__(self, name, value):
        if name != "cache" or self.remembers:
            super().__setattr__(name, value)

    def __getattr__(self, name):
        hint = ": run forward before backward" if name == "cache" else ""
        raise AttributeError(f"{type(self).__name__} has no {name!r}{hint}")

    def forward(self, x, training=False):
        """Return the output for a batch; `training` tells layers that behave differently then."""
        raise TypeError(f"{type(self).__name__} does not say what its forward is")

    def backward(self, dout):
        """Return the gradient of the input and fill `grads`; needs a `forward` before it."""
        raise TypeError(f"{type(self).__name__} does not say what its backward is")

    def forward_steps(self, x, training=False):
        """Do what `forward` does for a piece of a batch, as a generator.

        It yields what the other pieces have to know and is sent a list of what all of them have yielded, in their
        order, its own among it (see `pieces`); most layers need nothing of other images.
        """
        return self.forward(x, training)
        yield

    def backward_steps(self, dout):
        """Do what `backward` does for a piece of a batch, as a generator; `grads` is the piece's share."""
        return self.backward(dout)
        yield

    def twin(self):
        """Return a layer for another piece of the batch: with the same params and state, not copied."""
        twin = copy(self)
        twin.grads = {}
        twin.__dict__.pop("cache", None)
        return twin

    def layers(self):
        """Yield (name, layer) for this layer, "" being its own name, and all inside it."""
        yield "", self


class Meeting(Layer):
    """A layer that looks at the whole batch, or has such layers inside: its steps are written, the rest follows."""

    def forward(self, x, training=False):
        return alone(self.forward_steps(x, training))

    def backward(self, dout):
        return alone(self.backward_steps(dout))


class ReLU(Layer):
    """max(x, 0)."""

    def forward(self, x, training=False):
        out, self.cache = ops.relu_forward(x)
        return out

    def backward(self, dout):
        return ops.relu_backward(dout, self.cache)


class MaxPool2d(Layer):
    """The largest of every size × size window."""

    def __init__(self, size=2, stride=None):
        super().__init__()
        self.size, self.stride = size, stride

    def forward(self, x, training=False):
        out, self.cache = ops.max_pool2d_forward(x, self.size, self.stride)
        return out

    def backward(self, dout):
        return ops.max_pool2d_backward(dout, self.cache)


class GlobalAvgPool(Layer):
    """Each channel's average over space, (N, C, H, W) -> (N, C)."""

    def forward(self, x, training=False):
        out, self.cache = ops.avg_pool_forward(x, over="space")
        return out

    def backward(self, dout):
        return ops.avg_pool_backward(dout, self.cache)


class Linear(Layer):
    """x Wᵀ + b."""

    def __init__(self, inputs, outputs, *, rng, dtype=np.float32):
        super().__init__({"W": he_normal(rng, (outputs, inputs), dtype), "b": np.zeros(outputs, dtype)})

    def forward(self, x, training=False):
        out, self.cache = ops.linear_forward(x, **self.params)
        return out

    def backward(self, dout):
        dx, self.grads["W"], self.grads["b"] = ops.linear_backward(dout, self.cache)
        return dx


class Conv2d(Layer):
    """2-D convolution without bias, since a batch normalisation follows, with padding that keeps the size.

    Where `want_dx` is set to False, as for a network's first layer in training, `backward` returns None.
    """

    want_dx = True

    def __init__(self, inputs, outputs, kernel_size=3, stride=1, *, rng, dtype=np.float32):
        super().__init__({"W": he_normal(rng, (outputs, inputs, kernel_size, kernel_size), dtype)})
        self.stride, self.padding = stride, kernel_size // 2

    def forward(self, x, training=False):
        out, self.cache = ops.conv2d_forward(x, self.params["W"], stride=self.stride, padding=self.padding)
        return out

    def backward(self, dout):
        dx, self.grads["W"], _ = ops.conv2d_backward(dout, self.cache, self.want_dx)
        return dx


class BatchNorm2d(Meeting):
    """Batch normalisation that keeps running averages for inference.

    Parameters
    ----------
    channels : int
        C.
    momentum : float
        Part of each batch's statistics in the running averages.
    eps : float
        Added to the variance.
    dtype : dtype
        Of parameters and averages.
    """

    def __init__(self, channels, momentum=0.1, eps=1e-5, dtype=np.float32):
        super().__init__(
            params={"gamma": np.ones(channels, dtype), "beta": np.zeros(channels, dtype)},
            state={"mean": np.zeros(channels, dtype), "var": np.ones(channels, dtype)},
        )
        self.momentum, self.eps = momentum, eps

    def forward_steps(self, x, training=False):
        if not training:
            running = self.state["mean"], self.state["var"]
            out, self.cache = ops.batch_norm_forward(x, **self.params, running=running, eps=self.eps)
            return out
        own = ops.batch_norm_moments(x)
        parts = yield own
        moments = ops.merge_moments(parts)
        out, self.cache = ops.batch_norm_forward(x, **self.params, eps=self.eps, moments=moments)
        if own is parts[0]:  # the first piece keeps the averages for all
            unbiased = moments.squares / (moments.count - 1)  # the batch is a sample; the average is to stand for all
            for name, new in (("mean", moments.mean), ("var", unbiased)):
                self.state[name] += self.momentum * (new - self.state[name])
        return out

    def backward_steps(self, dout):
        own = ops.batch_norm_sums(dout, self.cache)
        self.grads["gamma"], self.grads["beta"] = own
        parts = yield own
        sums = [sum(shares) for shares in zip(*parts, strict=True)]
        return ops.batch_norm_backward(dout, self.cache, sums)[0]


class CBAM(Layer):
    """Convolutional Block Attention Module, see `cbam_np.cbam_forward`.

    Parameters
    ----------
    channels, reduction, kernel_size : int
        C, r and k, as in `cbam_np.init_cbam`.
    rng : numpy.random.Generator
        Draws the weights.
    dialect : str or Dialect
        Choices, see `cbam_np.Dialect`.
    dtype : dtype
        Of the weights.
    **changes
        Any field of `Dialect`.
    """

    def __init__(self, channels, reduction=16, kernel_size=7, *, rng, dialect="paper", dtype=np.float32, **changes):
        self.dialect = cbam.get_dialect(dialect, **changes)
        super().__init__(cbam.init_cbam(channels, reduction, kernel_size, rng=rng, dialect=self.dialect, dtype=dtype))

    def forward(self, x, training=False):
        out, self.cache = cbam.cbam_forward(x, self.params, self.dialect)
        return out

    def backward(self, dout):
        dx, self.grads = cbam.cbam_backward(dout, self.cache)
        return dx


class SE(CBAM):
    """Squeeze-and-excitation: CBAM's channel attention with the average pool alone (paper, Table 1)."""

    def __init__(self, channels, reduction=16, *, rng, dtype=np.float32):
        super().__init__(channels, reduction, rng=rng, dtype=dtype, order="channel", channel_pools=("avg",))


class Normalise(Layer):
    """Images to the numbers a network likes: (image - mean) / std, channel by channel.

    Parameters
    ----------
    channels : int
        C.
    dtype : dtype
        Of the output.
    """

    def __init__(self, channels=3, dtype=np.float32):
        super().__init__(state={"mean": np.full(channels, 127.5, dtype), "std": np.full(channels, 64.0, dtype)})

    def fit(self, images):
        """Take mean and std from training images, uint8 (N, C, H, W), in units of their values 0 to 255."""
        counts = [np.bincount(images[:, c].ravel(), minlength=256) for c in range(images.shape[1])]
        for c, count in enumerate(counts):
            mean = np.average(np.arange(256), weights=count)
            self.state["mean"][c] = mean
            self.state["std"][c] = max(1.0, np.sqrt(np.average((np.arange(256) - mean) ** 2, weights=count)))

    def forward(self, x, training=False):
        mean, std = self.state["mean"], self.state["std"]
        if np.ndim(x) != 4 or x.shape[1] != len(mean):
            raise ValueError(f"images have shape {np.shape(x)}, expected (N, {len(mean)}, H, W): one image is x[None]")
        return (x - mean[:, None, None]) / std[:, None, None]

    def backward(self, dout):
        return as_float(dout, "dout", "N C H W") / self.state["std"][:, None, None]


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
            If names are missing or unexpected or a shape does not fit; all of them are listed, and nothing
            has been changed.
        """
        own = self.state_dict()
        problems = [f"{name} is missing" for name in own if name not in arrays]
        problems += [f"{name} is unexpected" for name in arrays if name not in own]
        problems += [
            f"{name} has shape {np.shape(arrays[name])}, expected {own[name].shape}"
            for name in own
            if name in arrays and np.shape(arrays[name]) != own[name].shape
        ]
        if problems:
            raise ValueError("the arrays are of another network: " + "; ".join(problems))
        for name, array in own.items():
            array[...] = arrays[name]


class Sequential(Container):
    """Layers one after the other."""

    def forward_steps(self, x, training=False):
        for part in self.parts.values():
            x = yield from part.forward_steps(x, training)
        return x

    def backward_steps(self, dout):
        for part in reversed(self.parts.values()):
            dout = yield from part.backward_steps(dout)
            if dout is None:  # nobody asked for it
                return None
        return dout


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
