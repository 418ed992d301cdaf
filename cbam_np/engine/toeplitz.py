r"""Convolution with a single kernel, as the 7×7 of spatial attention: one matrix product, tile by tile.

To copy every k×k window, as `Im2col` does, moves k² numbers for each product with one kernel. Here the map is cut
into small tiles instead, each with the k-1 rows and columns around it that its output depends on. From such a tile
to its output is a linear map, and its matrix holds the kernel once for every place in the tile, shifted along (a
block Toeplitz matrix):

    out[i, j] = Σ_{r,s} tile[r, s] · T[r, s, i, j],    T[i+a, j+b, i, j] = W[a, b]

Two in three entries of T are zero, but a product is so much faster than copying that this wins.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .layout import copied_rows
from .products import times

TILE = (4, 8)  # height and width of a tile's output


class Toeplitz:
    """Convolve a slice of a batch with one kernel, stride 1."""

    def __init__(self, W: np.ndarray, stride: int, padding: int) -> None:
        self.W, self.padding = W, padding

    @staticmethod
    def fits(x: np.ndarray, W: np.ndarray, stride: int, padding: int) -> bool:
        """Tell whether it is faster this way: with one kernel, larger than 1×1."""
        return len(W) == 1 and W.shape[-1] > max(1, padding) and stride == 1 and x.dtype != object

    def bytes_each(self, x: np.ndarray) -> int:
        """Return the size of one image's tiles."""
        k = self.W.shape[-1]
        H, W = (-(-(n + 2 * self.padding - k + 1) // t) * (t + k - 1) for n, t in zip(x.shape[2:], TILE, strict=True))
        return x.shape[1] * H * W * x.itemsize

    def forward(self, x: np.ndarray, out: np.ndarray) -> None:
        """Write the convolution of (n,C,H,W) to out, (n,1,H',W')."""
        out[...] = _convolve(x, self.W, self.padding)

    def backward(self, dout: np.ndarray, x: np.ndarray, dx: np.ndarray | None = None) -> np.ndarray:
        """Write the gradient of x to dx, if wanted; return this slice's part of the kernel's, for `unfold`.

        The first is a convolution once more: of dout, with the kernel turned round, from its output to its inputs.
        """
        k, C = self.W.shape[-1], x.shape[1]
        turned = self.W.swapaxes(0, 1)[:, :, ::-1, ::-1]
        if dx is not None:
            dx[...] = _convolve(dout, turned, k - 1 - self.padding)
        dtiles = _tiles(dout, 1, 0)  # without a surrounding
        dT = _tiles(x, k, self.padding).T @ dtiles  # (C·rows·columns,tiles) @ (tiles,places)
        return _copies(dT.reshape(C, *(t + k - 1 for t in TILE), 1, *TILE)).sum(axis=(2, 3))

    def unfold(self, dkernel: np.ndarray) -> np.ndarray:
        """Return the gradient of the kernel from the sum of all parts: (C,1,k,k) -> (1,C,k,k)."""
        return dkernel.swapaxes(0, 1)


def _convolve(x: np.ndarray, W: np.ndarray, padding: int) -> np.ndarray:
    """Convolve with kernels (O,C,k,k): (n,C,H,W) -> (n,O,H',W')."""
    O, C, k, _ = W.shape
    T = np.zeros((C, *(t + k - 1 for t in TILE), O, *TILE), W.dtype)
    _copies(T)[...] = W.swapaxes(0, 1)[:, :, None, None]
    size = [n + 2 * padding - k + 1 for n in x.shape[2:]]
    down, across = (-(-n // t) for n, t in zip(size, TILE, strict=True))
    out = times(T.reshape(-1, O * TILE[0] * TILE[1]).T, _tiles(x, k, padding).T).T
    out = copied_rows(out.reshape(len(x), down, across, O, *TILE).transpose(0, 3, 1, 4, 2, 5))
    return out.reshape(len(x), O, down * TILE[0], across * TILE[1])[:, :, : size[0], : size[1]]


def _copies(T: np.ndarray) -> np.ndarray:
    """View the kernel's copies in a matrix (C, t+k-1, u+k-1, O, t, u): [c,o,i,j,a,b] is [c,i+a,j+b,o,i,j]."""
    C, rows, columns, O, t, u = T.shape
    c, r, s, o, i, j = T.strides
    return as_strided(T, (C, O, t, u, rows - t + 1, columns - u + 1), (c, o, i + r, j + s, r, s))


def _tiles(x: np.ndarray, k: int, padding: int) -> np.ndarray:
    """Copy tiles with what surrounds them into rows, zeros outside of x: (n,C,H,W) -> (tiles, C·(t+k-1)·(u+k-1))."""
    n, C, H, W = x.shape
    down, across = (-(-(m + 2 * padding - k + 1) // t) for m, t in zip((H, W), TILE, strict=True))
    x_pad = np.zeros((n, C, down * TILE[0] + k - 1, across * TILE[1] + k - 1), x.dtype)
    x_pad[:, :, padding : padding + H, padding : padding + W] = x
    N, c, i, j = x_pad.strides
    shape = (n, down, across, C, *(t + k - 1 for t in TILE))
    tiles = copied_rows(as_strided(x_pad, shape, (N, TILE[0] * i, TILE[1] * j, c, i, j)))
    return tiles.reshape(n * down * across, -1)
