"""Sums over each channel's pixels, and one number per channel brought to all its pixels: (N, C, H, W)."""

import numpy as np

from .slices import batch_slices, over_slices


def channel_slices(x: np.ndarray) -> list[slice]:
    """Cut the batch for work that reads x and writes as much."""
    return batch_slices(len(x), 4 * x[0].nbytes)


def sum_per_channel(*factors: np.ndarray) -> np.ndarray:
    """Return Σ a, or Σ a ⊗ b, over (N, H, W): one number per channel."""
    return np.einsum(",".join(["nchw"] * len(factors)) + "->c", *factors)


def scale_and_shift(x: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return scale ⊗ x + shift, both of shape (C,)."""
    out = np.empty(x.shape, x.dtype)

    def write(s: slice) -> None:
        np.multiply(x[s], scale[:, None, None], out=out[s])
        out[s] += shift[:, None, None]

    over_slices(write, channel_slices(x))
    return out


def combine_per_channel(
    dout: np.ndarray, x: np.ndarray, slope: np.ndarray, constant: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Return scale ⊗ (dout - slope ⊗ x - constant), all three of shape (C,)."""
    dx = np.empty(x.shape, np.result_type(dout, x))

    def write(s: slice) -> None:
        np.multiply(x[s], -slope[:, None, None], out=dx[s])
        dx[s] -= constant[:, None, None]
        dx[s] += dout[s]
        dx[s] *= scale[:, None, None]

    over_slices(write, channel_slices(x))
    return dx


def multiply_per_channel(dout: np.ndarray, scale: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return scale ⊗ dout, scale of shape (C,)."""
    dx = np.empty(dout.shape, dtype)
    over_slices(lambda s: np.multiply(dout[s], scale[:, None, None], out=dx[s]), channel_slices(dout))
    return dx
