"""Convolution with 1×1 kernels: at each pixel, a matrix times its channels. There is nothing to copy."""

import numpy as np


class Pointwise:
    """Convolve a slice of a batch with 1×1 kernels, without padding; for any stride, and for exact fractions."""

    def __init__(self, W, stride, padding):
        self.W, self.stride = W, stride
        self.rows = W[:, :, 0, 0]  # (O,C,1,1) -> (O,C)

    @staticmethod
    def fits(x, W, stride, padding):
        """Tell whether this is the way to go."""
        return W.shape[2:] == (1, 1) and padding == 0

    def bytes_each(self, x):
        """Return the size of what one image's products are made of and give."""
        H, W = self._seen(x[:1]).shape[2:]
        return sum(self.rows.shape) * H * W * x.itemsize

    def forward(self, x):
        """Return the convolution, (n,C,H,W) -> (n,O,H',W')."""
        seen = self._seen(x)
        out = self.rows @ seen.reshape(*seen.shape[:2], -1)  # (O,C) @ (n,C,H'·W') -> (n,O,H'·W')
        return out.reshape(*out.shape[:2], *seen.shape[2:])

    def backward(self, dout, x, want_dx=True):
        """Return the gradient of x, and this slice's part of that of the kernels, for `unfold`."""
        seen = self._seen(x)
        dout = dout.reshape(*dout.shape[:2], -1)  # (n,O,H',W') -> (n,O,H'·W')
        dkernels = (dout @ seen.reshape(*seen.shape[:2], -1).swapaxes(1, 2)).sum(axis=0)
        return self._dx(dout, x) if want_dx else None, dkernels

    def unfold(self, dkernels):
        """Return the gradient of the kernels from the sum of all parts."""
        return dkernels.reshape(self.W.shape)

    def _seen(self, x):
        """View the pixels that a kernel is laid on."""
        return x[:, :, :: self.stride, :: self.stride]

    def _dx(self, dout, x):
        """Return the gradient of x, 0 at the pixels between two steps."""
        dseen = self.rows.T @ dout  # (C,O) @ (n,O,H'·W') -> (n,C,H'·W')
        if self.stride == 1:
            return dseen.reshape(x.shape)
        dx = np.zeros(x.shape, dseen.dtype)
        pixels = self._seen(dx)
        pixels[...] = dseen.reshape(pixels.shape)
        return dx
