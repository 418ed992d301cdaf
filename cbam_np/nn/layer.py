"""What every layer is: parameters, gradients and the last cache; forward and backward, whole or in steps."""

from copy import copy

from ..ops.steps import alone


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

    def leave_out_dx(self):
        """Let `backward` return None from now on, if that saves work: for what comes first, in training."""

    def layers(self):
        """Yield (name, layer) for this layer, "" being its own name, and all inside it."""
        yield "", self


class Meeting(Layer):
    """A layer that looks at the whole batch, or has such layers inside: its steps are written, the rest follows."""

    def forward(self, x, training=False):
        return alone(self.forward_steps(x, training))

    def backward(self, dout):
        return alone(self.backward_steps(dout))
