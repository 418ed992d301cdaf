"""How well a network does."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..data import LabelledImages
from ..engine import total
from ..nn import Classifier, InPieces
from ..ops import softmax_cross_entropy_forward
from ..ops.checks import check_option


class Score(NamedTuple):
    """How well a network does on a data set."""

    accuracy: float
    loss: float


def evaluate(
    model: Classifier,
    data: LabelledImages,
    batch_size: int = 128,
    copies: str = "none",
    watch: Callable[[], None] | None = None,
) -> Score:
    """Measure how well a network does.

    Parameters
    ----------
    model : Classifier
        The network.
    data : LabelledImages
        Images that it was not trained on.
    batch_size : int
        How many are computed at once.
    copies : {"none", "mirror", "six"}
        Whether to average the scores of each image and of copies of it that show the same thing to a person: its
        mirror image; or both, to one half, and both shifted by a pixel to the upper left and to the lower right, with
        a mirrored border, to a quarter each.
    watch : callable, optional
        Called before every batch; what it raises ends the work.

    Returns
    -------
    Score
        `accuracy`, the share of the images whose most probable class is right, and `loss`, the mean
        cross-entropy without label smoothing.

    Raises
    ------
    ValueError
        If `copies` is unknown.
    """
    check_option(copies, "copies", COPIES)
    pieces, correct, loss = InPieces(model), 0, 0.0
    for at in range(0, len(data), batch_size):
        if watch is not None:
            watch()
        images, labels = data.images[at : at + batch_size], data.labels[at : at + batch_size]
        logits = total(share * pieces.forward(copy) for share, copy in COPIES[copies](images))
        correct += int((logits.argmax(axis=1) == labels).sum())
        loss += float(softmax_cross_entropy_forward(logits, labels)[0]) * len(labels)
    return Score(correct / len(data), loss / len(data))


Copies = list[tuple[float, np.ndarray]]


def alone(images: np.ndarray) -> Copies:
    """Return the images."""
    return [(1.0, images)]


def with_mirror_image(images: np.ndarray) -> Copies:
    """Return the images and their mirror images, to one half each."""
    return [(0.5, images), (0.5, images[..., ::-1])]


def six(images: np.ndarray) -> Copies:
    """Return the images and their mirror images, as they are and shifted by a pixel in two directions."""
    H, W = images.shape[2:]
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    shifted = [padded[:, :, at : at + H, at : at + W] for at in (0, 2)]
    return [
        (weight * share, copy)
        for weight, version in zip((0.5, 0.25, 0.25), (images, *shifted), strict=True)
        for share, copy in with_mirror_image(version)
    ]


COPIES: dict[str, Callable[[np.ndarray], Copies]] = {"none": alone, "mirror": with_mirror_image, "six": six}
"""Which copies of an image are scored together, each with its share."""
