r"""Convolution with 3×3 kernels by Winograd's F(4×4, 3×3): a tile of 4×4 outputs for 36 products instead of 144.

`winograd` treats the columns of a picture; here its rows are treated in the same way, too. A tile X of 6×6 pixels and
a kernel w give the 4×4 outputs

    Y = Aᵀ ((G w Gᵀ) ⊗ (Bᵀ X B)) A,

and the sum over input channels can be taken before Aᵀ … A: at each of the 36 places it is a matrix product of its own.
With many channels these products are what takes the time, and there are a quarter as many as in the definition; with
few, bringing the tiles there and back takes longer. A tile is a column of 36 numbers here, so that Bᵀ X B is one
matrix, Bᵀ with itself by Kronecker's product, times all tiles. Backward is the same chain transposed.

The polynomials are evaluated at 0, ±3/4, ±3/2 and ∞. The powers of these numbers lie closer together than those of 1
and 2 do, so that rounding errors are half as large; in one direction that would not be worth the fractions.

Source: Lavin and Gray, CVPR 2016, section 4.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .layout import copied_rows, copy_rows
from .products import times
from .winograd import IN, OUT, _tiles

POINTS = (0, 3 / 4, -3 / 4, 3 / 2, -3 / 2)  # and ∞
FEWEST = 2**13  # input channels times outputs
IMAGES = 16  # so few make rows that are too short
ROW = 8  # pixels


def _matrices() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Aᵀ (4,6), Bᵀ (6,6) and G (6,3), by Lagrange's interpolation at the points."""
    A_T, B_T, G = np.zeros((OUT, IN)), np.zeros((IN, IN)), np.zeros((IN, 3))
    A_T[-1, -1] = G[-1, -1] = 1  # ∞, where a polynomial's highest coefficient is its value
    B_T[-1] = np.poly(POINTS)[::-1]
    for at, point in enumerate(POINTS):
        others = np.delete(POINTS, at)
        A_T[:, at] = point ** np.arange(OUT)
        B_T[at, :-1] = np.poly(others)[::-1]
        G[at] = point ** np.arange(3) / np.prod(point - others)
    return A_T, B_T, G


A_T, B_T, G = _matrices()


