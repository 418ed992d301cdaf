"""Convolution, in the fastest of several ways: all of them do the same sums."""

import numpy as np

from .im2col import Im2col
from .layout import total
from .pointwise import Pointwise
from .slices import batch_slices, over_slices
from .threads import one_blas_thread
from .toeplitz import Toeplitz
from .winograd import Winograd
from .winograd_tiles import WinogradTiles

Way = Toeplitz | WinogradTiles | Winograd | Pointwise | Im2col
WAYS = (Toeplitz, WinogradTiles, Winograd, Pointwise, Im2col)  # in the order in which they are tried


def find_way(x: np.ndarray, W: np.ndarray, stride: int, padding: int) -> Way:
    """Return the fastest way to convolve."""
    return next(way for way in WAYS if way.fits(x, W, stride, padding))(W, stride, padding)


def out_shape(x: np.ndarray, W: np.ndarray, stride: int, padding: int) -> tuple[int, ...]:
    """Return the shape of the output."""
    return len(x), len(W), *((n + 2 * padding - W.shape[-1]) // stride + 1 for n in x.shape[2:])


def _slices(x: np.ndarray, way: Way) -> list[slice]:
    """Cut the batch. Each slice goes through the transformed kernels: where they are large, so are the slices."""
    kernels = way.U.nbytes if isinstance(way, WinogradTiles) else 0
    return batch_slices(len(x), way.bytes_each(x), 2 * kernels)


@one_blas_thread()
def convolve(x: np.ndarray, W: np.ndarray, stride: int, padding: int) -> tuple[np.ndarray, Way]:
    """Return the convolution of (N, C, H, W) with kernels (O, C, k, k), a slice of the batch at a time, and the way."""
    way = find_way(x, W, stride, padding)
    out = np.empty(out_shape(x, W, stride, padding), np.result_type(x, W))
    over_slices(lambda s: way.forward(x[s], out[s]), _slices(x, way))
    return out, way


@one_blas_thread()
def convolve_backward(
    dout: np.ndarray, x: np.ndarray, way: Way, want_dx: bool = True
) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the gradients of x, or None where it is not wanted, and of the kernels."""
    dx = np.empty(x.shape, np.result_type(dout, way.W)) if want_dx else None

    def part(s: slice) -> np.ndarray:
        return way.backward(dout[s], x[s], None if dx is None else dx[s])

    return dx, way.unfold(total(over_slices(part, _slices(x, way))))
