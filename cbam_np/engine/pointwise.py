"""Convolution with 1×1 kernels: at each pixel, a matrix times its channels. There is nothing to copy."""

import numpy as np

from .layout import flatten


class Pointwise:
    """Convolve a slice of a batch with 1×1 kernels, without padding; for any stride, and for exact fractions."""

    def __init__(self, W: np.ndarray, stride: int, padding: int) -> None:
        self.W, self.stride = W, stride
        self.rows = W[:, :, 0, 0]  # (O,C,1,1) -> (O,C)

    @staticmethod
    def fits(x: np.ndarray, W: np.ndarray, stride: int, padding: int) -> bool:
        """Tell whether this is the way to go."""
        return W.shape[2:] == (1, 1) and padding == 0

    def bytes_each(self, x: np.ndarray) -> int:
        """Return the size of what one image's products are made of and give."""
        H, W = self._seen(x[:1]).shape[2:]
        return sum(self.rows.shape) * H * W * x.itemsize

    def forward(self, x: np.ndarray, out: np.ndarray) -> None:
        """Write the convolution of (n,C,H,W) to out, (n,O,H',W')."""
        np.matmul(self.rows, flatten(self._seen(x)), out=flatten(out))  # (O,C) @ (n,C,H'·W') -> (n,O,H'·W')

    def backward(self, dout: np.ndarray, x: np.ndarray, dx: np.ndarray | None = None) -> np.ndarray:
        """Write the gradient of x to dx, if wanted; return this slice's part of the kernels', for `unfold`."""
        if dx is not None:
            seen = self._seen(dx)
            if self.stride > 1:
                dx[...] = 0  # the pixels between two steps
            seen[...] = (self.rows.T @ flatten(dout)).reshape(seen.shape)  # (C,O) @ (n,O,H'·W') -> (n,C,H'·W')
        return (flatten(dout) @ flatten(self._seen(x)).swapaxes(1, 2)).sum(axis=0)

    def unfold(self, dkernels: np.ndarray) -> np.ndarray:
        """Return the gradient of the kernels from the sum of all parts."""
        return dkernels.reshape(self.W.shape)

    def _seen(self, x: np.ndarray) -> np.ndarray:
        """View the pixels that a kernel is laid on."""
        return x[:, :, :: self.stride, :: self.stride]
