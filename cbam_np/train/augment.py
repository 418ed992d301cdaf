"""Augmentation: every epoch sees each image a little shifted and perhaps mirrored, so that none is learned by heart."""

from typing import Literal

import numpy as np

from ..ops.checks import check_option, unmasked

BORDERS: dict[str, Literal["constant", "reflect"]] = {"zero": "constant", "reflect": "reflect"}
GREY = 128  # about the mean of photographs


def crop_and_flip(
    images: np.ndarray, *, rng: np.random.Generator, padding: int = 4, border: str = "zero", flip: bool = True
) -> np.ndarray:
    """Crop each image at random out of its padded self, and mirror half of them left to right.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, C, H, W)
        The images; not written to.
    rng : numpy.random.Generator
        Draws the place of each crop and the coin of each flip.
    padding : int
        Pixels added on each of the four sides, which is also the largest shift; 0 to crop nothing.
    border : {"zero", "reflect"}
        What is added: black, or the image mirrored at its edges.
    flip : bool
        Whether to mirror, with probability 1/2.

    Returns
    -------
    ndarray of uint8, shape (N, C, H, W)
        New images of the same size.

    Raises
    ------
    ValueError
        If the images are not uint8 of shape (N, C, H, W), or an option is out of range.
    """
    images = unmasked(images, "images")
    if images.dtype != np.uint8 or images.ndim != 4:
        raise ValueError(f"images are {images.dtype} of shape {images.shape}, expected uint8 of shape (N, C, H, W)")
    check_option(border, "border", BORDERS)
    N, C, H, W = images.shape
    if not 0 <= padding < min(H, W):
        raise ValueError(f"padding is {padding}, expected 0 to {min(H, W) - 1} for images of {H}×{W} pixels")
    top, left = rng.integers(2 * padding + 1, size=(2, N))
    mirrored = rng.random(N) < 0.5 if flip else np.zeros(N, bool)
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = np.pad(images, around, mode=BORDERS[border])  # (N, C, H+2p, W+2p)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (H, W), axis=(2, 3))  # (N, C, 2p+1, 2p+1, H, W)
    out = windows[np.arange(N), :, top, left]  # one window per image: (N, C, H, W)
    out[mirrored] = out[mirrored, :, :, ::-1]
    return out


def cutout(images: np.ndarray, size: int, *, rng: np.random.Generator) -> np.ndarray:
    """Cover a square of each image with grey, so that no part of an object is the only one that a network knows.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, C, H, W)
        The images; not written to.
    size : int
        Side of the square in pixels. Its middle is any pixel, so that at the edge less is covered.
    rng : numpy.random.Generator
        Draws the places.

    Returns
    -------
    ndarray of uint8, shape (N, C, H, W)
        New images.

    Raises
    ------
    ValueError
        If the size is less than 1.

    Notes
    -----
    Source: DeVries and Taylor, arXiv:1708.04552.
    """
    if size < 1:
        raise ValueError(f"size is {size}, expected 1 pixel or more")
    N, _, *sides = images.shape
    rows, columns = (
        np.arange(side) + size // 2 - rng.integers(side, size=(N, 1)) for side in sides
    )  # counted from the square's first: (N,H), (N,W)
    covered = ((0 <= rows) & (rows < size))[:, None, :, None] & ((0 <= columns) & (columns < size))[:, None, None]
    return np.where(covered, np.uint8(GREY), images)
