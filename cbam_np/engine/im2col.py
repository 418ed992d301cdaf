"""Convolution by copying every window into a column of a matrix: one product with the kernels does all the sums."""

from collections.abc import Iterator

import numpy as np

from .layout import copy_rows, flatten


class Im2col:
    """Convolve a slice of a batch; for any kernels, stride and padding, and for exact fractions."""

    def __init__(self, W: np.ndarray, stride: int, padding: int) -> None:
        self.W, self.stride, self.padding = W, stride, padding
        self.rows = W.reshape(len(W), -1)  # (O,C,k,k) -> (O,C·k·k)

    @staticmethod
    def fits(x: np.ndarray, W: np.ndarray, stride: int, padding: int) -> bool:
        """Tell whether this is the way to go: where no other is."""
        return True

    def bytes_each(self, x: np.ndarray) -> int:
        """Return the size of one image's columns."""
        H, W = self._out_size(x)
        return self.rows.shape[1] * H * W * x.itemsize

    def forward(self, x: np.ndarray, out: np.ndarray) -> None:
        """Write the convolution of (n,C,H,W) to out, (n,O,H',W')."""
        np.matmul(self.rows, self._columns(x), out=flatten(out))  # (O,C·k·k) @ (n,C·k·k,H'·W') -> (n,O,H'·W')

    def backward(self, dout: np.ndarray, x: np.ndarray, dx: np.ndarray | None = None) -> np.ndarray:
        """Write the gradient of x to dx, if wanted; return this slice's part of the kernels', for `unfold`."""
        dout = flatten(dout)  # (n,O,H',W') -> (n,O,H'·W')
        if dx is not None:
            copy_rows(self._add_columns(self.rows.T @ dout, x), dx)
        return (dout @ self._columns(x).swapaxes(1, 2)).sum(axis=0)

    def unfold(self, dkernels: np.ndarray) -> np.ndarray:
        """Return the gradient of the kernels from the sum of all parts."""
        return dkernels.reshape(self.W.shape)

    def _out_size(self, x: np.ndarray) -> tuple[int, ...]:
        return tuple((n + 2 * self.padding - self.W.shape[-1]) // self.stride + 1 for n in x.shape[2:])

    def _pad(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return zeros for x with padding, as many rows and columns as steps fill, and the view of x in it."""
        p, s = self.padding, self.stride
        x_pad = np.zeros((*x.shape[:2], *(-(-(n + 2 * p) // s) * s for n in x.shape[2:])), x.dtype)
        return x_pad, x_pad[:, :, p : p + x.shape[2], p : p + x.shape[3]]

    def _phases(self, x_pad: np.ndarray) -> np.ndarray:
        """View every s-th pixel, s being the stride, from each of s·s: (n,C,H,W) -> (s, s, n, C, H/s, W/s)."""
        n, C, H, W = x_pad.shape
        s = self.stride
        return x_pad.reshape(n, C, H // s, s, W // s, s).transpose(3, 5, 0, 1, 2, 4)

    def _taps(self, phases: np.ndarray, size: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
        """Yield (i, j) and the pixel that kernel entry (i, j) meets at every place: a view (n, C, H', W')."""
        s, (H, W) = self.stride, size
        for i, j in np.ndindex(self.W.shape[2:]):
            yield (i, j), phases[i % s, j % s, :, :, i // s : i // s + H, j // s : j // s + W]

    def _columns(self, x: np.ndarray) -> np.ndarray:
        """Copy every window into a column: (n,C,H,W) -> (n, C·k·k, H'·W'), in the order of W[o].ravel()."""
        (x_pad, inner), size = self._pad(x), self._out_size(x)
        copy_rows(x, inner)
        columns = np.empty((len(x), *self.W.shape[1:], *size), x.dtype)
        phases = np.ascontiguousarray(self._phases(x_pad))  # each is read k²/s² times, and faster than in steps
        for (i, j), tap in self._taps(phases, size):
            copy_rows(tap, columns[:, :, i, j])
        return columns.reshape(len(x), self.rows.shape[1], -1)

    def _add_columns(self, dcolumns: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Add every column back onto the pixels it was copied from: `_columns`, undone."""
        size = self._out_size(x)
        dx_pad, inner = self._pad(np.broadcast_to(dcolumns.dtype.type(), x.shape))
        dcolumns = dcolumns.reshape(len(x), *self.W.shape[1:], *size)
        for (i, j), tap in self._taps(self._phases(dx_pad), size):
            tap += dcolumns[:, :, i, j]
        return inner
