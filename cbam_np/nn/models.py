"""Networks: images in, probabilities out."""

import numpy as np

from ..ops import softmax
from ..ops.checks import check_option
from .containers import Sequential
from .layers import CBAM, SE, BatchNorm2d, Conv2d, GlobalAvgPool, Linear, MaxPool2d, Normalise, ReLU
from .pieces import InPieces

ATTENTIONS = {"se": SE, "cbam": CBAM}


class Classifier(Sequential):
    """A network whose first layer normalises images and whose last gives a score a class."""

    def predict(self, images, batch_size=128):
        """Return the probability of each class for each image.

        Parameters
        ----------
        images : ndarray of uint8, shape (N, 3, H, W)
            Colour images with values 0 to 255; the network normalises them by itself.
        batch_size : int
            How many are computed at once.

        Returns
        -------
        ndarray, shape (N, classes)
            Probabilities p, each row adding to 1.

        Raises
        ------
        ValueError
            If the images are not uint8 of shape (N, 3, H, W).
        """
        images = np.asarray(images)
        if images.dtype != np.uint8:
            raise ValueError(
                f"images are {images.dtype}, expected uint8 with values 0 to 255: the network normalises them by itself"
            )
        if len(images) == 0:
            raise ValueError(f"images are empty, shape {images.shape}: pass at least one")
        batches = range(0, len(images), batch_size)
        pieces = InPieces(self)
        return np.concatenate([softmax(pieces.forward(images[at : at + batch_size])) for at in batches])


class SmallCNN(Classifier):
    """Three stages of convolution, batch normalisation, ReLU and attention, with pooling between them.

    An image of 32×32 pixels becomes 32 maps of 32×32, 64 of 16×16, 128 of 8×8, then 128 averages and a score
    a class.

    Parameters
    ----------
    attention : {None, "se", "cbam"}
        What follows each stage's ReLU.
    rng : numpy.random.Generator
        Draws the weights, the attention's last, so that networks with and without it start from the same rest.
    classes : int
        Number of classes.
    channels : tuple of int
        Channels of the stages.
    reduction : int
        r of the attention.
    dtype : dtype
        float32 to train, float64 to check.

    Raises
    ------
    ValueError
        If `attention` is unknown.
    """

    def __init__(self, attention=None, *, rng, classes=10, channels=(32, 64, 128), reduction=16, dtype=np.float32):
        check_option(attention, "attention", (None, *ATTENTIONS))
        pairs = zip((3, *channels), channels, strict=False)
        convs = [Conv2d(inputs, outputs, rng=rng, dtype=dtype) for inputs, outputs in pairs]
        head = Linear(channels[-1], classes, rng=rng, dtype=dtype)
        parts = {"normalise": Normalise(dtype=dtype)}
        for number, (conv, width) in enumerate(zip(convs, channels, strict=True), start=1):
            if number > 1:
                parts[f"pool{number - 1}"] = MaxPool2d(2)
            stage = {"conv": conv, "bn": BatchNorm2d(width, dtype=dtype), "relu": ReLU()}
            if attention is not None:
                stage["attention"] = ATTENTIONS[attention](width, reduction, rng=rng, dtype=dtype)
            parts[f"stage{number}"] = Sequential(**stage)
        super().__init__(**parts, average=GlobalAvgPool(), head=head)