class WinogradTiles:
    """Convolve a slice of a batch with 3×3 kernels, stride 1, padding 1, where there are many channels.

    Inside, the axes are (C, H, W, n), so that what is copied lies in rows of n numbers.
    """

    def __init__(self, W: np.ndarray, stride: int, padding: int) -> None:
        self.W = W
        self.A_T, self.B_T, self.G = (np.kron(matrix, matrix).astype(W.dtype) for matrix in (A_T, B_T, G))
        U = times(self.G, np.ascontiguousarray(W.reshape(-1, 9).T))  # (36,9) @ (9,O·C)
        self.U = U.reshape(IN * IN, *W.shape[:2])

    @staticmethod
    def fits(x: np.ndarray, W: np.ndarray, stride: int, padding: int) -> bool:
        """Tell whether it is faster this way."""
        many = W.shape[0] * W.shape[1] >= FEWEST and len(x) > IMAGES and x.dtype != object
        return W.shape[2:] == (3, 3) and stride == padding == 1 and many

    def bytes_each(self, x: np.ndarray) -> int:
        """Return the size of one image's transformed tiles."""
        C, H, W = x.shape[1:]
        return IN * IN * max(C, len(self.W)) * _tiles(H) * _tiles(W) * x.itemsize

    def forward(self, x: np.ndarray, out: np.ndarray) -> None:
        """Write the convolution of (n,C,H,W) to out, (n,O,H,W)."""
        M = times(self.U, self._transformed(x))  # (36,O,C) @ (36,C,places) -> (36,O,places)
        Y = times(self.A_T, M.reshape(IN * IN, -1))  # (16,36) @ (36,O·places)
        n, O, H, W = out.shape
        tiles = Y.reshape(OUT, OUT, O, _tiles(H), _tiles(W), n).transpose(2, 3, 0, 4, 1, 5)  # (O,tiles,4,tiles,4,n)
        out[...] = copied_rows(tiles).reshape(O, _tiles(H) * OUT, _tiles(W) * OUT, n)[:, :H, :W].transpose(3, 0, 1, 2)

    def backward(self, dout: np.ndarray, x: np.ndarray, dx: np.ndarray | None = None) -> np.ndarray:
        """Write the gradient of x to dx, if wanted; return this slice's part of the kernels', for `unfold`."""
        n, O, H, W = dout.shape
        pixels = np.zeros((O, _tiles(H) * OUT, _tiles(W) * OUT, n), dout.dtype)
        _images_last(dout, pixels[:, :H, :W])
        tiles = pixels.reshape(O, _tiles(H), OUT, _tiles(W), OUT, n)
        dY = copied_rows(tiles.transpose(2, 4, 0, 1, 3, 5))  # (4,4,O,tiles,tiles,n)
        dM = times(self.A_T.T, dY.reshape(OUT * OUT, -1)).reshape(IN * IN, O, -1)
        dU = dM @ self._transformed(x).swapaxes(1, 2)  # (36,O,places) @ (36,places,C) -> (36,O,C)
        if dx is not None:
            dx[...] = self._untransformed(times(self.U.swapaxes(1, 2), dM), x)
        return dU

    def unfold(self, dU: np.ndarray) -> np.ndarray:
        """Return the gradient of the kernels from the sum of all parts: (36,O,C) -> (O,C,3,3)."""
        return (self.G.T @ dU.reshape(IN * IN, -1)).T.reshape(self.W.shape)

    def _transformed(self, x: np.ndarray) -> np.ndarray:
        """Return Bᵀ X B of every tile: (n,C,H,W) -> (36, C, places), places = tiles·tiles·n."""
        n, C, H, W = x.shape
        pixels = np.zeros((C, _tiles(H) * OUT + 2, _tiles(W) * OUT + 2, n), x.dtype)
        _images_last(x, pixels[:, 1 : H + 1, 1 : W + 1])
        tiles = copied_rows(_in_tiles(pixels))
        return times(self.B_T, tiles.reshape(IN * IN, -1)).reshape(IN * IN, C, -1)

    def _untransformed(self, dV: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Bring a gradient of the tiles back to the pixels that they were made of: `_transformed`, undone."""
        n, C, H, W = x.shape
        dpixels = np.zeros((C, _tiles(H) * OUT + 2, _tiles(W) * OUT + 2, n), dV.dtype)
        into = _in_tiles(dpixels)
        dtiles = times(self.B_T.T, dV.reshape(IN * IN, -1)).reshape(into.shape)
        for i, j in np.ndindex(IN, IN):  # one place of all tiles at a time: tiles share pixels
            if max(i, j) < OUT:  # the first to come
                copy_rows(dtiles[i, j], into[i, j])
            else:
                into[i, j] += dtiles[i, j]
        return dpixels[:, 1 : H + 1, 1 : W + 1].transpose(3, 0, 1, 2)


def _images_last(x: np.ndarray, to: np.ndarray) -> None:
    """Copy x, (n,C,H,W), to (C,H,W,n), an image at a time unless its rows are short.

    NumPy would take a number of each image in turn, and images of 8×8 or 16×16 lie as far apart as the cache is bad at.
    """
    if x.shape[3] < ROW:
        to[...] = x.transpose(1, 2, 3, 0)
        return
    for image in range(len(x)):
        to[..., image] = x[image]


def _in_tiles(pixels: np.ndarray) -> np.ndarray:
    """View pixels (C,H,W,n) as tiles of 6×6, four apart: (6, 6, C, tiles, tiles, n)."""
    C, H, W, n = pixels.shape
    c, i, j, image = pixels.strides
    return as_strided(pixels, (IN, IN, C, H // OUT, W // OUT, n), (i, j, c, OUT * i, OUT * j, image))
