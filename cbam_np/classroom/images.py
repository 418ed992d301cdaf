"""A network's attention on real images: what it is at each stage, and what the network thinks with less of it."""

import base64
import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..cbam import ORDERS, channel_attention_forward, spatial_attention_forward
from ..data import CLASSES, LabelledImages
from ..explain import attention_maps, grad_cam
from ..nn.layers import CBAM
from ..nn.models import Classifier
from ..ops import softmax
from ..train import load_pretrained

STORED = Path(__file__).parent / "front" / "images.json"
STRENGTHS = tuple(part / 10 for part in range(11))  # from attention off to attention on
COPY = "a test image of CIFAR-10, from a JPEG-recompressed copy"
DRAWN = "drawn by program, so that its outline is known"
SIZE = 32
PHOTOGRAPHS, DRAWINGS = "smallcnn-cbam-cifar10", "smallcnn-cbam-shapes"


def look(model: Classifier, image: np.ndarray) -> dict[str, Any]:
    """Return what a network attends to in one image, for the front end.

    Parameters
    ----------
    model : Classifier
        A small network with CBAM.
    image : ndarray of uint8, shape (3, H, W)
        A colour image.

    Returns
    -------
    dict
        `stages`, each with `name`, `Mc` and `Ms`; `probabilities`, one list for each of `STRENGTHS`; and `heat`,
        Grad-CAM of the most probable class. Maps are bytes in base64, 255 for 1.
    """
    images = image[None]
    _, maps = attention_maps(model, images)
    probabilities = [softmax(forward_with(model, images, strength))[0] for strength in STRENGTHS]
    return {
        "stages": [{"name": m.name, "Mc": _packed(m.Mc), "Ms": _packed(m.Ms)} for m in maps],
        "probabilities": [[round(float(p), 4) for p in row] for row in probabilities],
        "heat": _packed(grad_cam(model, images)[0]),
    }


def forward_with(model: Classifier, images: np.ndarray, strength: float) -> np.ndarray:
    r"""Return a network's scores with every attention map M replaced by 1 - s (1 - M).

    Parameters
    ----------
    model : Classifier
        The network.
    images : ndarray of uint8, shape (N, 3, H, W)
        Colour images.
    strength : float
        s, from 0, attention off, to 1, the network as it is.

    Returns
    -------
    ndarray, shape (N, classes)
        Scores before the softmax.
    """
    x = images
    for layer in _leaves(model):
        x = _weakened(x, layer, strength) if isinstance(layer, CBAM) else layer.forward(x)
    return x


def _leaves(model: Classifier) -> Iterator[Any]:
    """Yield the layers that contain no others, in their order."""
    layers = [(name, layer) for name, layer in model.layers() if name]
    for name, layer in layers:
        if not any(other.startswith(f"{name}.") for other, _ in layers):
            yield layer


def _weakened(F: np.ndarray, layer: CBAM, strength: float) -> np.ndarray:
    source = F
    for attention in ORDERS[layer.dialect.order]:
        forward = channel_attention_forward if attention == "channel" else spatial_attention_forward
        M, _ = forward(source if layer.dialect.order == "parallel" else F, layer.params, layer.dialect)
        F = F * (1 - strength * (1 - M)).astype(F.dtype)
    return F


def gather(test: LabelledImages, shapes: LabelledImages) -> list[dict[str, Any]]:
    """Return the twelve images of the explorer, with all that it shows of them.

    The first test image of each class of CIFAR-10, and the first two shapes: chosen by a rule, not by their results.

    Parameters
    ----------
    test : LabelledImages
        CIFAR-10's test images, or a copy.
    shapes : LabelledImages
        From `make_shapes`, with masks.

    Returns
    -------
    list of dict
        Ready for JSON: `label`, `source`, `network`, `classes`, `png`, `outline` (bytes, or None), and what `look`
        returns.
    """
    first = [int(np.flatnonzero(test.labels == label)[0]) for label in range(len(test.classes))]
    chosen = [(PHOTOGRAPHS, test, n, COPY) for n in first]
    chosen += [(DRAWINGS, shapes, n, DRAWN) for n in (0, 1)]
    return [_told(network, images, number, source) for network, images, number, source in chosen]


def _told(network: str, images: LabelledImages, number: int, source: str) -> dict[str, Any]:
    image = images.images[number]
    mask = None if images.masks is None else images.masks[number]
    return {
        "label": images.classes[images.labels[number]],
        "source": source,
        "network": network,
        "classes": list(images.classes),
        "png": png(image),
        "outline": None if mask is None else _packed(mask.astype(float)),
        **look(load_pretrained(network), image),
    }


def look_at_own(text: str) -> dict[str, Any]:
    """Return the same of somebody's own picture, as a browser sends it, and the network of photographs.

    Parameters
    ----------
    text : str
        See `pixels`.

    Returns
    -------
    dict
        As in `gather`, without `label` and `source`.
    """
    image = pixels(text)
    told = {"network": PHOTOGRAPHS, "classes": list(CLASSES["cifar10"]), "png": png(image), "outline": None}
    return told | look(load_pretrained(PHOTOGRAPHS), image)


@cache
def stored() -> list[dict[str, Any]]:
    """Return the twelve images that the package has."""
    return json.loads(STORED.read_text(encoding="utf-8"))


def png(image: np.ndarray) -> str:
    """Write an image (3, H, W) as PNG in base64."""
    file = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def pixels(text: str) -> np.ndarray:
    """Read what a browser sends of a picture: 32×32 pixels of red, green and blue, in base64.

    Parameters
    ----------
    text : str
        3072 bytes in base64, pixel after pixel.

    Returns
    -------
    ndarray of uint8, shape (3, 32, 32)
        The image.

    Raises
    ------
    ValueError
        If it is of another size.
    """
    values = np.frombuffer(base64.b64decode(text), np.uint8)
    if values.size != 3 * SIZE * SIZE:
        raise ValueError(f"the picture has {values.size} bytes, expected {3 * SIZE * SIZE}: 32×32 pixels in colour")
    return values.reshape(SIZE, SIZE, 3).transpose(2, 0, 1)


def _packed(values: Any) -> str:
    return base64.b64encode(np.round(255 * np.asarray(values, float)).astype(np.uint8).tobytes()).decode()
