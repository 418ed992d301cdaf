"""A batch in pieces, side by side: each goes through the whole network while it is in the cache."""

import numpy as np

from ..ops.steps import together
from .containers import Container

PIECES = 4  # depends on nothing: not on the number of threads, and so neither does any bit of a result
FEWEST = 4  # images in a piece; with fewer, the interpreter is what takes the time


class InPieces:
    """A network that takes its batches in pieces, on all cores.

    It does what the network itself does, up to rounding; the gradients and running averages are the network's.

    Parameters
    ----------
    model : Layer
        The network.
    """

    def __init__(self, model):
        self.model = model
        self.twins = []

    def forward(self, x, training=False):
        """Return the output for a batch; `backward` can follow where it was for training."""
        pieces = np.array_split(x, max(1, min(PIECES, len(x) // FEWEST)))
        self.twins = [self._twin(training) for _ in pieces]
        work = zip(self.twins, pieces, strict=True)
        return np.concatenate(together([twin.forward_steps(piece, training) for twin, piece in work]))

    def backward(self, dout):
        """Fill the network's `grads`; the gradient of the images, for which training has no use, is left out."""
        work = zip(self.twins, np.array_split(dout, len(self.twins)), strict=True)
        together([twin.backward_steps(piece) for twin, piece in work])
        for (_, layer), *twins in zip(self.model.layers(), *(twin.layers() for twin in self.twins), strict=True):
            if not isinstance(layer, Container):
                layer.grads = {name: sum(twin.grads[name] for _, twin in twins) for name in layer.params}

    def _twin(self, training):
        twin = self.model.twin()
        twin.leave_out_dx()  # of the images
        for _, layer in twin.layers():
            layer.remembers = training
        return twin
