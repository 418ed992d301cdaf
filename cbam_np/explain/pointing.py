"""How well a heat map points: at an object whose place is known, or at what the network itself needs."""

import numpy as np

from ..nn import Classifier
from ..ops.checks import check_shape


def energy_inside(heat: np.ndarray, masks: np.ndarray) -> np.ndarray:
    r"""Part of the heat that lies on the object, Σ_ij heat ⊗ mask / Σ_ij heat (Wang et al., Score-CAM, CVPRW 2020).

    Parameters
    ----------
    heat : ndarray, shape (N, H, W)
        Not negative.
    masks : ndarray of bool, shape (N, H, W)
        Where the object is.

    Returns
    -------
    ndarray, shape (N,)
        0 to 1; not a number where there is no heat at all.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    check_shape(masks, "masks", heat.shape, "a mask for each heat map, of its size")
    total = heat.sum(axis=(1, 2), dtype=np.float64)
    inside = (heat * masks).sum(axis=(1, 2), dtype=np.float64)
    return np.divide(inside, total, out=np.full(len(heat), np.nan), where=total > 0)


def pointing_game(heat: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Tell whether the hottest pixel lies on the object (Zhang et al., ECCV 2016).

    Parameters
    ----------
    heat : ndarray, shape (N, H, W)
        Heat maps; of several hottest pixels the first counts, in reading order.
    masks : ndarray of bool, shape (N, H, W)
        Where the object is.

    Returns
    -------
    ndarray of bool, shape (N,)
        Hit or missed; a map without heat has missed.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    check_shape(masks, "masks", heat.shape, "a mask for each heat map, of its size")
    flat = heat.reshape(len(heat), -1)
    hit = np.take_along_axis(masks.reshape(len(masks), -1), flat.argmax(axis=1)[:, None], axis=1)[:, 0]
    return hit.astype(bool) & (flat.max(axis=1) > 0)


def deletion_curve(
    model: Classifier, images: np.ndarray, heat: np.ndarray, targets: np.ndarray, parts: int = 16
) -> np.ndarray:
    """Probability of a class while the hottest pixels are taken away, hottest first (Petsiuk et al., BMVC 2018).

    Parameters
    ----------
    model : cbam_np.nn.Classifier
        The network.
    images : ndarray of uint8, shape (N, 3, H, W)
        Colour images.
    heat : ndarray, shape (N, H, W)
        Heat maps.
    targets : array_like of int, shape (N,)
        Classes.
    parts : int
        In how many equal parts the pixels go; a pixel taken away gets its image's mean colour.

    Returns
    -------
    ndarray, shape (N, parts + 1)
        From the whole image to none of it. The lower the curve, the better the heat map: its mean is the usual score.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    N, _, H, W = images.shape
    check_shape(heat, "heat", (N, H, W), "a heat map for each image, of its size")
    check_shape(targets, "targets", (N,), "a class for each image")
    rank = np.argsort(np.argsort(-heat.reshape(N, -1), axis=1, kind="stable"), axis=1).reshape(N, 1, H, W)
    mean = images.mean(axis=(2, 3), keepdims=True).round().astype(np.uint8)
    curve = [
        model.predict(np.where(rank < H * W * part // parts, mean, images))[np.arange(N), targets]
        for part in range(parts + 1)
    ]
    return np.stack(curve, axis=1)
