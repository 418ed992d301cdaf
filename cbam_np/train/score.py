"""How well a network does."""

from collections.abc import Callable, Sequence
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


class View(NamedTuple):
    """A copy of an image that shows the same thing to a person."""

    shift: int = 0  # pixels to the upper left
    mirrored: bool = False

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return the copies of images (N, C, H, W), with a mirrored border where they were shifted."""
        if self.shift:
            (H, W), by = images.shape[2:], abs(self.shift)
            padded = np.pad(images, ((0, 0), (0, 0), (by, by), (by, by)), mode="reflect")
            at = by + self.shift
            images = padded[:, :, at : at + H, at : at + W]
        return images[..., ::-1] if self.mirrored else images


COPIES: dict[str, dict[View, float]] = {
    "none": {View(): 1.0},
    "mirror": {View(): 0.5, View(0, True): 0.5},
    "six": {
        View(shift, side): share for shift, share in ((0, 0.25), (-1, 0.125), (1, 0.125)) for side in (False, True)
    },
}
"""Which copies of an image are scored together, each with its share."""


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
        mirror image; or both, to one half, and both shifted by a pixel to the lower right and to the upper left, with
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
    return evaluate_each(model, data, (copies,), batch_size, watch)[copies]


def evaluate_each(
    model: Classifier,
    data: LabelledImages,
    which: Sequence[str],
    batch_size: int = 128,
    watch: Callable[[], None] | None = None,
) -> dict[str, Score]:
    """Measure how well a network does with several choices of `copies`; a copy that they share is computed once."""
    for copies in which:
        check_option(copies, "copies", COPIES)
    views = {view: None for copies in which for view in COPIES[copies]}  # a set that keeps its order
    pieces, correct, loss = InPieces(model), dict.fromkeys(which, 0), dict.fromkeys(which, 0.0)
    for at in range(0, len(data), batch_size):
        if watch is not None:
            watch()
        images, labels = data.images[at : at + batch_size], data.labels[at : at + batch_size]
        of_view = {view: pieces.forward(view(images)) for view in views}
        for copies in which:
            logits = total(share * of_view[view] for view, share in COPIES[copies].items())
            correct[copies] += int((logits.argmax(axis=1) == labels).sum())
            loss[copies] += float(softmax_cross_entropy_forward(logits, labels)[0]) * len(labels)
    return {copies: Score(correct[copies] / len(data), loss[copies] / len(data)) for copies in which}
