"""Sums over each channel's pixels, and one number per channel brought to all its pixels: (N, C, H, W).

A number that is to meet all pixels of its channel is written out once for a whole image. A batch is then one long row
next to it, which NumPy works through faster than through a short row for every channel.
"""

import numpy as np

from .layout import flatten
from .slices import batch_slices, over_slices
from .threads import one_blas_thread

SHORT, LONG = 32, 128  # pixels of a channel that are summed at a time: with fewer, to start takes too long


def channel_slices(x: np.ndarray) -> list[slice]:
    """Cut the batch for work that reads x and writes as much."""
    return batch_slices(len(x), 4 * x[0].nbytes)


def over_pixels(numbers: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return one number per channel, shape (C,), written out for all pixels of an image of x: (C, H, W)."""
    return np.broadcast_to(numbers[:, None, None], x.shape[1:]).copy()


@one_blas_thread()
def dot_per_channel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return Σ a ⊗ b over the pixels of each channel of each image, rows times columns: (N, C)."""
    return np.matmul(flatten(a)[:, :, None, :], flatten(b)[:, :, :, None])[:, :, 0, 0]


def sum_per_channel(*factors: np.ndarray) -> np.ndarray:
    """Return Σ a, or Σ a ⊗ b, over (N, H, W): one number per channel."""
    N, C, H, W = factors[0].shape
    if len(factors) == 2 and H * W >= LONG:
        return dot_per_channel(*factors).sum(axis=0)
    if H * W >= SHORT:
        return np.einsum(",".join(["nchw"] * len(factors)) + "->c", *factors)
    images = [factor.reshape(N, C * H * W) for factor in factors]  # pixel by pixel first
    return np.einsum(",".join(["nk"] * len(factors)) + "->k", *images).reshape(C, H * W).sum(axis=1)


def scale_and_shift(x: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return scale ⊗ x + shift, both of shape (C,)."""
    out = np.empty(x.shape, x.dtype)
    scale, shift = over_pixels(scale, x), over_pixels(shift, x)

    def write(s: slice) -> None:
        np.multiply(x[s], scale, out=out[s])
        out[s] += shift

    over_slices(write, channel_slices(x))
    return out


def combine_per_channel(
    dout: np.ndarray, x: np.ndarray, slope: np.ndarray, constant: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Return scale ⊗ (dout - slope ⊗ x - constant), all three of shape (C,)."""
    dx = np.empty(x.shape, np.result_type(dout, x))
    slope, constant, scale = (over_pixels(numbers, x) for numbers in (slope, constant, scale))

    def write(s: slice) -> None:
        np.multiply(x[s], -slope, out=dx[s])
        dx[s] -= constant
        dx[s] += dout[s]
        dx[s] *= scale

    over_slices(write, channel_slices(x))
    return dx


def multiply_per_channel(dout: np.ndarray, scale: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return scale ⊗ dout, scale of shape (C,)."""
    dx = np.empty(dout.shape, dtype)
    scale = over_pixels(scale, dout)
    over_slices(lambda s: np.multiply(dout[s], scale, out=dx[s]), channel_slices(dout))
    return dx
