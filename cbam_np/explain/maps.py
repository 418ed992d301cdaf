"""The attention maps M_c and M_s that a network uses on given images."""

from typing import NamedTuple

import numpy as np

from ..cbam import ORDERS
from ..nn.layers import CBAM
from ..ops import softmax


class AttentionMaps(NamedTuple):
    """One block's maps for a batch; a map that the block does not have is None."""

    name: str
    Mc: np.ndarray | None
    Ms: np.ndarray | None


def attention_maps(model, images):
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
        `Mc` (N, C) with a weight a channel, `Ms` (N, h, w) with a weight a pixel, at the block's resolution;
        empty for a network without attention.
    """
    p = softmax(model.forward(images))
    maps = []
    for name, layer in model.layers():
        if isinstance(layer, CBAM):
            has = ORDERS[layer.dialect.order]
            Mc = layer.cache.Mc[:, :, 0, 0] if "channel" in has else None
            Ms = layer.cache.Ms[:, 0] if "spatial" in has else None
            maps.append(AttentionMaps(name, Mc, Ms))
    return p, maps
