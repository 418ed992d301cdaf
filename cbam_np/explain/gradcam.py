"""Grad-CAM: where in the picture a network found what speaks for a class."""

from difflib import get_close_matches

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..nn import Classifier
from ..nn.layers import GlobalAvgPool, Linear, MaxPool2d
from ..nn.models import as_images

PAST_MAPS = (MaxPool2d, GlobalAvgPool, Linear)  # what may follow the last maps


def grad_cam(
    model: Classifier, images: np.ndarray, targets: ArrayLike | None = None, layer: str | None = None
) -> np.ndarray:
    r"""Gradient-weighted class activation maps, one per picture.

    With the maps A of a layer and the score y of a class, before the softmax,

        α[n,c] = 1/(H·W) Σ_ij ∂y[n] / ∂A[n,c,i,j],    heat[n] = ReLU(Σ_c α[n,c] A[n,c]),

    brought to the pictures' size by bilinear interpolation and divided by its largest value.

    Parameters
    ----------
    model : cbam_np.nn.Classifier
        The network; it is run as in inference, and its caches and `grads` are those of this run afterwards.
    images : ndarray of uint8, shape (N, 3, H, W)
        Colour images.
    targets : int or array_like of int, shape (N,), optional
        The classes, one for all or one for each; the most probable of each where none are given.
    layer : str, optional
        Name of the layer that gives A, one of `model.layers()`; the last one before the network pools its maps away
        where none is given.

    Returns
    -------
    ndarray, shape (N, H, W)
        Heat between 0 and 1; 0 throughout where nothing in A speaks for the class.

    Raises
    ------
    ValueError
        If the images are not uint8 of shape (N, 3, H, W), there is no such layer or class, or the layer's output is
        not made of maps.

    Notes
    -----
    Source: Selvaraju et al., ICCV 2017, equations 1 and 2.

    Examples
    --------
    >>> import numpy as np, cbam_np
    >>> model = cbam_np.SmallCNN("cbam", rng=np.random.default_rng(0))
    >>> images = np.zeros((2, 3, 32, 32), np.uint8)
    >>> cbam_np.grad_cam(model, images, targets=3).shape
    (2, 32, 32)
    """
    images = as_images(images)
    layers = dict(model.layers())
    if layer is None:
        layer = [name for name, part in model.parts.items() if not isinstance(part, PAST_MAPS)][-1]
    if layer not in layers or not layer:
        near = get_close_matches(str(layer), [name for name in layers if name], cutoff=0.0)
        raise ValueError(f"layer is {layer!r}, expected one of model.layers(); the nearest are {', '.join(near)}")
    with layers[layer].listen() as heard:
        logits = model.forward(images)
        model.backward(_one_hot(targets, logits))
    A, dA = heard["out"], heard["dout"]
    if A.ndim != 4:
        raise ValueError(f"layer {layer!r} gives an array of shape {A.shape}, expected maps, (N, C, H, W)")
    alpha = dA.mean(axis=(2, 3))  # (N,C,H,W) -> (N,C)
    heat = np.maximum(np.einsum("nc,nchw->nhw", alpha, A), 0)
    heat = resize(heat, images.shape[2:])
    largest = heat.max(axis=(1, 2), keepdims=True)
    return np.divide(heat, largest, out=np.zeros_like(heat), where=largest > 0)


def _one_hot(targets: ArrayLike | None, logits: np.ndarray) -> np.ndarray:
    """Return the gradient of the targets' scores with respect to all scores: 1 for each target, 0 elsewhere."""
    N, classes = logits.shape
    targets = logits.argmax(axis=1) if targets is None else np.broadcast_to(targets, (N,))
    if targets.dtype.kind not in "iu" or targets.min() < 0 or targets.max() >= classes:
        raise ValueError(
            f"targets are {targets}, expected whole numbers from 0 to {classes - 1}, one for all or one per image"
        )
    dlogits = np.zeros_like(logits)
    dlogits[np.arange(N), targets] = 1
    return dlogits


def resize(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring maps (N, h, w) to another size (H, W) by bilinear interpolation; pixels are squares, not points."""
    down, across = (_interpolation(n, m, maps.dtype) for n, m in zip(maps.shape[1:], size, strict=True))
    return down @ maps @ across.T


def _interpolation(n: int, m: int, dtype: DTypeLike) -> np.ndarray:
    """Return the matrix (m, n) that brings n samples to m."""
    centres = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
    left = np.minimum(centres.astype(int), max(n - 2, 0))
    matrix = np.zeros((m, n), dtype)
    matrix[np.arange(m), left] = 1 - (centres - left)
    matrix[np.arange(m), np.minimum(left + 1, n - 1)] += centres - left
    return matrix
