"""The network of the cheapest public recipe for CIFAR-10, with attention or without."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..ops.checks import check_option
from .containers import Sequential
from .layer import Layer
from .layers import GELU, BatchNorm2d, Conv2d, GlobalAvgPool, Linear, MaxPool2d, Normalise, ReLU
from .models import ATTENTIONS, Classifier, as_images, make_attention
from .whitening import FILTERS, WhiteningConv2d

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
"""Of CIFAR-10's training images with values from 0 to 1."""
PATCHES_FROM = 5000  # images
ACTIVATIONS: dict[str, type[Layer]] = {"gelu": GELU, "relu": ReLU}


class WhitenedCNN(Classifier):
    """Whitening filters, then groups of two convolutions, with pooling before the first normalisation of each.

    An image of 32×32 pixels becomes 24 whitened maps of 31×31, then 64 maps of 15×15, 256 of 7×7, 256 of 3×3, of which
    the largest numbers are scored. Activations are GELU, the normalisations have no scale, and the convolutions start
    by passing on what they are given. `fit_inputs` has to see training images before the network is used.

    Parameters
    ----------
    attention : {None, "se", "cbam", "channel", "spatial"}
        What ends the groups.
    rng : numpy.random.Generator
        Draws the weights, the attention's last.
    classes : int
        Number of classes.
    widths : sequence of int
        Channels of the groups.
    conv_start : {"dirac-uniform", "dirac", "he"}
        How the convolutions start.
    filters : {"whitening", "drawn"}
        The first filters.
    activation : {"gelu", "relu"}
        What follows the first filters and the normalisations.
    after : sequence of int
        Which groups the attention ends, from 1.
    reduction : int
        r of the attention.
    dtype : dtype
        float32 to train, float64 to check.
    **options
        For the attention: `kernel_size`, `start` and any field of `cbam_np.Dialect`.

    Raises
    ------
    ValueError
        If an option is unknown.

    Notes
    -----
    Source: Jordan, arXiv:2404.00498; github.com/KellerJordan/cifar10-airbench, airbench94_muon.

    Examples
    --------
    >>> import numpy as np
    >>> from cbam_np.nn import WhitenedCNN
    >>> rng = np.random.default_rng(0)
    >>> model = WhitenedCNN("cbam", rng=rng, widths=(24, 32, 32))
    >>> images = rng.integers(0, 256, (8, 3, 32, 32), dtype=np.uint8)
    >>> model.fit_inputs(images)
    >>> model.predict(images).shape
    (8, 10)
    """

    def __init__(
        self,
        attention: str | None = None,
        *,
        rng: np.random.Generator,
        classes: int = 10,
        widths: Sequence[int] = (64, 256, 256),
        conv_start: str = "dirac-uniform",
        filters: str = "whitening",
        activation: str = "gelu",
        after: Sequence[int] = (1, 2, 3),
        reduction: int = 16,
        dtype: DTypeLike = np.float32,
        **options: Any,
    ) -> None:
        check_option(attention, "attention", (None, *ATTENTIONS))
        check_option(activation, "activation", ACTIVATIONS)
        bend = ACTIVATIONS[activation]
        check_option(filters, "filters", FILTERS)
        normalise = Normalise(dtype=dtype)
        whiten = WhiteningConv2d(dtype=dtype, rng=rng if filters == "drawn" else None)
        normalise.state["mean"][:], normalise.state["std"][:] = 255 * np.array(MEAN), 255 * np.array(STD)
        parts: dict[str, Layer] = {"normalise": normalise, "whiten": whiten, "activation": bend()}
        groups: list[tuple[int, dict[str, Layer]]] = []
        inputs = len(whiten.params["b"])
        for width in widths:
            group: dict[str, Layer] = {}
            for at in (1, 2):
                group[f"conv{at}"] = Conv2d(inputs, width, rng=rng, dtype=dtype, start=conv_start)
                if at == 1:
                    group["pool"] = MaxPool2d(2)
                group[f"bn{at}"] = BatchNorm2d(width, momentum=0.4, eps=1e-12, scale=False, dtype=dtype)
                group[f"activation{at}"] = bend()
                inputs = width
            groups.append((width, group))
        head = Linear(inputs, classes, rng=rng, bias=False, scale=1 / inputs, dtype=dtype)
        head.params["W"] /= head.params["W"].std()
        for number, (width, group) in enumerate(groups, start=1):
            kind = attention if number in after else None
            group |= make_attention(kind, width, reduction, rng=rng, dtype=dtype, **options)
            parts[f"group{number}"] = Sequential(**group)
        super().__init__(**parts, maxima=MaxPool2d(3), average=GlobalAvgPool(), head=head)

    def fit_inputs(self, images: np.ndarray) -> None:
        """Take the whitening filters from training images, uint8 (N, 3, H, W), of which the first 5,000 are used."""
        self.parts["whiten"].fit(self.parts["normalise"].forward(as_images(images)[:PATCHES_FROM]))
