"""A batch in pieces, side by side: each goes through the whole network while it is in the cache."""

import numpy as np

from ..engine import over_slices, piece_count, run_pieces, total
from .containers import Container
from .layer import Layer


class InPieces:
    """A network that takes its batches in pieces, on all cores.

    It does what the network itself does, up to rounding; the gradients and running averages are the network's.

    Parameters
    ----------
    model : Layer
        The network.
    """

    def __init__(self, model: Layer) -> None:
        self.model = model
        self.twins: list[Layer] = []

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """Return the output for a batch; `backward` can follow where it was for training."""
        pieces = np.array_split(x, piece_count(len(x)))
        self.twins = [self._twin(training) for _ in pieces]

        def run(at: int) -> np.ndarray:
            return self.twins[at].forward(pieces[at], training)

        side_by_side = run_pieces if training else over_slices  # in inference, images have nothing to share
        return np.concatenate(side_by_side(run, range(len(pieces))))

    def backward(self, dout: np.ndarray) -> None:
        """Fill the network's `grads`; the gradient of the images, for which training has no use, is left out."""
        pieces = np.array_split(dout, len(self.twins))

        def run(at: int) -> None:
            self.twins[at].backward(pieces[at])

        run_pieces(run, range(len(pieces)))
        for (_, layer), *twins in zip(self.model.layers(), *(twin.layers() for twin in self.twins), strict=True):
            if not isinstance(layer, Container):
                layer.grads = {name: total(twin.grads[name] for _, twin in twins) for name in layer.params}

    def _twin(self, training: bool) -> Layer:
        twin = self.model.twin()
        twin.leave_out_dx()  # of the images
        for _, layer in twin.layers():
            layer.remembers = training
        return twin
