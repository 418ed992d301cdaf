"""How well a network does."""

from typing import NamedTuple

from ..data import LabelledImages
from ..nn import Classifier, InPieces
from ..ops import softmax_cross_entropy_forward


class Score(NamedTuple):
    """How well a network does on a data set."""

    accuracy: float
    loss: float


def evaluate(model: Classifier, data: LabelledImages, batch_size: int = 128, mirrored: bool = False) -> Score:
    """Measure how well a network does.

    Parameters
    ----------
    model : Classifier
        The network.
    data : LabelledImages
        Images that it was not trained on.
    batch_size : int
        How many are computed at once.
    mirrored : bool
        Whether to average the scores of each image and of its mirror image, which show the same thing to a person.

    Returns
    -------
    Score
        `accuracy`, the share of the images whose most probable class is right, and `loss`, the mean
        cross-entropy without label smoothing.
    """
    pieces, correct, loss = InPieces(model), 0, 0.0
    for at in range(0, len(data), batch_size):
        images, labels = data.images[at : at + batch_size], data.labels[at : at + batch_size]
        logits = pieces.forward(images)
        if mirrored:
            logits = (logits + pieces.forward(images[..., ::-1])) / 2
        correct += int((logits.argmax(axis=1) == labels).sum())
        loss += float(softmax_cross_entropy_forward(logits, labels)[0]) * len(labels)
    return Score(correct / len(data), loss / len(data))
