"""The attention maps M_c and M_s that a network uses on given images."""

from typing import NamedTuple

import numpy as np

from ..cbam import ORDERS
from ..nn import Classifier
from ..nn.layers import CBAM
from ..nn.models import as_images
from ..ops import softmax


class AttentionMaps(NamedTuple):
    """One block's maps for a batch; a map that the block does not have is None."""

    name: str
    Mc: np.ndarray | None
    Ms: np.ndarray | None


def attention_maps(model: Classifier, images: np.ndarray) -> tuple[np.ndarray, list[AttentionMaps]]:
    """Run a network on images and collect the maps of all its attention blocks, first block first.

    Parameters
    ----------
    model : cbam_np.nn.Classifier
        The network.
    images : ndarray of uint8, shape (N, 3, H, W)
        Colour images.

    Returns
    -------
    p : ndarray, shape (N, classes)
        Probabilities from the same pass.
    maps : list of AttentionMaps
        `Mc` (N, C) with one weight per channel, `Ms` (N, h, w) with one per pixel, at the block's resolution;
        empty for a network without attention.

    Raises
    ------
    ValueError
        If the images are not uint8 of shape (N, 3, H, W).

    Examples
    --------
    >>> import numpy as np, cbam_np
    >>> model = cbam_np.SmallCNN("cbam", rng=np.random.default_rng(0))
    >>> p, maps = cbam_np.attention_maps(model, np.zeros((2, 3, 32, 32), np.uint8))
    >>> [(m.name, m.Mc.shape, m.Ms.shape) for m in maps][0]
    ('stage1.attention', (2, 32), (2, 32, 32))
    """
    p = softmax(model.forward(as_images(images)))
    maps = []
    for name, layer in model.layers():
        if isinstance(layer, CBAM):
            has = ORDERS[layer.dialect.order]
            Mc = layer.cache.Mc[:, :, 0, 0] if "channel" in has else None
            Ms = layer.cache.Ms[:, 0] if "spatial" in has else None
            maps.append(AttentionMaps(name, Mc, Ms))
    return p, maps
