r"""Convolution with 3×3 kernels by Winograd's F(4, 3): four rows of the output for six products instead of twelve.

Take one column of pixels. Four outputs y need the six inputs x that the three weights w can reach, and

    y = Aᵀ ((G w) ⊗ (Bᵀ x))

gives them with one product for each of six numbers, where the definition takes 4 · 3. Bᵀ and Aᵀ hold small integers,
so that bringing pixels there and back takes a few additions; G w is computed once for all pixels. All three multiply
polynomials by evaluating them at 0, 1, -1, 2, -2 and ∞, multiplying the values and interpolating.

Here columns of the picture are treated that way, and the three kernel columns are summed as in `Im2col`: the matrix
products are half as large. Since y is linear in x and in w, backward is the same chain transposed:

    dw = Gᵀ ((A dy) ⊗ (Bᵀ x)),    dx = B ((G w) ⊗ (A dy))

Source: Lavin and Gray, CVPR 2016, section 4; rounding errors are a few times those of the definition.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .layout import copy_rows
from .products import times

OUT, IN = 4, 6  # rows of the output in a tile, and rows of the input that it needs
A_T = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])
B_T = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
FEWEST = 16  # channels; with fewer, the products are not what takes the time


class Winograd:
    """Convolve a slice of a batch with 3×3 kernels, stride 1, padding 1.

    Inside, the axes are (C, H, n, W): a row of pixels is that row of all images, one zero between each and the next
    and two at the ends. A neighbour's tap is then the same long row, begun one place further on.
    """

    def __init__(self, W: np.ndarray, stride: int, padding: int) -> None:
        O, C = W.shape[:2]
        self.W = W
        self.A_T, self.B_T, self.G = (np.asarray(matrix, W.dtype) for matrix in (A_T, B_T, G))
        U = self.G @ np.ascontiguousarray(W.transpose(2, 0, 1, 3)).reshape(3, -1)  # (6,3) @ (3,O·C·3)
        self.U = U.reshape(IN, O, C * 3)

    @staticmethod
    def fits(x: np.ndarray, W: np.ndarray, stride: int, padding: int) -> bool:
        """Tell whether it is faster this way."""
        enough = x.shape[1] >= FEWEST and len(W) >= FEWEST and x.dtype != object
        return W.shape[2:] == (3, 3) and stride == padding == 1 and enough

    def bytes_each(self, x: np.ndarray) -> int:
        """Return the size of one image's transformed taps and of their products."""
        C, H, W = x.shape[1:]
        return IN * (3 * C + len(self.W)) * _tiles(H) * (W + 1) * x.itemsize

    def forward(self, x: np.ndarray, out: np.ndarray) -> None:
        """Write the convolution of (n,C,H,W) to out, (n,O,H,W)."""
        n, _, H, W = x.shape
        M = times(self.U, self._transformed(x))  # (6,O,C·3) @ (6,C·3,places) -> (6,O,places)
        Y = times(self.A_T, M.reshape(IN, -1))
        Y = Y.reshape(OUT, -1, _tiles(H), n, W + 1)[..., :W]  # (4,O,tiles,n,W)
        for row in range(min(OUT, H)):
            rows = out[:, :, row::OUT]
            copy_rows(Y[row, :, : rows.shape[2]].transpose(2, 0, 1, 3), rows)

    def backward(self, dout: np.ndarray, x: np.ndarray, dx: np.ndarray | None = None) -> np.ndarray:
        """Write the gradient of x to dx, if wanted; return this slice's part of the kernels', for `unfold`."""
        n, O, H, W = dout.shape
        dY = np.zeros((OUT, O, _tiles(H), n, W + 1), dout.dtype)
        for row in range(min(OUT, H)):
            rows = dout[:, :, row::OUT]
            copy_rows(rows.transpose(1, 2, 0, 3), dY[row, :, : rows.shape[2], :, :W])
        dM = times(self.A_T.T, dY.reshape(OUT, -1)).reshape(IN, O, -1)
        dU = self._transformed(x) @ dM.swapaxes(1, 2)  # (6,C·3,places) @ (6,places,O) -> (6,C·3,O)
        if dx is not None:
            copy_rows(self._untransformed(times(self.U.swapaxes(1, 2), dM), x), dx)
        return dU

    def unfold(self, dU: np.ndarray) -> np.ndarray:
        """Return the gradient of the kernels from the sum of all parts: (6,C·3,O) -> (O,C,3,3)."""
        O, C = self.W.shape[:2]
        dW = self.G.T @ dU.reshape(IN, -1)
        return dW.reshape(3, C, 3, O).transpose(3, 1, 0, 2)

    def _transformed(self, x: np.ndarray) -> np.ndarray:
        """Return Bᵀ x for the three taps of each row: (n,C,H,W) -> (6, C·3, places), places = tiles·n·(W+1)."""
        n, C, H, W = x.shape
        tiles, places = _tiles(H), n * (W + 1)
        rows = np.zeros((C, tiles * OUT + 2, places + 2), x.dtype)
        copy_rows(x.transpose(1, 2, 0, 3), _pixels(rows[:, 1 : H + 1], n, W))
        c, i, j = rows.strides
        V = self.B_T @ as_strided(rows, (C, tiles, IN, places + 2), (c, OUT * i, i, j))
        c, tile, i, j = V.strides
        taps = as_strided(V, (IN, C, 3, tiles, places), (i, c, j, tile, j))
        return taps.reshape(IN, C * 3, -1)

    def _untransformed(self, dV: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Bring a gradient of the taps back to the pixels that they were made of: `_transformed`, undone."""
        n, C, H, W = x.shape
        tiles, places = _tiles(H), n * (W + 1)
        dV = dV.reshape(IN, C, 3, tiles, places)
        drows = np.empty((IN, C, tiles, places + 2), dV.dtype)
        drows[..., :places], drows[..., places:] = dV[:, :, 0], 0
        for tap in (1, 2):
            drows[..., tap : tap + places] += dV[:, :, tap]
        drows = times(self.B_T.T, drows.reshape(IN, -1)).reshape(drows.shape)
        dx_pad = np.zeros((C, tiles + 1, OUT, places + 2), dV.dtype)
        dx_pad[:, :-1] = drows[:OUT].transpose(1, 2, 0, 3)
        dx_pad[:, 1:, : IN - OUT] += drows[OUT:].transpose(1, 2, 0, 3)  # the two rows that tiles share
        return _pixels(dx_pad.reshape(C, -1, places + 2)[:, 1 : H + 1], n, W).transpose(2, 0, 1, 3)


def _tiles(H: int) -> int:
    """Return how many tiles of four rows cover H rows."""
    return -(-H // OUT)


def _pixels(rows: np.ndarray, n: int, W: int) -> np.ndarray:
    """View the pixels in rows (C, H, 1 + n·(W+1) + 1): (C, H, n, W)."""
    return rows[:, :, 1:-1].reshape(*rows.shape[:2], n, W + 1)[..., :W]
